/**
 * When to try again after failures, for everything that calls a keyserver or fetches from one: 2 s doubling to 5 min,
 * each spread over its upper half at random, so that clients that failed together do not come back together. Never
 * sooner than the other side asked (Retry-After), which is believed up to LONGEST_WAIT_MS.
 */
const FIRST_MS = 2_000;
const CAP_MS = 300_000;

/** Nothing that another machine says keeps a client waiting longer than this. */
export const LONGEST_WAIT_MS = 600_000;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** @param random a number from 0 to 1, as Math.random gives. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Notes a failure and gives the wait before the next try, in milliseconds. */
  next(retryAfterSeconds = 0): number {
    const full = Math.min(CAP_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    const own = full / 2 + (this.#random() * full) / 2;
    return Math.max(own, Math.min(LONGEST_WAIT_MS, retryAfterSeconds * 1000));
  }

  reset(): void {
    this.#failures = 0;
  }
}
