/** The trace of an OGR unit: one and the same however it was searched, and what the keyserver refuses of it unseen. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import ogr29 from '../../src/contests/manifests/ogr-29.json' with { type: 'json' };
import { ogr, ogrSearch } from '../../src/contests/ogr/ogr.ts';
import { unitToStub } from '../../src/contests/ogr/stubs.ts';
import {
  compareStates,
  LEAST_SPACING,
  MOST_STATES,
  readTrace,
  spacingAt,
  statesAt,
  Trace,
  writeTrace,
} from '../../src/contests/ogr/trace.ts';
import { ogrCoreOver } from '../../src/cores/ogr/ogr-core.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { OgrEvidence, type UnitCheckpoint } from '../../src/domain/work.ts';
import { faultOf } from '../../src/protocol/fault.ts';
import { ogrKernel, ogrReport, searched } from '../helpers/ogr.ts';

const manifest = ogr29 as ContestManifest;
const search = ogrSearch(manifest);
const core = ogrCoreOver(ogrKernel());
/** 7,142,236 nodes. */
const unit = 5_695_748_709;
const stub = unitToStub(search, unit);
const honest = searched(core, manifest, unit);
const { nodes, trace = '' } = honest;
const read = readTrace(search, stub, nodes - 1, trace);
const states = read.fault === undefined ? read.states : [];

const verdict = (change: Partial<OgrEvidence>) => ogr.verify(manifest, ogrReport(unit, { ...honest, ...change }));

describe('which states', () => {
  test('at every multiple of a spacing that doubles: 64 to 128, none at first', () => {
    const count = fc.integer({ min: 0, max: 2 ** 40 });
    fc.assert(
      fc.property(count, fc.integer({ min: 0, max: 700 }), (far, near) => {
        for (const nodes of [far, near * LEAST_SPACING, near * LEAST_SPACING - 1].filter((nodes) => nodes >= 0)) {
          const states = statesAt(nodes);
          expect(states * spacingAt(nodes)).toBeLessThanOrEqual(nodes);
          expect((states + 1) * spacingAt(nodes)).toBeGreaterThan(nodes);
          expect(states).toBeLessThanOrEqual(MOST_STATES);
          expect(states).toBeGreaterThanOrEqual(Math.min(MOST_STATES / 2, Math.floor(nodes / LEAST_SPACING)));
        }
      }),
    );
    expect(statesAt(LEAST_SPACING - 1)).toBe(0);
    // A unit without nodes.
    expect(statesAt(-1)).toBe(0);
  });

  test('kept as the search goes they are the same, wherever it was left', () => {
    fc.assert(
      fc.property(fc.nat(1200), fc.nat(1200), (first, second) => {
        const meet = (trace: Trace, until: number): Trace => {
          while (trace.due <= until) trace.add([trace.due]);
          return trace;
        };
        const [left, end] = [first * LEAST_SPACING, (first + second) * LEAST_SPACING + 5];
        const whole = meet(new Trace(), end);
        const resumed = meet(new Trace(left, meet(new Trace(), left).states), end);
        expect(resumed.states).toEqual(whole.states);
        const wanted = Array.from({ length: statesAt(end) }, (_, i) => [(i + 1) * spacingAt(end)]);
        expect(whole.states).toEqual(wanted);
      }),
    );
  });

  test('the states are where the kernel stands after so many nodes', () => {
    expect(states.length).toBe(6);
    const kernel = ogrKernel();
    kernel.begin({ marks: 29, maxLength: search.maxLength, stub });
    for (const state of states) {
      kernel.run(LEAST_SPACING);
      expect(kernel.diffs).toEqual(state);
    }
  });

  test('slices and pauses change nothing', () => {
    const unit = 27_754_208_212;
    const whole = searched(core, manifest, unit);
    expect(whole).toMatchObject({ nodes: 2_144_935, trace: expect.any(String) });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_500_000 }), { minLength: 2, maxLength: 5 }), (budgets) => {
        let part = core.open(manifest, unit);
        for (let i = 0; ; i++) {
          const steps = part.steps;
          const budget = Math.max(budgets[i % budgets.length] ?? 1, i * 10_000);
          if (part.run(budget)) break;
          expect(part.steps).toBe(steps + budget);
          part = core.open(manifest, unit, JSON.parse(JSON.stringify(part.checkpoint())) as UnitCheckpoint);
        }
        expect(part.evidence()).toEqual(whole);
      }),
      { numRuns: 5, examples: [[[LEAST_SPACING, LEAST_SPACING - 1, 1]]] },
    );
  });

  test('a checkpoint whose trace is not its own is refused', () => {
    const part = core.open(manifest, unit);
    part.run(3 * LEAST_SPACING);
    const checkpoint = part.checkpoint();
    if (checkpoint.format !== 'ogr-3') throw new Error(checkpoint.format);
    expect(checkpoint.trace).toBe(writeTrace(stub, states.slice(0, 3)));
    expect(() => core.open(manifest, unit, { ...checkpoint, trace })).toThrow(
      `checkpoint of unit ${unit}: the trace has 6 states instead of 3`,
    );
    expect(() => core.open(manifest, unit, { ...checkpoint, trace: '!' })).toThrow('state 1 of the trace is malformed');
  });
});

describe('as text', () => {
  test('what is written can be read', () => {
    expect(writeTrace(stub, states)).toBe(trace);
    expect(faultOf(OgrEvidence, honest)).toBeUndefined();
    // Twenty letters a state were far too many here.
    expect(trace.length).toBeLessThan(120);
  });

  test('any states that could be, differences past 32 among them', () => {
    const wide = { kind: 'ogr', marks: 29, maxLength: 1023, stubDepth: 1 } as const;
    const diffs = [1, 40, 5, 100, 33];
    const some = [diffs, [...diffs, 64], [...diffs.slice(0, 4), 50], [1, 300]];
    const text = writeTrace([1], some);
    expect(readTrace(wide, [1], 4 * LEAST_SPACING, text)).toEqual({ states: some });
  });

  test('the order of states is that of the search: what begins another comes before it', () => {
    const ascending = [[1], [1, 2], [1, 2, 9], [1, 3], [1, 12], [2, 1]];
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) expect(Math.sign(compareStates(a, b))).toBe(Math.sign(i - j));
    }
  });
});

describe('verify', () => {
  test('honest evidence is believed', () => {
    expect(verdict({})).toEqual({ ok: true, hits: [] });
  });

  test('what cannot be is refused before anything is computed, and says why', () => {
    const refused = (change: Partial<OgrEvidence>, detail: string) =>
      expect(verdict(change)).toMatchObject({ ok: false, detail: expect.stringContaining(detail) });
    const written = (...altered: number[][]) => ({ trace: writeTrace(stub, altered) });
    const [a = [], b = [], c = [], ...rest] = states;

    const { trace: _, ...untraced } = honest;
    expect(ogr.verify(manifest, ogrReport(unit, untraced))).toMatchObject({
      ok: false,
      code: 'evidence_missing',
      detail: expect.stringContaining('no trace of its 7142236 nodes: the client is too old'),
    });
    refused({ nodes: nodes + LEAST_SPACING }, 'the trace has 6 states instead of 7');
    refused({ nodes: LEAST_SPACING }, 'the trace has 6 states instead of 0');
    refused(written(a, b, c), 'the trace has 3 states instead of 6');
    refused(written(b, a, c, ...rest), `state 2 of the trace, ${a.join('-')}, does not come after ${b.join('-')}`);
    refused(written(a, a, c, ...rest), 'state 2 of the trace is malformed');
    refused(written([...stub.slice(0, -1), 1, 500], b, c, ...rest), 'is not below the stub');
    refused(written(a, b, c, ...rest.slice(0, -1), [...stub, 610]), 'leaves no room for the other marks');
    refused(written([...a, ...Array.from({ length: 20 }, () => 1)], b, c, ...rest), `has ${a.length + 20} differences`);
    refused(written([...a, a.at(-1) ?? 0], b, c, ...rest), 'measures a distance twice');
    refused({ trace: `${trace}A` }, 'malformed');
    refused({ trace: trace.slice(0, -1) }, 'malformed');
    refused({ trace: '%' }, 'malformed');
    // The trace of another unit.
    expect(ogr.verify(manifest, ogrReport(unit + 1, honest))).toMatchObject({ ok: false, code: 'evidence_false' });
  });

  test('no mutation makes it fall over, and what it lets pass has another meaning', () => {
    const letter = fc.constantFrom(
      'A',
      'B',
      'G',
      'H',
      'I',
      'Z',
      'a',
      'f',
      'g',
      'h',
      'z',
      '0',
      '9',
      '-',
      '_',
      ' ',
      'é',
      '\0',
    );
    const cut = fc.nat(trace.length);
    const mutation = fc.oneof(
      fc.tuple(cut, letter).map(([at, letter]) => trace.slice(0, at) + letter + trace.slice(at + 1)),
      fc.tuple(cut, letter).map(([at, letter]) => trace.slice(0, at) + letter + trace.slice(at)),
      fc.tuple(cut, cut).map(([from, to]) => trace.slice(0, from) + trace.slice(to)),
      fc.tuple(cut, cut, cut).map(([from, to, at]) => trace.slice(0, at) + trace.slice(from, to) + trace.slice(at)),
      fc.string({ maxLength: 200 }),
      fc.array(letter, { maxLength: 200 }).map((letters) => letters.join('')),
    );
    fc.assert(
      fc.property(mutation, fc.option(fc.integer({ min: -2, max: 2 ** 53 })), (trace, other) => {
        const change = { trace, nodes: other ?? nodes };
        const said = verdict(change);
        const again = readTrace(search, stub, change.nodes - 1, trace);
        const isTrace =
          again.fault === undefined &&
          change.nodes >= 0 &&
          Number.isSafeInteger(change.nodes) &&
          writeTrace(stub, again.states) === trace &&
          again.states.every((state, i) => compareStates(again.states[i - 1] ?? stub, state) < 0);
        const detail = expect.stringContaining(`unit ${unit}: `);
        expect(said).toEqual(isTrace ? { ok: true, hits: [] } : { ok: false, code: 'evidence_false', detail });
      }),
      { numRuns: 2000 },
    );
  });

  test('a mark past 512, where the search no longer sees all distances, is no fault', () => {
    // 0-270-540 measures 270 twice.
    const wide = { kind: 'ogr', marks: 5, maxLength: 700, stubDepth: 1 } as const;
    expect(readTrace(wide, [270], LEAST_SPACING, writeTrace([270], [[270, 270]]))).toEqual({ states: [[270, 270]] });
    expect(readTrace(wide, [200], LEAST_SPACING, writeTrace([200], [[200, 200]]))).toMatchObject({
      fault: expect.any(String),
    });
  });
});
