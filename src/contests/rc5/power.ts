/**
 * How well suspicion works: after how many units it accuses a client that skips keys, and how seldom an honest one.
 * Simulated, and the same for the same seed. `random` draws evenly from [0, 1).
 *
 * False alarms are too rare to be waited for, so they are drawn from where they come from (importance sampling): a way
 * of WAYS begins, and goes on until it is caught. Every honest course that ends in an alarm is one of these, and the weight by which
 * they are commoner here is the mean odds at the alarm. What it gives is the rate that Doob's inequality bounds, less what
 * the odds jump beyond the threshold.
 */
import { NEAR_MATCHES_PER_UNIT } from './keys.ts';
import { accumulate, isBeyondBelief, type Suspicion, WAYS, type Way } from './suspicion.ts';

type Random = () => number;
/** Where the near matches of a unit are that somebody reports. */
type Unit = number[];

/** How a client skips: a way of WAYS, or `enough`: it stops a unit as soon as it has so many near matches. */
type Cheat = Way | { manner: 'enough'; share: number; matches: number };

export interface PowerRow {
  manner: Cheat['manner'];
  /** Of the keys, on average. */
  share: number;
  /** Units of honest work before it. */
  honestBefore: number;
  /** Units until it is accused. */
  median: number;
  /** In 95 of 100 cases no more than these. */
  p95: number;
}

/** Clients that skip a share from the first unit on, and after so much honest work that more would make no difference. */
export function power(random: Random, { runs = 400 } = {}): PowerRow[] {
  const cheats: Cheat[] = [0.1, 0.25, 0.5, 0.9].flatMap((share) =>
    (['keys', 'stretch', 'end'] as const).map((manner) => ({ manner, share })),
  );
  for (const matches of [15, 12, 8]) cheats.push({ manner: 'enough', share: skippedWith(matches), matches });
  return cheats.flatMap((cheat) =>
    [0, 2000].map((honestBefore) => {
      const before = after(honestBefore, random);
      const lengths = Array.from({ length: runs }, () => {
        return unitsUntilCaught(() => cheating(cheat, random), before).units - before.units;
      }).toSorted((a, b) => a - b);
      const at = (part: number): number => lengths[Math.ceil(part * runs) - 1] ?? 0;
      return { manner: cheat.manner, share: cheat.share, honestBefore, median: at(0.5), p95: at(0.95) };
    }),
  );
}

/** False alarms of one record: by starting, and for each year of full work. */
export function falseAlarms(random: Random, { runs = 2000 } = {}): { first: number; aYear: number } {
  const rate = (before: Suspicion): number => {
    let sum = 0;
    for (let i = 0; i < runs; i++) {
      const start = Math.floor(random() * WAYS.length);
      const way = WAYS[start] as Way;
      // As the ratios have it: a part of a unit is skipped in every other one.
      const often = way.manner === 'keys' ? 1 : 1 / 2;
      const next = (): Unit => (random() < often ? cheating(way, random) : honest(random));
      const { odds } = unitsUntilCaught(next, before);
      sum += WAYS.length / odds.reduce((total, one) => total + one, 0);
    }
    return sum / runs / 2;
  };
  return { first: rate(after(0, random)), aYear: rate(after(2000, random)) };
}

/** How many of these honest clients are accused, unit by unit. The units of a client: `unitsEach`. */
export function accused(random: Random, { clients, unitsEach }: { clients: number; unitsEach: number }): number {
  let count = 0;
  for (let i = 0; i < clients; i++) {
    if (isBeyondBelief(after(unitsEach, random)) !== undefined) count += 1;
  }
  return count;
}

function after(units: number, random: Random): Suspicion {
  let record = accumulate(undefined, { units: [] });
  // In reports of 100 units: a year of them needs no memory.
  for (let left = units; left > 0; left -= 100) {
    record = accumulate(record, { units: Array.from({ length: Math.min(100, left) }, () => honest(random)) });
  }
  return record;
}

function unitsUntilCaught(next: () => Unit, before: Suspicion): Suspicion {
  let record = before;
  while (isBeyondBelief(record) === undefined) record = accumulate(record, { units: [next()] });
  return record;
}

/** The near matches of a whole unit: a Poisson process of rate 1. */
function honest(random: Random): Unit {
  const unit: Unit = [];
  for (let at = gap(random); at < NEAR_MATCHES_PER_UNIT; at += gap(random)) unit.push(at);
  return unit;
}

const gap = (random: Random): number => -Math.log(1 - random());

function cheating(cheat: Cheat, random: Random): Unit {
  const unit = honest(random);
  const skipped = cheat.share * NEAR_MATCHES_PER_UNIT;
  const done = NEAR_MATCHES_PER_UNIT - skipped;
  switch (cheat.manner) {
    case 'keys':
      return unit.filter(() => random() >= cheat.share);
    case 'stretch': {
      const from = random() * done;
      return unit.filter((point) => point < from || point >= from + skipped);
    }
    case 'end':
      return unit.filter((point) => point < done);
    case 'enough':
      return unit.slice(0, cheat.matches);
  }
}

/** The share of a unit that is skipped on average by stopping at so many near matches: what is done is Σ P(N ≥ k) (Wald). */
function skippedWith(matches: number): number {
  let term = Math.exp(-NEAR_MATCHES_PER_UNIT);
  let atLeast = 1;
  let done = 0;
  for (let k = 1; k <= matches; k++) {
    atLeast -= term;
    done += atLeast;
    term *= NEAR_MATCHES_PER_UNIT / k;
  }
  return 1 - done / NEAR_MATCHES_PER_UNIT;
}
