/**
 * How often a client is checked. Everyone's first report always is; with each check that was passed it becomes rarer, down to a
 * floor that is never zero, because a client may change its ways.
 *
 * What it costs at the floor, as a share of the work that is checked, for reports of one unit; less for longer ones
 * (`tabherd bench trust` counts it):
 *
 *   RC5   a spot check is 1/64 of a unit, of one report in 32: 0.05 %; a second run of one report in 4096: 0.02 %
 *   OGR   a spot check is 2.6 % of a unit in the mean, of one report in 2: 1.3 %; a second run of one report in 256: 0.4 %
 *
 * Second runs, which cost a whole block, are for the new: about a dozen of the first hundred blocks. Then they end quickly but for
 * the floor, or they would cost more of a client's first thousands of blocks than all that comes after.
 */
import type { ContestKindName } from '../../domain/contest.ts';
import type { Conduct } from './conduct.ts';

/** So many passed checks halve the rate of spot checks. */
const HALVED_AFTER = 8;

const FLOORS: Readonly<Record<ContestKindName, { spot: number; second: number }>> = {
  rc5: { spot: 1 / 32, second: 1 / 4096 },
  ogr: { spot: 1 / 2, second: 1 / 256 },
};

/** Of a client of whom nothing is known, one report in so many is done again by somebody else. */
const SECOND_OF_NEW = 1 / 8;

/** … and half as many of one that has passed so many checks. */
const SECOND_UNTIL = 32;

/** Known answers are forced so often, as in DiCoP, on those who have not passed so many checks. */
const KNOWN_EVERY_MS = 6 * 3_600_000;
const PROVEN_AFTER = 64;

const earned = ({ passed }: Conduct): number => 1 / (1 + passed / HALVED_AFTER);

/** The chance that a small part of a report is done again here. */
export const spotRate = (kind: ContestKindName, conduct: Conduct): number =>
  conduct.passed === 0 ? 1 : Math.max(FLOORS[kind].spot, earned(conduct));

/**
 * The chance that a whole report is done again by somebody else. Of who is new under a name that is watched it is each: identities
 * are cheap, and an eighth of the blocks of each would leave the rest to somebody who takes one after the other. Who has passed
 * a hundred checks is done again hardly oftener than under another name: using somebody's name does little to those who had it before.
 */
export const secondRate = (kind: ContestKindName, { passed }: Conduct, isWatched = false): number =>
  Math.max(FLOORS[kind].second, (isWatched ? 1 : SECOND_OF_NEW) / (1 + (passed / SECOND_UNTIL) ** 4));

/** Whether a known answer is due. */
export const isAnswerDue = ({ passed, triedAt }: Conduct, now: number): boolean =>
  passed < PROVEN_AFTER && Math.abs(now - triedAt) >= KNOWN_EVERY_MS;
