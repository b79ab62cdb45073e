/**
 * What a block log tells of a client's address. Hashed, unless told otherwise: HMAC-SHA256 under a random key, cut to 64
 * bits, so that the blocks of one client on one day can be counted together, and nothing more. The key is made anew
 * for every day (UTC) and every process, and is nowhere but in memory: yesterday's hashes cannot be tried out any more,
 * although there are few enough addresses to try them all.
 */
import { createHmac, randomBytes } from 'node:crypto';

export type AddressStyle = 'hashed' | 'plain' | 'none';

const DAY_MS = 86_400_000;
const HASH_DIGITS = 16;

export class AddressMask {
  readonly #style: AddressStyle;
  #day = Number.NaN;
  #key = Buffer.alloc(0);

  constructor(style: AddressStyle) {
    this.#style = style;
  }

  /** Empty where there is nothing to tell. `at`: milliseconds since 1970. */
  show(address: string | undefined, at: number): string {
    if (address === undefined || this.#style === 'none') return '';
    // As a socket of both families names a client of the older one.
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    if (this.#style === 'plain') return plain;
    const day = Math.floor(at / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#key = randomBytes(32);
    }
    return createHmac('sha256', this.#key).update(plain).digest('hex').slice(0, HASH_DIGITS);
  }
}
