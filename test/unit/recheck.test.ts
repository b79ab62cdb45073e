/** Spot checks: what honest work is, done again, and what each kind of cheat is found by. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import rc5Evidence from '../../src/cli/bench/keyserver/rc5-evidence.json' with { type: 'json' };
import type { OgrSpotCheck, SpotCheck } from '../../src/contests/kind.ts';
import { manifests } from '../../src/contests/manifests.ts';
import { ogr, ogrSearch } from '../../src/contests/ogr/ogr.ts';
import { diffsOf, isGolomb } from '../../src/contests/ogr/rulers.ts';
import { stubToUnit, unitToStub } from '../../src/contests/ogr/stubs.ts';
import { LEAST_SPACING, readTrace, writeTrace } from '../../src/contests/ogr/trace.ts';
import { rc5 } from '../../src/contests/rc5/rc5.ts';
import { runOgrRow } from '../../src/cores/ogr/known-answers.ts';
import { ogrCoreOver } from '../../src/cores/ogr/ogr-core.ts';
import { recheck } from '../../src/cores/recheck.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { KEYS_PER_UNIT, type OgrEvidence, type Report } from '../../src/domain/work.ts';
import { rc5Core } from '../helpers/cores.ts';
import { contestOf, ogrKernel, ogrReport, searched, smallSearch } from '../helpers/ogr.ts';

const builtIn = (name: string) => manifests.find((manifest) => manifest.name === name) as ContestManifest;
const ogr29 = builtIn('ogr-29');
const core = ogrCoreOver(ogrKernel());
/** 7,142,236 nodes: seven intervals. */
const UNIT = 5_695_748_709;
const honest = searched(core, ogr29, UNIT);
const stub = unitToStub(ogrSearch(ogr29), UNIT);

function done(manifest: ContestManifest, spot: SpotCheck, slice = 1e6): string | undefined {
  const check = recheck(manifest.search.kind === 'ogr' ? core : rc5Core(), manifest, spot);
  while (!check.run(slice));
  return check.fault;
}

/** The spot check of the unit of a report in which this node is. */
function spotAt(manifest: ContestManifest, report: Report, node: number): OgrSpotCheck {
  const [evidence] = report.evidence;
  const draws = [0, 0, evidence?.kind === 'ogr' && evidence.nodes > 0 ? node / evidence.nodes : 0];
  const spot = ogr.spotCheck(manifest, report, () => draws.shift() ?? 0);
  if (spot?.kind !== 'ogr') throw new Error('no spot check');
  return spot;
}

/** Of every interval of a unit. */
function spotsOf(manifest: ContestManifest, unit: number, evidence: OgrEvidence): OgrSpotCheck[] {
  const spots: OgrSpotCheck[] = [];
  for (let node = 0; node < Math.max(1, evidence.nodes); ) {
    const spot = spotAt(manifest, ogrReport(unit, evidence), node + 0.5);
    spots.push(spot);
    node = spot.from.nodes + Math.max(1, spot.steps);
  }
  return spots;
}

const faultsOf = (unit: number, evidence: OgrEvidence, manifest = ogr29) => {
  expect(ogr.verify(manifest, ogrReport(unit, evidence))).toMatchObject({ ok: true });
  return spotsOf(manifest, unit, evidence).map((spot) => done(manifest, spot));
};

function statesOf(evidence: OgrEvidence, of = stub): number[][] {
  const read = readTrace(ogrSearch(ogr29), of, evidence.nodes - 1, evidence.trace ?? '');
  if (read.fault !== undefined) throw new Error(read.fault);
  return read.states;
}

describe('OGR', () => {
  test('the intervals of a unit follow each other from its stub to its end', () => {
    const spots = spotsOf(ogr29, UNIT, honest);
    expect(spots.length).toBe(7);
    expect(spots[0]?.from).toEqual({ nodes: 0, diffs: stub });
    expect(spots.at(-1)).not.toHaveProperty('to');
    for (const [i, { from, steps, to }] of spots.entries()) {
      const next = spots[i + 1];
      expect([from.nodes + steps, to]).toEqual([next?.from.nodes ?? honest.nodes, next?.from.diffs]);
    }
  });

  test('every interval of honest work agrees, whatever the slices', () => {
    expect(faultsOf(UNIT, honest).filter((fault) => fault !== undefined)).toEqual([]);
    fc.assert(
      fc.property(
        fc.constantFrom(...spotsOf(ogr29, UNIT, honest)),
        fc.integer({ min: 30_000, max: 2e6 }),
        (spot, slice) => {
          expect(done(ogr29, spot, slice)).toBeUndefined();
        },
      ),
      { numRuns: 5 },
    );
  });

  test('so do those of units of all sizes', () => {
    // Without a node, without a state, with two.
    for (const unit of [18_784_286_351, 20_036_453_224, 27_754_208_212]) {
      const faults = faultsOf(unit, searched(core, ogr29, unit));
      expect(faults).toEqual(faults.map(() => undefined));
    }
  });

  test('and those of a whole proof, its rulers among them', () => {
    const ogr14 = builtIn('ogr-14');
    const rulers = [];
    for (let unit = 0; unit < ogr14.units; unit++) {
      const evidence = searched(core, ogr14, unit);
      rulers.push(...(evidence.ruler === undefined ? [] : [evidence.ruler]));
      const faults = faultsOf(unit, evidence, ogr14);
      expect(faults).toEqual(faults.map(() => undefined));
    }
    expect(rulers).toEqual([[0, 5, 28, 38, 41, 49, 50, 68, 75, 92, 107, 121, 123, 127]]);
  });

  test('a node count altered by a little is found at the end of the unit', () => {
    for (const by of [-1, 1, 1000]) {
      const faults = faultsOf(UNIT, { ...honest, nodes: honest.nodes + by });
      expect(faults.slice(0, -1).every((fault) => fault === undefined)).toBe(true);
      expect(faults.at(-1)).toBe(
        by < 0 ? `the search goes on after ${honest.nodes - 1} nodes` : `the search ends after ${honest.nodes} nodes`,
      );
    }
  });

  test('no nodes where there are some', () => {
    expect(faultsOf(UNIT, { kind: 'ogr', nodes: 0 })).toEqual(['the search goes on after 0 nodes']);
    expect(faultsOf(18_784_286_351, { kind: 'ogr', nodes: 5 })).toEqual(['the search ends after 0 nodes']);
  });

  test('a skipped interval is found on both sides of the state that was made up', () => {
    const states = statesOf(honest);
    const [a = [], b = []] = states.slice(2, 4);
    // Places between its neighbours, where a core may well pass.
    const madeUp = [[...a.slice(0, -1), (a.at(-1) ?? 0) + 1], [...a.slice(0, -1), (a.at(-1) ?? 0) + 2], b.slice(0, -1)]
      .map((state) => writeTrace(stub, states.with(2, state)))
      .filter((trace) => ogr.verify(ogr29, ogrReport(UNIT, { ...honest, trace })).ok);
    expect(madeUp.length).toBeGreaterThan(0);
    for (const trace of madeUp) {
      const faults = faultsOf(UNIT, { ...honest, trace });
      expect(faults.map((fault) => fault !== undefined)).toEqual([false, false, true, true, false, false, false]);
    }
  });

  test('the states of a core with other limits, or of another stub, agree nowhere', () => {
    const shallow = searched(ogrCoreOver(ogrKernel(new Uint8Array(0))), ogr29, UNIT);
    expect(shallow.nodes).toBeGreaterThan(honest.nodes);
    expect(faultsOf(UNIT, shallow).every((fault) => fault !== undefined)).toBe(true);

    const other = searched(core, ogr29, 42_355_545_767);
    const otherStub = unitToStub(ogrSearch(ogr29), 42_355_545_767);
    const moved = statesOf(other, otherStub).map((state) => [...stub, ...state.slice(stub.length)]);
    const trace = writeTrace(stub, moved);
    expect(ogr.verify(ogr29, ogrReport(UNIT, { ...other, trace }))).toMatchObject({ ok: false });
  });

  test('a ruler kept back, or put in the place of the right one', () => {
    const search = smallSearch(10, 2, 8);
    const manifest = contestOf(search);
    const best = [0, 1, 6, 10, 23, 26, 34, 41, 53, 55];
    const unit = stubToUnit(search, diffsOf(best).slice(0, 2));
    const { ruler, ...evidence } = searched(core, manifest, unit);
    expect(ruler).toEqual(best);
    expect(faultsOf(unit, { ...evidence, ruler: best }, manifest)).toEqual([undefined]);
    expect(faultsOf(unit, evidence, manifest)).toEqual([
      `the search finds the ruler ${best.join('-')}, which was not reported`,
    ]);
    const kernel = ogrKernel();
    const longer = Array.from({ length: 40 }, (_, i) => {
      const below = [...unitToStub(search, unit), i + 1];
      return runOgrRow(kernel, { marks: 10, max_length: search.maxLength, diffs: below }).ruler;
    }).filter((ruler) => ruler !== undefined && (ruler.at(-1) ?? 0) > 55 && isGolomb(ruler));
    expect(longer.length).toBeGreaterThan(0);
    for (const ruler of longer) {
      expect(faultsOf(unit, ruler === undefined ? evidence : { ...evidence, ruler }, manifest)).toEqual([
        `the search does not find the ruler ${ruler?.join('-')}`,
      ]);
    }
  });

  test('a ruler kept back is found in the one interval where it is', () => {
    const ogr14 = builtIn('ogr-14');
    const { ruler, ...evidence } = searched(core, ogr14, 4);
    expect(faultsOf(4, evidence, ogr14).filter((fault) => fault !== undefined)).toEqual([
      `the search finds the ruler ${ruler?.join('-')}, which was not reported`,
    ]);
  });

  test('it can be given up, and says nothing then', () => {
    const spot = spotAt(ogr29, ogrReport(UNIT, honest), 2.5 * LEAST_SPACING);
    const check = recheck(core, ogr29, spot);
    expect(check.run(1000)).toBe(false);
    expect(check).toMatchObject({ steps: 1000, fault: undefined });
  });

  test('which interval: half of the draws by units, half by nodes', () => {
    const few: OgrEvidence = { kind: 'ogr', nodes: 100 };
    const report = ogrReport(UNIT, honest, few, { kind: 'ogr', nodes: 0 }, few);
    let seed = 1;
    const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const counts = new Map<string, number>();
    for (let i = 0; i < 4000; i++) {
      const spot = ogr.spotCheck(ogr29, report, random);
      if (spot?.kind !== 'ogr') throw new Error('no spot check');
      const at = `${spot.unit - UNIT}/${spot.from.nodes / LEAST_SPACING}`;
      counts.set(at, (counts.get(at) ?? 0) + 1);
    }
    const share = (at: string) => (counts.get(at) ?? 0) / 4000;
    // The long unit gets 5/8 of the draws; the last of its 6.8 intervals is the shortest.
    for (let k = 0; k < 6; k++) expect(Math.abs(share(`0/${k}`) - 0.625 / 6.81)).toBeLessThan(0.015);
    expect(Math.abs(share('0/6') - (0.625 * 0.81) / 6.81)).toBeLessThan(0.015);
    for (const i of [1, 2, 3]) expect(Math.abs(share(`${i}/0`) - 0.125)).toBeLessThan(0.02);
  });
});

describe('RC5', () => {
  const rc572 = builtIn('rc5-72');
  const [nearMatches = []] = rc5Evidence;
  const report = (nearMatches: number[]): Report => ({
    ...ogrReport(0),
    contest: 'rc5-72',
    evidence: [{ kind: 'rc5', nearMatches }],
  });
  const spotAt = (offset: number, matches = nearMatches) => {
    const draws = [0, offset / KEYS_PER_UNIT];
    const spot = rc5.spotCheck(rc572, report(matches), () => draws.shift() ?? 0);
    if (spot?.kind !== 'rc5') throw new Error('no spot check');
    return spot;
  };

  test('stretches with near matches and without agree with honest work', () => {
    const [first = 0] = nearMatches;
    for (const offset of [0, first, KEYS_PER_UNIT - 1]) {
      const spot = spotAt(offset);
      expect([spot.steps, spot.from % spot.steps, spot.from <= offset]).toEqual([2 ** 22, 0, true]);
      expect(done(rc572, spot)).toBeUndefined();
    }
    expect(spotAt(first).nearMatches).toContain(first);
  });

  test('a near match that is missing or made up is found', () => {
    const [first = 0, ...others] = nearMatches;
    expect(done(rc572, spotAt(first, others))).toBe(`the near match at key ${first} is missing`);
    expect(done(rc572, spotAt(first, [first, first + 1, ...others]))).toBe(`the key ${first + 1} is no near match`);
  });
});
