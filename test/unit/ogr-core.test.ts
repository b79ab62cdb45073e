/** The OGR core against the published rows, its slow twin, and itself under every slicing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SETS } from '../../assembly/ogr/layout.ts';
import { optimalLength } from '../../src/contests/ogr/known.ts';
import { ogr } from '../../src/contests/ogr/ogr.ts';
import { marksOf } from '../../src/contests/ogr/rulers.ts';
import { countStubs, unitToStub } from '../../src/contests/ogr/stubs.ts';
import builtIn from '../../src/cores/ogr/known-answers.json' with { type: 'json' };
import { ogrDifference, runOgrRow } from '../../src/cores/ogr/known-answers.ts';
import { ogrCoreOver } from '../../src/cores/ogr/ogr-core.ts';
import type { Report, UnitCheckpoint } from '../../src/domain/work.ts';
import { chooseColumns, contestOf, minlenOf, ogrKernel, ogrModule, smallSearch } from '../helpers/ogr.ts';
import { countNodes, isSearched, rulersFrom } from '../reference/golomb.ts';
import vectors from '../vectors/ogr.json' with { type: 'json' };

const kernel = ogrKernel();
const core = ogrCoreOver(kernel);

test('the wasm imports nothing', () => {
  expect(WebAssembly.Module.imports(ogrModule)).toEqual([]);
});

describe('known answers: distributed.net selftest rows', () => {
  for (const row of vectors.ogr_ng_selftest) {
    test(`row ${row.test}: ${row.marks}/${row.diffs.join('-')}`, () => {
      expect(ogrDifference(kernel, row)).toBeUndefined();
    });
  }

  test('a row without nodes of ours binds the ruler', () => {
    const [{ own_nodes, ...row }] = vectors.ogr_ng_selftest as [(typeof vectors.ogr_ng_selftest)[0]];
    expect(ogrDifference(kernel, row)).toBeUndefined();
    expect(ogrDifference(kernel, { ...row, nodes: own_nodes - 1 })).toMatch(/nodes instead of/);
  });

  test('the rows that are built in are rows of theirs', () => {
    for (const row of builtIn.ogr_ng_selftest) expect(vectors.ogr_ng_selftest).toContainEqual(row);
  });

  test('a wrong row is told apart', () => {
    const [row] = vectors.ogr_ng_selftest;
    if (row === undefined) throw new Error('no rows');
    expect(ogrDifference(kernel, { ...row, own_nodes: row.own_nodes + 1 })).toMatch(/nodes instead of/);
    expect(ogrDifference(kernel, { ...row, max_length: 332 })).toMatch(/no ruler was found/);
    expect(ogrDifference(kernel, { ...row, found: false })).toMatch(/found 0-2-24/);
    expect(ogrDifference(kernel, { ...row, ruler_marks: [0, 1] })).toMatch(/instead of 0-1/);
  });
});

const smallRun = fc
  .record({
    marks: fc.integer({ min: 5, max: 9 }),
    slack: fc.nat(6),
    stubDepth: fc.integer({ min: 1, max: 3 }),
    where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  })
  .filter(({ marks, stubDepth }) => stubDepth <= Math.floor((marks - 2) / 2))
  .map(({ marks, slack, stubDepth, where }) => {
    const search = smallSearch(marks, stubDepth, slack);
    return { ...search, stub: unitToStub(search, Math.floor(where * countStubs(search))) };
  });

describe('against the slow twins', () => {
  test('nodes and the ruler are those of the pruned search by its description', () => {
    for (const depth of [3, 12]) {
      const kernel = ogrKernel(chooseColumns.slice(0, depth * SETS));
      const minlen = minlenOf(kernel);
      fc.assert(
        fc.property(smallRun, ({ marks, maxLength, stub }) => {
          const counted = countNodes(marks, maxLength, stub, minlen);
          expect(runOgrRow(kernel, { marks, max_length: maxLength, diffs: stub })).toEqual(counted);
        }),
        { numRuns: 150 },
      );
    }
  });

  test('and in the middle of a real search, where the bound by runs decides', () => {
    const row = vectors.ogr_ng_selftest.find(({ test }) => test === 27);
    if (row === undefined) throw new Error('no row 27');
    const { nodes } = countNodes(row.marks, row.max_length, row.diffs, minlenOf(kernel));
    expect(nodes).toBe(row.own_nodes);
  });

  test('the ruler is the first of the shortest by the definition', () => {
    fc.assert(
      fc.property(smallRun, ({ marks, maxLength, stub }) => {
        const rulers = [...rulersFrom(marks, maxLength, marksOf(stub))].filter((r) => isSearched(r, maxLength));
        const shortest = Math.min(...rulers.map((r) => r.at(-1) ?? 0));
        const { ruler } = runOgrRow(kernel, { marks, max_length: maxLength, diffs: stub });
        expect(ruler).toEqual(rulers.find((r) => r.at(-1) === shortest));
      }),
      { numRuns: 25 },
    );
  });

  test('differences past the words of the maps', () => {
    const minlen = minlenOf(kernel);
    for (const stub of [[64], [63, 1], [65, 2], [128, 1], [200, 3], [64, 128], [256, 2], [300, 1]]) {
      const [marks, maxLength] = [5, 350];
      const counted = countNodes(marks, maxLength, stub, minlen);
      expect(runOgrRow(kernel, { marks, max_length: maxLength, diffs: stub })).toEqual(counted);
    }
  });

  test('past a length of 512, where the maps no longer see all, only rulers are kept', () => {
    // 0-300-600 measures 300 twice, and nothing in maps of 256 bits says so.
    expect(runOgrRow(kernel, { marks: 5, max_length: 950, diffs: [300, 300] })).not.toHaveProperty('ruler');
    const { ruler } = runOgrRow(kernel, { marks: 5, max_length: 950, diffs: [300, 301] });
    expect(ruler).toEqual([...rulersFrom(5, 604, [0, 300, 601])][0]);
  });
});

describe('slices and checkpoints', () => {
  const search = smallSearch(12, 3, 3);
  const manifest = contestOf(search);

  test('nodes and rulers do not depend on slices or on where a search was left', () => {
    const other = ogrCoreOver(ogrKernel());
    const units = fc.integer({ min: 0, max: manifest.units - 1 });
    const slices = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(units, slices, (unit, slices) => {
        const whole = core.open(manifest, unit);
        while (!whole.run(1e6));
        const evidence = whole.evidence();
        let end: unknown;
        let checkpoint: UnitCheckpoint | undefined;
        let fraction = 0;
        for (let i = 0; ; i++) {
          const part = (i % 2 === 0 ? other : core).open(manifest, unit, checkpoint);
          const steps = part.steps;
          const budget = slices[i % slices.length] ?? 1;
          const finished = part.run(budget);
          expect(part.fraction).toBeGreaterThanOrEqual(fraction);
          fraction = part.fraction;
          if (finished) {
            end = { fraction, evidence: part.evidence() };
            break;
          }
          expect(part.steps).toBe(steps + budget);
          checkpoint = JSON.parse(JSON.stringify(part.checkpoint())) as UnitCheckpoint;
        }
        expect(end).toEqual({ fraction: 1, evidence });
      }),
      { numRuns: 25 },
    );
  });

  test('a checkpoint of another unit, format or place is refused', () => {
    const part = core.open(manifest, 5);
    part.run(100);
    const checkpoint = part.checkpoint();
    expect(() => core.open(manifest, 6, checkpoint)).toThrow('of unit 5: ogr-3 of unit 6 wanted');
    const rc5: UnitCheckpoint = { format: 'rc5-1', unit: 5, keysDone: 0, nearMatches: [] };
    expect(() => core.open(manifest, 5, rc5)).toThrow('checkpoint rc5-1');
    expect(() => core.open(manifest, 5, { format: 'ogr-3', unit: 5, nodes: 1, diffs: [1, 2] })).toThrow(
      'no place below',
    );
  });
});

test('a whole contest proves that no ruler of 10 marks is shorter than the known one', () => {
  const manifest = contestOf(smallSearch(10, 2, 2));
  const report: Report = {
    lease: '0'.repeat(16),
    contest: 'ogr-10',
    first: 0,
    evidence: [],
    core: core.name,
    seconds: 1,
  };
  for (let unit = 0; unit < manifest.units; unit++) {
    const search = core.open(manifest, unit);
    while (!search.run(1e6));
    report.evidence.push(search.evidence());
  }
  const verdict = ogr.verify(manifest, report);
  if (!verdict.ok) throw new Error(verdict.detail);
  const [best] = verdict.hits.toSorted((a, b) => ogr.compareHits(a, b));
  expect(best).toEqual({ kind: 'ogr', unit: expect.any(Number), marks: [0, 1, 6, 10, 23, 26, 34, 41, 53, 55] });
  expect(best?.kind === 'ogr' && best.marks.at(-1)).toBe(optimalLength(10));
});
