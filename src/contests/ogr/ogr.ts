/**
 * The OGR contest kind: every Golomb ruler of `marks` marks no longer than `maxLength`, stub by stub. Evidence of a
 * unit is how many nodes the search visited, the shortest ruler below the stub, if there is one, and the trace of the
 * search. A ruler proves itself. That there is no other is shown by the trace, an interval of which can be done again
 * (`spotCheck`); `verify` looks at its form alone.
 */
import type { ContestManifest, Hit, OgrSearch } from '../../domain/contest.ts';
import type { OgrEvidence } from '../../domain/work.ts';
import type { ContestKind, OgrSpotCheck, Verdict } from '../kind.ts';
import { steps } from '../steps.ts';
import { diffsOf, isGolomb } from './rulers.ts';
import { countStubs, unitToStub } from './stubs.ts';
import { compareStates, readTrace, spacingAt, statesAt } from './trace.ts';

export const ogr: ContestKind = {
  ...steps.ogr,

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
      if (evidence.trace === undefined && statesAt(evidence.nodes - 1) > 0) {
        const detail = `unit ${unit}: no trace of its ${evidence.nodes} nodes: the client is too old, a newer one sends it`;
        return { ok: false, code: 'evidence_missing', detail };
      }
      if (evidence.ruler !== undefined) hits.push({ kind: 'ogr', unit, marks: evidence.ruler });
    }
    return { ok: true, hits };
  },

  compare(manifest, unit, first, second) {
    const search = ogrSearch(manifest);
    for (const [i, one] of first.entries()) {
      const other = second[i];
      if (one.kind !== 'ogr' || other?.kind !== 'ogr') throw new TypeError('evidence of another kind');
      const isSameRuler = one.ruler?.join() === other.ruler?.join();
      if (isSameRuler && one.nodes === other.nodes && one.trace === other.trace) continue;
      const detail = `another run of unit ${unit + i} went another way`;
      // Where they part, one of them is not where it says.
      const node = partingOf(search, unit + i, one, other);
      const spotOf = (evidence: OgrEvidence) =>
        intervalAt(search, unit + i, evidence, Math.min(node, Math.max(0, evidence.nodes - 1)));
      const [of, against] = [spotOf(one), spotOf(other)];
      const spots = of === undefined || against === undefined ? {} : { spots: { first: of, second: against } };
      return { agree: false, detail, wrong: [], ...spots };
    }
    return { agree: true };
  },

  spotCheck(manifest, report, random) {
    const search = ogrSearch(manifest);
    const nodes = report.evidence.map((evidence) => (evidence.kind === 'ogr' ? evidence.nodes : 0));
    // Units earn alike, so one must not be safe for its few nodes; and where the work is, it must not be skipped.
    const evenly = random() < 0.5;
    const total = nodes.reduce((sum, some) => sum + some, 0);
    let i = Math.floor(random() * nodes.length);
    let node = Math.floor(random() * (nodes[i] ?? 0));
    if (!evenly && total > 0) {
      node = Math.floor(random() * total);
      for (i = 0; node >= (nodes[i] ?? 0); i++) node -= nodes[i] ?? 0;
    }
    const evidence = report.evidence[i];
    return evidence?.kind === 'ogr' ? intervalAt(search, report.first + i, evidence, node) : undefined;
  },

  compareHits: (a, b) => lengthOf(a) - lengthOf(b) || a.unit - b.unit,
};

export function ogrSearch({ name, search }: ContestManifest): OgrSearch {
  if (search.kind !== 'ogr') throw new TypeError(`${name}: search.kind is ${search.kind}, not ogr`);
  return search;
}

/** A node at which two runs of a unit stand in different places, of evidence that `verify` lets pass. */
function partingOf(search: OgrSearch, unit: number, a: OgrEvidence, b: OgrEvidence): number {
  const stub = unitToStub(search, unit);
  const statesOf = ({ nodes, trace = '' }: OgrEvidence): number[][] => {
    const read = readTrace(search, stub, nodes - 1, trace);
    return read.fault === undefined ? read.states : [];
  };
  const [spacing, other] = [spacingAt(a.nodes - 1), spacingAt(b.nodes - 1)];
  // One ended long before the other.
  if (spacing !== other) return Math.min(a.nodes, b.nodes) - 1;
  const [mine, theirs] = [statesOf(a), statesOf(b)];
  const k = mine.findIndex((state, i) => state.join() !== theirs[i]?.join());
  if (k !== -1) return k * spacing;
  if (mine.length !== theirs.length || a.nodes !== b.nodes) return Math.min(mine.length, theirs.length) * spacing;
  // The same way, and another ruler: the shorter one, or the only one, lies in one of its intervals.
  const rulers = [a.ruler, b.ruler].filter((ruler) => ruler !== undefined);
  const [best = []] = rulers.toSorted((x, y) => (x.at(-1) ?? 0) - (y.at(-1) ?? 0));
  const place = diffsOf(best).slice(0, -1);
  const past = mine.findIndex((state) => compareStates(place, state) < 0);
  return (past === -1 ? mine.length : past) * spacing;
}

/** The interval of a unit's trace that has this node, of evidence that `verify` lets pass. */
function intervalAt(search: OgrSearch, unit: number, evidence: OgrEvidence, node: number): OgrSpotCheck | undefined {
  const { nodes, ruler, trace = '' } = evidence;
  const stub = unitToStub(search, unit);
  const read = readTrace(search, stub, nodes - 1, trace);
  if (read.fault !== undefined) return undefined;
  const spacing = spacingAt(nodes - 1);
  // What is left after the last state is part of its interval.
  const k = Math.min(Math.floor(node / spacing), read.states.length);
  const from = { nodes: k * spacing, diffs: read.states[k - 1] ?? stub };
  const to = read.states[k];
  const steps = to === undefined ? nodes - from.nodes : spacing;
  return {
    kind: 'ogr',
    unit,
    from,
    steps,
    ...(to === undefined ? {} : { to }),
    ...(ruler === undefined ? {} : { ruler }),
  };
}

/** Why the evidence cannot be true, as half a sentence; undefined where it can. */
function faultOf(search: OgrSearch, unit: number, { nodes, ruler, trace }: OgrEvidence): string | undefined {
  if (!Number.isSafeInteger(nodes) || nodes < 0) return `${nodes} is no number of nodes`;
  const states = trace === undefined ? undefined : readTrace(search, unitToStub(search, unit), nodes - 1, trace);
  if (states?.fault !== undefined) return states.fault;
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
