/**
 * The standing: who did how much for which team, and an index by which everyone's sums of a span are read in parts, without a
 * look at other spans. Work of before is its client's present team's: no more is known of it.
 */
import { type Kysely, sql } from 'kysely';

export async function standing(db: Kysely<unknown>): Promise<void> {
  const { schema } = db;
  await schema.dropIndex('rollup_time').execute();
  // What it served is served by the beginning of this one.
  await schema.createIndex('rollup_standing').on('rollup').columns(['span', 'at', 'scope', 'contest', 'who']).execute();
  await schema
    .createTable('member')
    .addColumn('team', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('contest', 'text', (c) => c.notNull())
    .addColumn('units', 'bigint', (c) => c.notNull())
    .addColumn('blocks', 'bigint', (c) => c.notNull())
    .addColumn('last_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('member_key', ['team', 'contest', 'name'])
    .execute();
  await schema.createIndex('member_name').on('member').columns(['name']).execute();
  await sql`insert into member (team, name, contest, units, blocks, last_at)
    select coalesce(client.team, ''), coalesce(client.name, ''), credit.contest, sum(credit.units), sum(credit.blocks),
      max(client.last_seen)
    from credit join client on client.id = credit.client where credit.units > 0
    group by coalesce(client.team, ''), coalesce(client.name, ''), credit.contest`.execute(db);
}
