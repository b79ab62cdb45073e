/**
 * Backup and restore of a ledger, either home of it. A backup is one SQLite file, a copy of every table at one moment,
 * taken while keyservers go on over the ledger; so it also moves a ledger from one home to the other. It holds the
 * signing keys. A backup in a data folder, called ledger.db, is a ledger that can be served.
 *
 * A file or a ledger is there as a whole or not at all: what is made has another name, or is uncommitted, until it is
 * complete and on the disk.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { Kysely, SqliteDialect, sql } from 'kysely';
import Database from 'libsql';
import type { LedgerCheck } from '../../protocol/administration.ts';
import { checkLedger } from '../ledger/check.ts';
import { type LedgerReader, readPostgres, readSqlite, tablesOf, writeLedger } from './copy.ts';
import { TABLES } from './migrate.ts';
import {
  applicationName,
  checkServer,
  connectPostgres,
  createSchema,
  lockOf,
  messageOf,
  openPostgresStore,
  type PostgresOptions,
  placeOf,
} from './postgres.ts';
import { makePrivateFile, syncFile } from './private-file.ts';
import { ledgerPath, lockFolder, openSqliteStore } from './sqlite.ts';
import { DEFAULT_SCHEMA, StoreError } from './store.ts';

/** Where a ledger lives. */
export type LedgerHome = { dataDir: string } | PostgresOptions;

export interface Copied {
  /** The format of the ledger that was copied. */
  format: number;
  /** The rows of each table. */
  rows: Record<string, number>;
}

/**
 * @param force overwrites a file that is there.
 * @throws StoreError there is no ledger, it is of a newer Tabherd, or the file is there.
 */
export async function backUp(home: LedgerHome, file: string, { force = false } = {}): Promise<Copied> {
  if (!force && existsSync(file)) throw new StoreError(`${file} is there already; --force overwrites it`);
  return readHome(home, (reader) => writeWhole(reader, file));
}

/**
 * Into a home that is missing or empty; the ledger there is then of the newest format.
 * @param force replaces the ledger that is there.
 * @throws StoreError the file is no backup or of a newer Tabherd, or the home is in use or not empty.
 */
export async function restore(
  file: string,
  home: LedgerHome,
  { force = false } = {},
): Promise<Copied & { check: LedgerCheck }> {
  const copied = await readSqlite(file, (reader) =>
    'dataDir' in home ? restoreFolder(reader, home.dataDir, force) : restoreSchema(reader, home, force),
  );
  const store = 'dataDir' in home ? await openSqliteStore(home.dataDir) : await openPostgresStore(home);
  try {
    return { ...copied, check: await store.snapshot(checkLedger) };
  } finally {
    await store.close();
  }
}

const readHome = <T>(home: LedgerHome, work: (reader: LedgerReader) => Promise<T>): Promise<T> =>
  'dataDir' in home ? readSqlite(ledgerPath(home.dataDir), work) : readPostgres(home, work);

async function restoreFolder(reader: LedgerReader, dataDir: string, force: boolean): Promise<Copied> {
  const lock = lockFolder(dataDir);
  try {
    const path = ledgerPath(dataDir);
    if (existsSync(path) && !force) throw new StoreError(`there is a ledger in ${dataDir}; --force replaces it`);
    // Only once the new one is complete; a log left beside it would be taken for its own.
    return await writeWhole(reader, path, () => {
      for (const name of [path, `${path}-wal`, `${path}-shm`]) rmSync(name, { force: true });
    });
  } finally {
    lock.close();
  }
}

/** Writes a database file under another name, and gives it its name when it is on the disk. */
async function writeWhole(reader: LedgerReader, file: string, before = () => {}): Promise<Copied> {
  const part = `${file}.part-${process.pid}`;
  rmSync(part, { force: true });
  try {
    makePrivateFile(part);
    const database = new Database(part);
    // Before anything is written, as in every ledger (`sqlite.ts`). A crash leaves a part, which nobody takes for a whole.
    for (const pragma of ['auto_vacuum = INCREMENTAL', 'journal_mode = OFF', 'synchronous = OFF']) {
      database.exec(`PRAGMA ${pragma}`);
    }
    const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
    const tables = await tablesOf(reader.format);
    const rows = await db.transaction().execute((transaction) => writeLedger(transaction, reader, tables));
    await db.destroy();
    syncFile(part);
    before();
    renameSync(part, file);
    syncFile(file);
    return { format: reader.format, rows };
  } catch (error) {
    rmSync(part, { force: true });
    if (error instanceof StoreError) throw error;
    throw new StoreError(`cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** All of it in one transaction: if it fails, what was there before still is. */
async function restoreSchema(reader: LedgerReader, options: PostgresOptions, force: boolean): Promise<Copied> {
  const { url, schema = DEFAULT_SCHEMA } = options;
  const place = `schema ${schema} of ${placeOf(url)}`;
  const db = connectPostgres({ ...options, connections: 1 }, 'tabherd restore');
  try {
    await checkServer(db);
    await createSchema(db, schema);
    const tables = await tablesOf(reader.format);
    const rows = await db.transaction().execute(async (transaction) => {
      const unknown = transaction as unknown as Kysely<unknown>;
      await lockOf(schema)(unknown);
      await refuseServed(unknown, schema, place);
      await emptySchema(unknown, schema, force, place);
      return writeLedger(unknown, reader, tables);
    });
    return { format: reader.format, rows };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError(`cannot restore into ${place}: ${messageOf(error)}`, { cause: error });
  } finally {
    await db.destroy();
  }
}

async function refuseServed(db: Kysely<unknown>, schema: string, place: string): Promise<void> {
  const { rows } = await sql`select 1 from pg_stat_activity
    where datname = current_database() and application_name = ${applicationName(schema)}`.execute(db);
  if (rows.length > 0) throw new StoreError(`the ledger in ${place} is in use by a keyserver`);
}

/** Drops the ledger's tables, no others: the schema may hold more. */
async function emptySchema(db: Kysely<unknown>, schema: string, force: boolean, place: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`select tablename as name from pg_tables
    where schemaname = ${schema} and tablename in (${sql.join(TABLES)})`.execute(db);
  for (const { name } of rows) {
    const table = sql.table(name);
    const some = await sql`select 1 from ${table} limit 1`.execute(db);
    if (some.rows.length > 0 && name !== 'migration' && !force) {
      throw new StoreError(`there is a ledger in ${place}; --force replaces it`);
    }
  }
  for (const { name } of rows) await sql`drop table ${sql.table(name)}`.execute(db);
}
