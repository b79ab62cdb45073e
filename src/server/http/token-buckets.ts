/**
 * Token buckets: a bucket holds as many tokens as come into it in a minute, and each request takes one. Who has been silent may do a
 * minute's requests at once; who goes on is held to the rate. Buckets that nobody used for longest are forgotten, full or
 * not, so that names made up by the million cost no memory.
 */
const MOST = 50_000;

interface Bucket {
  tokens: number;
  /** When that was, in milliseconds. */
  at: number;
}

export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Takes a token.
   * @param perMinute how many a minute; 0: no limit.
   * @returns seconds until there is one; 0 where there was.
   */
  take(key: string, perMinute: number, now: number): number {
    if (perMinute <= 0) return 0;
    const bucket = this.#buckets.get(key) ?? { tokens: perMinute, at: now };
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MOST) for (const oldest of this.#buckets.keys()) if (this.#buckets.delete(oldest)) break;
    // A clock that was set back gives nothing and takes nothing.
    const passed = Math.max(0, now - bucket.at) / 60_000;
    bucket.tokens = Math.min(perMinute, bucket.tokens + passed * perMinute);
    bucket.at = now;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return ((1 - bucket.tokens) / perMinute) * 60;
  }
}
