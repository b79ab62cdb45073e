/**
 * The contest that is simulated: rc5-72 but for its evidence, which costs nothing to make and is checked all the same. It
 * has the form and length of RC5's (16 near matches a unit), so that bodies have the lengths of real ones.
 */
import type { ContestKind } from '../../../contests/kind.ts';
import type { ContestKindName, ContestManifest } from '../../../domain/contest.ts';
import type { Lease, Report, UnitEvidence } from '../../../domain/work.ts';

export const CONTEST = 'rc5-72';

const NEAR_MATCHES = 16;
const STRETCH = 2 ** 28 / NEAR_MATCHES;

/** The i-th near match of a unit: one in each sixteenth. Murmur3's finalizer; any function would do. */
function nearMatch(unit: number, i: number): number {
  let h = (unit ^ (unit / 2 ** 32)) + Math.imul(i, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return i * STRETCH + ((h ^ (h >>> 16)) >>> 8);
}

const kind: ContestKind = {
  step: 'keys',
  validate() {},
  verify(_manifest, report) {
    for (const [i, evidence] of report.evidence.entries()) {
      const unit = report.first + i;
      const isTrue =
        evidence.kind === 'rc5' &&
        evidence.nearMatches.length === NEAR_MATCHES &&
        evidence.nearMatches.every((offset, n) => offset === nearMatch(unit, n));
      if (!isTrue) return { ok: false, code: 'evidence_false', detail: `false evidence of unit ${unit}` };
    }
    return { ok: true, hits: [] };
  },
  compare: () => ({ agree: true }),
  spotCheck: () => undefined,
  unitsPerSecond: (keysPerSecond) => keysPerSecond / 2 ** 28,
  compareHits: (a, b) => a.unit - b.unit,
};

export const simulatedKinds: Record<ContestKindName, ContestKind> = { rc5: kind, ogr: kind };

/** Limits and sizes of rc5-72; how long leases run is the simulation's to choose. */
export function simulatedManifest(leaseSeconds: number): ContestManifest {
  return {
    version: 1,
    name: CONTEST,
    title: 'RC5-72, simulated',
    about: 'Units, blocks and bodies of rc5-72; no keys.',
    units: 2 ** 44,
    block: { maxUnits: 256, maxLeases: 256 },
    leaseSeconds,
    closes: 'hit',
    search: {
      kind: 'rc5',
      keyBytes: 9,
      iv: '0000000000000000',
      ciphertext: '0000000000000000',
      knownPlaintext: 'Simulated',
      firstUnit: 0,
    },
  };
}

export function simulatedReport({ id, contest, first, count, proof }: Lease, seconds: number): Report {
  const evidence = Array.from({ length: count }, (_, n): UnitEvidence => {
    const unit = first + n;
    return { kind: 'rc5', nearMatches: Array.from({ length: NEAR_MATCHES }, (_, i) => nearMatch(unit, i)) };
  });
  const report = { lease: id, contest, first, evidence, core: 'rc5-mixed-relaxed', seconds };
  return proof === undefined ? report : { ...report, proof };
}
