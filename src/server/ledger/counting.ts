/**
 * Brings credit, rollups and tallies up to date, a part of the journal at a time: exchanges go on between two parts, and wait
 * for the end of the one in hand.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientInfo } from '../../domain/client.ts';
import type { Store } from '../store/store.ts';
import { type Arrivals, firstArrivals, fold, prune } from './fold.ts';

const PRUNE_EVERY_MS = 3_600_000;

/** At an easy pace, counting rests so many times as long as it worked. */
const REST = 2;

export interface CountingPorts {
  store: Store;
  /** Milliseconds since 1970. */
  clock: () => number;
}

export class Counting {
  readonly #ports: CountingPorts;
  #arrivals: Arrivals = new Map();
  #prunedAt = 0;
  #easily: Promise<void> | undefined;
  #isClosed = false;

  constructor(ports: CountingPorts) {
    this.#ports = ports;
  }

  /** Notes that a client was here. */
  arrive(client: ClientInfo, at: number): void {
    // A service worker's flush tells no name.
    const name = client.name ?? this.#arrivals.get(client.id)?.client.name;
    this.#arrivals.set(client.id, { client: name === undefined ? client : { ...client, name }, at });
  }

  /** Counts what there is. */
  async count(): Promise<void> {
    await this.#count(() => new Promise(setImmediate));
    await this.#prune();
  }

  /** Counts what there is, without keeping exchanges waiting for more than a third of the time. For a timer. */
  countEasily(): Promise<void> {
    this.#easily ??= this.#countEasily().finally(() => {
      this.#easily = undefined;
    });
    return this.#easily;
  }

  async #countEasily(): Promise<void> {
    await this.#count(
      (took) => sleep(REST * took),
      () => !this.#isClosed,
    );
    if (!this.#isClosed) await this.#prune();
  }

  /** Counts what is left, and looks at the store no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#easily?.catch(() => {});
    await this.count();
  }

  /**
   * No more than there is at the beginning: a busy keyserver writes as fast as this reads.
   * @param rest between two parts, told how many milliseconds the last one took.
   */
  async #count(rest: (took: number) => Promise<unknown>, goesOn = (): boolean => true): Promise<void> {
    const { store } = this.#ports;
    const arrived = this.#arrivals;
    this.#arrivals = new Map();
    try {
      let left = await store.read((ledger) => ledger.counting.countJournal());
      while (goesOn() && (left > 0 || arrived.size > 0)) {
        const began = performance.now();
        const some = firstArrivals(arrived);
        const counted = await store.counting((ledger) => fold(ledger, some));
        for (const id of some.keys()) arrived.delete(id);
        // Another keyserver over the same ledger may have counted them.
        left = counted === 0 ? 0 : left - counted;
        if (left > 0 || arrived.size > 0) await rest(performance.now() - began);
      }
    } finally {
      for (const [id, arrival] of arrived) if (!this.#arrivals.has(id)) this.#arrivals.set(id, arrival);
    }
  }

  async #prune(): Promise<void> {
    const { store, clock } = this.#ports;
    if (Math.abs(clock() - this.#prunedAt) < PRUNE_EVERY_MS) return;
    await store.counting((ledger) => prune(ledger, clock()));
    this.#prunedAt = clock();
  }
}
