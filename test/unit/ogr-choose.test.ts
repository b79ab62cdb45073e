/** The choose table against its definition, its own generator, and itself. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SETS } from '../../assembly/ogr/layout.ts';
import { optimalLength } from '../../src/contests/ogr/known.ts';
import { unpackChoose } from '../../src/cores/ogr/choose-table.ts';
import { generateChoose, packChoose } from '../../src/cores/ogr/generate-choose.ts';
import { chooseColumns, minlenOf, ogrKernel } from '../helpers/ogr.ts';
import { shortestAvoiding } from '../reference/golomb.ts';

const depth = chooseColumns.length / SETS;
const minlen = minlenOf(ogrKernel());
const anySet = fc.integer({ min: 0, max: SETS - 1 });

test('the file has whole columns, 12 of them', () => {
  expect(depth).toBe(12);
});

test('random entries are the shortest rulers by definition', () => {
  const entry = fc.record({ k: fc.integer({ min: 0, max: 4 }), set: anySet });
  fc.assert(
    fc.property(entry, ({ k, set }) => {
      expect(minlen(k, set)).toBe(shortestAvoiding(k, set));
    }),
    { numRuns: 60 },
  );
});

test('and so are entries of more segments where little is to be avoided', () => {
  const few = fc
    .uniqueArray(fc.nat(15), { maxLength: 4 })
    .map((bits) => bits.reduce((set, bit) => set | (1 << bit), 0));
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 6 }), few, (k, set) => {
      expect(minlen(k, set)).toBe(shortestAvoiding(k, set));
    }),
    { numRuns: 15 },
  );
});

test('with nothing to avoid, the entries are the optimal rulers', () => {
  for (let k = 0; k <= 27; k++) expect(minlen(k, 0)).toBe(optimalLength(k + 1));
});

test('the generator makes the first columns again', async () => {
  const told: number[] = [];
  const columns = await generateChoose(5, (k) => told.push(k));
  expect(told).toEqual([1, 2, 3, 4, 5]);
  expect(Buffer.from(columns).equals(Buffer.from(chooseColumns.subarray(0, 5 * SETS)))).toBe(true);
  expect(await unpackChoose(await packChoose(columns))).toEqual(columns);
  await expect(generateChoose(0)).rejects.toThrow('depth 0');
}, 60_000);

test('more to avoid, or more segments, never make a ruler shorter', () => {
  const one = fc.record({ k: fc.integer({ min: 1, max: 27 }), set: anySet, bit: fc.nat(15) });
  fc.assert(
    fc.property(one, ({ k, set, bit }) => {
      expect(minlen(k, set | (1 << bit))).toBeGreaterThanOrEqual(minlen(k, set));
      expect(minlen(k, set)).toBeGreaterThan(minlen(k - 1, set));
    }),
    { numRuns: 2000 },
  );
});

test('bounds past the exact columns do not exceed what deeper columns say', () => {
  const shallow = minlenOf(ogrKernel(chooseColumns.slice(0, 7 * SETS)));
  for (let k = 8; k <= 27; k++) {
    for (let set = 0; set < SETS; set += 101) expect(shallow(k, set)).toBeLessThanOrEqual(minlen(k, set));
  }
});
