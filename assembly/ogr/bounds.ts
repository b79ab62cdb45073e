/*
 * Lower bounds for the length of k segments that must avoid a set of small distances, and the limit table made of
 * them (facts: formulas of OGR-NG's pruning, written anew). Slow next to nothing: run once for a contest.
 *
 * MINLEN[k][set] up to the depth of the choose table is exact; beyond it, the best bound that follows from the
 * columns before it. Any valid bound keeps the search complete; a better one makes it shorter.
 */
import { COLUMN_BYTES, KNOWN, LIMIT, MINLEN, RESIDUES, SETS } from './layout';

export function minlen(k: i32, set: i32): i32 {
  return load<u16>(MINLEN + k * COLUMN_BYTES + set * 2);
}

/** The sum of the k smallest distances that are not in the set. */
function smallestSum(k: i32, set: i32): i32 {
  let sum = 0;
  let free = ~set & 0xffff;
  while (k > 0 && free !== 0) {
    const distance = clz(free) - 15;
    sum += distance;
    free &= ~(0x10000 >> distance);
    k -= 1;
  }
  // None of 17, 18, ... is in any set.
  return sum + k * 16 + ((k * (k + 1)) >> 1);
}

/** The best bound for k segments from the known rulers, the smallest distances, and a split into two parts. */
export function bound(k: i32, set: i32): i32 {
  let best = max(load<i32>(KNOWN + k * 4), smallestSum(k, set));
  for (let a = 1; a * 2 <= k; a++) best = max(best, minlen(a, set) + minlen(k - a, set));
  return best;
}

/**
 * Fills MINLEN for 0..segments from the residues of `depth` columns: residue = exact length - bound, where the bound
 * of a column that has residues also counts the sets with one distance less, which come earlier in the column.
 */
export function expand(depth: i32, segments: i32): void {
  for (let k = 0; k <= segments; k++) {
    const column = MINLEN + k * COLUMN_BYTES;
    for (let set = 0; set < SETS; set++) {
      let length = bound(k, set);
      if (k > 0 && k <= depth) {
        for (let rest = set; rest !== 0; rest &= rest - 1) {
          length = max(length, <i32>load<u16>(column + (set & ~(rest & -rest)) * 2));
        }
        length += load<u8>(RESIDUES + (k - 1) * SETS + set);
      }
      store<u16>(column + set * 2, length);
    }
  }
}

/** Segments left of the middle one (or two, when their number is even). */
export function leftSegments(segments: i32): i32 {
  return (segments - middleSegments(segments)) >> 1;
}

export function middleSegments(segments: i32): i32 {
  return (segments & 1) === 1 ? 1 : 2;
}

/**
 * Fills LIMIT for rulers of so many segments. Of a ruler and its mirror image only one is searched: the middle
 * segments' two ends are not further from the right end than from the left, so p(h) + p(h + mid) < length.
 */
export function fillLimits(segments: i32, maxLength: i32): void {
  const mid = middleSegments(segments);
  const left = leftSegments(segments);
  for (let depth = 1; depth <= segments; depth++) {
    for (let set = 0; set < SETS; set++) {
      let limit = maxLength - minlen(segments - depth, set);
      if (depth <= left) {
        const half = (maxLength - 1 - minlen(mid, set)) >> 1;
        limit = min(limit, half - minlen(left - depth, set));
      }
      store<u16>(LIMIT + depth * COLUMN_BYTES + set * 2, max(limit, 0));
    }
  }
}
