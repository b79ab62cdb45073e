/**
 * RC5-32/12/b key search, four keys interleaved, for b = 7, 8 and 9 bytes (R. Rivest, "The RC5 Encryption
 * Algorithm", 1994; symbols are the paper's).
 *
 * The key schedule is one long chain of dependent adds and rotates. Four independent chains, written side by side,
 * fill the pipeline; a fifth and sixth would spend the registers.
 *
 * S is a stream, not a ring: step t of the 78 reads the word written 26 steps before and writes its own, so that no
 * index is taken modulo 26. The first 26 words are the constants P + iQ; the last 26 are the cipher's round keys.
 *
 *   word     0 ........ 25 | 26 ....... 51 | 52 ....... 77 | 78 ...... 103
 *            P + iQ          pass 1          pass 2          pass 3 = round keys
 *
 * Only half A of the last round is computed: enough to reject a key.
 */
import { FOUND, KEY, KEY_BYTES, KEY_LAST, MASK, MAX_FOUND, OFFSETS, PLAIN_HI, PLAIN_LO, S, TARGET } from './layout';

const P: u32 = 0xb7e15163;
const Q: u32 = 0x9e3779b9;
/** Bytes between S[t - 26] and S[t]: 26 words of four lanes. */
const PASS = 26 * 16;
/** Where step t = 78 would read, which is also where the round keys begin. */
const ROUND_KEYS: usize = S + 3 * PASS;

/** Writes the constants of the stream. Once, before the first search. */
export function init(): void {
  if (memory.size() == 0) memory.grow(1);
  for (let i: u32 = 0; i < 26; i++) {
    for (let lane: u32 = 0; lane < 4; lane++) store<u32>(S + i * 16 + lane * 4, P + i * Q);
  }
}

/**
 * Tries the next `count` keys from KEY (both multiples of 4) and moves KEY past them. Leaves the offsets of the keys
 * that agree with the target, at most MAX_FOUND of them, and returns how many were tried: fewer than `count` only
 * when there was no room for more.
 */
export function search(count: u32): u32 {
  const b = load<u32>(KEY_BYTES);
  let high = load<u64>(KEY);
  let last = load<u32>(KEY_LAST);
  let tried: u32 = 0;
  store<u32>(FOUND, 0);
  while (tried < count && load<u32>(FOUND) <= <u32>(MAX_FOUND - 4)) {
    if (b == 9) try9(high, last, tried);
    else if (b == 8) try8((high << 8) | last, tried, 0x01000000);
    else try8(((high << 8) | last) << 8, tried, 0x00010000);
    tried += 4;
    last += 4;
    if (last == 256) {
      last = 0;
      high++;
    }
  }
  store<u64>(KEY, high);
  store<u32>(KEY_LAST, last);
  return tried;
}

/** b = 9: L0 and L1 are shared by the four keys, L2 is the last byte. `key`: K0…K7. */
export function try9(key: u64, last: u32, offset: u32): void {
  let A0: u32 = 0,
    A1: u32 = 0,
    A2: u32 = 0,
    A3: u32 = 0;
  let B0: u32 = 0,
    B1: u32 = 0,
    B2: u32 = 0,
    B3: u32 = 0;
  const first = bswap<u32>((key >> 32) as u32);
  const second = bswap<u32>(key as u32);
  let L00 = first,
    L01 = first,
    L02 = first,
    L03 = first;
  let L10 = second,
    L11 = second,
    L12 = second,
    L13 = second;
  let L20 = last,
    L21 = last + 1,
    L22 = last + 2,
    L23 = last + 3;
  let s: usize = S;
  do {
    A0 = rotl<u32>(load<u32>(s, 0) + A0 + B0, 3);
    A1 = rotl<u32>(load<u32>(s, 4) + A1 + B1, 3);
    A2 = rotl<u32>(load<u32>(s, 8) + A2 + B2, 3);
    A3 = rotl<u32>(load<u32>(s, 12) + A3 + B3, 3);
    store<u32>(s, A0, 416);
    store<u32>(s, A1, 420);
    store<u32>(s, A2, 424);
    store<u32>(s, A3, 428);
    B0 += A0;
    B1 += A1;
    B2 += A2;
    B3 += A3;
    L00 = B0 = rotl<u32>(L00 + B0, B0);
    L01 = B1 = rotl<u32>(L01 + B1, B1);
    L02 = B2 = rotl<u32>(L02 + B2, B2);
    L03 = B3 = rotl<u32>(L03 + B3, B3);
    A0 = rotl<u32>(load<u32>(s, 16) + A0 + B0, 3);
    A1 = rotl<u32>(load<u32>(s, 20) + A1 + B1, 3);
    A2 = rotl<u32>(load<u32>(s, 24) + A2 + B2, 3);
    A3 = rotl<u32>(load<u32>(s, 28) + A3 + B3, 3);
    store<u32>(s, A0, 432);
    store<u32>(s, A1, 436);
    store<u32>(s, A2, 440);
    store<u32>(s, A3, 444);
    B0 += A0;
    B1 += A1;
    B2 += A2;
    B3 += A3;
    L10 = B0 = rotl<u32>(L10 + B0, B0);
    L11 = B1 = rotl<u32>(L11 + B1, B1);
    L12 = B2 = rotl<u32>(L12 + B2, B2);
    L13 = B3 = rotl<u32>(L13 + B3, B3);
    A0 = rotl<u32>(load<u32>(s, 32) + A0 + B0, 3);
    A1 = rotl<u32>(load<u32>(s, 36) + A1 + B1, 3);
    A2 = rotl<u32>(load<u32>(s, 40) + A2 + B2, 3);
    A3 = rotl<u32>(load<u32>(s, 44) + A3 + B3, 3);
    store<u32>(s, A0, 448);
    store<u32>(s, A1, 452);
    store<u32>(s, A2, 456);
    store<u32>(s, A3, 460);
    B0 += A0;
    B1 += A1;
    B2 += A2;
    B3 += A3;
    L20 = B0 = rotl<u32>(L20 + B0, B0);
    L21 = B1 = rotl<u32>(L21 + B1, B1);
    L22 = B2 = rotl<u32>(L22 + B2, B2);
    L23 = B3 = rotl<u32>(L23 + B3, B3);
    s += 48;
  } while (s < ROUND_KEYS);
  encrypt(offset);
}

/**
 * b = 8, and b = 7 with a zero byte behind: c = 2. `key`: K0…K7; `next` is what the next key adds to L1.
 */
export function try8(key: u64, offset: u32, next: u32): void {
  let A0: u32 = 0,
    A1: u32 = 0,
    A2: u32 = 0,
    A3: u32 = 0;
  let B0: u32 = 0,
    B1: u32 = 0,
    B2: u32 = 0,
    B3: u32 = 0;
  const first = bswap<u32>((key >> 32) as u32);
  const second = bswap<u32>(key as u32);
  let L00 = first,
    L01 = first,
    L02 = first,
    L03 = first;
  let L10 = second,
    L11 = second + next,
    L12 = second + 2 * next,
    L13 = second + 3 * next;
  let s: usize = S;
  do {
    A0 = rotl<u32>(load<u32>(s, 0) + A0 + B0, 3);
    A1 = rotl<u32>(load<u32>(s, 4) + A1 + B1, 3);
    A2 = rotl<u32>(load<u32>(s, 8) + A2 + B2, 3);
    A3 = rotl<u32>(load<u32>(s, 12) + A3 + B3, 3);
    store<u32>(s, A0, 416);
    store<u32>(s, A1, 420);
    store<u32>(s, A2, 424);
    store<u32>(s, A3, 428);
    B0 += A0;
    B1 += A1;
    B2 += A2;
    B3 += A3;
    L00 = B0 = rotl<u32>(L00 + B0, B0);
    L01 = B1 = rotl<u32>(L01 + B1, B1);
    L02 = B2 = rotl<u32>(L02 + B2, B2);
    L03 = B3 = rotl<u32>(L03 + B3, B3);
    A0 = rotl<u32>(load<u32>(s, 16) + A0 + B0, 3);
    A1 = rotl<u32>(load<u32>(s, 20) + A1 + B1, 3);
    A2 = rotl<u32>(load<u32>(s, 24) + A2 + B2, 3);
    A3 = rotl<u32>(load<u32>(s, 28) + A3 + B3, 3);
    store<u32>(s, A0, 432);
    store<u32>(s, A1, 436);
    store<u32>(s, A2, 440);
    store<u32>(s, A3, 444);
    B0 += A0;
    B1 += A1;
    B2 += A2;
    B3 += A3;
    L10 = B0 = rotl<u32>(L10 + B0, B0);
    L11 = B1 = rotl<u32>(L11 + B1, B1);
    L12 = B2 = rotl<u32>(L12 + B2, B2);
    L13 = B3 = rotl<u32>(L13 + B3, B3);
    s += 32;
  } while (s < ROUND_KEYS);
  encrypt(offset);
}

/** Encrypts the plaintext block under the four schedules and notes the keys that agree with the target. */
function encrypt(offset: u32): void {
  const lo = load<u32>(PLAIN_LO);
  const hi = load<u32>(PLAIN_HI);
  let s: usize = ROUND_KEYS;
  let A0 = lo + load<u32>(s, 0);
  let A1 = lo + load<u32>(s, 4);
  let A2 = lo + load<u32>(s, 8);
  let A3 = lo + load<u32>(s, 12);
  let B0 = hi + load<u32>(s, 16);
  let B1 = hi + load<u32>(s, 20);
  let B2 = hi + load<u32>(s, 24);
  let B3 = hi + load<u32>(s, 28);
  // Rounds 1…11.
  for (let r = 0; r < 11; r++) {
    s += 32;
    A0 = rotl<u32>(A0 ^ B0, B0) + load<u32>(s, 0);
    A1 = rotl<u32>(A1 ^ B1, B1) + load<u32>(s, 4);
    A2 = rotl<u32>(A2 ^ B2, B2) + load<u32>(s, 8);
    A3 = rotl<u32>(A3 ^ B3, B3) + load<u32>(s, 12);
    B0 = rotl<u32>(B0 ^ A0, A0) + load<u32>(s, 16);
    B1 = rotl<u32>(B1 ^ A1, A1) + load<u32>(s, 20);
    B2 = rotl<u32>(B2 ^ A2, A2) + load<u32>(s, 24);
    B3 = rotl<u32>(B3 ^ A3, A3) + load<u32>(s, 28);
  }
  // Round 12, half A only.
  A0 = rotl<u32>(A0 ^ B0, B0) + load<u32>(s, 32);
  A1 = rotl<u32>(A1 ^ B1, B1) + load<u32>(s, 36);
  A2 = rotl<u32>(A2 ^ B2, B2) + load<u32>(s, 40);
  A3 = rotl<u32>(A3 ^ B3, B3) + load<u32>(s, 44);
  const target = load<u32>(TARGET);
  const mask = load<u32>(MASK);
  if (((A0 ^ target) & mask) == 0) note(offset);
  if (((A1 ^ target) & mask) == 0) note(offset + 1);
  if (((A2 ^ target) & mask) == 0) note(offset + 2);
  if (((A3 ^ target) & mask) == 0) note(offset + 3);
}

export function note(offset: u32): void {
  const found = load<u32>(FOUND);
  store<u32>(<usize>OFFSETS + ((found as usize) << 2), offset);
  store<u32>(FOUND, found + 1);
}
