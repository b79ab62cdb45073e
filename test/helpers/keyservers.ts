/** Keyservers to test against: a keymaster over a store in a folder of its own, under a clock that tests turn. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientInfo } from '../../src/domain/client.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { ExchangeRequest } from '../../src/protocol/keyserver.ts';
import { Keymaster, type KeymasterPorts } from '../../src/server/keymaster/keymaster.ts';
import type { Log } from '../../src/server/log.ts';
import { openPostgresStore } from '../../src/server/store/postgres.ts';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import type { Store } from '../../src/server/store/store.ts';
import { testKinds } from './test-contest.ts';

export const silent: Log = { info() {}, warn() {}, error() {} };

export const START = Date.UTC(2026, 0, 1);

/** A folder that is gone when `remove` is called. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'tabherd-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface TestKeymaster {
  keymaster: Keymaster;
  store: Store;
  clock: { now: number };
  close: () => Promise<void>;
}

/** Where a test's ledger is: a data folder, or a schema of the tests' PostgreSQL. */
export type Home = string | { url: string; schema: string };

export const openStore = (home: Home): Promise<Store> =>
  typeof home === 'string' ? openSqliteStore(home) : openPostgresStore(home);

export async function openKeymaster(
  home: Home,
  manifests: readonly ContestManifest[],
  {
    clock = { now: START },
    log = silent,
    kinds = testKinds,
    random = Math.random,
    secondRuns = 0,
    checker,
    observer = {},
  }: Partial<Pick<KeymasterPorts, 'log' | 'kinds' | 'random' | 'secondRuns' | 'checker' | 'observer'>> & {
    clock?: { now: number };
  } = {},
): Promise<TestKeymaster> {
  const store = await openStore(home);
  try {
    const keymaster = await Keymaster.open({
      secondRuns,
      checker,
      observer,
      store,
      manifests,
      kinds,
      clock: () => clock.now,
      log,
      random,
      version: '0.0.0',
    });
    return {
      keymaster,
      store,
      clock,
      async close() {
        await keymaster.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The n-th client of a test. */
export const client = (n = 1): ClientInfo => ({
  id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  name: `client ${n}`,
  version: '0.0.0',
});

export interface Asking {
  client?: ClientInfo;
  reports?: ExchangeRequest['reports'];
  blocks?: number;
  units?: number;
  contests?: string[];
  holding?: string[];
  settled?: string[];
  protocols?: readonly string[];
}

/** An exchange's request with everything not said left at its plainest. */
export const asking = (asked: Asking = {}): ExchangeRequest => ({
  protocols: [...(asked.protocols ?? ['keyserver<-client/2'])],
  client: asked.client ?? client(),
  reports: asked.reports ?? [],
  want: {
    blocks: asked.blocks ?? 0,
    from: (asked.contests ?? ['test']).map((contest) => ({ contest, units: asked.units ?? 1000 })),
    ...(asked.holding === undefined ? {} : { holding: asked.holding }),
    ...(asked.settled === undefined ? {} : { settled: asked.settled }),
  },
});
