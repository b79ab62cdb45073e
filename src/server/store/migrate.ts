/**
 * Numbered, forward-only migrations. Each runs in a transaction of its own together with the line that records
 * it, so a kill in the middle leaves the version before. A database from a newer Tabherd is refused: an older
 * program must not guess at tables it does not know.
 */
import type { Kysely } from 'kysely';
import { ledger } from './migrations/0001-ledger.ts';
import { pyramid } from './migrations/0002-pyramid.ts';
import { standing } from './migrations/0003-standing.ts';
import { kiosks } from './migrations/0004-kiosks.ts';
import { trust } from './migrations/0005-trust.ts';
import { again } from './migrations/0006-again.ts';
import { pools } from './migrations/0007-pools.ts';
import { sites } from './migrations/0008-sites.ts';
import { StoreError } from './store.ts';

/** In order; the version of a database is how many of these it has had. Never edit one that was released. */
const MIGRATIONS: readonly ((db: Kysely<unknown>) => Promise<void>)[] = [
  ledger,
  pyramid,
  standing,
  kiosks,
  trust,
  again,
  pools,
  sites,
];

/** The newest format there is. */
export const FORMAT = MIGRATIONS.length;

/** Every table that a ledger of any format has. */
export const TABLES = (
  'migration contest run lease hit client credit member tally journal rollup finished meta signing_key proxy ' +
  'upstream_lease outbox kiosk conduct case_file second_run registrar pool_element site'
).split(' ');

/** The tables of a format, new or old, in a database that has none; all in the transaction given. */
export async function createTables(transaction: Kysely<unknown>, format: number): Promise<void> {
  await transaction.schema
    .createTable('migration')
    .addColumn('version', 'bigint', (c) => c.primaryKey())
    .execute();
  const versions = transaction.withTables<{ migration: { version: number } }>();
  for (const [index, migration] of MIGRATIONS.slice(0, format).entries()) {
    await migration(transaction);
    await versions
      .insertInto('migration')
      .values({ version: index + 1 })
      .execute();
  }
}

/** What is said of a format that this program does not know. */
export const newerFormat = (format: number): string =>
  `the ledger was written by a newer Tabherd (its format is ${format}, this one knows ${FORMAT})`;

/** @param lock keeps other processes over the same database waiting until the transaction ends. */
export async function migrate(
  db: Kysely<unknown>,
  lock: (db: Kysely<unknown>) => Promise<void> = async () => {},
): Promise<void> {
  const versions = db.withTables<{ migration: { version: number } }>();
  await versions.transaction().execute(async (transaction) => {
    await lock(transaction as unknown as Kysely<unknown>);
    await transaction.schema
      .createTable('migration')
      .ifNotExists()
      .addColumn('version', 'bigint', (c) => c.primaryKey())
      .execute();
  });
  for (const [index, migration] of MIGRATIONS.entries()) {
    await versions.transaction().execute(async (transaction) => {
      const unknown = transaction as unknown as Kysely<unknown>;
      await lock(unknown);
      const newest = await transaction
        .selectFrom('migration')
        .select((e) => e.fn.max('version').as('version'))
        .executeTakeFirst();
      const version = newest?.version ?? 0;
      if (version > MIGRATIONS.length) {
        throw new StoreError(newerFormat(version));
      }
      if (index < version) return;
      await migration(unknown);
      await transaction
        .insertInto('migration')
        .values({ version: index + 1 })
        .execute();
    });
  }
}
