/**
 * The law of near matches in honest work: a Poisson process. Lengths are in mean gaps (2^24 keys), so that its rate is 1
 * and a unit is 16 long.
 */

/** The smallest count that comes by chance with at least this probability, that or a smaller one. Never none at all. */
export function fewestBelieved(expected: number, chance: number): number {
  // In logarithms: e^−λ of a long block is too small for a number.
  let term = -expected;
  let cumulative = term;
  let k = 0;
  while (cumulative < Math.log(chance)) {
    k += 1;
    term += Math.log(expected / k);
    cumulative = term + Math.log1p(Math.exp(cumulative - term));
  }
  return Math.max(1, k);
}

/**
 * How likely is a gap of at least so much somewhere in work of this length, its two edges counted as matches? Expected are
 * e^−gap of them at the beginning and (length − gap)·e^−gap that begin with a match; a probability is at most the expectation
 * (Bonferroni), and for gaps worth a look hardly less.
 */
export function chanceOfGap(gap: number, length: number): number {
  return Math.min(1, (1 + Math.max(0, length - gap)) * Math.exp(-Math.min(gap, length)));
}

/** What is between neighbours, the edges 0 and `length` among them. `points` ascend. */
export function gapsOf(points: readonly number[], length: number): number[] {
  let previous = 0;
  const gaps = points.map((point) => {
    const gap = point - previous;
    previous = point;
    return gap;
  });
  gaps.push(length - previous);
  return gaps;
}
