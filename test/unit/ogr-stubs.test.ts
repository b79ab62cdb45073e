/** Units and stubs: the numbering is complete, ordered and exact both ways. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import ogr29 from '../../src/contests/manifests/ogr-29.json' with { type: 'json' };
import { optimalLength } from '../../src/contests/ogr/known.ts';
import { diffsOf, marksOf } from '../../src/contests/ogr/rulers.ts';
import {
  countStubs,
  countStubsByPrefix,
  countStubsWith,
  lastPosition,
  stubToUnit,
  unitToStub,
} from '../../src/contests/ogr/stubs.ts';
import type { OgrSearch } from '../../src/domain/contest.ts';
import { smallSearch } from '../helpers/ogr.ts';
import { golomb } from '../reference/golomb.ts';

/** All stubs by definition. */
function stubsOf({ marks, maxLength, stubDepth }: OgrSearch): number[][] {
  let prefixes = [[0]];
  for (let i = 1; i <= stubDepth; i++) {
    prefixes = prefixes.flatMap((prefix) => {
      const longer = Array.from({ length: maxLength }, (_, mark) => [...prefix, mark]);
      return longer.filter((longer) => {
        const mark = longer.at(-1) ?? 0;
        return mark > (prefix.at(-1) ?? 0) && golomb(longer) && mark <= maxLength - optimalLength(marks - i);
      });
    });
  }
  return prefixes.map(diffsOf);
}

const small = fc
  .record({ marks: fc.integer({ min: 5, max: 9 }), stubDepth: fc.integer({ min: 1, max: 4 }), slack: fc.nat(4) })
  .filter(({ marks, stubDepth }) => stubDepth <= marks - 2)
  .map(({ marks, stubDepth, slack }) => smallSearch(marks, stubDepth, slack));

test('units are all the stubs by definition, in their order, and back', () => {
  fc.assert(
    fc.property(small, (search) => {
      const stubs = stubsOf(search);
      expect(countStubs(search)).toBe(stubs.length);
      expect(stubs.map((_, unit) => unitToStub(search, unit))).toEqual(stubs);
      expect(stubs.map((stub) => stubToUnit(search, stub))).toEqual(stubs.map((_, unit) => unit));
    }),
    { numRuns: 40 },
  );
});

test('stubs with a long reach cross the words of the bitmaps', () => {
  const search = { kind: 'ogr', marks: 6, maxLength: 90, stubDepth: 3 } as const;
  const stubs = stubsOf(search);
  expect(countStubs(search)).toBe(stubs.length);
  for (let unit = 0; unit < stubs.length; unit += 997) expect(unitToStub(search, unit)).toEqual(stubs[unit]);
});

test('what is no unit and what is no stub is refused', () => {
  const search = smallSearch(8, 3);
  expect(() => unitToStub(search, countStubs(search))).toThrow('There is no unit');
  expect(() => unitToStub(search, -1)).toThrow('There is no unit -1');
  for (const diffs of [
    [1, 2],
    [1, 2, 3],
    [1, 1, 4],
    [0, 1, 2],
    [1, 3, 99],
  ]) {
    expect(() => stubToUnit(search, diffs)).toThrow(`${diffs.join('-')} is no stub`);
  }
  const counts = countStubsByPrefix(search);
  const tooMany = { ...search, stubsByPrefix: counts.map((count) => count + 1) };
  expect(() => unitToStub(tooMany, counts[0] ?? 0)).toThrow('counts too many stubs at 0-1-3');
  expect(() => countStubs({ ...search, stubsByPrefix: [1, 2] })).toThrow('search.stubsByPrefix has 2 counts');
});

test('a search with too many stubs to count is refused soon', () => {
  const search = { kind: 'ogr', marks: 29, maxLength: 1023, stubDepth: 12 } as const;
  expect(() => countStubs(search)).toThrow('search.stubDepth 12 makes too many stubs');
  expect(() => countStubs({ ...search, maxLength: 623, stubDepth: 5 })).toThrow('search.stubsByPrefix is needed');
});

describe('ogr-29', () => {
  const search = ogr29.search as OgrSearch;

  test('the counts of the manifest add up to its units', () => {
    expect(countStubs(search)).toBe(ogr29.units);
    expect(search.stubsByPrefix).toHaveLength(1884);
    // Stubs two marks shorter, against a count that another program made.
    const shorter = countStubsByPrefix({ kind: 'ogr', marks: 29, maxLength: 623, stubDepth: 4 });
    expect(shorter.reduce((sum, count) => sum + count, 0)).toBe(8_054_898);
  });

  test('prefixes taken at random have as many stubs as the manifest says', () => {
    const counts = search.stubsByPrefix ?? [];
    const starts = counts.map(
      (
        (start) => (count: number) =>
          (start += count) - count
      )(0),
    );
    fc.assert(
      fc.property(fc.nat(counts.length - 1), (i) => {
        const prefix = marksOf(unitToStub(search, starts[i] ?? 0)).slice(0, 3);
        expect(countStubsWith(search, prefix)).toBe(counts[i]);
      }),
      { numRuns: 12 },
    );
  });

  test('random units and their neighbours: exact both ways, in order, within the limits', () => {
    const unit = fc.integer({ min: 0, max: ogr29.units - 2 });
    fc.assert(
      fc.property(unit, (unit) => {
        const marks = marksOf(unitToStub(search, unit));
        expect(stubToUnit(search, diffsOf(marks))).toBe(unit);
        expect(golomb(marks)).toBe(true);
        expect(marks.slice(1).every((mark, i) => mark <= lastPosition(search, i + 1))).toBe(true);
        const next = marksOf(unitToStub(search, unit + 1));
        const differs = marks.findIndex((mark, i) => mark !== next[i]);
        expect(next[differs]).toBeGreaterThan(marks[differs] ?? Number.POSITIVE_INFINITY);
      }),
      { numRuns: 40 },
    );
  });

  test('the first unit, the last, and the seam between two prefixes', () => {
    expect(unitToStub(search, 0)).toEqual([1, 2, 4, 5, 8, 10]);
    expect(unitToStub(search, ogr29.units - 1).slice(0, 2)).toEqual([38, 32]);
    const seam = search.stubsByPrefix?.[0] ?? 0;
    expect(unitToStub(search, seam - 1).slice(0, 2)).toEqual([1, 2]);
    expect(unitToStub(search, seam).slice(0, 2)).toEqual([1, 3]);
  });
});
