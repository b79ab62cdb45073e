/**
 * A keyserver that does not run, for as long as a file takes: its ledger is opened, and closed again. It listens to nobody
 * and speaks with nobody.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Carrier } from '../../protocol/buffers-file.ts';
import { Keymaster } from '../keymaster/keymaster.ts';
import { type Kinds, manifestOf } from '../ledger/books.ts';
import { Proxy } from '../proxy/proxy.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { StoreError } from '../store/store.ts';
import type { Counter } from './answer.ts';

export interface Stopped {
  keyserver: Counter;
  /** Of a proxy. */
  carrier: Carrier | undefined;
  close(): Promise<void>;
}

const silent = { info() {}, warn() {}, error() {} };

/** @throws StoreError there is no ledger in the folder, or it is in use. */
export async function openStopped(
  dataDir: string,
  { kinds, version }: { kinds: Kinds; version: string },
): Promise<Stopped> {
  const folder = resolve(dataDir);
  if (!existsSync(join(folder, 'ledger.db'))) {
    throw new StoreError(`there is no ledger in ${folder}: start the keyserver there once, or name another --data`);
  }
  const store = await openSqliteStore(folder);
  try {
    const ports = { store, kinds, version, clock: Date.now, log: silent };
    const role = await store.read((ledger) => ledger.meta('role'));
    if (role === 'proxy') {
      const proxy = await Proxy.open({ ...ports, upstreams: [], settings: { mode: 'offline' } });
      return {
        keyserver: carried(proxy),
        carrier: proxy.carrying,
        async close() {
          await proxy.sweep();
          await proxy.close({ keepStock: true });
          await store.close();
        },
      };
    }
    const rows = await store.read((ledger) => ledger.contests());
    const manifests = rows
      .filter(({ origin, offered }) => origin === 'start' && offered === 1)
      .map(({ manifest }) => manifestOf(manifest));
    const keymaster = await Keymaster.open({ ...ports, manifests });
    return {
      keyserver: carried(keymaster),
      carrier: undefined,
      async close() {
        await keymaster.sweep();
        await keymaster.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Whoever has the folder may speak in another's name. */
export const carried = (keyserver: Keymaster | Proxy): Counter => ({
  exchange: (request) => keyserver.exchange(request, { carried: true }),
  contests: () => keyserver.contests(),
});
