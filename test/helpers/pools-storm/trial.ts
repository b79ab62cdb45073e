/** A storm over a pool from its start to the audit, and the counts of it in words. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Policy, PoolsOverview } from '../../../src/protocol/pools.ts';
import type { Audit } from '../storm/audit.ts';
import { until } from '../storm/storm.ts';
import {
  auditOf,
  bundle,
  faultsOfMembers,
  listed,
  quiet,
  removeFolder,
  stormFolder,
  withWords,
} from '../storm/trial.ts';
import type { Gap } from './client-process.ts';
import { CLIENTS, GATEWAYS, type HerdOptions, PoolHerd, REGISTRARS, type Whereabouts } from './herd.ts';
import { type PoolCounts, PoolsStorm } from './storm.ts';

/** What is promised: so long after the last fault all registrars know the same. */
export const EQUAL_WITHIN_MS = 10_000;
/** What is promised: no longer is a client idle while a gateway lives. */
export const IDLE_AT_MOST_MS = 5000;

const MINUTE = 60_000;
/** Every client has resolved the pool by then, and has had an exchange with whom that named. */
const SETTLE_MS = 8000;

export interface PoolsTrial {
  counts: PoolCounts;
  fewest: number;
  audit: Audit;
  gaps: Gap[];
  moves: number;
  /** How long after the last fault the handlespaces were equal. */
  equalMs: number;
  quietSeconds: number;
  /** Before the storm. */
  settled: Whereabouts;
  crashes: string[];
  refusedAbove: string[];
  vainStarts: number;
}

export interface TrialOptions {
  behind: HerdOptions['behind'];
  ms: number;
  pauseMs: number;
  longestSeconds: number;
  policy: (gateway: number) => Policy;
}

export async function poolsTrial({ behind, ms, pauseMs, longestSeconds, policy }: TrialOptions): Promise<PoolsTrial> {
  const restartMs = (): number => 500 + Math.random() * 1000 * (longestSeconds - 0.5);
  return withHerd({ behind, policy, restartMs }, async (herd) => {
    for (const m of herd.members) console.log('CPU0', m.name, cpu(m.pid)); console.log('CPU0 me', cpu(process.pid));
    await sleep(SETTLE_MS);
    const settled = await herd.where();
    const storm = new PoolsStorm(herd, longestSeconds);
    const over = await storm.rage({ ms, pauseMs });
    await until('the handlespaces are equal', MINUTE, async () => areEqual(await herd.overviews()));
    const equalMs = Date.now() - over;
    for (const m of herd.members) console.log('CPU', m.name, cpu(m.pid)); console.log('CPU me', cpu(process.pid));
    const calm = Date.now();
    await quiet(herd.clients, herd.stations);
    const quietSeconds = (Date.now() - calm) / 1000;
    const { gaps, moves } = herd;
    const { counts, fewest } = storm;
    const audit = await auditOf(herd);
    return { counts, fewest, audit, gaps, moves, equalMs, quietSeconds, settled, ...faultsOfMembers(herd.members) };
  });
}

/** Where the clients are some seconds after they have come, where nothing befalls anybody. */
export function quietPool(options: Pick<HerdOptions, 'policy' | 'clients'>): Promise<Whereabouts> {
  return withHerd({ behind: 'proxies', ...options }, async (herd) => {
    await sleep(SETTLE_MS);
    // From here on everyone is where the pool sent it.
    await herd.where();
    await sleep(SETTLE_MS);
    return herd.where();
  });
}

async function withHerd<T>(options: HerdOptions, use: (herd: PoolHerd) => Promise<T>): Promise<T> {
  const folder = stormFolder();
  let herd: PoolHerd | undefined;
  try {
    const scripts = await bundle(join(folder, 'bundle'), 'test/helpers/pools-storm/client-process.ts');
    herd = new PoolHerd(join(folder, 'herd'), scripts, options);
    await herd.start();
    return await use(herd);
  } catch (error) {
    throw withWords(error, herd?.members ?? []);
  } finally {
    await herd?.close();
    removeFolder(folder);
  }
}

/** Whether all registrars know each other, and the same elements with the same homes: all gateways that there are, once. */
function areEqual(overviews: readonly (PoolsOverview | undefined)[]): boolean {
  const known = overviews.map((one) => {
    const elements = one?.pools.flatMap(({ elements }) => elements.map(({ id, home }) => [id, home])) ?? [];
    return { registrars: one?.registrars.map(({ id }) => id), elements };
  });
  const [first] = known;
  return (
    first?.registrars?.length === REGISTRARS &&
    first.elements.length === GATEWAYS &&
    first.elements.every(([, home]) => first.registrars?.includes(home ?? 0)) &&
    known.every((one) => JSON.stringify(one) === JSON.stringify(first))
  );
}

/** What must be true of every trial; written so that what is not is shown. */
export function faultsOf(trial: PoolsTrial): unknown[] {
  const { lost, astray, miscounted, refused } = trial.audit;
  return [
    ...lost,
    ...astray,
    ...miscounted,
    ...Object.keys(refused),
    ...trial.refusedAbove,
    ...trial.crashes,
    ...trial.gaps.filter(({ from, to, wasStarved }) => !wasStarved && to - from > IDLE_AT_MOST_MS),
    ...(trial.equalMs > EQUAL_WITHIN_MS ? [`the handlespaces were equal after ${trial.equalMs} ms`] : []),
  ];
}

export function inWords(what: string, trial: PoolsTrial, seconds: number): string {
  const { counts, audit: found, gaps, settled } = trial;
  const longest = (some: readonly Gap[]): string =>
    (some.reduce((most, { from, to }) => Math.max(most, to - from), 0) / 1000).toFixed(1);
  const wanting = gaps.filter(({ wasStarved }) => !wasStarved);
  const starved = gaps.filter(({ wasStarved }) => wasStarved);
  return [
    `${what}: ${REGISTRARS} registrars, ${GATEWAYS} gateways, ${CLIENTS} clients, ${seconds.toFixed(0)} s`,
    `  killed: ${listed(counts.killed)}; frozen: ${listed(counts.frozen)}; partitioned: ${listed(counts.partitioned)};` +
      ` all but one: ${counts.waves} times; alive at the least: ${trial.fewest}`,
    `  clients changed gateways ${trial.moves} times; exchanges that none answered: ${found.unanswered}`,
    `  idle for want of a gateway: ${wanting.length} times, the longest ${longest(wanting)} s;` +
      ` for want of work: ${starved.length} times, the longest ${longest(starved)} s`,
    `  reports acknowledged ${found.acknowledged} (${found.units} units), lost ${found.lost.length},` +
      ` twice ${found.miscounted.length}, astray ${found.astray.length}; duplicates ${found.duplicates},` +
      ` refused: ${listed(found.refused)}; whole exchanges: ${listed(found.refusedExchanges)}`,
    `  handlespaces equal ${(trial.equalMs / 1000).toFixed(1)} s after the last fault;` +
      ` all handed in ${trial.quietSeconds.toFixed(0)} s later; ${trial.vainStarts} starts in vain`,
    `  clients by gateway before: ${Object.values(settled.clients).join(' ')}`,
  ].join('\n');
}

import { readFileSync } from 'node:fs';
const cpu = (pid?: number) => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' '); return (Number(f[13]) + Number(f[14])) / 100 + ' s, since ' + (Number(f[21]) / 100).toFixed(0); };
