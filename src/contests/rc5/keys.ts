/**
 * Units of an RC5 contest and the keys in them. A unit is 2^28 consecutive keys of the big-endian key counter: unit
 * u of the contest begins at key (firstUnit + u)·2^28. Keys are at most 72 bits, so a counter is a `bigint`; a unit and an offset
 * are plain numbers, of which a key is made without one.
 */
import type { BlindRc5Search, Rc5Search } from '../../domain/contest.ts';
import { KEYS_PER_UNIT } from '../../domain/work.ts';
import { type Block, blockAt } from './cipher.ts';

/** How many low bits of the first ciphertext word a near match shares with the target. */
export const NEAR_BITS = 24;
export const NEAR_MASK = 2 ** NEAR_BITS - 1;
/** Near matches expected in a unit: 2^28 / 2^24. */
export const NEAR_MATCHES_PER_UNIT = KEYS_PER_UNIT / 2 ** NEAR_BITS;

/** The whole search, or what is handed out of a blind one. */
export type KeySearch = Rc5Search | BlindRc5Search;

/** The bytes K0…K(b−1) of the key `offset` keys into the unit. */
export function keyBytes(search: KeySearch, unit: number, offset: number): Uint8Array {
  const key = new Uint8Array(search.keyBytes);
  const whole = search.firstUnit + unit;
  // The low 32 bits of the counter: the offset, and four of the unit's.
  let low = (whole % 16) * KEYS_PER_UNIT + offset;
  let high = Math.floor(whole / 16);
  for (let i = key.length - 1; i >= 0; i--) {
    if (i >= key.length - 4) {
      key[i] = low % 256;
      low = Math.floor(low / 256);
    } else {
      key[i] = high % 256;
      high = Math.floor(high / 256);
    }
  }
  return key;
}

export function counterBytes(counter: bigint, length: number): Uint8Array {
  return fromHex(counter.toString(16).padStart(length * 2, '0'));
}

interface FirstBlocks {
  /** What is encrypted first: plaintext XOR IV, the first CBC block. */
  plain: Block;
  /** The low 24 bits of the first word that it must become. */
  near: number;
  /** All of it; undefined where it is the keymaster's secret. */
  target: Block | undefined;
}

/** Wanted for every report, of a few contests. */
const blocksOf = new WeakMap<KeySearch, FirstBlocks>();

export function firstBlocks(search: KeySearch): FirstBlocks {
  let blocks = blocksOf.get(search);
  if (blocks === undefined) {
    blocks = readFirstBlocks(search);
    blocksOf.set(search, blocks);
  }
  return blocks;
}

function readFirstBlocks(search: KeySearch): FirstBlocks {
  if ('target' in search) {
    const [near] = blockAt(fromHex(search.target.padEnd(16, '0')), 0);
    return { plain: blockAt(fromHex(search.plain), 0), near, target: undefined };
  }
  const known = blockAt(new TextEncoder().encode(search.knownPlaintext), 0);
  const iv = blockAt(fromHex(search.iv), 0);
  const target = blockAt(fromHex(search.ciphertext), 0);
  return {
    plain: [(known[0] ^ iv[0]) >>> 0, (known[1] ^ iv[1]) >>> 0],
    near: target[0] & NEAR_MASK,
    target,
  };
}

/** What is handed out of a blind search. */
export function blinded(search: Rc5Search): BlindRc5Search {
  const { plain } = firstBlocks(search);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of plain.entries()) view.setUint32(4 * i, word, true);
  const { keyBytes, firstUnit, ciphertext } = search;
  const target = ciphertext.slice(0, NEAR_BITS / 4);
  return { kind: 'rc5', blind: true, keyBytes, plain: toHex(bytes), target, firstUnit };
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
