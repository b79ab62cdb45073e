/** Faults of a storm that end by themselves. */
import { setTimeout as sleep } from 'node:timers/promises';

export class Passing {
  readonly #all = new Set<Promise<void>>();

  add(fault: Promise<void>): void {
    const noted = fault.finally(() => this.#all.delete(noted));
    this.#all.add(noted);
  }

  /** One that is ended so, after so long. */
  after(seconds: number, end: () => Promise<void> | void): void {
    this.add(sleep(1000 * seconds).then(end));
  }

  /** Resolves when none is left. */
  async over(): Promise<void> {
    while (this.#all.size > 0) await Promise.all(this.#all);
  }
}
