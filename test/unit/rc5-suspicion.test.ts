/** The laws that near matches follow in honest work, and what a client's record says: by formula, and drawn. */
import { describe, expect, test } from 'vitest';
import { randomOf } from '../../src/cli/bench/random.ts';
import { chanceOfGap, fewestBelieved, gapsOf } from '../../src/contests/rc5/poisson.ts';
import { accused, falseAlarms, power } from '../../src/contests/rc5/power.ts';
import {
  accumulate,
  BEYOND_BELIEF,
  doubtOf,
  isBeyondBelief,
  ratiosOf,
  type Suspicion,
  WAYS,
} from '../../src/contests/rc5/suspicion.ts';

const UNIT = 16;
const random = randomOf(6, 'suspicion');

function honest(length = UNIT): number[] {
  const points: number[] = [];
  for (let at = -Math.log(1 - random()); at < length; at -= Math.log(1 - random())) points.push(at);
  return points;
}

const evenly = (count: number): number[] => Array.from({ length: count }, (_, i) => ((i + 0.5) * UNIT) / count);

const none = (units: number): number[][] => Array.from({ length: units }, () => []);

describe('the law of counts', () => {
  test.each([1e-9, 1e-15])('the least believed count keeps its false alarm rate of %s', (chance) => {
    // P(N < k), from its largest term down: no term is too small for a number.
    const below = (k: number, expected: number): number => {
      let factor = 1;
      let sum = 0;
      for (let i = k - 1; i >= 0; i--) {
        sum += factor;
        factor *= i / expected;
      }
      let logTop = -expected;
      for (let i = 1; i < k; i++) logTop += Math.log(expected / i);
      return sum * Math.exp(logTop);
    };
    for (const units of [3, 4, 16, 47, 256]) {
      const fewest = fewestBelieved(UNIT * units, chance);
      expect(below(fewest, UNIT * units)).toBeLessThanOrEqual(chance);
      expect(below(fewest + 1, UNIT * units)).toBeGreaterThan(chance);
    }
    expect(fewestBelieved(UNIT, chance)).toBe(1);
  });
});

describe('the law of gaps', () => {
  test('edges count', () => {
    expect(gapsOf([1, 4], 16)).toEqual([1, 3, 12]);
    expect(gapsOf([], 16)).toEqual([16]);
  });

  test('none at all is a gap like any other', () => expect(chanceOfGap(16, 16)).toBeCloseTo(Math.exp(-16), 20));

  test.each([
    [16, 7],
    [64, 9],
    [512, 11],
  ])('the bound holds and is near, over %i mean gaps', (length, gap) => {
    const draws = 400_000 / length;
    let count = 0;
    for (let i = 0; i < draws; i++) if (Math.max(...gapsOf(honest(length), length)) >= gap) count += 1;
    const deviation = Math.sqrt(chanceOfGap(gap, length) / draws);
    expect(count / draws).toBeLessThan(chanceOfGap(gap, length) + 4 * deviation);
    expect(count / draws).toBeGreaterThan(0.9 * chanceOfGap(gap, length) - 4 * deviation);
  });
});

describe('one report', () => {
  const full = (units: number): number[][] => Array.from({ length: units }, () => evenly(16));
  test.each([
    ['as many as belong', [full(1)]],
    ['by bad luck few', [[evenly(6)]]],
    ['a short block of which half was done', [full(2), none(2)]],
    ['the longest there is', [full(256)]],
  ])('%s: believed', (_what, parts: number[][][]) => {
    expect(doubtOf({ units: parts.flat() })).toBeUndefined();
  });

  test.each([
    ['none at all', [none(1)], /^0 near matches where about 16 belong, and 1 at the least$/],
    ['a long block of which half was done', [full(8), none(8)], /at the least$/],
    ['three units left out of many', [full(61), none(3)], /^no near match in a stretch of keys where about 49 belong$/],
    [
      'the same in the middle',
      [full(30), none(3), full(31)],
      /^no near match in a stretch of keys where about 49 belong$/,
    ],
  ])('%s: refused', (_what, parts: number[][][], doubt) => {
    expect(doubtOf({ units: parts.flat() })).toMatch(doubt);
  });
});

describe('a record', () => {
  test('each ratio has the mean 1 in honest work, which is all that the bound on false alarms needs', () => {
    const draws = 100_000;
    const sums = WAYS.map(() => ({ sum: 0, squares: 0 }));
    for (let i = 0; i < draws; i++) {
      for (const [way, ratio] of ratiosOf(honest()).entries()) {
        const sum = sums[way];
        if (sum === undefined) continue;
        sum.sum += ratio;
        sum.squares += ratio ** 2;
      }
    }
    for (const [way, { sum, squares }] of sums.entries()) {
      // Of nine tenths nearly all of the mean comes from units that no one draws.
      if ((WAYS[way]?.share ?? 1) > 0.5) continue;
      const deviation = Math.sqrt(squares / draws / draws);
      expect(Math.abs(sum / draws - 1)).toBeLessThan(5 * deviation);
    }
  });

  test('and with nine tenths skipped, by formula', () => {
    const nth = WAYS.findIndex(({ manner, share }) => manner === 'end' && share === 0.9);
    // The last 14.4 are empty with the chance e^−14.4, and then the ratio is ½ + ½ e^14.4.
    expect(ratiosOf([1])[nth]).toBeCloseTo((1 + Math.exp(14.4)) / 2, 5);
    expect(ratiosOf([1, 2])[nth]).toBe(1 / 2);
    const stretch = ratiosOf([15])[WAYS.findIndex(({ manner, share }) => manner === 'stretch' && share === 0.9)];
    expect(stretch).toBeCloseTo((1 + ((15 - 14.4) / 1.6) * Math.exp(14.4)) / 2, 5);
  });

  test('sums up reports, however they are cut', () => {
    const units = Array.from({ length: 12 }, () => honest());
    const whole = accumulate(undefined, { units });
    const cut = accumulate(accumulate(undefined, { units: units.slice(0, 5) }), { units: units.slice(5) });
    expect(cut).toEqual(whole);
    expect(whole).toMatchObject({ units: 12, expected: 192, observed: units.flat().length });
    const kept = JSON.parse(JSON.stringify(whole)) as Suspicion;
    expect(accumulate(kept, { units })).toEqual(accumulate(whole, { units }));
  });

  test('accuses of what was done, and honest work afterwards changes nothing', () => {
    let record = accumulate(undefined, { units: Array.from({ length: 1000 }, () => honest()) });
    expect(isBeyondBelief(record)).toBeUndefined();
    for (let i = 0; i < 40; i++) record = accumulate(record, { units: [honest().filter((at) => at < 8)] });
    expect(isBeyondBelief(record)).toMatch(/^\d+ near matches where about \d+ belong, as from .* leaves the last 50 %/);
    expect(accumulate(record, { units: Array.from({ length: 1000 }, () => evenly(20)) })).toEqual(record);
    const odds = record.odds.reduce((sum, one) => sum + one, 0) / WAYS.length;
    expect(odds).toBeGreaterThanOrEqual(BEYOND_BELIEF);
  });

  test('nothing but empty units, a whole block of them: numbers stay numbers', () => {
    const record = accumulate(undefined, { units: none(256) });
    expect(isBeyondBelief(record)).toMatch(/^0 near matches/);
    expect(record.odds.every(Number.isFinite)).toBe(true);
  });
});

describe('what it is worth', () => {
  test('honest clients: none accused, and the rate of false alarms under its bound', () => {
    expect(accused(randomOf(6, 'honest'), { clients: 20, unitsEach: 10_000 })).toBe(0);
    const { first, aYear } = falseAlarms(randomOf(6, 'false alarms'), { runs: 600 });
    for (const rate of [first, aYear]) {
      expect(rate).toBeLessThanOrEqual(1 / 2 / BEYOND_BELIEF);
      expect(rate).toBeGreaterThan(1 / 20 / BEYOND_BELIEF);
    }
  });

  /** Medians in units: from the first unit on, and after long honest work. */
  const told: readonly (readonly [manner: string, share: number, fresh: number, later: number])[] = [
    ['keys', 0.1, 213, 381],
    ['keys', 0.25, 34, 63],
    ['keys', 0.5, 8, 15],
    ['keys', 0.9, 2, 4],
    ['stretch', 0.1, 155, 273],
    ['stretch', 0.25, 14, 24],
    ['stretch', 0.5, 4, 7],
    ['stretch', 0.9, 2, 3],
    ['end', 0.1, 17, 31],
    ['end', 0.25, 6, 11],
    ['end', 0.5, 3, 5],
    ['end', 0.9, 2, 3],
    ['enough', 0.13, 45, 89],
    ['enough', 0.27, 12, 24],
    ['enough', 0.5, 5, 10],
  ];
  const rows = power(randomOf(6, 'power'), { runs: 100 });

  test.each(told)('the power that the README tells of: %s, a share of %d', (manner, share, fresh, later) => {
    const of = rows.filter((row) => row.manner === manner && Math.abs(row.share - share) < 0.01);
    expect(of.map(({ honestBefore }) => honestBefore)).toEqual([0, 2000]);
    for (const [i, median] of [fresh, later].entries()) {
      expect(Math.abs((of[i]?.median ?? 0) - median)).toBeLessThanOrEqual(1 + 0.15 * median);
      expect(of[i]?.p95).toBeLessThanOrEqual(2.2 * median + 1);
    }
  });
});
