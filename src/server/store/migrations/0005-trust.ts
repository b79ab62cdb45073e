/** How clients conduct themselves, the cases against them, and blocks that a second client does. */
import type { Kysely } from 'kysely';

export async function trust({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('conduct')
    .addColumn('client', 'text', (c) => c.notNull())
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('conduct_key', ['client', 'contest'])
    .execute();
  await schema
    .createTable('case_file')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('client', 'text', (c) => c.notNull())
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('pardoned_at', 'bigint')
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('case_file_at').on('case_file').columns(['at']).execute();
  await schema.createIndex('case_file_client').on('case_file').columns(['client']).execute();
  await schema
    .createTable('second_run')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('first', 'bigint', (c) => c.notNull())
    .addColumn('count', 'bigint', (c) => c.notNull())
    .addColumn('known', 'bigint', (c) => c.notNull())
    .addColumn('lease', 'text')
    .addColumn('holder', 'text')
    .addColumn('expires_at', 'bigint')
    .addColumn('body', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('second_run_lease').on('second_run').columns(['lease']).execute();
}
