/**
 * The OGR contest kind: every Golomb ruler of `marks` marks no longer than `maxLength`, stub by stub. Evidence of a
 * unit is how many nodes the search visited and the shortest ruler below the stub, if there is one. A ruler proves
 * itself; that there is none is only said, so here it is checked for what can be: its form.
 */
import type { ContestManifest, Hit, OgrSearch } from '../../domain/contest.ts';
import type { OgrEvidence } from '../../domain/work.ts';
import type { ContestKind, Verdict } from '../kind.ts';
import { isGolomb } from './rulers.ts';
import { countStubs, unitToStub } from './stubs.ts';

export const ogr: ContestKind = {
  step: 'nodes',

  validate(manifest) {
    const { name, units } = manifest;
    const search = ogrSearch(manifest);
    const most = Math.min(search.marks - 2, 12);
    if (search.stubDepth > most) {
      throw new TypeError(`${name}: search.stubDepth is ${search.stubDepth}; ${search.marks} marks allow ${most}`);
    }
    let stubs: number;
    try {
      stubs = countStubs(search);
    } catch (cause) {
      throw new TypeError(`${name}: ${(cause as Error).message}`, { cause });
    }
    if (units !== stubs) throw new TypeError(`${name}: units is ${units}, but the search has ${stubs} stubs`);
  },

  verify(manifest, report) {
    const search = ogrSearch(manifest);
    const hits: Hit[] = [];
    for (const [i, evidence] of report.evidence.entries()) {
      const unit = report.first + i;
      if (evidence.kind !== 'ogr') return refused(unit, `the evidence is of kind ${evidence.kind}`);
      const fault = faultOf(search, unit, evidence);
      if (fault !== undefined) return refused(unit, fault);
      if (evidence.ruler !== undefined) hits.push({ kind: 'ogr', unit, marks: evidence.ruler });
    }
    return { ok: true, hits };
  },

  compare(manifest, first, second) {
    for (const [i, one] of first.entries()) {
      if (JSON.stringify(one) === JSON.stringify(second[i])) continue;
      return { agree: false, detail: `another run of ${manifest.name} found another count of nodes`, wrong: [] };
    }
    return { agree: true };
  },

  unitsPerSecond: () => undefined,

  compareHits: (a, b) => lengthOf(a) - lengthOf(b) || a.unit - b.unit,
};

export function ogrSearch({ name, search }: ContestManifest): OgrSearch {
  if (search.kind !== 'ogr') throw new TypeError(`${name}: search.kind is ${search.kind}, not ogr`);
  return search;
}

/** Why the evidence cannot be true, as half a sentence; undefined where it can. */
function faultOf(search: OgrSearch, unit: number, { nodes, ruler }: OgrEvidence): string | undefined {
  if (!Number.isSafeInteger(nodes) || nodes < 0) return `${nodes} is no number of nodes`;
  if (ruler === undefined) return undefined;
  if (ruler.length !== search.marks) return `the ruler has ${ruler.length} marks instead of ${search.marks}`;
  if (!isGolomb(ruler)) return `${ruler.join('-')} is no Golomb ruler that begins at 0`;
  const length = ruler.at(-1) ?? 0;
  if (length > search.maxLength) return `a ruler of length ${length} is past the ${search.maxLength} searched`;
  const stub = unitToStub(search, unit);
  if (stub.some((diff, i) => (ruler[i + 1] ?? 0) - (ruler[i] ?? 0) !== diff)) {
    return `the ruler ${ruler.join('-')} does not begin with the stub ${stub.join('-')}`;
  }
  // Every mark below the stub but the last was a node.
  const fewest = search.marks - 2 - search.stubDepth;
  if (nodes < fewest) return `a ruler was found, yet only ${nodes} nodes where it takes ${fewest} at the least`;
  return undefined;
}

/** Rulers before all else; within them, the shortest first. */
const lengthOf = (hit: Hit): number => (hit.kind === 'ogr' ? (hit.marks.at(-1) ?? 0) : Number.MAX_SAFE_INTEGER);

function refused(unit: number, fault: string): Verdict {
  return { ok: false, code: 'evidence_false', detail: `unit ${unit}: ${fault}` };
}
