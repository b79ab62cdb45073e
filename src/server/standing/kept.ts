/**
 * Keeps answers that take a while to make, so that the standing costs little however many look at it: an answer is fresh for
 * a time in proportion to what it took. After that, one that took long is still given out while a new one is made; one that
 * took no time is made anew.
 */
import { RefusedError, UnreachableError } from '../../protocol/errors.ts';

export interface KeptOptions {
  /** Milliseconds since 1970. */
  clock: () => number;
  /** An answer is fresh for at least so long. */
  freshMs: number;
  /** … and for so many times what it took: 50 is 2 % of the time. */
  timesTaken?: number;
  /** An answer that took so long is given out stale, if it is not older than `staleMs`. */
  patienceMs: number;
  staleMs: number;
  /** How many answers are kept. */
  most: number;
  /** Where a new one cannot be had (UnreachableError), the old one is given out, however old. */
  outlives?: boolean;
}

interface Entry<T> {
  value: T;
  madeAt: number;
  tookMs: number;
}

export class Kept<T> {
  readonly #options: KeptOptions;
  /** The one asked for longest ago first. */
  readonly #entries = new Map<string, Entry<T>>();
  readonly #making = new Map<string, Promise<T>>();

  constructor(options: KeptOptions) {
    this.#options = options;
  }

  async get(key: string, make: () => Promise<T>): Promise<T> {
    const { outlives = false, clock, freshMs, timesTaken = 0, patienceMs, staleMs } = this.#options;
    const entry = this.#entries.get(key);
    if (entry === undefined) return this.#make(key, make);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    // A clock that was set back makes it old, too.
    const age = Math.abs(clock() - entry.madeAt);
    if (age <= Math.max(freshMs, timesTaken * entry.tookMs)) return entry.value;
    const made = this.#make(key, make);
    if (entry.tookMs >= patienceMs && age <= staleMs) {
      made.catch(() => {});
      return entry.value;
    }
    return made.catch((error: unknown) => {
      if (outlives && error instanceof UnreachableError) return entry.value;
      throw error;
    });
  }

  #make(key: string, make: () => Promise<T>): Promise<T> {
    const underWay = this.#making.get(key);
    if (underWay !== undefined) return underWay;
    const { clock, most } = this.#options;
    const began = performance.now();
    const made = make()
      .then(
        (value) => {
          this.#entries.delete(key);
          this.#entries.set(key, { value, madeAt: clock(), tookMs: performance.now() - began });
          for (const old of this.#entries.keys()) {
            if (this.#entries.size <= most) break;
            this.#entries.delete(old);
          }
          return value;
        },
        (error: unknown) => {
          // What is not there any more is given out no more, stale or not.
          if (error instanceof RefusedError && error.code === 'not_found') this.#entries.delete(key);
          throw error;
        },
      )
      .finally(() => this.#making.delete(key));
    this.#making.set(key, made);
    return made;
  }
}
