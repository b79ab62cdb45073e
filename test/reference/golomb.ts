/**
 * Golomb rulers by definition: short, slow, obvious. What the OGR core and its tables are bound to. Arrays and sets, no
 * bitmaps; lengths are found by trying.
 */

/** The ascending marks measure no distance twice. */
export function golomb(marks: readonly number[]): boolean {
  const distances = marks.flatMap((mark, i) => marks.slice(0, i).map((before) => mark - before));
  return new Set(distances).size === distances.length;
}

/** Every Golomb ruler of `count` marks no longer than `maxLength` that begins with these marks. */
export function* rulersFrom(count: number, maxLength: number, marks: readonly number[]): Generator<number[]> {
  if (marks.length === count) {
    yield [...marks];
    return;
  }
  for (let mark = (marks.at(-1) ?? 0) + 1; mark <= maxLength; mark++) {
    if (golomb([...marks, mark])) yield* rulersFrom(count, maxLength, [...marks, mark]);
  }
}

/** The segments left of the middle one (or two, if their number is even), and how many are in the middle. */
export function middle(segments: number): { h: number; mid: number } {
  const mid = segments % 2 === 1 ? 1 : 2;
  return { h: (segments - mid) / 2, mid };
}

/** Of a ruler and its mirror image, at least one is searched: see search.ts. */
export function isSearched(ruler: readonly number[], maxLength: number): boolean {
  const { h, mid } = middle(ruler.length - 1);
  return (ruler[h] ?? 0) + (ruler[h + mid] ?? 0) <= maxLength - 1;
}

/** The distances 1..16 of a set of 16 bits, the highest bit for distance 1. */
export function distancesIn(set: number): number[] {
  return Array.from({ length: 16 }, (_, i) => i + 1).filter((distance) => ((set >> (16 - distance)) & 1) === 1);
}

/** The length of the shortest Golomb ruler with k segments that measures none of the distances in the set. */
export function shortestAvoiding(k: number, set: number): number {
  const avoided = new Set(distancesIn(set));
  const exists = (marks: number[], length: number): boolean => {
    const left = k + 1 - marks.length;
    if (left === 0) return marks.at(-1) === length;
    const last = marks.at(-1) ?? 0;
    for (let mark = Math.max(last + 1, left === 1 ? length : 0); mark <= length; mark++) {
      const fits = marks.every((before) => !avoided.has(mark - before)) && golomb([...marks, mark]);
      if (fits && exists([...marks, mark], length)) return true;
    }
    return false;
  };
  for (let length = 0; ; length++) if (exists([0], length)) return length;
}

export interface Counted {
  nodes: number;
  /** The first of the shortest rulers, in the order of the search. */
  ruler?: number[];
}

/**
 * No k segments that measure none of these distances are shorter: `fillRuns` in bounds.ts says why. Sums are taken over
 * 3k - 3 runs as if there were that many free distances below t, and t for each that is missing.
 */
export function runsBound(k: number, distances: ReadonlySet<number>): number {
  if (k < 4) return 0;
  const free = Array.from({ length: 64 }, (_, i) => i + 1).filter((distance) => !distances.has(distance));
  const t = Math.min(64, Math.floor(12 + 4.5 * k));
  const near = free.filter((distance) => distance < t);
  const runs = (3 * k - 3) * t - near.reduce((sum, distance) => sum + t - distance, 0);
  const [f1 = 65, f2 = 65] = free;
  return Math.ceil((runs + 2 * (f1 + f2) + (f1 + f2 + (f2 + 1) + (f2 + 2))) / 6);
}

/**
 * The pruned search by the definition of a node in search.ts. `minlen(k, set)`: no k segments that avoid the set are
 * shorter. The stub's marks are placed like all others, without their siblings, and not counted.
 */
export function countNodes(
  count: number,
  maxLength: number,
  stub: readonly number[],
  minlen: (k: number, set: number) => number,
): Counted {
  const n = count - 1;
  const { h, mid } = middle(n);
  const stubMarks = stub.reduce((marks, diff) => [...marks, (marks.at(-1) ?? 0) + diff], [0]);
  const result: Counted = { nodes: 0 };

  /** Distances to 256, as far as the maps of the core reach. */
  const measured = (marks: readonly number[]): Set<number> =>
    new Set(marks.flatMap((mark, i) => marks.slice(0, i).map((before) => mark - before)).filter((d) => d <= 256));

  const limitAfter = (marks: readonly number[], distances: ReadonlySet<number>): number => {
    const depth = marks.length;
    let set = 0;
    for (let distance = 1; distance <= 16; distance++) if (distances.has(distance)) set |= 1 << (16 - distance);
    let limit = maxLength - Math.max(minlen(n - depth, set), runsBound(n - depth, distances));
    if (depth <= h)
      limit = Math.min(limit, Math.floor((maxLength - 1 - minlen(mid, set)) / 2) - minlen(h - depth, set));
    if (depth > h && depth <= h + mid) {
      let right = maxLength - 1 - (marks[h] ?? 0);
      if (depth < h + mid) {
        let smallest = 1;
        while (distances.has(smallest)) smallest += 1;
        right -= smallest;
      }
      limit = Math.min(limit, right);
    }
    return limit;
  };

  const place = (marks: number[]): void => {
    const depth = marks.length;
    const distances = measured(marks);
    const limit = limitAfter(marks, distances);
    const isFree = (mark: number): boolean => marks.every((before) => !distances.has(mark - before));
    const last = marks.at(-1) ?? 0;
    if (depth > 1 && depth <= n) {
      let next = last + 1;
      while (next < last + 65 && !isFree(next)) next += 1;
      if (next > limit) return;
      let missing = count - depth;
      for (let mark = last + 1; mark <= maxLength && missing > 0; mark++) if (isFree(mark)) missing -= 1;
      if (missing > 0) return;
      if (depth > stubMarks.length) result.nodes += 1;
    }
    for (let mark = last + 1; mark <= limit; mark++) {
      if (!isFree(mark)) continue;
      if (depth < n) {
        if (depth >= stubMarks.length || mark === stubMarks[depth]) place([...marks, mark]);
      } else if (golomb([...marks, mark]) && mark < (result.ruler?.at(-1) ?? Number.POSITIVE_INFINITY)) {
        result.ruler = [...marks, mark];
      }
    }
  };
  place([0]);
  return result;
}
