/**
 * Numbered, forward-only migrations. Each runs in a transaction of its own together with the line that records
 * it, so a kill in the middle leaves the version before. A database from a newer Tabherd is refused: an older
 * program must not guess at tables it does not know.
 */
import type { Kysely } from 'kysely';
import { ledger } from './migrations/0001-ledger.ts';
import { pyramid } from './migrations/0002-pyramid.ts';
import { StoreError } from './store.ts';

/** In order; the version of a database is how many of these it has had. Never edit one that was released. */
const MIGRATIONS: readonly ((db: Kysely<unknown>) => Promise<void>)[] = [ledger, pyramid];

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
        throw new StoreError(
          `the ledger was written by a newer Tabherd (its format is ${version}, this one knows ${MIGRATIONS.length})`,
        );
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
