/**
 * What checking costs somebody who has been honest for long: what is done again of its work, and what the keyserver's processor spends on
 * its evidence. Counted in an enclosure of honest clients alone, once each has handed in so many reports. They are of one unit, the
 * dearest there are, for a spot check is one for a report.
 */
import { kinds } from '../../../contests/kinds.ts';
import { chooseCore } from '../../../cores/choose.ts';
import type { ContestKindName } from '../../../domain/contest.ts';
import { KEYS_PER_UNIT, type Report } from '../../../domain/work.ts';
import { rc5Blocks, rc5Evidence } from '../keyserver/contests.ts';
import { watch } from './enclosure.ts';
import { ogrModel, rc5Model, type Stubs } from './model.ts';
import { honest } from './zoo.ts';

export interface CostFigures {
  clients: number;
  /** Reports of each that came before those that are counted. */
  before: number;
  reports: number;
  spots: number;
  /** Second runs and known answers. */
  again: number;
  /** Of a unit, in the mean: a spot check. */
  spotShare: number;
  /** Of all work what is done again. */
  share: number;
  /** Of the keyserver's processor for the evidence of a unit, and of a core for the unit. */
  verifySeconds: number;
  unitSeconds: number;
}

const BEFORE = 2000;

/** Of 40 units of ogr-29 drawn evenly, what a spot check takes of their time, in the mean. The stubs here are too small to tell. */
const OGR_SPOT = 0.026;
const RC5_SPOT = 2 ** 22 / KEYS_PER_UNIT;

export async function costOf(kind: ContestKindName, seed: number, stubs: Stubs, short: boolean): Promise<CostFigures> {
  const [clients, before, counted] = short ? [4, 10, 10] : [20, BEFORE, BEFORE / 2];
  const model = kind === 'ogr' ? ogrModel(stubs) : rc5Model(seed, 7 * 86_400);
  const animal = { ...honest(kind), name: 'long honest' };
  const most = before + counted;
  const { again } = await watch({
    seed,
    animal,
    model,
    runs: clients,
    honest: 0,
    most,
    blockUnits: 1,
    countFrom: before,
  });
  const spotShare = kind === 'ogr' ? OGR_SPOT : RC5_SPOT;
  return {
    clients,
    before,
    reports: again.blocks,
    spots: again.spots,
    again: again.blocksAgain,
    spotShare,
    share: (again.spots * spotShare + again.blocksAgain) / again.blocks,
    ...(kind === 'ogr' ? ofStubs(stubs) : await ofKeys()),
  };
}

type Times = Pick<CostFigures, 'verifySeconds' | 'unitSeconds'>;

async function ofKeys(): Promise<Times> {
  const { tried } = await chooseCore('rc5');
  const keysPerSecond = Math.max(...tried.map(({ stepsPerSecond }) => stepsPerSecond));
  const report: Report = {
    lease: '0'.repeat(16),
    contest: rc5Blocks.name,
    first: 0,
    evidence: [...rc5Evidence],
    core: '',
    seconds: 1,
  };
  const verifySeconds = timed(() => kinds.rc5.verify(rc5Blocks, report)) / rc5Evidence.length;
  return { verifySeconds, unitSeconds: KEYS_PER_UNIT / keysPerSecond };
}

function ofStubs(stubs: Stubs): Times {
  const reports = stubs.reports();
  const verify = (): void => {
    for (const report of reports) kinds.ogr.verify(stubs.manifest, report);
  };
  return { verifySeconds: timed(verify) / reports.length, unitSeconds: stubs.seconds / reports.length };
}

/** Seconds of one of some calls; the first ones are slow. */
function timed(work: () => void): number {
  for (let i = 0; i < 5; i++) work();
  const began = performance.now();
  let calls = 0;
  for (; calls < 3 || performance.now() - began < 300; calls++) work();
  return (performance.now() - began) / calls / 1000;
}
