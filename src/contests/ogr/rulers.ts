/** Rulers and stubs as numbers: positions of marks (0 first) or the differences between neighbours. */

/** The search compares distances up to this one. Of rulers no longer than twice as much that is enough. */
export const REACH = 256;

/** All distances between two marks, up to `reach`, differ, and the marks ascend from 0. */
export function isGolomb(marks: readonly number[], reach = Number.POSITIVE_INFINITY): boolean {
  const seen = new Set<number>();
  for (const [i, mark] of marks.entries()) {
    if (i === 0 ? mark !== 0 : mark <= (marks[i - 1] ?? 0)) return false;
    for (const before of marks.slice(0, i)) {
      if (mark - before > reach) continue;
      if (seen.has(mark - before)) return false;
      seen.add(mark - before);
    }
  }
  return true;
}

export function marksOf(diffs: readonly number[]): number[] {
  let position = 0;
  return [0, ...diffs.map((diff) => (position += diff))];
}

export function diffsOf(marks: readonly number[]): number[] {
  return marks.slice(1).map((mark, i) => mark - (marks[i] ?? 0));
}
