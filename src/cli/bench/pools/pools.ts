/**
 * `tabherd bench pools`: what a registrar can do when a pool has ten thousand gateways. A resolution, policy by policy, over HTTP from
 * a process of its own and as a call; registrations; how soon a newcomer has all elements, from another registrar (ENRP)
 * and from a database that they share; memory.
 *
 * Over HTTP the load generator has the same machine. Policies take turns, repeat by repeat.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MadeVoucher } from '../../../protocol/administration.ts';
import {
  MAX_RESOLVED,
  POLICY_NAMES,
  type PolicyName,
  type PoolsOverview,
  type Vouched,
} from '../../../protocol/pools.ts';
import type { Log } from '../../../server/log.ts';
import { PeerHandlespace } from '../../../server/pools/peers.ts';
import { Registrar } from '../../../server/pools/registrar.ts';
import { SharedHandlespace } from '../../../server/pools/shared.ts';
import { generateKey } from '../../../server/proof/key.ts';
import { openSqliteStore } from '../../../server/store/sqlite.ts';
import { processorSeconds } from '../cpu-share.ts';
import { memoryOf } from '../keyserver/homes.ts';
import { closedLoad, openLoad, type Senders, withConnections } from '../keyserver/load.ts';
import type { KeyserverChild } from '../keyserver-child.ts';
import { type Machine, machineOf } from '../machine.ts';
import { type Busy, lookBusy } from '../pin.ts';
import { type Random, randomOf } from '../random.ts';
import { quantiles } from '../statistics.ts';
import { type Elements, HANDLE, makeElements } from './elements.ts';
import { builtPrograms, type Programs } from './programs.ts';
import { poolsText } from './text.ts';

export interface PoolsOptions {
  elements: number;
  repeats: number;
  seconds: number;
  /** Browsers at once. */
  connections: number;
  short?: boolean;
  profile?: string;
  json?: string;
}

/** Resolutions a second: what ninety thousand browsers need, each once in the lifetime of its list (five minutes). */
const CALM_RATE = 300;

/** One figure a repeat; milliseconds and requests a second. */
export interface ResolutionFigures {
  policy: PolicyName;
  /** As many browsers at once as there are connections, each with its next request when it has its answer. */
  rates: number[];
  /** Microseconds of the registrar's processor time for each of them; none where that cannot be seen. */
  cpu: number[];
  /** Requests that come at random, half as many as that, each timed from when it was due. */
  p50: number[];
  p99: number[];
  /** The same of CALM_RATE requests a second. */
  calmP99: number[];
  /** A call in the bench's own process, by processor time, which says the same beside other work. */
  callRates: number[];
  callP50: number[];
  callP99: number[];
}

export interface PoolsReport {
  machine: Machine & { busy?: [Busy, Busy] };
  startedAt: string;
  options: Pick<PoolsOptions, 'elements' | 'repeats' | 'seconds' | 'connections'>;
  /** Resolutions a second of `calmP99`. */
  calmRate: number;
  resolutions: ResolutionFigures[];
  /** Registrations a second over HTTP: of elements that are new, and of those that are known. */
  registrations: { first: number[]; again: number[] };
  /** Of those that are known, as calls of a registrar over SQLite. */
  sharedRegistrations: number[];
  /** Milliseconds until a registrar has all: from when its process serves; from when it first reads the database. */
  newcomer: { peers: number[]; shared: number[] };
  /** The registrar's memory without and with the elements; undefined where it cannot be seen. */
  bytes?: { before: number; after: number };
}

const TOKEN = 'a-token-for-the-bench';
const NEWCOMER = 'http://127.0.0.1:8';
const SEED = 7;
const PATIENCE_MS = 120_000;

const say = (what: string): void => void process.stderr.write(`tabherd bench: ${what}\n`);
const nothing: Log = { info() {}, warn() {}, error() {} };

export async function benchPools(options: PoolsOptions, version: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tabherd-bench-'));
  try {
    const report = await poolsReport(options, version, folder, builtPrograms(folder, version, options.profile));
    process.stdout.write(poolsText(report));
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param folder for a database. */
export async function poolsReport(
  given: PoolsOptions,
  version: string,
  folder: string,
  programs: Programs,
): Promise<PoolsReport> {
  const { elements, repeats, seconds, connections } =
    given.short === true ? { elements: 300, repeats: 1, seconds: 0.05, connections: 4 } : given;
  const report: PoolsReport = {
    machine: {
      ...machineOf(version),
    },
    startedAt: new Date().toISOString(),
    options: { elements, repeats, seconds, connections },
    calmRate: CALM_RATE,
    resolutions: POLICY_NAMES.map((policy) => ({
      policy,
      rates: [],
      cpu: [],
      p50: [],
      p99: [],
      calmP99: [],
      callRates: [],
      callP50: [],
      callP99: [],
    })),
    registrations: { first: [], again: [] },
    sharedRegistrations: [],
    newcomer: { peers: [], shared: [] },
  };
  const random = randomOf(SEED);
  const busy = await lookBusy(0);
  const child = await programs.registrar(TOKEN);
  const origin = new URL(child.url).origin;
  try {
    const vouch = voucherMaker(origin);
    say(`${elements} gateways get a voucher each`);
    const pool = await makeElements(elements, random, (key, address) =>
      vouch(key, { handle: HANDLE, addresses: [address] }),
    );
    const before = await memoryOf(child.pid);
    report.registrations.first.push(await registerAll(origin, connections, pool.registrations()));
    const after = await memoryOf(child.pid);
    if (before !== undefined && after !== undefined) report.bytes = { before: before.now, after: after.now };

    const newcomerKey = await programs.newcomerKey(origin);
    const newcomerVoucher = await vouch(newcomerKey, { addresses: [NEWCOMER], registrar: true });
    const own = ownRegistrar(pool, random);
    for (let repeat = 0; repeat < repeats; repeat++) {
      const turns = repeat % 2 === 0 ? report.resolutions : report.resolutions.toReversed();
      for (const figures of turns) {
        const turning = pool.turning(figures.policy);
        await withConnections(origin, 1, ([one]) => register(one, turning));
        await overHttp(child, figures, { connections, seconds, random });
        own.turn(figures.policy);
        await asCall(own.registrar, figures, seconds);
      }
      report.registrations.again.push(await registerAll(origin, connections, pool.registrations()));
      const newcomer = await programs.newcomer(origin, NEWCOMER, newcomerVoucher);
      try {
        report.newcomer.peers.push(await timeUntilAll(new URL(newcomer.url).origin, elements));
      } finally {
        await newcomer.close();
      }
      const shared = await overSqlite(join(folder, `shared-${repeat}`), pool);
      report.sharedRegistrations.push(shared.rate);
      report.newcomer.shared.push(shared.newcomerMs);
      say(`repeat ${repeat + 1} of ${repeats}: p99 over HTTP at most ${worst(report.resolutions).toFixed(1)} ms`);
    }
  } finally {
    await child.close();
  }
  const later = await lookBusy(0);
  if (busy !== undefined && later !== undefined) report.machine.busy = [busy, later];
  return report;
}

const worst = (resolutions: readonly ResolutionFigures[]): number =>
  Math.max(...resolutions.map(({ p99 }) => p99.at(-1) ?? 0));

/** Of the keymaster, by its operator's API. */
function voucherMaker(origin: string) {
  return async (sub: string, claims: object): Promise<string> => {
    const response = await fetch(`${origin}/admin/v1/vouchers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sub, days: 1, ...claims }),
    });
    if (!response.ok) throw new Error(`no voucher: ${await response.text()}`);
    return ((await response.json()) as MadeVoucher).voucher;
  };
}

/** @returns registrations a second. */
async function registerAll(origin: string, connections: number, all: readonly Vouched[]): Promise<number> {
  const left = [...all];
  return withConnections(origin, connections, async (some) => {
    const began = performance.now();
    await Promise.all(
      some.map(async (connection) => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) await register(connection, next);
      }),
    );
    return all.length / ((performance.now() - began) / 1000);
  });
}

async function register(connection: { post(path: string, body: string): Promise<string> } | undefined, one: Vouched) {
  await connection?.post('/api/v1/pools/registrations', JSON.stringify(one));
}

async function overHttp(
  { url, pid }: KeyserverChild,
  figures: ResolutionFigures,
  { connections, seconds, random }: { connections: number; seconds: number; random: Random },
): Promise<void> {
  const senders: Senders = {
    next: () => ({
      path: `/api/v1/pools/${HANDLE}`,
      took(reply) {
        const { elements } = JSON.parse(reply) as { elements: unknown[] };
        if (elements.length !== MAX_RESOLVED) throw new Error(`not what a resolution should bring: ${reply}`);
      },
    }),
  };
  await withConnections(url, connections, async (some) => {
    await closedLoad(some, senders, seconds / 4);
    const before = processorSeconds(pid);
    const { rate, latencies: all } = await closedLoad(some, senders, seconds);
    const after = processorSeconds(pid);
    if (before !== undefined && after !== undefined) figures.cpu.push(((after - before) * 1e6) / all.length);
    const at = async (rate: number): Promise<number[]> => {
      const { latencies } = await openLoad(some, senders, { rate, seconds, random });
      return latencies.length === 0 ? [] : quantiles(latencies, [0.5, 0.99]);
    };
    const [p50 = 0, p99 = 0] = await at(rate / 2);
    const [, calmP99 = 0] = await at(CALM_RATE);
    figures.rates.push(rate);
    figures.p50.push(p50);
    figures.p99.push(p99);
    figures.calmP99.push(calmP99);
  });
}

async function asCall(registrar: Registrar, figures: ResolutionFigures, seconds: number): Promise<void> {
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const before = process.cpuUsage();
    await registrar.resolve(HANDLE);
    const { user, system } = process.cpuUsage(before);
    latencies.push((user + system) / 1000);
  }
  const [p50 = 0, p99 = 0] = quantiles(latencies, [0.5, 0.99]);
  figures.callRates.push(1000 / (latencies.reduce((sum, one) => sum + one, 0) / latencies.length));
  figures.callP50.push(p50);
  figures.callP99.push(p99);
}

const HOME = 1;

/** A registrar in this process with the same elements. */
function ownRegistrar(pool: Elements, random: Random): { registrar: Registrar; turn: (policy: PolicyName) => void } {
  const common = { id: HOME, address: NEWCOMER, clock: Date.now, isTrusted: () => true, isRevoked: () => false };
  const space = new PeerHandlespace({
    ...common,
    key: generateKey(),
    voucher: () => undefined,
    mentors: [],
    send: async () => undefined,
    onEvent() {},
  });
  const members = pool.members(HOME);
  for (const member of members) space.table.put(member);
  const [first] = members;
  return {
    registrar: new Registrar({ ...common, space, probe: async () => undefined, random, log: nothing }),
    turn(kind) {
      if (first === undefined) return;
      const policy = { ...first.claims.policy, kind };
      space.table.put({ ...first, claims: { ...first.claims, policy }, element: { ...first.element, policy } });
    },
  };
}

/** From now until a registrar has all elements. */
async function timeUntilAll(origin: string, elements: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const response = await fetch(`${origin}/api/v1/pools`);
    const overview = (await response.json()) as PoolsOverview;
    const took = performance.now() - began;
    if (overview.pools.find(({ handle }) => handle === HANDLE)?.count === elements) return took;
    if (took > PATIENCE_MS) throw new Error(`a new registrar did not get ${elements} elements`);
    await sleep(20);
  }
}

/** Registrations of all elements at once over SQLite, and then a registrar that has none of them. */
async function overSqlite(folder: string, pool: Elements): Promise<{ rate: number; newcomerMs: number }> {
  const store = await openSqliteStore(folder);
  try {
    const spaceOf = (id: number) =>
      new SharedHandlespace({ id, address: `http://registrar-${id}`, store, clock: Date.now, onEvent() {} });
    const all = pool.members(HOME);
    const space = spaceOf(HOME);
    await space.tick();
    const began = performance.now();
    await Promise.all(all.map((member) => space.put(member)));
    const rate = all.length / ((performance.now() - began) / 1000);
    const newcomer = spaceOf(HOME + 1);
    const began2 = performance.now();
    await newcomer.tick();
    const newcomerMs = performance.now() - began2;
    if (newcomer.table.elements(HANDLE).length !== all.length) throw new Error('the database lacks elements');
    return { rate, newcomerMs };
  } finally {
    await store.close();
  }
}
