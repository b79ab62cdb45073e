/**
 * The cheats, and the unlucky who are none. Each is what it hands in for a block, and which of its units were not truly done.
 */

import { ogrSearch } from '../../../contests/ogr/ogr.ts';
import { unitToStub } from '../../../contests/ogr/stubs.ts';
import { LEAST_SPACING, readTrace, statesAt, writeTrace } from '../../../contests/ogr/trace.ts';
import type { ContestKindName } from '../../../domain/contest.ts';
import { KEYS_PER_UNIT, type OgrEvidence, type UnitEvidence } from '../../../domain/work.ts';
import { ogrEvidence } from '../keyserver/contests.ts';
import { type Random, randomOf } from '../random.ts';
import type { Model, Stubs } from './model.ts';

export interface Made {
  evidence: UnitEvidence;
  /** The unit was not truly done. */
  wrong: boolean;
}

export interface Kept {
  /** Minutes until it is handed in. */
  minutes: number;
  /** What is said to have been spent on it. */
  seconds: number;
}

export interface Animal {
  name: string;
  kind: ContestKindName;
  /** Nobody is to accuse it. */
  honest?: true;
  /** Hands in a report of somebody else's as well, as it is. */
  replays?: true;
  /** Takes a new identity after so many blocks and whenever one is caught, under one name and team; it is never let go early. */
  renews?: number;
  /** Blocks of it at most, fewer than of others where each is dear. */
  most?: number;
  leaseSeconds?: number;
  /** Minutes that blocks take it, and what it says they took; one of each unless told. */
  keeps?: (random: Random) => Kept;
  unit(model: Model, unit: number, self: Self): Made;
}

export interface Self {
  random: Random;
  /** Number among its like. */
  n: number;
  /** Blocks before this one. */
  blocks: number;
}

/** Units of a block: a minute of a worker in RC5, and the least there is in OGR. */
export const BLOCK_UNITS: Readonly<Record<ContestKindName, number>> = { rc5: 4, ogr: 1 };

const truly = (evidence: UnitEvidence): Made => ({ evidence, wrong: false });

export const honest = (kind: ContestKindName): Animal => ({
  name: 'honest',
  kind,
  honest: true,
  unit: (model, unit) => truly(model.honest(unit)),
});

const nearMatches = (model: Model, unit: number): number[] => {
  const evidence = model.honest(unit);
  return evidence.kind === 'rc5' ? evidence.nearMatches : [];
};

const rc5 = (name: string, rest: (model: Model, unit: number, self: Self) => number[] | undefined): Animal => ({
  name,
  kind: 'rc5',
  unit(model, unit, self) {
    const some = rest(model, unit, self);
    return some === undefined
      ? truly(model.honest(unit))
      : { evidence: { kind: 'rc5', nearMatches: some }, wrong: true };
  },
});

const without = (offsets: readonly number[], from: number, length: number): number[] =>
  offsets.filter((offset) => offset < from || offset >= from + length);

const lazyKeys = (share: number): Animal =>
  rc5(`lazy by ${share * 100} %, keys here and there`, (model, unit, { random }) =>
    nearMatches(model, unit).filter(() => random() >= share),
  );

const lazyStretch = (share: number): Animal =>
  rc5(`lazy by ${share * 100} %, a stretch of each unit`, (model, unit, { random }) =>
    without(nearMatches(model, unit), random() * (1 - share) * KEYS_PER_UNIT, share * KEYS_PER_UNIT),
  );

const lazyEnd = (share: number): Animal =>
  rc5(`lazy by ${share * 100} %, the end of each unit`, (model, unit) =>
    without(nearMatches(model, unit), (1 - share) * KEYS_PER_UNIT, share * KEYS_PER_UNIT),
  );

const ENOUGH = 12;
const SUPPRESSED = 10;
const COLLUDING = 100;

/** All who collude draw the same for a unit. */
const inConcert = (n: number, unit: number): Random => randomOf(0, 'colluding', Math.floor(n / COLLUDING), unit);

/**
 * One bad bit in a billion, of all that are computed: some 10,000 a key. So one near match in 100,000 is lost, and of a
 * unit's 2^28 keys 2,700 become random ones, of which one in 2^24 looks like a near match.
 */
const BAD_KEYS = 1e-9 * 10_000;

export const RC5_ANIMALS: readonly Animal[] = [
  lazyKeys(0.1),
  lazyStretch(0.1),
  lazyStretch(0.25),
  lazyEnd(0.5),
  lazyKeys(0.9),
  rc5('lazy by 100 %', () => []),
  rc5('fabricates half of each unit', (model, unit, { random }) => [
    ...without(nearMatches(model, unit), KEYS_PER_UNIT / 2, KEYS_PER_UNIT),
    ...Array.from({ length: 8 }, () => Math.floor((1 + random()) * (KEYS_PER_UNIT / 2))).toSorted((a, b) => a - b),
  ]),
  {
    ...rc5("replays another's report", (model, unit) => nearMatches(model, unit + 1_000_000)),
    replays: true,
  },
  rc5(`stops a unit at ${ENOUGH} near matches`, (model, unit) => {
    const offsets = nearMatches(model, unit);
    return offsets.length < ENOUGH ? undefined : offsets.slice(0, ENOUGH);
  }),
  rc5(`keeps back a match in ${SUPPRESSED} blocks`, (model, unit, { random }) => {
    const offsets = nearMatches(model, unit);
    if (random() >= 1 / SUPPRESSED / BLOCK_UNITS.rc5) return undefined;
    return offsets.toSpliced(Math.floor(random() * offsets.length), 1);
  }),
  // All of them skip the same, and so agree where one gets another's block to do again.
  rc5(`${COLLUDING} accounts skip the same 10 %`, (model, unit, { n }) => {
    const from = inConcert(n, unit)() * 0.9 * KEYS_PER_UNIT;
    return without(nearMatches(model, unit), from, 0.1 * KEYS_PER_UNIT);
  }),
  { ...lazyStretch(0.1), name: 'lazy by 10 %, a new id every 5 blocks', renews: 5, most: 100 },
  { ...lazyStretch(0.1), name: 'lazy by 10 %, a new id every block', renews: 1, most: 100 },
  {
    name: 'honest, a bad bit in a billion',
    kind: 'rc5',
    unit(model, unit, { random }) {
      const offsets = nearMatches(model, unit);
      const left = offsets.filter(() => random() >= BAD_KEYS);
      const isFalse = random() < (KEYS_PER_UNIT * BAD_KEYS) / 2 ** 24;
      if (isFalse) left.push(Math.floor(random() * KEYS_PER_UNIT));
      left.sort((a, b) => a - b);
      return { evidence: { kind: 'rc5', nearMatches: left }, wrong: isFalse || left.length < offsets.length };
    },
  },
  {
    ...honest('rc5'),
    name: 'honest, with a wrong clock',
    leaseSeconds: 3600,
    // Of its blocks one in ten is handed in after its lease, and what it says of its speed is nonsense.
    keeps: (random) => ({
      minutes: random() < 0.1 ? 120 : 1,
      seconds: [0, 1e-6, 1e9, 60][Math.floor(random() * 4)] ?? 0,
    }),
  },
];

export function ogrAnimals(stubs: Stubs): Animal[] {
  const ogr = (name: string, unit: (stub: number, unit: number, self: Self) => OgrEvidence | undefined): Animal => ({
    name,
    kind: 'ogr',
    unit(model, number, self) {
      const evidence = unit(stubs.stubOf(number), number, self);
      return evidence === undefined ? truly(model.honest(number)) : { evidence, wrong: true };
    },
  });
  const search = ogrSearch(stubs.manifest);
  return [
    ogr("another stub's states", (_stub, unit) => stubs.evidenceOf(stubs.stubOf(unit + 1))),
    ogr('alters the number of nodes', (stub, _unit, { random }) => {
      const evidence = stubs.evidenceOf(stub);
      const nodes = evidence.nodes + 1 + Math.floor(random() * 4);
      return statesAt(nodes - 1) === statesAt(evidence.nodes - 1) ? { ...evidence, nodes } : undefined;
    }),
    ogr('skips one interval of each stub', (stub, _unit, { random }) => {
      // It even guesses where the search will stand after it.
      const { trace = '', ...evidence } = stubs.evidenceOf(stub);
      const diffs = unitToStub(search, stub);
      const read = readTrace(search, diffs, evidence.nodes - 1, trace);
      const states = read.fault === undefined ? read.states : [];
      const kept = states.toSpliced(Math.floor(random() * states.length), 1);
      return { ...evidence, nodes: evidence.nodes - LEAST_SPACING, trace: writeTrace(diffs, kept) };
    }),
    ogr('lazy by 50 %, units made up', (stub, _unit, { random }) =>
      random() < 0.5 ? (ogrEvidence(stub) as OgrEvidence) : undefined,
    ),
    ogr(`${COLLUDING} accounts make up the same half`, (stub, unit, { n }) =>
      inConcert(n, unit)() < 0.5 ? (ogrEvidence(stub) as OgrEvidence) : undefined,
    ),
  ];
}
