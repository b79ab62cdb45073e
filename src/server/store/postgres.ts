/**
 * The ledger in a PostgreSQL (15 or newer) that several keyserver processes share.
 *
 * A transaction begins with an advisory lock, so writers follow one another as they do over SQLite; while one commits,
 * the others collect the next group of exchanges and check its evidence. The lock is never held over anything but
 * these statements. Tables live in a schema of their own, for the database may hold other things.
 */
import { Socket } from 'node:net';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { LedgerQueries } from './queries.ts';
import type { LedgerTables } from './schema.ts';
import { type Store, StoreError } from './store.ts';

const OLDEST = 150_000;

export interface PostgresOptions {
  /** `postgresql://user:password@host:port/database`. */
  url: string;
  /** Made if it is not there. */
  schema?: string;
  /** One writes while the others read. */
  connections?: number;
  /** A connection that says nothing for so long while it is asked is broken; longer than any statement takes. */
  silenceMs?: number;
  onError?(error: Error): void;
}

/** The server's own limits: a backend that hangs must not hold everyone's answer for ever. */
const STATEMENT_MS = 30_000;

/** @throws StoreError it cannot be reached, is too old, not durable, or from a newer Tabherd. */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { url, schema = 'tabherd', connections = 4, silenceMs = STATEMENT_MS + 10_000 } = options;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new StoreError(`the schema ${schema} must be lower-case letters, digits and _`);
  }
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    // 'off' would acknowledge what a power cut can take back.
    options: `-c search_path=${schema} -c synchronous_commit=on`,
    types: {
      // Below 2^53, all of them.
      getTypeParser: (oid, format) => (oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)),
    },
    connectionTimeoutMillis: 5000,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    stream: () => impatientSocket(silenceMs),
    application_name: 'tabherd',
  });
  // An idle connection that breaks: the pool makes another when one is wanted.
  pool.on('error', (error) => options.onError?.(error));
  // One that breaks while it is lent out, between two statements: the next statement fails, which is answer enough.
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<LedgerTables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await check(db);
    const lock = lockOf(schema);
    await sql`create schema if not exists ${sql.id(schema)}`.execute(db).catch(async (error: unknown) => {
      // Two processes that start at once may both try.
      const there = await sql`select 1 from pg_namespace where nspname = ${schema}`.execute(db);
      if (there.rows.length === 0) throw error;
    });
    await migrate(db as unknown as Kysely<unknown>, (transaction) => lock(transaction));
    return new PostgresStore(db, lock);
  } catch (error) {
    await db.destroy();
    if (error instanceof StoreError) throw error;
    throw new StoreError(`cannot open the ledger in ${placeOf(url)}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * A server that vanished without a word (a router that forgot the connection, a machine that lost its power) would be waited
 * for without end, by every exchange in turn: neither TCP nor the driver gives up by itself. Idle connections end long before.
 */
function impatientSocket(silenceMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(silenceMs, () => {
    socket.destroy(new Error(`PostgreSQL said nothing for ${silenceMs / 1000} s`));
  });
}

class PostgresStore implements Store {
  readonly #db: Kysely<LedgerTables>;
  readonly #lock: (db: Kysely<unknown>) => Promise<void>;

  constructor(db: Kysely<LedgerTables>, lock: (db: Kysely<unknown>) => Promise<void>) {
    this.#db = db;
    this.#lock = lock;
  }

  transaction<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute(async (transaction) => {
      await this.#lock(transaction as unknown as Kysely<unknown>);
      return work(new LedgerQueries(transaction));
    });
  }

  read<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    return work(new LedgerQueries(this.#db));
  }

  /** PostgreSQL's autovacuum does it. */
  async tidy(): Promise<void> {}

  close(): Promise<void> {
    return this.#db.destroy();
  }
}

/** Released by the transaction's end, and by the end of a process that dies. */
function lockOf(schema: string): (db: Kysely<unknown>) => Promise<void> {
  const name = `tabherd ledger ${schema}`;
  return async (db) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(db);
  };
}

async function check(db: Kysely<LedgerTables>): Promise<void> {
  const { rows } = await sql<{
    version: string;
    fsync: string;
  }>`select current_setting('server_version_num') as version,
    current_setting('fsync') as fsync`.execute(db);
  const { version = '0', fsync = 'on' } = rows[0] ?? {};
  if (Number(version) < OLDEST) throw new StoreError(`this PostgreSQL is too old (${version}): 15 or newer is needed`);
  if (fsync !== 'on') throw new StoreError('this PostgreSQL runs with fsync = off: a power cut could take the ledger');
}

/** The address without what is secret in it. */
function placeOf(url: string): string {
  return URL.canParse(url) ? `${new URL(url).host}${new URL(url).pathname}` : 'the address given';
}

const messageOf = (error: unknown): string =>
  error instanceof AggregateError
    ? error.errors.map(String).join(', ')
    : error instanceof Error
      ? error.message
      : String(error);
