/** Pools of gateways, for registrars that share this database. */
import type { Kysely } from 'kysely';

export async function pools({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('registrar')
    .addColumn('id', 'bigint', (c) => c.primaryKey())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('heard_at', 'bigint', (c) => c.notNull())
    .execute();
  await schema
    .createTable('pool_element')
    .addColumn('handle', 'text', (c) => c.notNull())
    .addColumn('id', 'bigint', (c) => c.notNull())
    .addColumn('home', 'bigint', (c) => c.notNull())
    .addColumn('iat', 'bigint', (c) => c.notNull())
    .addColumn('changed_at', 'bigint', (c) => c.notNull())
    .addColumn('gone', 'bigint', (c) => c.notNull())
    .addColumn('statement', 'text', (c) => c.notNull())
    .addColumn('voucher', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('pool_element_key', ['handle', 'id'])
    .execute();
  await schema.createIndex('pool_element_changed').on('pool_element').columns(['changed_at']).execute();
}
