/**
 * A whole keyserver in one process: store, keymaster or proxy, and gateway on one port. It handles no signals and ends no
 * process: whoever calls it owns those, and closes what it got.
 */
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { ContestKind } from '../contests/kind.ts';
import type { ClientInfo } from '../domain/client.ts';
import type { ContestKindName, ContestManifest } from '../domain/contest.ts';
import { parseSchedule } from '../domain/schedule.ts';
import type { Carrier } from '../protocol/buffers-file.ts';
import { HttpKeyserver } from '../protocol/http-keyserver.ts';
import { HttpStandings } from '../protocol/http-standings.ts';
import { DEFAULT_PORT, type Directive, type Keyserver } from '../protocol/keyserver.ts';
import type { BusinessCard } from '../protocol/pools.ts';
import type { Standings } from '../protocol/standing.ts';
import { isOlder } from '../protocol/version.ts';
import { accessBy, limitConnections } from './http/access.ts';
import { CARRY_PREFIX, carryRoutes } from './http/carry-routes.ts';
import { createGateway } from './http/gateway.ts';
import { Metrics } from './http/metrics.ts';
import { Administration } from './keymaster/administration.ts';
import { Keymaster } from './keymaster/keymaster.ts';
import type { Desk, DeskPorts } from './ledger/desk.ts';
import type { ProxyPolicy } from './ledger/proxies.ts';
import { Pools, type PoolsOptions } from './pools/pools.ts';
import { isOnline } from './proxy/online.ts';
import { Proxy, type ProxySettings } from './proxy/proxy.ts';
import { LedgerStandings } from './standing/ledger-standings.ts';
import { PassedStandings } from './standing/passed-standings.ts';
import { BlockLog, type BlockLogOptions } from './statistics/block-log.ts';
import { observing } from './statistics/observing.ts';
import { parseVerbosity } from './statistics/verbosity.ts';
import { openPostgresStore } from './store/postgres.ts';
import { makePrivateFolder } from './store/private-file.ts';
import { openSqliteStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import type { Checker } from './trust/checks.ts';
import type { Trust } from './trust/trust.ts';

const SWEEP_EVERY_MS = 15_000;
const COUNT_EVERY_MS = 1000;
const TICK_EVERY_MS = 1000;
const POOL_EVERY_MS = 1000;
const NO_POOLS: PoolsOptions = {
  registrar: false,
  registrars: [],
  addresses: [],
  policy: { kind: 'round-robin', weight: 1, priority: 0, degradation: 0 },
  successors: [],
  origins: [],
};

/** How long requests under way may take once the server closes; an exchange takes milliseconds. */
const DRAIN_MS = 2000;

/** An upstream gets a proxy's reports by the thousand, and may take a while over them. */
const UPSTREAM_TIMEOUT_MS = 60_000;

/** Somebody waits for a page meanwhile. */
const STANDING_TIMEOUT_MS = 8000;

/** What may change while it runs. */
export interface LiveOptions {
  logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Topics for the console; all unless told. */
  verbosity?: string | undefined;
  /** Messages of the day. */
  motd?: readonly string[] | undefined;
  /** Older clients are told to update. */
  minClientVersion?: string | undefined;
  allowedIp?: readonly string[] | undefined;
  ignoredIp?: readonly string[] | undefined;
  maxConnections?: number | undefined;
  /** Exchanges a minute of one client, address, team; 0 and absent: without a limit. */
  clientRate?: number | undefined;
  addressRate?: number | undefined;
  teamRate?: number | undefined;
  /** Lets its bearer in to the operator's API; without one there is none. */
  adminToken?: string | undefined;
}

export interface KeyserverOptions extends LiveOptions {
  /** Made if it is not there; belongs to one process at a time. */
  dataDir: string;
  /** PostgreSQL instead of the embedded store. */
  databaseUrl?: string | undefined;
  databaseSchema?: string | undefined;
  /** 0: any free one. */
  port?: number | undefined;
  /** All addresses unless told: of both families, or of IPv4 where the machine has no other. */
  host?: string | undefined;
  appDir?: string | undefined;
  kinds: Readonly<Record<ContestKindName, ContestKind>>;
  version: string;
  /** Which proxies are served. */
  proxies?: ProxyPolicy | undefined;
  /** A line for every finished block. */
  blockLog?: Omit<BlockLogOptions, 'log' | 'clock'> | undefined;
  trustProxyHeaders?: boolean | readonly string[] | undefined;
  /** Its part in pools of gateways; none unless told. */
  pools?: PoolsOptions | undefined;
  /** Milliseconds since 1970; the system's unless told. */
  clock?: (() => number) | undefined;
}

export interface ServerOptions extends KeyserverOptions {
  manifests: readonly ContestManifest[];
  /** How many times as often as usual blocks are done again by somebody else; 0: never. */
  secondRuns?: number | undefined;
  /** Does small parts of reports again; without one there are no spot checks. Closed with the server. */
  checker?: Checker | undefined;
}

export interface ProxyLiveOptions extends LiveOptions {
  /** Kept as they are given: change them in place. */
  settings: ProxySettings;
  /** Windows of the week when it may speak with an upstream; always unless told. */
  schedule?: readonly string[] | undefined;
}

export interface ProxyOptions extends KeyserverOptions, ProxyLiveOptions {
  /** Addresses, in order. */
  upstreams: readonly string[];
  /** Shown to the upstream. */
  name?: string | undefined;
}

export interface Server<Live extends LiveOptions = LiveOptions> {
  /** Where a browser on this machine finds it. */
  readonly url: string;
  /** Takes what may change while it runs; the rest of what is given is passed over. */
  reload(options: Live): void;
  /** Takes no more requests, answers those it has, and closes the ledger. */
  close(): Promise<void>;
}

export interface ProxyServer extends Server<ProxyLiveOptions> {
  /** The proxy's name at its upstream. */
  readonly id: string;
  /** Speaks with the upstream now. */
  talk(): Promise<void>;
}

/** The server cannot start; the message says why and what to do. */
export class ServeError extends Error {
  override readonly name = 'ServeError';
}

/**
 * @throws ServeError the port cannot be had.
 * @throws StoreError the data folder is in use, or its ledger contradicts a manifest.
 * @throws TypeError a manifest or an option contradicts itself.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { manifests, version, proxies, secondRuns, checker } = options;
  const { server } = await start(options, async (ports, told) => {
    const trusting = { secondRuns, checker };
    const keymaster = await Keymaster.open({ ...ports, manifests, version, proxies, ...told, ...trusting });
    return {
      keyserver: keymaster,
      standings: new LedgerStandings({ ...ports, counting: keymaster.desk.counting }),
      administration: new Administration({ ...ports, keymaster }),
      desk: keymaster.desk,
      isKeymaster: true,
      trust: keymaster.trust,
      sweep: () => keymaster.sweep(),
      close: () => keymaster.close(),
    };
  });
  return server;
}

/** Errors as `startServer`'s; a StoreError also where the ledger is a keymaster's. */
export async function startProxy(options: ProxyOptions): Promise<ProxyServer> {
  const { upstreams, settings, version, name } = options;
  let schedule = parseSchedule(options.schedule ?? []);
  const { server, made } = await start(options, async (ports, told) => {
    const proxy = await Proxy.open({
      ...ports,
      ...told,
      upstreams: upstreams.map((url) => ({
        url,
        keyserver: new HttpKeyserver(url, { fetch, timeoutMs: UPSTREAM_TIMEOUT_MS }),
      })),
      settings,
      schedule: (at) => schedule.isOpen(at),
      isOnline,
      name,
      version,
    });
    const ticking = every(TICK_EVERY_MS, () => proxy.tick(), 'the look at the stock failed', ports.log);
    return {
      keyserver: proxy,
      standings: new PassedStandings({
        upstreams: (settings.fallback === false ? upstreams.slice(0, 1) : upstreams).map(
          (url) => new HttpStandings(url, { fetch, timeoutMs: STANDING_TIMEOUT_MS }),
        ),
        mayTalk: () => proxy.mayAsk,
        clock: ports.clock,
      }),
      proxy,
      carrier: proxy.carrying,
      desk: proxy.desk,
      isKeymaster: false,
      onCall: () => proxy.calledBack(),
      sweep: () => proxy.sweep(),
      async close() {
        clearInterval(ticking);
        await proxy.close();
      },
    };
  });
  return {
    url: server.url,
    id: made.proxy.id,
    talk: () => made.proxy.talk(),
    reload(live) {
      server.reload(live);
      schedule = parseSchedule(live.schedule ?? []);
      Object.assign(settings, live.settings);
    },
    close: () => server.close(),
  };
}

interface Made {
  keyserver: Keyserver;
  standings: Standings;
  /** A proxy has none: what its operator changes are settings. */
  administration?: Administration;
  carrier?: Carrier;
  desk: Desk;
  isKeymaster: boolean;
  /** A proxy's upstream has news. */
  onCall?: () => Promise<void>;
  /** A proxy leaves that to its keymaster. */
  trust?: Trust;
  sweep(): Promise<void>;
  close(): Promise<void>;
}

/** What an operator tells clients, as it is now. */
interface Told {
  messages: () => readonly string[];
  directives: (client: ClientInfo) => readonly Directive[];
  card: () => BusinessCard | undefined;
}

async function start<M extends Made>(
  options: KeyserverOptions,
  make: (ports: DeskPorts & { log: FastifyBaseLogger }, told: Told) => Promise<M>,
): Promise<{ server: Server; made: M }> {
  const { version, kinds, clock = Date.now } = options;
  let live = liveOf(options);
  // The pino that fastify brings, set up as fastify does: JSON lines on stdout.
  const { log } = fastify({ logger: { level: options.logLevel ?? 'info' } });
  const store = await openStore(options, log);
  const undo: (() => Promise<void> | void)[] = [() => store.close()];
  let pools: Pools | undefined;
  try {
    const metrics = new Metrics({
      status: () => made.keyserver.status(),
      trust: () => made.trust?.figures(),
      pools: () => pools?.figures,
      log,
      version,
    });
    const blockLog =
      options.blockLog === undefined ? undefined : await BlockLog.open({ ...options.blockLog, log, clock });
    undo.push(async () => blockLog?.close());
    const observer = observing({ log, clock, metrics, blockLog, says: (topic) => live.says(topic) });
    const made = await make(
      { store, kinds, clock, log, observer },
      { messages: () => live.messages, directives: (client) => live.directives(client), card: () => pools?.card },
    );
    const { keyserver } = made;
    undo.push(() => made.close());
    pools = new Pools(options.pools ?? NO_POOLS, {
      store,
      clock,
      log,
      isShared: options.databaseUrl !== undefined,
      isKeymaster: made.isKeymaster,
      isTrusted: (key) => made.desk.role.isTrusted(key),
      isRevoked: (key) => made.desk.role.isRevoked(key),
      key: () => made.desk.role.key(),
      onCall: made.onCall,
      onEvent: ({ what }) => metrics.pooled(what),
    });
    let draining = false;
    const gateway = await createGateway({
      keyserver,
      standings: made.standings,
      appDir: options.appDir === undefined ? undefined : resolve(options.appDir),
      logger: log,
      version,
      metrics,
      clock,
      mayAccess: (address) => live.mayAccess(address),
      rates: () => live.rates,
      trustProxy: options.trustProxyHeaders,
      pools,
      ...(made.administration === undefined
        ? {}
        : { admin: { administration: made.administration, token: () => live.adminToken } }),
      more: async (app) => {
        const token = () => live.adminToken;
        await app.register(carryRoutes, { prefix: CARRY_PREFIX, keyserver, carrier: made.carrier, token });
      },
      unready: async () => [...(draining ? ['the keyserver, which is closing'] : []), ...(await unreadable(store))],
    });
    limitConnections(gateway, live.maxConnections);
    await listen(gateway, options);
    const timers = [
      every(SWEEP_EVERY_MS, () => made.sweep(), 'the sweep failed', log),
      every(COUNT_EVERY_MS, () => made.desk.counting.countEasily(), 'the counting failed', log),
    ];
    const look = async (): Promise<void> => pools?.tick();
    await look().catch((err: unknown) => log.error({ err }, 'the look at the pools failed'));
    timers.push(every(POOL_EVERY_MS, look, 'the look at the pools failed', log));
    if (live.says('starts')) log.info({ version }, 'the keyserver serves');
    const server: Server = {
      url: urlOf(gateway.server.address(), hostOf(options)),
      reload(changed) {
        live = liveOf({ ...options, ...changed });
        log.level = changed.logLevel ?? log.level;
        limitConnections(gateway, live.maxConnections);
      },
      async close() {
        draining = true;
        if (live.says('stops')) log.info({}, 'the keyserver ends');
        timers.forEach(clearInterval);
        await pools?.close();
        // A browser opens sockets ahead of need; Node counts one that never spoke as busy, for half a minute.
        const impatient = setTimeout(() => gateway.server.closeAllConnections(), DRAIN_MS);
        await gateway.close();
        clearTimeout(impatient);
        for (const step of undo.toReversed()) await step();
      },
    };
    return { server, made };
  } catch (error) {
    for (const step of undo.toReversed()) await step();
    throw error;
  }
}

function liveOf(options: LiveOptions) {
  const { adminToken, minClientVersion, maxConnections = Number.POSITIVE_INFINITY } = options;
  return {
    adminToken,
    says: parseVerbosity(options.verbosity ?? 'all'),
    messages: options.motd ?? [],
    mayAccess: accessBy({ allowed: options.allowedIp ?? [], ignored: options.ignoredIp ?? [] }),
    maxConnections,
    rates: { client: options.clientRate ?? 0, address: options.addressRate ?? 0, team: options.teamRate ?? 0 },
    directives: ({ version, class: kind }: ClientInfo): readonly Directive[] =>
      minClientVersion !== undefined && kind !== 'proxy' && isOlder(version, minClientVersion)
        ? [{ do: 'update', code: 452, version: minClientVersion }]
        : [],
  };
}

function openStore(options: KeyserverOptions, log: FastifyBaseLogger): Promise<Store> {
  const { dataDir, databaseUrl: url, databaseSchema: schema } = options;
  if (url === undefined) return openSqliteStore(resolve(dataDir));
  makePrivateFolder(resolve(dataDir));
  const onError = (err: Error): void => log.warn({ err }, 'a connection to PostgreSQL broke');
  return openPostgresStore({ url, onError, ...(schema === undefined ? {} : { schema }) });
}

async function unreadable(store: Store): Promise<string[]> {
  try {
    await store.read((ledger) => ledger.contests());
    return [];
  } catch {
    return ['the ledger'];
  }
}

function every(ms: number, work: () => Promise<void>, failed: string, log: FastifyBaseLogger): NodeJS.Timeout {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    work()
      .catch((err: unknown) => log.error({ err }, failed))
      .finally(() => {
        busy = false;
      });
  }, ms);
  return timer.unref();
}

const hostOf = ({ host }: KeyserverOptions): string => host ?? (hasIpv6() ? '::' : '0.0.0.0');

async function listen(gateway: FastifyInstance, options: KeyserverOptions): Promise<void> {
  const { port = DEFAULT_PORT } = options;
  const host = hostOf(options);
  await gateway.listen({ port, host }).catch((cause: unknown) => {
    throw listenError(cause, port, host);
  });
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6'));
}

function listenError(cause: unknown, port: number, host: string): ServeError {
  const { code } = cause as { code?: string };
  if (code === 'EADDRINUSE') {
    return new ServeError(`port ${port} is in use; choose another with --port`, { cause });
  }
  if (code === 'EACCES') {
    return new ServeError(`port ${port} is not yours to open; choose one above 1023 with --port`, { cause });
  }
  return new ServeError(`cannot listen on ${host} port ${port}: ${String(code ?? cause)}`, { cause });
}

function urlOf(address: string | { port: number } | null, host: string): string {
  const port = typeof address === 'object' ? address?.port : undefined;
  const name = host === '::' || host === '0.0.0.0' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/`;
}
