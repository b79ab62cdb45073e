/** The first ledger. Forward only; `bigint` everywhere because PostgreSQL's `integer` ends at 2^31. */
import type { Kysely } from 'kysely';

export async function ledger(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  await schema
    .createTable('contest')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('position', 'bigint', (c) => c.notNull())
    .addColumn('manifest', 'text', (c) => c.notNull())
    .addColumn('closed_by', 'text')
    .addColumn('done', 'bigint', (c) => c.notNull())
    .addColumn('leased', 'bigint', (c) => c.notNull())
    .execute();

  await schema
    .createTable('run')
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('first', 'bigint', (c) => c.notNull())
    .addColumn('count', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('run_pk', ['contest', 'first'])
    .execute();
  // The lowest free run is the first of its index range.
  await schema.createIndex('run_lowest').on('run').columns(['contest', 'state', 'first']).execute();

  await schema
    .createTable('lease')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('first', 'bigint', (c) => c.notNull())
    .addColumn('count', 'bigint', (c) => c.notNull())
    .addColumn('client', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('code', 'text')
    .addColumn('detail', 'text')
    .execute();
  // Serves the sweep of live leases, and the pruning of each kind of ended ones.
  await schema.createIndex('lease_due').on('lease').columns(['state', 'expires_at']).execute();
  await schema.createIndex('lease_holder').on('lease').columns(['client', 'contest', 'state']).execute();

  await schema
    .createTable('hit')
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('lease', 'text', (c) => c.notNull())
    .addColumn('unit', 'bigint', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('hit_lease').on('hit').columns(['lease']).execute();

  await schema
    .createTable('client')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text')
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('first_seen', 'bigint', (c) => c.notNull())
    .addColumn('last_seen', 'bigint', (c) => c.notNull())
    .execute();
  await schema.createIndex('client_seen').on('client').columns(['last_seen']).execute();

  await schema
    .createTable('credit')
    .addColumn('client', 'text', (c) => c.notNull())
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('units', 'bigint', (c) => c.notNull())
    .addColumn('blocks', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('credit_pk', ['client', 'contest'])
    .execute();

  await schema
    .createTable('tally')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'bigint', (c) => c.notNull())
    .execute();
}
