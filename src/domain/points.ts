/**
 * Points: verified work in one unit of account, whatever the contest. A point is what the reference core does in a second: one
 * thread of the machine under "Figures" in the README, in Chromium. So an hour of that core earns 3,600 points in every contest.
 *
 *   points = units credited × points a unit
 *
 * Points a unit are the manifest's `points`. Without it: of RC5, whose units are all alike, 2^28 keys over the reference rate; of
 * OGR, whose units differ too much to say, 1. What the ledger keeps are units: a contest that is measured anew changes
 * the points of all alike.
 */
import type { ContestManifest } from './contest.ts';
import { KEYS_PER_UNIT } from './work.ts';

/** RC5-72 on one thread of the reference core. */
export const REFERENCE_KEYS_PER_SECOND = 30.6e6;

/** The average over the contest: a single OGR stub may be much smaller, or larger. */
export function pointsPerUnit({ points, search }: Pick<ContestManifest, 'points' | 'search'>): number {
  return points ?? (search.kind === 'rc5' ? KEYS_PER_UNIT / REFERENCE_KEYS_PER_SECOND : 1);
}

/** To a thousandth, so that equal work makes equal points in whatever order it is added up. */
export const roundPoints = (points: number): number => Math.round(points * 1000) / 1000;

/** Of units by contest, as a client counts its own. */
export function pointsOf(
  units: Readonly<Record<string, { units: number }>>,
  manifests: readonly ContestManifest[],
): number {
  return roundPoints(
    manifests.reduce((sum, manifest) => sum + (units[manifest.name]?.units ?? 0) * pointsPerUnit(manifest), 0),
  );
}
