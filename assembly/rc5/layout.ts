/**
 * Memory of the RC5 cores: the one source of offsets, read by AssemblyScript and TypeScript alike.
 *
 *   0x0400  KEY_BYTES   u32   b: 7, 8 or 9
 *   0x0404  PLAIN_LO    u32   first plaintext block XOR IV, half A
 *   0x0408  PLAIN_HI    u32   half B
 *   0x040c  TARGET      u32   first ciphertext word, half A
 *   0x0410  MASK        u32   which bits of it must agree
 *   0x0414  FOUND       u32   out: how many offsets lie at OFFSETS
 *   0x0418  KEY         u64   all bytes of the next key but the last, as a big-endian number
 *   0x0420  KEY_LAST    u32   the last byte, K[b-1]; a multiple of the core's width, as are counts
 *   0x0800  S           u32[26 + 78][4]   key-schedule stream, four keys side by side
 *   0x1000  OFFSETS     u32[4096]  out: keys that agree, counted from the first key of this call
 *   0x5000  end
 */
export const KEY_BYTES = 0x400;
export const PLAIN_LO = 0x404;
export const PLAIN_HI = 0x408;
export const TARGET = 0x40c;
export const MASK = 0x410;
export const FOUND = 0x414;
export const KEY = 0x418;
export const KEY_LAST = 0x420;
export const S = 0x800;
export const OFFSETS = 0x1000;
/** As many offsets as there is room for: 32 times what a unit has on average. */
export const MAX_FOUND = 4096;
/** Keys are tried in groups of this many: starts and counts are multiples of it. */
export const WIDTH = 4;
