/**
 * A contest kind for tests of the keyserver: a unit's work is a hash of its number, so that a true report costs
 * nothing to make and a false one is told at once. Its evidence has the form of OGR's; a ruler in it is true
 * where the manifest lists the unit among its winners (kept in `stubsByPrefix`, which means nothing here).
 */
import type { ContestKind } from '../../src/contests/kind.ts';
import type { Allocation, ContestKindName, ContestManifest, Hit } from '../../src/domain/contest.ts';
import type { Lease, Report, UnitEvidence } from '../../src/domain/work.ts';

/** Murmur3's finalizer: any function would do that is not the identity. */
export function workOf(unit: number): number {
  let h = (unit ^ (unit / 2 ** 32)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) + 1;
}

const winners = (manifest: ContestManifest): readonly number[] =>
  manifest.search.kind === 'ogr' ? (manifest.search.stubsByPrefix ?? []) : [];

const testKind: ContestKind = {
  step: 'nodes',
  validate(manifest) {
    if (winners(manifest).some((unit) => unit >= manifest.units)) throw new TypeError('a winner past the last unit');
  },
  verify(manifest, report) {
    const hits: Hit[] = [];
    for (const [i, evidence] of report.evidence.entries()) {
      const unit = report.first + i;
      if (evidence.kind !== 'ogr' || evidence.nodes === 0) {
        return { ok: false, code: 'evidence_missing', detail: `no evidence of unit ${unit}` };
      }
      const won = evidence.ruler !== undefined;
      if (evidence.nodes !== workOf(unit) || (won && !winners(manifest).includes(unit))) {
        return { ok: false, code: 'evidence_false', detail: `false evidence of unit ${unit}` };
      }
      if (evidence.ruler !== undefined) hits.push({ kind: 'ogr', unit, marks: evidence.ruler });
    }
    return { ok: true, hits };
  },
  spotCheck: () => undefined,
  unitsPerSecond: (nodesPerSecond) => nodesPerSecond,
  compareHits: (a, b) => a.unit - b.unit,
};

export const testKinds: Record<ContestKindName, ContestKind> = { rc5: testKind, ogr: testKind };

export interface TestContest {
  name?: string;
  units?: number;
  maxUnits?: number;
  maxLeases?: number;
  leaseSeconds?: number;
  recycleSeconds?: number;
  allocation?: Allocation;
  closes?: 'hit' | 'exhausted';
  winners?: number[];
}

export function testManifest(contest: TestContest = {}): ContestManifest {
  const {
    name = 'test',
    units = 100,
    maxUnits = 8,
    maxLeases = 1024,
    leaseSeconds = 60,
    closes = 'exhausted',
    recycleSeconds,
    allocation,
  } = contest;
  return {
    version: 1,
    name,
    title: `The contest ${name}`,
    about: 'Made for a test.',
    units,
    block: { maxUnits, maxLeases },
    leaseSeconds,
    closes,
    ...(recycleSeconds === undefined ? {} : { recycleSeconds }),
    ...(allocation === undefined ? {} : { allocation }),
    search: { kind: 'ogr', marks: 5, maxLength: 11, stubDepth: 1, stubsByPrefix: contest.winners ?? [] },
  };
}

/** What an honest client hands in for a lease, winning where the units say so. */
export function trueReport(lease: Lease, winning: readonly number[] = []): Report {
  const evidence = Array.from({ length: lease.count }, (_, i): UnitEvidence => {
    const unit = lease.first + i;
    return { kind: 'ogr', nodes: workOf(unit), ...(winning.includes(unit) ? { ruler: [0, 1, 4, 9, 11] } : {}) };
  });
  const { id, contest, first, proof } = lease;
  const report = { lease: id, contest, first, evidence, core: 'test', seconds: 1 };
  return proof === undefined ? report : { ...report, proof };
}

/** The same with one unit's evidence made up. */
export function falseReport(lease: Lease): Report {
  const report = trueReport(lease);
  report.evidence[report.evidence.length - 1] = { kind: 'ogr', nodes: 7 };
  return report;
}
