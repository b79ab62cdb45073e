/** Rulers and stubs as numbers: positions of marks (0 first) or the differences between neighbours. */

/** All distances between two marks differ, and the marks ascend from 0. */
export function isGolomb(marks: readonly number[]): boolean {
  const seen = new Set<number>();
  for (const [i, mark] of marks.entries()) {
    if (i === 0 ? mark !== 0 : mark <= (marks[i - 1] ?? 0)) return false;
    for (const before of marks.slice(0, i)) {
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
