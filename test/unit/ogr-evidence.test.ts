/** What the keyserver believes of an OGR report, and which manifests it takes. */
import { describe, expect, test } from 'vitest';
import ogr14 from '../../src/contests/manifests/ogr-14.json' with { type: 'json' };
import ogr29 from '../../src/contests/manifests/ogr-29.json' with { type: 'json' };
import { ogr } from '../../src/contests/ogr/ogr.ts';
import { diffsOf } from '../../src/contests/ogr/rulers.ts';
import { stubToUnit } from '../../src/contests/ogr/stubs.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { OgrEvidence, Report, UnitEvidence } from '../../src/domain/work.ts';
import { contestOf, smallSearch } from '../helpers/ogr.ts';

const search = smallSearch(10, 2, 2);
const manifest = contestOf(search);
const best = [0, 1, 6, 10, 23, 26, 34, 41, 53, 55];
const unit = stubToUnit(search, diffsOf(best).slice(0, 2));
const mirror = best.map((mark) => 55 - mark).toReversed();

const report = (...evidence: UnitEvidence[]): Report => ({
  lease: '0'.repeat(16),
  contest: manifest.name,
  first: unit,
  evidence,
  core: 'ogr-simd',
  seconds: 1,
});
const verdict = (evidence: Partial<OgrEvidence>) =>
  ogr.verify(manifest, report({ kind: 'ogr', nodes: 900, ruler: best, ...evidence }));

describe('verify', () => {
  test('a ruler below its stub is a hit of that unit', () => {
    expect(verdict({})).toEqual({ ok: true, hits: [{ kind: 'ogr', unit, marks: best }] });
    const none: OgrEvidence = { kind: 'ogr', nodes: 0 };
    const ruled: OgrEvidence = { kind: 'ogr', nodes: 900, ruler: best };
    const block = ogr.verify(manifest, { ...report(none, ruled, none), first: unit - 1 });
    expect(block).toEqual({ ok: true, hits: [{ kind: 'ogr', unit, marks: best }] });
  });

  test('what contradicts itself is refused, naming the unit', () => {
    const refused = (evidence: Partial<OgrEvidence>, why: string) => {
      expect(verdict(evidence)).toEqual({ ok: false, code: 'evidence_false', detail: expect.stringContaining(why) });
      expect(verdict(evidence)).toMatchObject({ detail: expect.stringMatching(new RegExp(`^unit ${unit}: `)) });
    };
    refused({ nodes: 5 }, 'only 5 nodes where it takes 6');
    refused({ nodes: 1.5 }, '1.5 is no number of nodes');
    refused({ nodes: -1 }, '-1 is no number of nodes');
    refused({ ruler: best.slice(0, 9) }, 'the ruler has 9 marks instead of 10');
    refused({ ruler: mirror }, 'does not begin with the stub 1-5');
    refused({ ruler: best.map((mark, i) => (i === 9 ? 54 : mark)) }, 'is no Golomb ruler');
    refused({ ruler: best.map((mark) => mark + 1) }, 'is no Golomb ruler that begins at 0');
    refused({ ruler: best.map((mark, i) => (i === 9 ? 700 : mark)) }, 'a ruler of length 700 is past the 57 searched');
    refused({ ruler: [0, ...best.slice(2), 60] }, 'unit');
    for (let i = 1; i < 10; i++) {
      refused({ ruler: best.map((mark, j) => (j === i ? mark - 1 : mark)) }, 'ruler');
    }
  });

  test('evidence of another kind is refused', () => {
    const other = ogr.verify(manifest, report({ kind: 'rc5', nearMatches: [] }));
    expect(other).toMatchObject({ ok: false, code: 'evidence_false', detail: expect.stringContaining('kind rc5') });
  });

  test('the shortest ruler comes first, then the lowest unit', () => {
    const hit = (unit: number, marks: number[]) => ({ kind: 'ogr', unit, marks }) as const;
    const [a, b, c] = [hit(9, [0, 1, 3]), hit(2, [0, 1, 4]), hit(3, [0, 1, 4])];
    expect([c, b, a].toSorted((a, b) => ogr.compareHits(a, b))).toEqual([a, b, c]);
  });
});

describe('validate', () => {
  test('the manifests that come with Tabherd hold', () => {
    for (const known of [ogr14, ogr29, manifest]) expect(ogr.validate(known as ContestManifest)).toBeUndefined();
  });

  test('a contradiction is named', () => {
    const altered = (change: Partial<ContestManifest>) => () => ogr.validate({ ...manifest, ...change });
    expect(altered({ units: manifest.units + 1 })).toThrow(/ogr-10: units is \d+, but the search has \d+ stubs/);
    expect(altered({ search: { ...search, stubDepth: 9 } })).toThrow('search.stubDepth is 9; 10 marks allow 8');
    expect(altered({ search: { ...search, stubsByPrefix: [1] } })).toThrow('search.stubsByPrefix has 1 counts');
    expect(altered({ search: { ...search, maxLength: 30 } })).toThrow('units');
  });
});
