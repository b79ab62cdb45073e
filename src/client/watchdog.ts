/**
 * Notices a worker that answers no more: a kernel in an endless loop, a thread that the browser forgot. It counts time by the
 * engine's ticks, so that a machine that slept or a tab that was frozen, in which nobody could have answered, counts as
 * no time at all.
 */
import type { Hand, Worker } from './crew.ts';

/** A worker that computes tells how it goes every half second, at a tenth of its speed every few seconds. */
const SILENT_MS = 60_000;
/** Cores are fetched, put to known answers and timed: many of them, perhaps over a slow line. */
const PREPARING_MS = 300_000;
/** A tick that comes so late was not late alone. */
const LATE_MS = 5_000;

export class Watchdog {
  readonly #heard = new WeakMap<Hand, { what: unknown; at: number }>();
  #now = 0;
  #tickedAt: number | undefined;

  /** Called every second, with a clock's milliseconds. Returns those who have been silent for too long. */
  tick(workers: readonly Worker[], clock: number): Worker[] {
    const passed = clock - (this.#tickedAt ?? clock);
    this.#tickedAt = clock;
    if (passed > 0 && passed < LATE_MS) this.#now += passed;
    return workers.filter(({ hand }) => hand !== undefined && this.#silence(hand) >= patience(hand));
  }

  #silence(hand: Hand): number {
    const last = this.#heard.get(hand);
    if (last !== undefined && last.what === hand.progress) return this.#now - last.at;
    this.#heard.set(hand, { what: hand.progress, at: this.#now });
    return 0;
  }
}

const patience = ({ progress, stopping }: Hand): number =>
  progress === undefined && !stopping ? PREPARING_MS : SILENT_MS;
