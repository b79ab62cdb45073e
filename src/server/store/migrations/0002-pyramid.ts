/**
 * The ledger of the pyramid. Free, done and leased units become runs of one table, so that a lease may lose a part and
 * keep the rest; ended leases need no rows any more, for a lease proves itself. What is counted (credit, rollups) is
 * folded out of a journal, away from the exchange that everyone waits for.
 */
import { type Kysely, sql } from 'kysely';

export async function pyramid(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  await schema.alterTable('contest').addColumn('priority', 'bigint').execute();
  await schema.alterTable('contest').addColumn('weight', 'double precision').execute();
  await schema.alterTable('contest').addColumn('allocation', 'text').execute();
  await schema.alterTable('contest').addColumn('cursor', 'bigint').execute();
  await schema
    .alterTable('contest')
    .addColumn('origin', 'text', (c) => c.notNull().defaultTo('start'))
    .execute();
  await schema
    .alterTable('contest')
    .addColumn('offered', 'bigint', (c) => c.notNull().defaultTo(1))
    .execute();

  await schema.dropIndex('run_lowest').execute();
  await schema.alterTable('run').renameTo('run_before').execute();
  await schema
    .createTable('run')
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('first', 'bigint', (c) => c.notNull())
    .addColumn('past', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('lease', 'text')
    .addColumn('holder', 'text')
    .addColumn('expires_at', 'bigint')
    .addColumn('recycle_at', 'bigint')
    .addPrimaryKeyConstraint('run_key', ['contest', 'first'])
    .execute();
  await sql`insert into run (contest, first, past, state) select contest, first, first + count, state from run_before`.execute(
    db,
  );
  await sql`insert into run (contest, first, past, state, lease, holder, expires_at, recycle_at)
    select contest, first, first + count, 'leased', id, client, expires_at, expires_at from lease where state = 'live'`.execute(
    db,
  );
  await schema.dropTable('run_before').execute();
  await schema.dropTable('lease').execute();
  // Partial: a done run, of which there may be many, is in none of them.
  await sql`create index run_free on run (contest, first) where state = 'free'`.execute(db);
  await sql`create index run_holder on run (holder) where holder is not null`.execute(db);
  await sql`create index run_recycle on run (recycle_at) where recycle_at is not null`.execute(db);

  await schema.alterTable('client').addColumn('number', 'bigint').execute();
  await schema.alterTable('client').addColumn('team', 'text').execute();
  await schema.alterTable('client').addColumn('class', 'text').execute();
  await sql`create unique index client_number on client (number) where number is not null`.execute(db);
  await schema
    .alterTable('credit')
    .addColumn('duplicates', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();

  await schema
    .createTable('journal')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();

  await schema
    .createTable('rollup')
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('span', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('units', 'bigint', (c) => c.notNull())
    .addColumn('blocks', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('rollup_key', ['contest', 'scope', 'who', 'span', 'at'])
    .execute();
  await schema.createIndex('rollup_time').on('rollup').columns(['span', 'at']).execute();

  await schema
    .createTable('finished')
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('day', 'bigint', (c) => c.notNull())
    .addColumn('part', 'bigint', (c) => c.notNull())
    .addColumn('blocks', sql`bytea`, (c) => c.notNull())
    .addPrimaryKeyConstraint('finished_key', ['contest', 'day', 'part'])
    .execute();

  await schema
    .createTable('meta')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();

  await schema
    .createTable('signing_key')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('secret', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('retired_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .execute();

  await schema
    .createTable('proxy')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text')
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('first_seen', 'bigint', (c) => c.notNull())
    .addColumn('last_seen', 'bigint', (c) => c.notNull())
    .addColumn('listed', 'bigint', (c) => c.notNull().defaultTo(0))
    .addColumn('revoked_at', 'bigint')
    .execute();

  await schema
    .createTable('upstream_lease')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('first', 'bigint', (c) => c.notNull())
    .addColumn('past', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('proof', 'text')
    .addPrimaryKeyConstraint('upstream_lease_key', ['contest', 'first'])
    .execute();

  await schema
    .createTable('outbox')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('first', 'bigint', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('urgent', 'bigint', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  // Bodies are long: neither what goes up next nor how much waits may need to look at all of them.
  await schema.createIndex('outbox_order').on('outbox').columns(['urgent desc', 'at']).execute();
  await schema.createIndex('outbox_units').on('outbox').columns(['contest', 'first']).execute();
  await schema.createIndex('outbox_count').on('outbox').columns(['contest', 'at', 'urgent']).execute();
}
