/**
 * The ledger in a PostgreSQL (15 or newer) that several keyserver processes share.
 *
 * A transaction begins with an advisory lock, so writers follow one another as they do over SQLite; while one commits,
 * the others collect the next group of exchanges and check its evidence. The lock is never held over anything but
 * these statements. What counts has a lock of its own. Tables live in a schema of their own, for the database may hold other things.
 */
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient, sql } from 'kysely';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { LedgerQueries } from './queries.ts';
import type { LedgerTables } from './schema.ts';
import { DEFAULT_SCHEMA, type Store, StoreError } from './store.ts';

const OLDEST = 150_000;

const SETTINGS = {
  // 'off' would acknowledge what a power cut can take back.
  synchronous_commit: 'on',
  // Every statement looks up a few rows by an index. The planner, whose statistics lag behind a table that grows by
  // thousands of rows a second, read it whole: forty times as slow.
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
};

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
/** A process that is frozen in the middle of a transaction has the lock of all others: after so long it loses both. */
const HELD_MS = 2000;
const CONNECT_MS = 5000;
const CLAIM_EVERY_MS = 500;
const CLAIM_TRIES = 10;

/** @throws StoreError it cannot be reached, is too old, not durable, or from a newer Tabherd. */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { url, schema = DEFAULT_SCHEMA } = options;
  const connections = connectionsOf(options, applicationName(schema));
  const db = over(connections);
  try {
    await checkServer(db);
    await createSchema(db, schema);
    await migrate(db as unknown as Kysely<unknown>, lockOf(schema));
    return new PostgresStore(db, connections, { ...options, schema });
  } catch (error) {
    await db.destroy();
    if (error instanceof StoreError) throw error;
    throw new StoreError(`cannot open the ledger in ${placeOf(url)}: ${messageOf(error)}`, { cause: error });
  }
}

/** How the connections of keyservers over this schema are called; PostgreSQL keeps 63 characters. */
export const applicationName = (schema: string): string => `tabherd ${schema}`.slice(0, 63);

/** Looks at nothing yet. Closed by `destroy`. */
export const connectPostgres = (options: PostgresOptions, name: string): Kysely<LedgerTables> =>
  over(connectionsOf(options, name));

function connectionsOf(options: PostgresOptions, name: string): Connections {
  const { url, schema = DEFAULT_SCHEMA, connections = 4, silenceMs = STATEMENT_MS + 10_000 } = options;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new StoreError(`the schema ${schema} must be lower-case letters, digits and _`);
  }
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    options: Object.entries({ search_path: schema, ...SETTINGS })
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    // Statements that do not wait for each other's rows are sent at once.
    pipeline: true,
    types: { getTypeParser },
    connectionTimeoutMillis: CONNECT_MS,
    // Longer than between two sweeps, so that a keyserver that runs can be told from one that does not.
    idleTimeoutMillis: 30_000,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: HELD_MS,
    stream: () => impatientSocket(silenceMs),
    application_name: name,
  });
  // An idle connection that breaks: the pool makes another when one is wanted.
  pool.on('error', (error) => options.onError?.(error));
  // One that breaks while it is lent out, between two statements: the next statement fails, which is answer enough.
  pool.on('connect', (client) => client.on('error', () => {}));
  return new Connections(pool);
}

const over = (pool: PostgresPool): Kysely<LedgerTables> => new Kysely({ dialect: new PostgresDialect({ pool }) });

/**
 * A server that vanished without a word (a router that forgot the connection, a machine that lost its power) would be waited
 * for without end, by every exchange in turn: neither TCP nor the driver gives up by itself.
 */
function impatientSocket(silenceMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(silenceMs, () => {
    socket.destroy(new Error(`PostgreSQL said nothing for ${silenceMs / 1000} s`));
  });
}

export async function createSchema(db: Kysely<LedgerTables>, schema: string): Promise<void> {
  await sql`create schema if not exists ${sql.id(schema)}`.execute(db).catch(async (error: unknown) => {
    // Two processes that start at once may both try.
    const there = await sql`select 1 from pg_namespace where nspname = ${schema}`.execute(db);
    if (there.rows.length === 0) throw error;
  });
}

class PostgresStore implements Store {
  readonly #db: Kysely<LedgerTables>;
  readonly #connections: Connections;
  readonly #lockLedger: Lock;
  readonly #lockCounting: Lock;
  readonly #options: PostgresOptions & { schema: string };
  /** The connection that holds the claim. */
  #claim: pg.Client | undefined;
  #isClosed = false;

  constructor(db: Kysely<LedgerTables>, connections: Connections, options: PostgresOptions & { schema: string }) {
    const { schema } = options;
    this.#db = db;
    this.#connections = connections;
    this.#options = options;
    this.#lockLedger = lockOf(schema);
    this.#lockCounting = lockOf(schema, 'counting');
  }

  async claim(): Promise<void> {
    // A process that was killed is noticed by its connection, not quite at once.
    for (let tries = CLAIM_TRIES; tries > 0; tries--) {
      if (await this.#tryClaim()) return;
      await sleep(CLAIM_EVERY_MS);
    }
    throw new StoreError(`another proxy works on the schema ${this.#options.schema}: each needs one of its own`);
  }

  /** Over a connection of its own: PostgreSQL gives the lock up with it. */
  async #tryClaim(): Promise<boolean> {
    const { url, schema } = this.#options;
    const client = new pg.Client({
      connectionString: url,
      application_name: applicationName(schema),
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MS,
    });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query<{ got: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as got',
      [`tabherd proxy ${schema}`],
    );
    if (rows[0]?.got !== true || this.#isClosed) {
      await client.end();
      return false;
    }
    this.#claim = client;
    client.once('end', () => void this.#claimAgain());
    return true;
  }

  /** After PostgreSQL was away. */
  async #claimAgain(): Promise<void> {
    while (!this.#isClosed) {
      await sleep(CLAIM_EVERY_MS, undefined, { ref: false });
      if (this.#isClosed) return;
      // Away, or taken: what the proxy does over its other connections tells of the first.
      if (await this.#tryClaim().catch(() => false)) return;
    }
  }

  transaction<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    return this.#transaction(work, this.#lockLedger);
  }

  counting<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    return this.#transaction(work, this.#lockCounting);
  }

  async #transaction<T>(work: (ledger: LedgerQueries) => Promise<T>, lock: Lock): Promise<T> {
    const connection = await this.#connections.connect();
    const { db } = connection;
    // In the pipe: what the work reads first is sent without waiting for these.
    const begun = Promise.all([sql`begin`.execute(db), lock(db as unknown as Kysely<unknown>)]);
    let isWhole = true;
    try {
      const [value] = await Promise.all([work(new LedgerQueries(db, 'postgresql')), begun]);
      await sql`commit`.execute(db);
      return value;
    } catch (error) {
      await begun.catch(() => {});
      await sql`rollback`.execute(db).catch(() => {
        isWhole = false;
      });
      throw error;
    } finally {
      connection.release(!isWhole);
    }
  }

  read<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    return work(new LedgerQueries(this.#db, 'postgresql'));
  }

  snapshot<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    const transaction = this.#db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
    return transaction.execute(async (db) => {
      // Nobody waits for it, and what is read may go to a slow disk.
      await sql`set local idle_in_transaction_session_timeout = ${sql.lit(STATEMENT_MS)}`.execute(db);
      return work(new LedgerQueries(db, 'postgresql'));
    });
  }

  /** PostgreSQL's autovacuum does it. */
  async tidy(): Promise<void> {}

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#claim?.end().catch(() => {});
    await this.#db.destroy();
  }
}

/** Integers come as numbers: all of the ledger's are below 2^53. */
const getTypeParser: typeof pg.types.getTypeParser = (oid, ...format) =>
  oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, ...format);

/** More texts than the ledger has. None is built from input. */
const MAX_STATEMENTS = 200;

/**
 * The pool. Every statement is prepared once on each connection, under a name: planning takes longer than most of them.
 */
class Connections implements PostgresPool {
  readonly #pool: pg.Pool;
  readonly #names = new Map<string, string>();
  readonly #known = new WeakMap<pg.PoolClient, Connection>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async connect(): Promise<Connection> {
    const client = await this.#pool.connect();
    let connection = this.#known.get(client);
    if (connection === undefined) {
      connection = new Connection(client, (text) => this.#nameOf(text));
      this.#known.set(client, connection);
    }
    return connection;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }

  #nameOf(text: string): string | undefined {
    let name = this.#names.get(text);
    if (name === undefined && this.#names.size < MAX_STATEMENTS) {
      name = `s${this.#names.size}`;
      this.#names.set(text, name);
    }
    return name;
  }
}

class Connection implements PostgresPoolClient {
  /** Statements over this connection alone, each sent when it is called: what kysely reserves waits for the one before. */
  readonly db: Kysely<LedgerTables>;
  readonly #client: pg.PoolClient;
  readonly #nameOf: (text: string) => string | undefined;

  constructor(client: pg.PoolClient, nameOf: (text: string) => string | undefined) {
    this.#client = client;
    this.#nameOf = nameOf;
    const lent = { query: this.query, release() {} } as PostgresPoolClient;
    this.db = over({ connect: async () => lent, end: async () => {} });
  }

  query = ((text: string, values: unknown[]) =>
    this.#client.query({ name: this.#nameOf(text), text, values })) as never;

  /** @param isBroken it is closed, and not lent again. */
  release(isBroken = false): void {
    this.#client.release(isBroken);
  }
}

type Lock = (db: Kysely<unknown>) => Promise<void>;

/** Released by the transaction's end, and by the end of a process that dies. @param what of the schema. */
export function lockOf(schema: string, what: 'ledger' | 'counting' = 'ledger'): Lock {
  const name = `tabherd ${what} ${schema}`;
  return async (db) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(db);
  };
}

export async function checkServer(db: Kysely<LedgerTables>): Promise<void> {
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
export function placeOf(url: string): string {
  return URL.canParse(url) ? `${new URL(url).host}${new URL(url).pathname}` : 'the address given';
}

export const messageOf = (error: unknown): string =>
  error instanceof AggregateError
    ? error.errors.map(String).join(', ')
    : error instanceof Error
      ? error.message
      : String(error);
