/** Median and spread. Quote the median, and look at the spread before believing a ratio. */
export interface Summary {
  median: number;
  least: number;
  most: number;
  /** A quarter of the values lie below the first, a quarter above the second. */
  quartiles: [number, number];
}

/** @throws RangeError there are no values. */
export function summary(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    least: quantile(sorted, 0),
    most: quantile(sorted, 1),
    quartiles: [quantile(sorted, 0.25), quantile(sorted, 0.75)],
  };
}

export function median(values: readonly number[]): number {
  return summary(values).median;
}

/**
 * How many times as fast: the median of the ratios repeat by repeat, which a drift of the machine leaves alone.
 * Undefined where either has no values.
 */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number | undefined {
  const ratios = ours.slice(0, theirs.length).map((value, i) => value / (theirs[i] ?? Number.NaN));
  return ratios.length === 0 ? undefined : median(ratios);
}

/** The values below which these shares (0…1) of all values lie, in the order asked for. */
export function quantiles(values: readonly number[], shares: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return shares.map((share) => quantile(sorted, share));
}

/** Between the two nearest values where it falls between them. */
function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) throw new RangeError('no values');
  const position = q * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? 0;
  return below + (above - below) * (position % 1);
}
