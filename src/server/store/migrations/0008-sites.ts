/** Sites that show the widget, and who came through which. */
import type { Kysely } from 'kysely';

export async function sites({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('site')
    .addColumn('token', 'text', (c) => c.primaryKey())
    .addColumn('team', 'text', (c) => c.notNull())
    .addColumn('origins', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('revoked_at', 'bigint')
    .execute();
  await schema.alterTable('client').addColumn('site', 'text').execute();
}
