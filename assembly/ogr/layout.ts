/*
 * The memory of the OGR core. The one source of offsets: imported by the AssemblyScript kernel and by its
 * TypeScript driver alike, so nothing here is annotated with a type of either.
 *
 *    offset  bytes                what
 *  0x000400     32 x 4  KNOWN     u32: length of the shortest Golomb ruler with k segments, k = 0..31   (driver writes)
 *  0x000480     32 x 4  DIFFS     u32: differences to begin at: the stub, or more of them from a checkpoint (driver)
 *  0x000500     32 x 4  RULER     u32: marks of the shortest ruler found, 0 first                       (kernel writes)
 *  0x000580      4 x 8  DIST      u64: distances measured so far, leftmost bit = distance 1
 *  0x000600     32 x 80 FRAMES    one frame for each mark d, as it stood when d was placed:
 *                  +0   4 x 8     list: the marks left of d, by their distance from it
 *                 +32   4 x 8     comp: positions right of d that are taken, without the distances d itself brought
 *                 +64   4         position of d
 *                 +68   4         the last position d may take
 *  0x002000   31 x 128K MINLEN    u16 [k][set]: no k segments that avoid `set` are shorter
 *  0x3e2000   31 x 128K LIMIT     u16 [d][set]: the last position mark d may take when `set` is measured
 *  0x7c2000             END of the search's memory; the generator of the choose table goes on:
 *  0x7c2000       128K  TARGET    i16 [set]: the length that is being tried, -1 once it is known
 *  0x7e2000       128K  SHORTEST  i16 [set]: the shortest ruler met that measures all small distances but these
 *  0x802000             GENERATOR_END
 *
 * `set` is 16 bits, one for each distance 1..16, the highest bit for distance 1. Both tables go depth by depth, not
 * set by set: a search spends its time in few depths, and one depth is 128 KiB.
 *
 * Before a manifest is prepared the driver lays the residues of the choose table (one byte for each set, column
 * after column) where LIMIT will be.
 */
export const KNOWN = 0x400;
export const DIFFS = 0x480;
export const RULER = 0x500;
export const DIST = 0x580;
export const FRAMES = 0x600;
export const FRAME_BYTES = 80;
export const FRAME_POSITION = 64;
export const FRAME_LIMIT = 68;
export const MINLEN = 0x2000;
export const LIMIT = 0x3e2000;
export const RESIDUES = 0x3e2000;
export const COLUMN_BYTES = 0x20000;
export const SETS = 0x10000;
export const END = 0x7c2000;
export const TARGET = 0x7c2000;
export const SHORTEST = 0x7e2000;
export const GENERATOR_END = 0x802000;
/** What `run` returns. */
export const RUNNING = 0;
export const FINISHED = 1;
export const STOPPED_AT_RULER = 2;
