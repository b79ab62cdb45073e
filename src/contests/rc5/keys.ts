/**
 * Units of an RC5 contest and the keys in them. A unit is 2^28 consecutive keys of the big-endian key counter: unit
 * u of the contest begins at key (firstUnit + u)·2^28. Keys are at most 72 bits, so they are `bigint` here.
 */
import type { Rc5Search } from '../../domain/contest.ts';
import { KEYS_PER_UNIT } from '../../domain/work.ts';
import { type Block, blockAt } from './cipher.ts';

/** How many low bits of the first ciphertext word a near match shares with the target. */
export const NEAR_BITS = 24;
export const NEAR_MASK = 2 ** NEAR_BITS - 1;
/** Near matches expected in a unit: 2^28 / 2^24. */
export const NEAR_MATCHES_PER_UNIT = KEYS_PER_UNIT / 2 ** NEAR_BITS;

/** The bytes K0…K(b−1) of the key `offset` keys into the unit. */
export function keyBytes(search: Rc5Search, unit: number, offset: number): Uint8Array {
  return counterBytes(BigInt(search.firstUnit + unit) * BigInt(KEYS_PER_UNIT) + BigInt(offset), search.keyBytes);
}

export function counterBytes(counter: bigint, length: number): Uint8Array {
  return fromHex(counter.toString(16).padStart(length * 2, '0'));
}

/** What is encrypted first (plaintext XOR IV, the first CBC block) and what it must become. */
export function firstBlocks(search: Rc5Search): { plain: Block; target: Block } {
  const known = blockAt(new TextEncoder().encode(search.knownPlaintext), 0);
  const iv = blockAt(fromHex(search.iv), 0);
  return {
    plain: [(known[0] ^ iv[0]) >>> 0, (known[1] ^ iv[1]) >>> 0],
    target: blockAt(fromHex(search.ciphertext), 0),
  };
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
