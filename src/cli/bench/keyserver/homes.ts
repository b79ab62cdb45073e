/**
 * The two homes of a ledger, for the bench: a folder, or a private PostgreSQL with fsync on. Each with the keyserver over it as a
 * process of its own, and as a store to be opened in this process.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openPostgresStore } from '../../../server/store/postgres.ts';
import { openSqliteStore } from '../../../server/store/sqlite.ts';
import { type KeyserverChild, type KeyserverChildOptions, startKeyserver } from '../keyserver-child.ts';
import { type Postgres, startPostgres } from '../postgres.ts';
import { ogrBlocks, rc5Blocks } from './contests.ts';
import type { LedgerHome } from './million.ts';
import type { HomeName } from './options.ts';

export interface Home {
  readonly name: HomeName;
  readonly version: string;
  /** The database's process, where it is one of its own. */
  readonly pid?: number;
  /** The built server, dealing in the bench's contests. */
  serve(how: Pick<KeyserverChildOptions, 'profile' | 'program'>): Promise<KeyserverChild>;
  /** Calls with an empty ledger, which is gone afterwards. */
  withLedger<T>(use: (home: LedgerHome) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function openHome(name: HomeName): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'tabherd-bench-'));
  if (name === 'sqlite') return sqliteHome(folder);
  const postgres = await startPostgres();
  try {
    return await postgresHome(folder, postgres);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function sqliteHome(folder: string): Promise<Home> {
  const { default: Database } = await import('libsql');
  const version = new Database(':memory:').prepare('select sqlite_version() as version').get() as { version: string };
  return {
    name: 'sqlite',
    version: `SQLite ${version.version}`,
    serve: async (how) => startKeyserver(await sub(folder), [ogrBlocks, rc5Blocks], how),
    async withLedger(use) {
      const data = await sub(folder);
      const store = await openSqliteStore(data);
      try {
        return await use({
          store,
          async bytes() {
            // By another connection, as an operator would.
            const database = new Database(join(data, 'ledger.db'), { timeout: 5000 });
            database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
            database.close();
            const sizes = (await readdir(data)).map(async (file) => (await stat(join(data, file))).size);
            return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
          },
        });
      } finally {
        await store.close();
        await rm(data, { recursive: true });
      }
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function postgresHome(folder: string, postgres: Postgres): Promise<Home> {
  const ask = async (text: string): Promise<Record<string, string>> => {
    const client = new pg.Client(postgres.url);
    await client.connect();
    try {
      return (await client.query(text)).rows[0] as Record<string, string>;
    } finally {
      await client.end();
    }
  };
  return {
    name: 'postgresql',
    pid: postgres.pid,
    version: `PostgreSQL ${(await ask('show server_version'))['server_version']}`,
    async serve(how) {
      await ask('drop schema if exists tabherd cascade');
      return startKeyserver(await sub(folder), [ogrBlocks, rc5Blocks], { ...how, databaseUrl: postgres.url });
    },
    async withLedger(use) {
      const schema = 'bench';
      const store = await openPostgresStore({ url: postgres.url, schema });
      try {
        return await use({
          store,
          async bytes() {
            const sizes = await ask(
              `select sum(pg_total_relation_size(oid)) as bytes from pg_class
               where relnamespace = '${schema}'::regnamespace and relkind = 'r'`,
            );
            return Number(sizes['bytes']);
          },
        });
      } finally {
        await store.close();
        await ask(`drop schema ${schema} cascade`);
      }
    },
    async close() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Bytes that a process has in memory now, and had at most; where there is no /proc, undefined. */
export async function memoryOf(pid: number): Promise<{ now: number; most: number } | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  if (status === undefined) return undefined;
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { now: 1024 * kilobytes('VmRSS'), most: 1024 * kilobytes('VmHWM') };
}

let folders = 0;
async function sub(folder: string): Promise<string> {
  const path = join(folder, `${++folders}`);
  await mkdir(path);
  return path;
}
