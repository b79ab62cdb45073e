/** When to try again after failures: 2 s doubling to 5 min, each spread over its upper half at random. */
const FIRST_MS = 2_000;
const CAP_MS = 300_000;

export class Backoff {
  #failures = 0;

  /** Notes a failure and gives the wait before the next try, in milliseconds. */
  next(): number {
    const full = Math.min(CAP_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    return full / 2 + (Math.random() * full) / 2;
  }

  reset(): void {
    this.#failures = 0;
  }
}
