/**
 * A whole ledger, read at one moment from either home, and written into an empty one. Tables are copied as they are, in
 * whatever format they have: the tables of that format are made first, and migrated afterwards.
 *
 * Rows go in batches, so that a ledger of any size needs little memory, and a process goes on with other work between them.
 */
import { existsSync } from 'node:fs';
import { Kysely, SqliteDialect, sql } from 'kysely';
import Database from 'libsql';
import { createTables, FORMAT, newerFormat } from './migrate.ts';
import { connectPostgres, messageOf, type PostgresOptions, placeOf } from './postgres.ts';
import { StoreError } from './store.ts';

type Row = Readonly<Record<string, unknown>>;

/** A ledger as it was at one moment. */
export interface LedgerReader {
  /** The migrations it has had. */
  format: number;
  rows(table: string): AsyncIterable<readonly Row[]>;
}

/** Times twelve, the columns of the widest table, is still less than the parameters that SQLite takes. */
const ROWS_AT_ONCE = 2000;

/**
 * Whoever writes to it goes on meanwhile: readers of a write-ahead log keep their moment.
 * @throws StoreError there is no ledger, or one of a newer Tabherd.
 */
export async function readSqlite<T>(path: string, work: (reader: LedgerReader) => Promise<T>): Promise<T> {
  if (!existsSync(path)) throw new StoreError(`there is no ledger at ${path}`);
  const database = new Database(path, { timeout: 5000 });
  try {
    database.exec('PRAGMA query_only = ON');
    database.exec('BEGIN');
    const { format } = database.prepare('select max(version) as format from migration').get([]) as { format: number };
    return await work({ format: known(format), rows: (table) => rowsOfSqlite(database, table) });
  } catch (error) {
    throw storeError(error, path);
  } finally {
    database.close();
  }
}

async function* rowsOfSqlite(database: Database.Database, table: string): AsyncGenerator<Row[]> {
  const select = database.prepare(
    `select *, rowid as "row number" from "${table}" where rowid > ? order by rowid limit ${ROWS_AT_ONCE}`,
  );
  for (let after = 0; ; ) {
    const rows = select.all([after]) as (Row & { 'row number': number })[];
    if (rows.length === 0) return;
    after = rows.at(-1)?.['row number'] ?? 0;
    for (const row of rows as Record<string, unknown>[]) delete row['row number'];
    yield rows;
    await new Promise(setImmediate);
  }
}

/** The same from PostgreSQL. */
export async function readPostgres<T>(
  options: PostgresOptions,
  work: (reader: LedgerReader) => Promise<T>,
): Promise<T> {
  const db = connectPostgres({ ...options, connections: 1 }, 'tabherd backup');
  try {
    const moment = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
    return await moment.execute(async (transaction) => {
      const unknown = transaction as unknown as Kysely<unknown>;
      const { rows } = await sql<{ format: number }>`select max(version) as format from migration`.execute(unknown);
      return work({ format: known(rows[0]?.format ?? 0), rows: (table) => rowsOfPostgres(unknown, table) });
    });
  } catch (error) {
    throw storeError(error, placeOf(options.url));
  } finally {
    await db.destroy();
  }
}

async function* rowsOfPostgres(transaction: Kysely<unknown>, table: string): AsyncGenerator<Row[]> {
  await sql`declare reading no scroll cursor for select * from ${sql.table(table)}`.execute(transaction);
  for (;;) {
    const { rows } = await sql<Row>`fetch ${sql.lit(ROWS_AT_ONCE)} from reading`.execute(transaction);
    if (rows.length === 0) break;
    yield rows;
  }
  await sql`close reading`.execute(transaction);
}

/**
 * Makes the reader's tables and fills them, in the transaction given.
 * @returns the rows of each table.
 */
export async function writeLedger(
  transaction: Kysely<unknown>,
  reader: LedgerReader,
  tables: readonly string[],
): Promise<Record<string, number>> {
  await createTables(transaction, reader.format);
  const target = transaction.withTables<Record<string, Record<string, unknown>>>();
  const counts: Record<string, number> = {};
  for (const table of tables) {
    counts[table] = 0;
    for await (const rows of reader.rows(table)) {
      await target.insertInto(table).values(rows.map(storable)).execute();
      counts[table] += rows.length;
    }
  }
  return counts;
}

/** SQLite gives a blob as an ArrayBuffer, and neither home takes one. */
const storable = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof ArrayBuffer ? Buffer.from(value) : value]),
  );

/** The tables of a format, the list of its migrations apart. */
export async function tablesOf(format: number): Promise<string[]> {
  const database = new Database(':memory:');
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  await createTables(db, format);
  const { rows } = await sql<{ name: string }>`select name from sqlite_master
    where type = 'table' and name not like 'sqlite%' and name <> 'migration' order by name`.execute(db);
  await db.destroy();
  return rows.map(({ name }) => name);
}

function known(format: number | null): number {
  if (format !== null && format > FORMAT) throw new StoreError(newerFormat(format));
  return format ?? 0;
}

function storeError(error: unknown, place: string): StoreError {
  if (error instanceof StoreError) return error;
  const detail = messageOf(error);
  const none = /no such table: migration|relation "migration" does not exist|not a database/;
  if (none.test(detail)) return new StoreError(`there is no ledger in ${place}`, { cause: error });
  return new StoreError(`cannot copy the ledger in ${place}: ${detail}`, { cause: error });
}
