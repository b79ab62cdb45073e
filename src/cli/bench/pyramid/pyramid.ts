/**
 * `bench pyramid`: a pyramid of three tiers under virtual time, with the code that `serve` and `proxy` run.
 *
 * A million clients work some thousand blocks a second: a week of them would take this code days. So two slices are
 * simulated client by client, and multiplied (`figures.ts`) by what many more would do (`demand.ts`). The week: two leaves of as many clients as all have, each
 * under an upper proxy of its own, for seven days with all their troubles. Those upper proxies see a small part of their
 * load, so another slice, the crowd, is one upper proxy with all its leaves, for some minutes of the busiest hour.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Demand, demandOf } from './demand.ts';
import { type SliceFigures, sliceFigures, type WeekFigures, weekFigures } from './figures.ts';
import { MONDAY, runSlice } from './slice.ts';
import { pyramidText } from './text.ts';

export interface PyramidOptions {
  clients: number;
  days: number;
  seed: number;
  leaseDays: number;
  short?: boolean;
  json?: string;
  only?: 'week' | 'crowd';
}

export interface PyramidReport {
  options: { clients: number; days: number; seed: number; leaseDays: number };
  shape: Shape;
  demand: Demand;
  week?: WeekFigures;
  crowd?: SliceFigures;
}

export interface Shape {
  clientsPerLeaf: number;
  leavesPerUpper: number;
  leaves: number;
  uppers: number;
}

const CLIENTS_PER_LEAF = 8;
const LEAVES_PER_UPPER = 250;
const WEEK_UPPERS = 2;
/** Monday, 18:30 UTC: Europe's evening, America's office hours. */
const CROWD_FROM_HOURS = 18.5;

export async function benchPyramid(options: PyramidOptions): Promise<void> {
  const report = await simulatePyramid(options);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(pyramidText(report));
  const faults = [...(report.week?.faults ?? []), ...(report.crowd?.faults ?? [])];
  if (faults.length > 0)
    throw new Error(`the ledgers contradict what was observed:\n${faults.slice(0, 10).join('\n')}`);
}

async function simulatePyramid(options: PyramidOptions): Promise<PyramidReport> {
  const { clients, days, seed, leaseDays, only } = options;
  const leaves = Math.max(1, Math.round(clients / CLIENTS_PER_LEAF));
  const shape = {
    clientsPerLeaf: CLIENTS_PER_LEAF,
    leavesPerUpper: LEAVES_PER_UPPER,
    leaves,
    uppers: Math.max(1, Math.round(leaves / LEAVES_PER_UPPER)),
  };
  const report: PyramidReport = {
    options: { clients, days, seed, leaseDays },
    shape,
    demand: demandOf(seed, MONDAY, days),
  };
  if (only === 'crowd') return { ...report, crowd: await crowd(options) };
  if (only === 'week') return { ...report, week: await week(options) };
  const [there, here] = await Promise.all([elsewhere(options), week(options)]);
  return { ...report, ...there, week: here };
}

async function week({ days, seed, leaseDays, short }: PyramidOptions): Promise<WeekFigures> {
  const slice = await runSlice({
    seed,
    uppers: WEEK_UPPERS,
    leavesPerUpper: 1,
    clientsPerLeaf: short === true ? 2 : CLIENTS_PER_LEAF,
    fromHours: 0,
    hours: short === true ? 12 : days * 24,
    leaseSeconds: leaseDays * 86_400,
    troubles: true,
    stepSeconds: 30,
    sweepMinutes: 30,
    onHour: (hour) => {
      if (hour % 24 === 0) process.stderr.write(`day ${hour / 24} of ${days}\n`);
    },
  });
  return weekFigures(slice, WEEK_UPPERS);
}

async function crowd({ seed, leaseDays, short }: PyramidOptions): Promise<SliceFigures> {
  const slice = await runSlice({
    seed,
    uppers: 1,
    leavesPerUpper: short === true ? 10 : LEAVES_PER_UPPER,
    clientsPerLeaf: CLIENTS_PER_LEAF,
    fromHours: CROWD_FROM_HOURS,
    hours: 0.25,
    // Until then the stock of all is filled, which never happens at one time again.
    countFromHours: 1 / 12,
    leaseSeconds: leaseDays * 86_400,
    troubles: false,
    stepSeconds: 10,
    sweepMinutes: 60,
  });
  return sliceFigures(slice);
}

/** The crowd, in a process of its own: on another CPU. */
async function elsewhere({ seed, leaseDays, short }: PyramidOptions): Promise<Pick<PyramidReport, 'crowd'>> {
  const folder = mkdtempSync(join(tmpdir(), 'tabherd-crowd-'));
  try {
    const json = join(folder, 'crowd.json');
    const flags = ['--seed', String(seed), '--lease-days', String(leaseDays), ...(short === true ? ['--short'] : [])];
    const program = process.argv[1] ?? '';
    await promisify(execFile)(process.execPath, [
      program,
      'bench',
      'pyramid',
      '--only',
      'crowd',
      '--json',
      json,
      ...flags,
    ]);
    const { crowd: figures } = JSON.parse(readFileSync(json, 'utf8')) as PyramidReport;
    return figures === undefined ? {} : { crowd: figures };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
