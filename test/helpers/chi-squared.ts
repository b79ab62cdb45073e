/** How far counts are from what they should be. */

/** @param shares of each, in proportion. */
export function chiSquared(observed: readonly number[], shares: readonly number[]): number {
  const times = observed.reduce((sum, one) => sum + one, 0);
  const total = shares.reduce((sum, one) => sum + one, 0);
  return observed.reduce((sum, one, n) => {
    const expected = (times * (shares[n] ?? 0)) / total;
    return sum + (one - expected) ** 2 / expected;
  }, 0);
}

/** Of chi-squared with 7 degrees of freedom, one in a million is more: for tests that draw anew in each run. */
export const CHI_7 = 40.52;
