/**
 * `tabherd serve`, which `npm start` runs, and `tabherd proxy`. Print where they are to be found, drain on SIGTERM and SIGINT,
 * reload on SIGHUP.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Value } from 'typebox/value';
import { kinds } from '../contests/kinds.ts';
import { manifests as builtIn } from '../contests/manifests.ts';
import { ContestManifest } from '../domain/contest.ts';
import { faultOf } from '../protocol/fault.ts';
import type { PoolsOptions } from '../server/pools/pools.ts';
import type { ProxySettings } from '../server/proxy/proxy.ts';
import { type KeyserverOptions, type ProxyLiveOptions, startProxy, startServer } from '../server/serve.ts';
import { ThreadChecker } from './checker.ts';
import type { Configured } from './config/options.ts';
import { differences } from './config/read-config.ts';
import type { CommonConfig, ProxyConfig, ServeConfig } from './config/settings.ts';
import { watchSignals } from './watch-signals.ts';

// dist/server/tabherd.js serves dist/app.
const appDir = fileURLToPath(new URL('../app', import.meta.url));

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export async function serve({ config, reread }: Configured<ServeConfig>, version: string): Promise<void> {
  const manifests = config.contests === undefined ? builtIn : await Promise.all(config.contests.map(readManifest));
  const server = await startServer({
    ...keyserverOptions(config, version),
    manifests,
    secondRuns: config.secondRuns,
    ...(config.spotChecks ? { checker: new ThreadChecker() } : {}),
  });
  say(`Tabherd ${version} is at ${server.url}`);
  say(`Contests: ${manifests.map(({ name }) => name).join(', ')}. Ledger in ${ledgerOf(config)}. Ctrl-C ends it.`);
  let before = config;
  watchSignals({
    onDrain: () => server.close(),
    async onReload() {
      const { config: after } = await reread();
      server.reload(keyserverOptions(after, version));
      sayChanges('serve', before, after);
      before = after;
    },
    onError: (error) => complain(error),
  });
}

export async function proxy({ config, reread }: Configured<ProxyConfig>, version: string): Promise<void> {
  const server = await startProxy({
    ...keyserverOptions(config, version),
    ...proxyOptions(config),
    upstreams: config.upstreams,
  });
  say(`Tabherd ${version}, a proxy, is at ${server.url}`);
  const source =
    config.mode === 'offline'
      ? 'is fed by hand (tabherd export, import)'
      : `fetches from ${config.upstreams.join(', ')}`;
  say(`It ${source}. Its identity there: ${server.id}`);
  say(`Its ledger is in ${ledgerOf(config)}. Ctrl-C ends it.`);
  let before = config;
  watchSignals({
    onDrain: () => server.close(),
    async onReload() {
      const { config: after } = await reread();
      server.reload({ ...keyserverOptions(after, version), ...proxyOptions(after) });
      sayChanges('proxy', before, after);
      before = after;
    },
    onError: (error) => complain(error),
  });
  process.on('SIGUSR2', () => {
    say('Speaking with the upstream, as told.');
    void server.talk();
  });
}

function keyserverOptions(config: CommonConfig, version: string): KeyserverOptions {
  const { blockLog, ...rest } = config;
  const { dir, ...how } = blockLog;
  return {
    ...rest,
    appDir,
    kinds,
    version,
    blockLog: dir === undefined ? undefined : { folder: dir, ...how },
    pools: poolsOptions(config),
  };
}

/** Undefined where it has to do with no pool. */
function poolsOptions({ registrar, registrars, pool, port }: CommonConfig): PoolsOptions | undefined {
  const { handle, policy: kind, weight, priority, degradation, ...rest } = pool;
  if (!registrar && registrars.length === 0 && handle === undefined) return undefined;
  const addresses = pool.addresses.length > 0 || port === 0 ? pool.addresses : [`http://localhost:${port}`];
  return { ...rest, registrar, registrars, handle, addresses, policy: { kind, weight, priority, degradation } };
}

function proxyOptions(config: ProxyConfig): Pick<ProxyLiveOptions, 'settings' | 'schedule'> {
  const { fallback, mode, minStock, maxStock, maxBufferDays, proxies } = config;
  const { reportBatch, reportAgeSeconds, connectPeriodSeconds } = config;
  const stock = { minStock, maxStock, maxBufferDays };
  const talk = { fallback, mode, proxies, reportBatch, reportAgeSeconds, connectPeriodSeconds };
  return { settings: { ...stock, ...talk } satisfies ProxySettings, schedule: config.schedule };
}

const ledgerOf = ({ databaseUrl, databaseSchema, dataDir }: CommonConfig): string =>
  databaseUrl === undefined ? `${dataDir}/` : `${new URL(databaseUrl).host}, schema ${databaseSchema}`;

function sayChanges(command: 'serve' | 'proxy', before: CommonConfig, after: CommonConfig): void {
  const { live, atNextStart } = differences(command, before, after);
  if (live.length > 0) say(`Reloaded: ${live.join(', ')}.`);
  if (atNextStart.length > 0) say(`Takes effect at the next start: ${atNextStart.join(', ')}.`);
  if (live.length + atNextStart.length === 0) say('Reloaded: nothing has changed.');
}

function complain(error: unknown): void {
  process.stderr.write(`tabherd: ${error instanceof Error ? error.message : String(error)}\n`);
}
async function readManifest(path: string): Promise<ContestManifest> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
  if (Value.Check(ContestManifest, manifest)) return manifest;
  const fault = faultOf(ContestManifest, manifest);
  throw new Error(`${path}: ${fault?.pointer} ${fault?.message}`);
}
