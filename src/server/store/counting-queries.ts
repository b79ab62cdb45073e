/** The statements about what was finished, by whom, and what that counts: `ledger/fold.ts`, `ledger/history.ts`. */
import { sql } from 'kysely';
import type { CreditRow, FinishedRow, JournalRow, MemberRow, RollupRow, TallyRow } from './schema.ts';
import type { Columns } from './sets.ts';
import { Statements } from './statements.ts';

const CREDIT: Columns<CreditRow> = {
  client: 'text',
  contest: 'text',
  units: 'bigint',
  blocks: 'bigint',
  duplicates: 'bigint',
  again_units: 'bigint',
  again_blocks: 'bigint',
};
const ROLLUP: Columns<RollupRow> = {
  contest: 'text',
  scope: 'text',
  who: 'text',
  span: 'text',
  at: 'bigint',
  units: 'bigint',
  blocks: 'bigint',
};
const MEMBER: Columns<MemberRow> = {
  team: 'text',
  name: 'text',
  contest: 'text',
  units: 'bigint',
  blocks: 'bigint',
  last_at: 'bigint',
};

const isLess = ({ units, blocks }: Pick<RollupRow, 'units' | 'blocks'>): boolean => units < 0 || blocks < 0;
const isMore = (row: Pick<RollupRow, 'units' | 'blocks'>): boolean => !isLess(row);

const atLeastNothing = (column: 'units' | 'blocks', change: number) =>
  sql<number>`case when ${sql.ref(column)} + ${change} < 0 then 0 else ${sql.ref(column)} + ${change} end`;

export class CountingQueries extends Statements {
  async insertJournal(row: JournalRow): Promise<void> {
    await this.db.insertInto('journal').values(row).execute();
  }

  /** The oldest of it. */
  journal(limit: number): Promise<JournalRow[]> {
    return this.db.selectFrom('journal').selectAll().orderBy('id').limit(limit).execute();
  }

  /** All of it, part by part: those after this id, by their ids. */
  journalAfter(id: string, limit: number): Promise<JournalRow[]> {
    return this.db.selectFrom('journal').selectAll().where('id', '>', id).orderBy('id').limit(limit).execute();
  }

  async countJournal(): Promise<number> {
    const row = await this.db
      .selectFrom('journal')
      .select((e) => e.fn.countAll().as('count'))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  async deleteJournal(ids: readonly string[]): Promise<void> {
    await this.db
      .deleteFrom('journal')
      .where(this.among('id', 'text', ids))
      .execute();
  }

  async addCredits(rows: readonly CreditRow[]): Promise<void> {
    await this.insert('credit', CREDIT, rows)`(client, contest) do update set units = credit.units + excluded.units,
      blocks = credit.blocks + excluded.blocks, duplicates = credit.duplicates + excluded.duplicates,
      again_units = credit.again_units + excluded.again_units, again_blocks = credit.again_blocks + excluded.again_blocks`;
  }

  /** Units credited, to whom, for what. */
  credits(): Promise<CreditRow[]> {
    return this.db.selectFrom('credit').selectAll().execute();
  }

  creditOf(client: string, contest: string): Promise<CreditRow | undefined> {
    return this.db
      .selectFrom('credit')
      .selectAll()
      .where('client', '=', client)
      .where('contest', '=', contest)
      .executeTakeFirst();
  }

  /** Units credited, by contest. */
  async sumsOfCredit(): Promise<{ contest: string; units: number }[]> {
    const rows = await this.db
      .selectFrom('credit')
      .select((e) => ['contest', e.fn.sum('units').as('units')])
      .groupBy('contest')
      .execute();
    return rows.map(({ contest, units }) => ({ contest, units: Number(units) }));
  }

  /** What is taken back may be under another name than it was given under: no sum falls below nothing. */
  async addRollups(rows: readonly RollupRow[]): Promise<void> {
    await this.insert('rollup', ROLLUP, rows.filter(isMore))`(contest, scope, who, span, at) do update set
      units = rollup.units + excluded.units, blocks = rollup.blocks + excluded.blocks`;
    for (const { units, blocks, contest, scope, who, span, at } of rows.filter(isLess)) {
      await this.db
        .updateTable('rollup')
        .set({ units: atLeastNothing('units', units), blocks: atLeastNothing('blocks', blocks) })
        .where((e) => e.and({ contest, scope, who, span, at }))
        .execute();
    }
  }

  async addMembers(rows: readonly MemberRow[]): Promise<void> {
    await this.insert('member', MEMBER, rows.filter(isMore))`(team, contest, name) do update set
      units = member.units + excluded.units, blocks = member.blocks + excluded.blocks,
      last_at = case when excluded.last_at > member.last_at then excluded.last_at else member.last_at end`;
    for (const { units, blocks, team, contest, name } of rows.filter(isLess)) {
      await this.db
        .updateTable('member')
        .set({ units: atLeastNothing('units', units), blocks: atLeastNothing('blocks', blocks) })
        .where((e) => e.and({ team, contest, name }))
        .execute();
    }
  }

  /** Takes a name and a team that nothing counts for any more off the sums. */
  async dropEmpty(contest: string, { name, team }: Pick<MemberRow, 'name' | 'team'>): Promise<void> {
    for (const [scope, who] of [
      ['person', name],
      ['team', team],
    ] as const) {
      await this.db
        .deleteFrom('rollup')
        .where('contest', '=', contest)
        .where('scope', '=', scope)
        .where('who', '=', who)
        .where('units', '=', 0)
        .execute();
    }
    await this.db
      .deleteFrom('member')
      .where('contest', '=', contest)
      .where('team', '=', team)
      .where('name', '=', name)
      .where('units', '=', 0)
      .execute();
  }

  /** A team's in one contest, part by part: those after this name, or from the first on. */
  members(
    { team, contest }: Pick<MemberRow, 'team' | 'contest'>,
    after: string | undefined,
    limit: number,
  ): Promise<{ who: string; units: number; blocks: number }[]> {
    const some = this.db
      .selectFrom('member')
      .select(['name as who', 'units', 'blocks'])
      .where('team', '=', team)
      .where('contest', '=', contest);
    const wanted = after === undefined ? some : some.where('name', '>', after);
    return wanted.orderBy('name').limit(limit).execute();
  }

  /** For which teams these people worked, and when last. */
  teamsOf(names: readonly string[]): Promise<Pick<MemberRow, 'name' | 'team' | 'last_at'>[]> {
    return this.db
      .selectFrom('member')
      .select((e) => ['name', 'team', e.fn.max('last_at').as('last_at')])
      .where(this.among('name', 'text', names))
      .groupBy(['name', 'team'])
      .execute();
  }

  rollups(scope: RollupRow['scope'], span: RollupRow['span'], since: number): Promise<RollupRow[]> {
    return this.db
      .selectFrom('rollup')
      .selectAll()
      .where('scope', '=', scope)
      .where('span', '=', span)
      .where('at', '>=', since)
      .orderBy('at')
      .execute();
  }

  /** The newest spans of one contest. */
  newestRollups(contest: string, span: RollupRow['span'], limit: number): Promise<RollupRow[]> {
    return this.db
      .selectFrom('rollup')
      .selectAll()
      .where('contest', '=', contest)
      .where('scope', '=', 'all')
      .where('span', '=', span)
      .orderBy('at', 'desc')
      .limit(limit)
      .execute();
  }

  /** Everyone's sums of one span, part by part: those after this name, or from the first on. */
  rollupsOfAll(
    { contest, scope, span, at }: Pick<RollupRow, 'contest' | 'scope' | 'span' | 'at'>,
    after: string | undefined,
    limit: number,
  ): Promise<Pick<RollupRow, 'who' | 'units' | 'blocks'>[]> {
    const some = this.db
      .selectFrom('rollup')
      .select(['who', 'units', 'blocks'])
      .where('span', '=', span)
      .where('at', '=', at)
      .where('scope', '=', scope)
      .where('contest', '=', contest);
    const wanted = after === undefined ? some : some.where('who', '>', after);
    return wanted.orderBy('who').limit(limit).execute();
  }

  /** One person's or team's sums, the oldest span first. */
  rollupsOfOne(
    { contest, scope, who, span }: Pick<RollupRow, 'contest' | 'scope' | 'who' | 'span'>,
    since: number,
  ): Promise<RollupRow[]> {
    return this.db
      .selectFrom('rollup')
      .selectAll()
      .where('contest', '=', contest)
      .where('scope', '=', scope)
      .where('who', '=', who)
      .where('span', '=', span)
      .where('at', '>=', since)
      .orderBy('at')
      .execute();
  }

  /** Who did most in one span. */
  topRollups({ contest, scope, span, at }: Omit<RollupRow, 'who' | 'units' | 'blocks'>, limit: number) {
    return this.db
      .selectFrom('rollup')
      .select(['who', 'units', 'blocks'])
      .where('contest', '=', contest)
      .where('scope', '=', scope)
      .where('span', '=', span)
      .where('at', '=', at)
      .orderBy('units', 'desc')
      .orderBy('who')
      .limit(limit)
      .execute();
  }

  async pruneRollups(span: RollupRow['span'], before: number): Promise<void> {
    await this.db.deleteFrom('rollup').where('span', '=', span).where('at', '<', before).execute();
  }

  /** The last part of a day's blocks. */
  lastFinished(contest: string, day: number): Promise<FinishedRow | undefined> {
    return this.db
      .selectFrom('finished')
      .selectAll()
      .where('contest', '=', contest)
      .where('day', '=', day)
      .orderBy('part', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  async putFinished(row: FinishedRow): Promise<void> {
    await this.db
      .insertInto('finished')
      .values(row)
      .onConflict((c) =>
        c.columns(['contest', 'day', 'part']).doUpdateSet((e) => ({ blocks: e.ref('excluded.blocks') })),
      )
      .execute();
  }

  /** @param days in days since 1970; undefined: all of them. */
  finished(contest: string, days?: readonly number[]): Promise<FinishedRow[]> {
    const all = this.db.selectFrom('finished').selectAll().where('contest', '=', contest);
    return (days === undefined ? all : all.where(this.among('day', 'bigint', days)))
      .orderBy('day')
      .orderBy('part')
      .execute();
  }

  /** The last part before this one, of this day or an earlier one. */
  finishedBefore(contest: string, { day, part }: Pick<FinishedRow, 'day' | 'part'>): Promise<FinishedRow | undefined> {
    return this.db
      .selectFrom('finished')
      .selectAll()
      .where('contest', '=', contest)
      .where((e) => e.or([e('day', '<', day), e.and([e('day', '=', day), e('part', '<', part)])]))
      .orderBy('day', 'desc')
      .orderBy('part', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  async addTallies(rows: readonly TallyRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.db
      .insertInto('tally')
      .values(rows)
      .onConflict((c) =>
        c.column('name').doUpdateSet((e) => ({ value: e('tally.value', '+', e.ref('excluded.value')) })),
      )
      .execute();
  }

  tallies(): Promise<TallyRow[]> {
    return this.db.selectFrom('tally').selectAll().execute();
  }
}
