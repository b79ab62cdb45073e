/**
 * The embedded store: SQLite in a data folder, durable before the answer (WAL, synchronous=FULL: one fsync a
 * commit, so a power cut loses nothing that was acknowledged).
 *
 * The driver is `libsql`, not better-sqlite3: the same API, but its binaries come inside npm packages for every
 * platform, so a machine with Node alone needs neither a compiler nor a download from elsewhere.
 *
 * The folder belongs to one process. The lock is a second database file with a transaction held open on it: the
 * kernel drops it with the process, even on kill -9. `locking_mode=EXCLUSIVE` on the ledger itself would do, but
 * libsql keeps a closed connection alive until its statements are collected, and the lock with it.
 */
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { migrate } from './migrate.ts';
import { makePrivateFile, makePrivateFolder } from './private-file.ts';
import { LedgerQueries } from './queries.ts';
import type { LedgerTables } from './schema.ts';
import { type Store, StoreError } from './store.ts';

/** The ledger's file in a data folder. */
export const ledgerPath = (dataDir: string): string => join(dataDir, 'ledger.db');

export interface SqliteOptions {
  /** False: nothing waits for the disk, and a power cut loses what was answered last. For simulations. */
  durable?: boolean;
}

/** @throws StoreError the folder is in use, not writable, or from a newer Tabherd. */
export async function openSqliteStore(dataDir: string, { durable = true }: SqliteOptions = {}): Promise<Store> {
  const lock = lockFolder(dataDir);
  try {
    const path = ledgerPath(dataDir);
    makePrivateFile(path);
    const database = new Database(path, { timeout: 5000 });
    // Before anything is written. Pages that melted runs and the journal leave go back to the disk (`tidy`).
    database.exec('PRAGMA auto_vacuum = INCREMENTAL');
    database.exec('PRAGMA journal_mode = WAL');
    // A commit touches pages all over the file. With the default of 2 MB they were read again and again, and with the default
    // of 4 MB in the log they were written twice as often.
    database.exec(`PRAGMA cache_size = -${CACHE_KB}`);
    database.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'OFF'}`);
    const db = new Kysely<LedgerTables>({ dialect: new SqliteDialect({ database: withStatementCache(database) }) });
    await migrate(db as unknown as Kysely<unknown>);
    return new SqliteStore(db, database, lock);
  } catch (error) {
    lock.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError(`cannot open the ledger in ${dataDir}: ${messageOf(error)}`, { cause: error });
  }
}

const CACHE_KB = 16_000;
/** 16 MB. */
const LOG_PAGES = 4000;

/** 4 MB: a few milliseconds. */
const PAGES_AT_ONCE = 1000;

class SqliteStore implements Store {
  readonly #db: Kysely<LedgerTables>;
  readonly #database: Database.Database;
  readonly #lock: Database.Database;

  constructor(db: Kysely<LedgerTables>, database: Database.Database, lock: Database.Database) {
    this.#db = db;
    this.#database = database;
    this.#lock = lock;
  }

  /** The folder is this process's already. */
  async claim(): Promise<void> {}

  transaction<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute((transaction) => work(new LedgerQueries(transaction, 'sqlite')));
  }

  counting<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    return this.transaction(work);
  }

  read<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    return work(new LedgerQueries(this.#db, 'sqlite'));
  }

  /** Commits of this process wait meanwhile: the driver would keep the whole process waiting anyway. */
  snapshot<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    return this.transaction(work);
  }

  async tidy(): Promise<void> {
    this.#database.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
  }

  async close(): Promise<void> {
    // The driver leaves its connection open until its statements are collected, and with it the log unwritten to the file.
    // Where that fails (a full disk), the log stays and nothing is lost.
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {}
    await this.#db.destroy();
    this.#lock.close();
  }
}

/**
 * Made if it is not there. Held until closed, or the process ends.
 * @throws StoreError it is in use, or cannot be used.
 */
export function lockFolder(dataDir: string): Database.Database {
  let lock: Database.Database | undefined;
  try {
    makePrivateFolder(dataDir);
    const path = join(dataDir, 'lock');
    makePrivateFile(path);
    lock = new Database(path, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    throw (error as { code?: unknown }).code === 'SQLITE_BUSY'
      ? new StoreError(`the data folder ${dataDir} is in use by another keyserver`, { cause: error })
      : new StoreError(`cannot use the data folder ${dataDir}: ${messageOf(error)}`, { cause: error });
  }
}

/** Preparing costs half of a small query; the texts that the ledger sends are few, and none is built from input. */
const MAX_STATEMENTS = 500;

const NOTHING = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
};

type Statement = Pick<Database.Statement, 'reader' | 'all' | 'run' | 'iterate'>;

function withStatementCache(database: Database.Database) {
  const statements = new Map<string, Database.Statement>();
  let isInside = false;
  const prepared = (sql: string): Database.Statement => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      statement = database.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  const begin: Statement = {
    ...NOTHING,
    run() {
      const result = prepared('begin').run();
      isInside = true;
      return result;
    },
  };
  return {
    close: () => database.close(),
    prepare(sql: string): Statement {
      if (sql === 'begin') return begin;
      const hasEnded = isInside && !database.inTransaction;
      if (sql === 'commit' || sql === 'rollback') isInside = false;
      // A full disk ends a transaction by itself. A failing rollback would hide what went wrong,
      if (sql === 'rollback' && !database.inTransaction) return NOTHING;
      // and what was called beside the statement that failed would be committed alone.
      if (hasEnded) throw new StoreError('the transaction failed before this');
      return prepared(sql);
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
