/** A storm over a pool from its start to the audit, and the counts of it in words. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolsOverview } from '../../../src/protocol/pools.ts';
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
import { longestIn, unseen, Witness } from './idle.ts';
import { type PoolCounts, PoolsStorm } from './storm.ts';

/** What is promised: so long after the last fault all registrars know the same. */
export const EQUAL_WITHIN_MS = 10_000;
/** What is promised: no longer is a client idle while a gateway lives. */
export const IDLE_AT_MOST_MS = 5000;

/** On a machine where less was seen nothing is said of idleness. */
const WITNESSED = 0.25;

const MINUTE = 60_000;
/** Every client has an exchange in this time. */
const ROUND_MS = 6000;
const MOST_ROUNDS = 8;

export interface PoolsTrial {
  counts: PoolCounts;
  fewest: number;
  audit: Audit;
  /** With how long of each one gateway lived on end, and the client ran. */
  gaps: (Gap & { ms: number })[];
  moves: number;
  /** How long after the last fault the handlespaces were equal. */
  equalMs: number;
  /** The share of the storm in which a gateway was witnessed to live. */
  witnessed: number;
  quietSeconds: number;
  /** Clients at each gateway before the storm. */
  settled: number[];
  crashes: string[];
  refusedAbove: string[];
  vainStarts: number;
}

export interface TrialOptions extends Pick<HerdOptions, 'behind' | 'policy'> {
  ms: number;
  /** Between two faults, on the average. */
  pauseMs: number;
  /** How long a fault lasts. */
  longestSeconds: number;
}

export async function poolsTrial({ behind, ms, pauseMs, longestSeconds, policy }: TrialOptions): Promise<PoolsTrial> {
  const restartMs = (): number => 500 + Math.random() * 1000 * (longestSeconds - 0.5);
  return withHerd({ behind, policy, restartMs }, async (herd) => {
    const settled = await settle(herd);
    const storm = new PoolsStorm(herd, longestSeconds);
    const began = Date.now();
    const witness = new Witness(() => storm.living.map(({ link }) => link.url));
    const over = await storm.rage({ ms, pauseMs });
    await equality(herd);
    const equalMs = Date.now() - over;
    const calm = Date.now();
    await quiet(herd.clients, herd.stations);
    const quietSeconds = (Date.now() - calm) / 1000;
    const { moves } = herd;
    const lives = witness.end();
    const witnessed = 1 - unseen({ from: began, to: over }, lives) / (over - began);
    const gaps = herd.gaps.map(({ stalls, ...gap }) => ({ ...gap, ms: longestIn(gap, lives, stalls) }));
    const { counts, fewest } = storm;
    const audit = await auditOf(herd);
    return {
      counts,
      fewest,
      audit,
      gaps,
      moves,
      equalMs,
      witnessed,
      quietSeconds,
      settled,
      ...faultsOfMembers(herd.members),
    };
  });
}

export interface Spread {
  /** At each gateway, when all have come. */
  clients: number[];
  /** That each has answered in some seconds from then on. */
  exchanges: number[];
}

/** How the clients are spread over a pool of proxies that nothing befalls. */
export function spreadOf(policy: HerdOptions['policy']): Promise<Spread> {
  return withHerd({ behind: 'proxies', policy }, async (herd) => {
    const clients = await settle(herd);
    await sleep(3 * ROUND_MS);
    const { exchanges } = await herd.where();
    return { clients, exchanges: countsOf(herd, exchanges) };
  });
}

/** Until every client is where the pool has sent it. @returns how many are at each gateway. */
async function settle(herd: PoolHerd): Promise<number[]> {
  let before: number[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    await sleep(ROUND_MS);
    const now = countsOf(herd, (await herd.where()).clients);
    if (now.join() === before.join()) break;
    before = now;
  }
  return before;
}

const countsOf = ({ gateways }: PoolHerd, by: Whereabouts['clients']): number[] =>
  gateways.map(({ link }) => by[link.url] ?? 0);

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

async function equality(herd: PoolHerd): Promise<void> {
  let last: Awaited<ReturnType<PoolHerd['overviews']>> = [];
  await until('the handlespaces are equal', MINUTE, async () => {
    last = await herd.overviews();
    return areEqual(last);
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last.map(knownTo))}`);
  });
}

/** Whether all registrars know each other, and the same elements with the same homes: all gateways that there are, once. */
function areEqual(overviews: readonly (PoolsOverview | undefined)[]): boolean {
  const known = overviews.map(knownTo);
  const [first] = known;
  return (
    first?.registrars?.length === REGISTRARS &&
    first.elements.length === GATEWAYS &&
    first.elements.every(([, home]) => first.registrars?.includes(home ?? 0)) &&
    known.every((one) => JSON.stringify(one) === JSON.stringify(first))
  );
}

const knownTo = (one: PoolsOverview | undefined) => ({
  registrars: one?.registrars.map(({ id }) => id),
  elements: one?.pools.flatMap(({ elements }) => elements.map(({ id, home }) => [id, home] as const)) ?? [],
});

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
    ...trial.gaps.filter(({ ms, wasStarved }) => !wasStarved && ms > IDLE_AT_MOST_MS),
    ...(trial.witnessed < WITNESSED ? [`a gateway was seen alive in ${trial.witnessed} of the time only`] : []),
    ...(trial.equalMs > EQUAL_WITHIN_MS ? [`the handlespaces were equal after ${trial.equalMs} ms`] : []),
  ];
}

export function inWords(what: string, trial: PoolsTrial, seconds: number): string {
  const { counts, audit: found, gaps, settled } = trial;
  const longest = (some: PoolsTrial['gaps']): string =>
    (some.reduce((most, { ms }) => Math.max(most, ms), 0) / 1000).toFixed(1);
  const longestOfAll = (some: PoolsTrial['gaps']): string =>
    (some.reduce((most, { from, to }) => Math.max(most, to - from), 0) / 1000).toFixed(1);
  const wanting = gaps.filter(({ wasStarved }) => !wasStarved);
  const starved = gaps.filter(({ wasStarved }) => wasStarved);
  return [
    `${what}: ${REGISTRARS} registrars, ${GATEWAYS} gateways, ${CLIENTS} clients, ${seconds.toFixed(0)} s`,
    `  killed: ${listed(counts.killed)}; frozen: ${listed(counts.frozen)}; partitioned: ${listed(counts.partitioned)};` +
      ` all but one: ${counts.waves} times; alive at the least: ${trial.fewest}`,
    `  clients changed gateways ${trial.moves} times; exchanges that none answered: ${found.unanswered}`,
    `  idle for want of a gateway: ${wanting.length} times, the longest ${longest(wanting)} s` +
      ` (${longestOfAll(wanting)} s with what the machine and changing gateways took; one was seen alive in ${(100 * trial.witnessed).toFixed(0)} % of the time);` +
      ` for want of work: ${starved.length} times, the longest ${longest(starved)} s`,
    `  reports acknowledged ${found.acknowledged} (${found.units} units), lost ${found.lost.length},` +
      ` twice ${found.miscounted.length}, astray ${found.astray.length}; duplicates ${found.duplicates},` +
      ` refused: ${listed(found.refused)}; whole exchanges: ${listed(found.refusedExchanges)}`,
    `  handlespaces equal ${(trial.equalMs / 1000).toFixed(1)} s after the last fault;` +
      ` all handed in ${trial.quietSeconds.toFixed(0)} s later; ${trial.vainStarts} starts in vain`,
    `  clients by gateway before: ${settled.join(' ')}`,
  ].join('\n');
}
