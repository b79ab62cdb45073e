/*
 * Lower bounds for the length of k segments that must avoid a set of small distances, and the limit table made of
 * them (facts: formulas of OGR-NG's pruning, written anew). Slow next to nothing: run once for a contest.
 *
 * MINLEN[k][set] up to the depth of the choose table is exact; beyond it, the best bound that follows from the
 * columns before it. Any valid bound keeps the search complete; a better one makes it shorter.
 */
import { BEYOND, COLUMN_BYTES, KNOWN, LIMIT, MINLEN, RESIDUES, RUNS, SETS } from './layout';

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

/**
 * A second bound, for what the table cannot know: distances past 16. Of k segments X long, the 3k - 3 runs of one, two
 * and three segments are all different and none is measured yet. Summed up they are 6X, less twice the first and
 * the last segment, less the two at either end. So 6X is at least the sum S of the 3k - 3 smallest free distances,
 * and 3f1 + 3f2 + f3 + f4 of the smallest four. For any T, S >= (3k - 3)T - W with W = the sum of T - d over the free
 * distances d < T, and W is six popcounts; T = 12 + 4.5k is near the best one (it would be the last of those distances).
 * For f3 and f4 stand f2 + 1 and f2 + 2: exact ones save 3 % of the nodes and cost as much.
 *
 * Runs of two alone leave 0.95 to 1.3 times the nodes (the more marks, the more), runs of four save 1 % at most.
 */
export function fillRuns(segments: i32, maxLength: i32): void {
  for (let depth = 1; depth <= segments; depth++) {
    const k = segments - depth;
    const t = min((24 + 9 * k) >> 1, 64);
    // Ends that overlap would make it wrong for fewer than 4 segments: those get no bound.
    store<i32>(RUNS + depth * 8, k < 4 ? 0x10000 : 6 * maxLength - (3 * k - 3) * t - 11);
    store<i32>(RUNS + depth * 8, 64 - t, 4);
  }
}

/** The last position of the mark that `runs` is of, with the distances 1..64 of `dist` measured. */
export function runsLimit(runs: usize, dist: u64): i32 {
  const free = ~dist;
  const near = free >> load<i32>(runs, 4);
  const f1 = clz(free);
  const f2 = clz(free ^ (((<u64>1) << 63) >> f1));
  // In `near` distance d is bit T - d, and the sum of the numbers of a word's bits is six popcounts.
  const sum =
    popcnt(near & 0xaaaaaaaaaaaaaaaa) +
    (popcnt(near & 0xcccccccccccccccc) << 1) +
    (popcnt(near & 0xf0f0f0f0f0f0f0f0) << 2) +
    (popcnt(near & 0xff00ff00ff00ff00) << 3) +
    (popcnt(near & 0xffff0000ffff0000) << 4) +
    (popcnt(near & 0xffffffff00000000) << 5);
  // A division by 6, rounded down.
  return ((load<i32>(runs) + <i32>sum - 3 * <i32>f1 - 5 * <i32>f2) * 10923) >> 16;
}

/** The bitmaps of the positions past 0..256. */
export function fillBeyond(): void {
  for (let r = 0; r <= 256; r++) {
    for (let w = 0; w < 4; w++) {
      const within = r - w * 64;
      const past: u64 = within >= 64 ? 0 : within <= 0 ? ~0 : <u64>~0 >> within;
      store<u64>(BEYOND + r * 32 + w * 8, past);
    }
  }
}
