/**
 * Lengths of the shortest Golomb rulers. Proven up to 28 marks: to 19 by computer searches published before 2000 (Shearer;
 * Dollas, Rankin, McCracken), from 20 by Garry et al. (20 to 23) and distributed.net (24 in 2004 … 28 in 2022). For 29 marks the
 * length is that of the best ruler known; nobody has shown that there is no shorter one.
 */
const LENGTHS = [
  0, 0, 1, 3, 6, 11, 17, 25, 34, 44, 55, 72, 85, 106, 127, 151, 177, 199, 216, 246, 283, 333, 356, 372, 425, 480, 492,
  553, 585,
] as const;

/** The length of the shortest ruler with so many marks. @throws RangeError no one knows it. */
export function optimalLength(marks: number): number {
  const length = LENGTHS[marks];
  if (length === undefined || marks < 1) throw new RangeError(`No optimal ruler of ${marks} marks is known`);
  return length;
}
