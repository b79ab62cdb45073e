/** The short list of what a client has finished, against a set of units. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_RUNS, withRun } from '../../src/client/runs.ts';

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
      for (const [i, end] of runs.entries()) if (i > 0) expect(end).toBeGreaterThan(runs[i - 1] as number);
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
