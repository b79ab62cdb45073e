/** What of a client's work is drawn: the short list of its finished units, against a set; where a search stands. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_RUNS, withRun } from '../../src/client/runs.ts';
import { detailsOf } from '../../src/client/view.ts';
import { KEYS_PER_UNIT } from '../../src/domain/work.ts';

const someRange = fc.record({ first: fc.nat({ max: 60 }), count: fc.integer({ min: 1, max: 9 }) });

function unitsOf(runs: readonly number[]): number[] {
  const units: number[] = [];
  for (let i = 0; i < runs.length; i += 2) {
    for (let unit = runs[i] as number; unit < (runs[i + 1] as number); unit++) units.push(unit);
  }
  return units;
}

test('it holds the units that were added, neighbours as one run, in order', () => {
  fc.assert(
    fc.property(fc.array(someRange, { maxLength: 30 }), (ranges) => {
      let runs: number[] = [];
      const units = new Set<number>();
      for (const range of ranges) {
        runs = withRun(runs, range);
        for (let unit = range.first; unit < range.first + range.count; unit++) units.add(unit);
      }
      expect(unitsOf(runs)).toEqual([...units].toSorted((a, b) => a - b));
      // Ascending, with a gap between two runs.
      expect(runs.every((end, i) => i === 0 || end > (runs[i - 1] as number))).toBe(true);
    }),
  );
});

test('of too many runs the shortest are forgotten, and none is made up', () => {
  let runs: number[] = [];
  for (let nth = 0; nth < 3 * MAX_RUNS; nth++) runs = withRun(runs, { first: 10 * nth, count: 1 + (nth % 5) });
  expect(runs).toHaveLength(2 * MAX_RUNS);
  const lengths = runs.flatMap((end, i) => (i % 2 === 0 ? [] : [end - (runs[i - 1] as number)]));
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(4);
  for (let i = 0; i < runs.length; i += 2) expect((runs[i] as number) % 10).toBe(0);
});

test('near matches are counted from the first key of the block, the latest are shown; marks come from differences', () => {
  const done = [7, 9].map((offset) => ({ kind: 'rc5' as const, nearMatches: [offset] }));
  const unit = { format: 'rc5-1' as const, unit: 12, keysDone: 100, nearMatches: [3, 50] };
  const so = { seconds: 1, steps: 1 };
  const near = [7, KEYS_PER_UNIT + 9, 2 * KEYS_PER_UNIT + 3, 2 * KEYS_PER_UNIT + 50];
  expect(detailsOf({ ...so, evidence: done, unit })).toEqual({ nearMatches: near });
  expect(detailsOf({ ...so, evidence: done })).toEqual({ nearMatches: near.slice(0, 2) });
  expect(detailsOf({ ...so, evidence: [] })).toEqual({});
  const many = Array.from({ length: 40 }, () => ({
    kind: 'rc5' as const,
    nearMatches: Array.from({ length: 16 }, (_, i) => i),
  }));
  const { nearMatches = [] } = detailsOf({ ...so, evidence: many });
  expect(nearMatches).toHaveLength(256);
  expect(nearMatches.at(-1)).toBe(39 * KEYS_PER_UNIT + 15);
  const ruler = { format: 'ogr-3' as const, unit: 0, nodes: 5, diffs: [1, 3, 2] };
  expect(detailsOf({ ...so, evidence: [], unit: ruler })).toEqual({ marks: [0, 1, 4, 6] });
});
