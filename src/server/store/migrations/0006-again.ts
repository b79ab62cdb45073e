/** What a client was asked to do again counts for it as well, and is to be known where it is taken back. */
import type { Kysely } from 'kysely';

export async function again({ schema }: Kysely<unknown>): Promise<void> {
  for (const column of ['again_units', 'again_blocks']) {
    await schema
      .alterTable('credit')
      .addColumn(column, 'bigint', (c) => c.notNull().defaultTo(0))
      .execute();
  }
}
