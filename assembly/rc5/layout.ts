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
 *   0x0420  KEY_LAST    u32   the last byte, K[b-1]; a multiple of WIDTH, as are counts
 *   0x0430  C_*         v128  constants of the vector cores, which V8 handles better from memory
 *   0x1000  OFFSETS     u32[4096]  out: keys that agree, counted from the first key of this call
 *   0x5000  end of what the driver sees
 *   0x6000  S           u32[104][4]   key-schedule stream, four keys side by side
 *   0x6680  SL          u32[81][4]    stream of L, likewise (mixed cores)
 *   0x7000  HEADS       v128[4][3]    what each group of four keys begins with (mixed cores)
 *   0x8000  VS          v128[104][4]  key-schedule stream of the vectors, four side by side (mixed cores)
 *   0x9a00  VL          v128[81][4]   their stream of L
 *   0xae40  end
 */
export const KEY_BYTES = 0x400;
export const PLAIN_LO = 0x404;
export const PLAIN_HI = 0x408;
export const TARGET = 0x40c;
export const MASK = 0x410;
export const FOUND = 0x414;
export const KEY = 0x418;
export const KEY_LAST = 0x420;
export const C_FIVE_BITS = 0x430;
export const C_EXPONENT = 0x440;
export const C_REPEAT = 0x450;
export const C_BYTES = 0x460;
export const C_POWERS = 0x470;
export const C_LANES = 0x480;
export const OFFSETS = 0x1000;
export const S = 0x6000;
export const SL = 0x6680;
export const HEADS = 0x7000;
export const VS = 0x8000;
export const VL = 0x9a00;
/** As many offsets as there is room for: 32 times what a unit has on average. */
export const MAX_FOUND = 4096;
/** Starts and counts are multiples of it. */
export const WIDTH = 4;
