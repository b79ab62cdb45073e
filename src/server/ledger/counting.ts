/**
 * Brings credit, rollups and tallies up to date, a part of the journal at a time: exchanges go on between two parts, and wait
 * for the end of the one in hand.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientInfo } from '../../domain/client.ts';
import type { Store } from '../store/store.ts';
import { type Arrivals, fold, prune, takeArrivals } from './fold.ts';

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

  constructor(ports: CountingPorts) {
    this.#ports = ports;
  }

  /** Notes that a client was here. */
  arrive(client: ClientInfo, at: number): void {
    // A service worker's flush tells no name.
    const name = client.name ?? this.#arrivals.get(client.id)?.client.name;
    this.#arrivals.set(client.id, { client: name === undefined ? client : { ...client, name }, at });
  }

  /** Counts all that there is. */
  async count(): Promise<void> {
    while (await this.#part()) await new Promise(setImmediate);
    await this.#prune();
  }

  /** Counts all that there is, without keeping exchanges waiting for more than a third of the time. For a timer. */
  countEasily(): Promise<void> {
    this.#easily ??= this.#countEasily().finally(() => {
      this.#easily = undefined;
    });
    return this.#easily;
  }

  async #countEasily(): Promise<void> {
    for (;;) {
      const began = performance.now();
      if (!(await this.#part())) break;
      await sleep(REST * (performance.now() - began), undefined, { ref: false });
    }
    await this.#prune();
  }

  /** @returns whether there is more. */
  async #part(): Promise<boolean> {
    const some = takeArrivals(this.#arrivals);
    try {
      const isMore = await this.#ports.store.transaction((ledger) => fold(ledger, some));
      return isMore || this.#arrivals.size > 0;
    } catch (error) {
      for (const [id, arrival] of some) if (!this.#arrivals.has(id)) this.#arrivals.set(id, arrival);
      throw error;
    }
  }

  async #prune(): Promise<void> {
    const { store, clock } = this.#ports;
    if (clock() - this.#prunedAt < PRUNE_EVERY_MS) return;
    await store.transaction((ledger) => prune(ledger, clock()));
    this.#prunedAt = clock();
  }
}
