/**
 * What near matches say of the client that reports them. Nobody can make one up, so a client that skips keys has too few of
 * them, or too wide a gap; and so, by bad luck, has an honest one. Here is how bad the luck must be.
 *
 *   one report        is refused where so low a count, or so wide a gap, is worth an alarm by itself, and where there is no
 *                     near match at all. That last is no accusation: of one unit it is e^−16, one in nine million.
 *   a record          sums up all reports of a client in a contest, another one all of an account. Its odds accuse.
 *
 * False alarms: at most FALSE_ALARMS_A_YEAR for a client in a year of full work, a third of it each for its reports, its own
 * record and its account's. A year is UNITS_A_YEAR, 571 Mkeys/s day and night; 8 workers of 15 Mkeys/s do a fifth of it. A
 * report of n units may use n / UNITS_A_YEAR of its third, half for the count and half for the gap.
 *
 * The record is a Shiryaev–Roberts procedure over WAYS, mixed in equal parts. The odds of a way are the likelihood ratio
 * "it does this since then" : "it is honest", summed over every unit since which it may, half the weight on the first unit and half
 * a year's worth of units:
 *
 *   odds ← (odds + 1 / (2 UNITS_A_YEAR)) × likelihood ratio of the unit        at first ½
 *
 * For an honest client each ratio has the mean 1, so the mean odds of all ways are a submartingale, after Y years ½ + ½Y on
 * average; by Doob's inequality (Ville's, for what grows) the chance that they ever reached 1/p is p·(½ + ½Y). That holds however
 * often one looks and however long the reports are. A year of honest work does not hide what comes after it: it lowers the odds no
 * further than the weight of a fresh start.
 *
 * A. N. Shiryaev, "On optimum methods in quickest detection problems" (1963); S. W. Roberts, Technometrics 8 (1966); J. Shin,
 * A. Ramdas and A. Rinaldo, "E-detectors" (2023) for mixtures and the bound.
 */
import { NEAR_MATCHES_PER_UNIT } from './keys.ts';
import { chanceOfGap, fewestBelieved, gapsOf } from './poisson.ts';

export const FALSE_ALARMS_A_YEAR = 1e-6;
export const UNITS_A_YEAR = 2 ** 26;

const SHARE = FALSE_ALARMS_A_YEAR / 3;
/** Mean odds at which a record accuses. */
export const BEYOND_BELIEF = 1 / SHARE;
const FIRST_ODDS = 1 / 2;
const FRESH_ODDS = 1 / 2 / UNITS_A_YEAR;
/** A client that skips a part of a unit is taken to do so in every other one: so one full unit does not acquit it. */
const OFTEN = 1 / 2;

export type Manner = 'keys' | 'stretch' | 'end';

/** A way to skip a share of the work: keys here and there, one stretch of a unit, or what is left of it when it stops. */
export interface Way {
  manner: Manner;
  share: number;
}

const SHARES = [0.05, 0.1, 0.25, 0.5, 0.9];
export const WAYS: readonly Way[] = (['keys', 'stretch', 'end'] as const).flatMap((manner) =>
  SHARES.map((share) => ({ manner, share })),
);

/** Of one verified report: where in each unit its near matches are, in mean gaps from the unit's first key, ascending. */
export interface Observation {
  units: readonly (readonly number[])[];
}

/** What is kept of a client, or of an account, in a contest: plain numbers. */
export interface Suspicion {
  units: number;
  /** Near matches that belong into so many units, and those reported. */
  expected: number;
  observed: number;
  /** For each of WAYS. */
  odds: readonly number[];
}

const UNSUSPECTED: Suspicion = { units: 0, expected: 0, observed: 0, odds: WAYS.map(() => FIRST_ODDS) };

/** Why one report is not believed; undefined where it is. */
export function doubtOf({ units }: Observation): string | undefined {
  const length = NEAR_MATCHES_PER_UNIT * units.length;
  const chance = (SHARE / 2) * (units.length / UNITS_A_YEAR);
  const points = units.flatMap((unit, i) => unit.map((point) => NEAR_MATCHES_PER_UNIT * i + point));
  const fewest = fewestOf(units.length, chance);
  if (points.length < fewest) {
    return `${points.length} near matches where about ${length} belong, and ${fewest} at the least`;
  }
  const gap = gapsOf(points, length).reduce((widest, one) => Math.max(widest, one), 0);
  if (chanceOfGap(gap, length) >= chance) return undefined;
  return `no near match in a stretch of keys where about ${Math.round(gap)} belong`;
}

const fewest = new Map<number, number>();

/** There are few lengths of a block, and many blocks. */
function fewestOf(units: number, chance: number): number {
  let count = fewest.get(units);
  if (count === undefined) {
    count = fewestBelieved(NEAR_MATCHES_PER_UNIT * units, chance);
    fewest.set(units, count);
  }
  return count;
}

/**
 * The record after one more report. One that is beyond belief stays as it is: no later work makes good for it.
 * @param record undefined: there is none yet.
 */
export function accumulate(record: Suspicion = UNSUSPECTED, { units }: Observation): Suspicion {
  let { units: count, observed } = record;
  const odds = [...record.odds];
  for (const unit of units) {
    if (mean(odds) >= BEYOND_BELIEF) break;
    const ratios = ratiosOf(unit);
    for (let i = 0; i < odds.length; i++) odds[i] = ((odds[i] ?? 0) + FRESH_ODDS) * (ratios[i] ?? 0);
    count += 1;
    observed += unit.length;
  }
  return { units: count, expected: NEAR_MATCHES_PER_UNIT * count, observed, odds };
}

/** What the client is accused of, as half a sentence; undefined while it may be honest. */
export function isBeyondBelief({ expected, observed, odds }: Suspicion): string | undefined {
  if (mean(odds) < BEYOND_BELIEF) return undefined;
  const likeliest = odds.indexOf(Math.max(...odds));
  return `${observed} near matches where about ${expected} belong, as from a client that ${wordsOf(WAYS[likeliest])}`;
}

function wordsOf({ manner, share }: Way = { manner: 'keys', share: 0 }): string {
  const part = `${100 * share} %`;
  if (manner === 'keys') return `skips ${part} of the keys`;
  return manner === 'stretch' ? `skips a stretch of ${part} of a unit` : `leaves the last ${part} of a unit`;
}

/**
 * How much likelier the unit is if the client does so than if it is honest, for each of WAYS. With Λ = 16 and s = share·Λ:
 * `keys` a Poisson count of mean Λ − s against one of Λ; `end` e^s where the last s are empty; `stretch` the same for a
 * place drawn evenly, so e^s times the share of places whose s are empty.
 */
export function ratiosOf(unit: readonly number[]): number[] {
  const gaps = gapsOf(unit, NEAR_MATCHES_PER_UNIT);
  const last = gaps.at(-1) ?? 0;
  return LENGTHS.map(({ manner, kept, skipped, lift }) => {
    if (manner === 'keys') return kept ** unit.length * lift;
    let empty = 0;
    if (manner === 'end') empty = last >= skipped ? 1 : 0;
    else for (const gap of gaps) if (gap > skipped) empty += (gap - skipped) / (NEAR_MATCHES_PER_UNIT - skipped);
    return 1 - OFTEN + OFTEN * empty * lift;
  });
}

/** Of each of WAYS: s, e^s, and the share that is done. Wanted for every unit. */
const LENGTHS = WAYS.map(({ manner, share }) => {
  const skipped = share * NEAR_MATCHES_PER_UNIT;
  return { manner, kept: 1 - share, skipped, lift: Math.exp(skipped) };
});

function mean(odds: readonly number[]): number {
  let sum = 0;
  for (const one of odds) sum += one;
  return sum / odds.length;
}
