/** The kiosks, each as it was last heard of. */
import type { Kysely } from 'kysely';

export async function kiosks({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('kiosk')
    .addColumn('client', 'text', (c) => c.primaryKey())
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('label', 'text')
    .addColumn('rate', 'double precision', (c) => c.notNull())
    .addColumn('step', 'text', (c) => c.notNull())
    .addColumn('contest', 'text')
    .addColumn('pause', 'text')
    .addColumn('blocks', 'bigint', (c) => c.notNull())
    .addColumn('up_seconds', 'bigint', (c) => c.notNull())
    .addColumn('first_seen', 'bigint', (c) => c.notNull())
    .addColumn('last_seen', 'bigint', (c) => c.notNull())
    .execute();
  await schema.createIndex('kiosk_seen').on('kiosk').columns(['last_seen']).execute();
}
