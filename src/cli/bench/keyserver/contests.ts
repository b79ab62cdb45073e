/**
 * What the keyserver deals in while it is timed. `bench` has ogr-29's stubs, one to a block: their evidence costs little to make and
 * is checked like any. `bench-rc5` has the first units of rc5-72, whose near matches are true ones (`rc5-evidence.json`, made by
 * a core of ours): nobody can make up RC5 evidence for as many blocks as a keyserver takes in a second, so these are
 * handed in again and again, checked each time, and count as duplicates.
 */
import { manifests } from '../../../contests/manifests.ts';
import { ogrSearch } from '../../../contests/ogr/ogr.ts';
import { isGolomb, marksOf } from '../../../contests/ogr/rulers.ts';
import { lastPosition, unitToStub } from '../../../contests/ogr/stubs.ts';
import { LEAST_SPACING, writeTrace } from '../../../contests/ogr/trace.ts';
import type { Allocation, ContestManifest } from '../../../domain/contest.ts';
import type { UnitEvidence } from '../../../domain/work.ts';
import nearMatches from './rc5-evidence.json' with { type: 'json' };

/** True evidence of the units 0, 1, … of rc5-72. */
export const rc5Evidence: readonly UnitEvidence[] = nearMatches.map((some) => ({ kind: 'rc5', nearMatches: some }));

const ogr = builtIn('ogr-29');
const rc5 = builtIn('rc5-72');

export const ogrBlocks: ContestManifest = { ...ogr, name: 'bench', block: { maxUnits: 1, maxLeases: 1024 } };

export const rc5Blocks: ContestManifest = {
  ...rc5,
  name: 'bench-rc5',
  units: rc5Evidence.length,
  block: { maxUnits: rc5Evidence.length, maxLeases: 1024 },
};

/** A line of so many blocks of one unit. What the units are is nobody's business here: OGR's in name. */
export const lineOf = (name: string, units: number, allocation: Allocation): ContestManifest => ({
  ...ogrBlocks,
  name,
  units,
  allocation,
});

/** States of the median unit of ogr-29, which has six or seven million nodes. */
const STATES = 6;

/** Evidence of a stub that a keyserver cannot tell from true evidence by looking: made up are its nodes, and a state for each next mark. */
export function ogrEvidence(unit: number): UnitEvidence {
  const search = ogrSearch(ogr);
  const stub = unitToStub(search, unit);
  const room = lastPosition(search, stub.length + 1) - (marksOf(stub).at(-1) ?? 0);
  const states: number[][] = [];
  for (let diff = 1; diff <= room && states.length < STATES; diff++) {
    if (isGolomb(marksOf([...stub, diff]))) states.push([...stub, diff]);
  }
  const nodes = (states.length + 1) * LEAST_SPACING;
  return { kind: 'ogr', nodes, ...(states.length === 0 ? {} : { trace: writeTrace(stub, states) }) };
}

function builtIn(name: string): ContestManifest {
  const manifest = manifests.find((one) => one.name === name);
  if (manifest === undefined) throw new Error(`there is no contest ${name}`);
  return manifest;
}
