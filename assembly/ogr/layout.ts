/*
 * The memory of the OGR core. The one source of offsets: imported by the AssemblyScript kernel and by its
 * TypeScript driver alike, so nothing here is annotated with a type of either.
 *
 *    offset  bytes                what
 *  0x000400     32 x 4  KNOWN      u32: length of the shortest Golomb ruler with k segments, k = 0..31   (driver writes)
 *  0x000480     32 x 4  DIFFS      u32: differences to begin at: the stub, or more of them from a checkpoint (driver)
 *  0x000500     32 x 4  RULER      u32: marks of the shortest ruler found, 0 first                       (kernel writes)
 *  0x000580     32 x 4  POSITIONS  i32: where mark d is
 *  0x000600     32 x 4  LIMITS     i32: the last position mark d may take
 *  0x000680     32 x 8  RUNS       i32 x 2: what the bound by runs needs for mark d, see bounds.ts
 *  0x000800        192  SCRATCH    a slot: the node at work, while its children overwrite its own
 *  0x001000   257 x 32  BEYOND     u64 x 4: the positions past r = 0..256, as a bitmap
 *  0x004000  31 x 128K  MINLEN     u16 [k][set]: no k segments that avoid `set` are shorter
 *  0x3e4000  31 x 128K  LIMIT      u16 [d][set]: the last position mark d may take when `set` is measured
 *  0x7c4000  28K x 192  STACK      one slot for each node that waits: no level has more than 1023, and none waits for 29
 *                  +0   4 x 8      0
 *                 +32       8      1: the mark itself, as if it were in its own list
 *                 +40   4 x 8      list: the marks left of it, by their distance from it; leftmost bit = distance 1
 *                 +72   4 x 8      comp: positions right of it that are taken, or past the greatest length
 *                +104   5 x 8      0: with the zeros before, list and comp can be read from any word
 *                +144   4 x 8      dist: the distances measured up to it
 *                +176       8      u16 position, u16 which mark it is, i32 the last position of the mark after it
 *  0xd04000             END of the search's memory. The generator of the choose table has, in place of the stack:
 *  0x7c4000       128K  TARGET     i16 [set]: the length that is being tried, -1 once it is known
 *  0x7e4000       128K  SHORTEST   i16 [set]: the shortest ruler met that measures all small distances but these
 *  0x804000             GENERATOR_END
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
export const POSITIONS = 0x580;
export const LIMITS = 0x600;
export const RUNS = 0x680;
export const SCRATCH = 0x800;
export const BEYOND = 0x1000;
export const MINLEN = 0x4000;
export const LIMIT = 0x3e4000;
export const RESIDUES = 0x3e4000;
export const COLUMN_BYTES = 0x20000;
export const SETS = 0x10000;
export const STACK = 0x7c4000;
export const SLOT = 192;
export const SLOT_SELF = 32;
export const SLOT_COMP = 72;
export const SLOT_DIST = 144;
export const SLOT_MARK = 176;
export const END = 0xd04000;
export const TARGET = 0x7c4000;
export const SHORTEST = 0x7e4000;
export const GENERATOR_END = 0x804000;
/** What `run` returns. */
export const RUNNING = 0;
export const FINISHED = 1;
export const STOPPED_AT_RULER = 2;
