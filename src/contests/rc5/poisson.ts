/**
 * How few near matches are too few. The count in honest work is Poisson with mean `expected`; a report is
 * refused when so low a count would come by chance less often than FALSE_ALARM. A block with none at all is always
 * refused: for the smallest block, one unit, that is e^−16, about once in nine million units.
 */
export const FALSE_ALARM = 1e-9;

/** The smallest count that is believed for this expectation. */
export function fewestBelieved(expected: number): number {
  let probability = Math.exp(-expected);
  let cumulative = probability;
  let k = 0;
  while (cumulative < FALSE_ALARM) {
    k += 1;
    probability *= expected / k;
    cumulative += probability;
  }
  return Math.max(1, k);
}
