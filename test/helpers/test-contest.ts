/**
 * A contest kind for tests of the keyserver: a unit's work is a hash of its number, so that a true report costs
 * nothing to make and a false one is told at once. Its evidence has the form of OGR's; a ruler in it is true
 * where the manifest lists the unit among its winners (kept in `stubsByPrefix`, which means nothing here). A blind one has the
 * form of RC5's search, with its winners for a ciphertext: who has not got them takes any ruler for true, and none for a hit.
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

function winners({ search }: ContestManifest): readonly number[] {
  if (search.kind === 'ogr') return search.stubsByPrefix ?? [];
  if (!('ciphertext' in search)) return [];
  return (search.ciphertext.match(/.{16}/g) ?? []).map((unit) => Number.parseInt(unit, 16));
}

const findsHits = ({ search }: ContestManifest): boolean => search.kind === 'ogr' || 'ciphertext' in search;

export function handedOut(manifest: ContestManifest): ContestManifest {
  const { search } = manifest;
  if (search.kind === 'ogr' || search.blind !== true) return manifest;
  const blind = {
    kind: 'rc5',
    blind: true,
    keyBytes: 9,
    plain: '00'.repeat(8),
    target: '000000',
    firstUnit: 0,
  } as const;
  return { ...manifest, search: blind };
}

const testKind: ContestKind = {
  step: 'nodes',
  validate(manifest) {
    if (winners(manifest).some((unit) => unit >= manifest.units)) throw new TypeError('a winner past the last unit');
  },
  handedOut,
  findsHits,
  verify(manifest, report) {
    const hits: Hit[] = [];
    for (const [i, evidence] of report.evidence.entries()) {
      const unit = report.first + i;
      if (evidence.kind !== 'ogr' || evidence.nodes === 0) {
        return { ok: false, code: 'evidence_missing', detail: `no evidence of unit ${unit}` };
      }
      const won = evidence.ruler !== undefined && findsHits(manifest);
      if (evidence.nodes !== workOf(unit) || (won && !winners(manifest).includes(unit))) {
        return { ok: false, code: 'evidence_false', detail: `false evidence of unit ${unit}` };
      }
      if (evidence.ruler !== undefined && findsHits(manifest)) hits.push({ kind: 'ogr', unit, marks: evidence.ruler });
    }
    return { ok: true, hits };
  },
  compare(_manifest, _unit, first, second) {
    if (JSON.stringify(first) === JSON.stringify(second)) return { agree: true };
    return { agree: false, detail: 'another run of the same units differs', wrong: [] };
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
  blind?: boolean;
  announce?: 'all' | 'found';
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
    ...(contest.announce === undefined ? {} : { announce: contest.announce }),
    search: contest.blind
      ? { kind: 'rc5', keyBytes: 9, blind: true, iv: SECRET, ciphertext: hidden(contest.winners ?? []), ...NO_KEYS }
      : { kind: 'ogr', marks: 5, maxLength: 11, stubDepth: 1, stubsByPrefix: contest.winners ?? [] },
  };
}

/** What of a blind contest must never be told. */
export const SECRET = '5ec7e75ec7e75ec7';
const hidden = (units: readonly number[]): string =>
  units.map((unit) => unit.toString(16).padStart(16, '0')).join('') || '0'.repeat(16);
const NO_KEYS = { knownPlaintext: 'There are no keys', firstUnit: 0 } as const;

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
