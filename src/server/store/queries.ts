/**
 * Every statement of the ledger, one a method, named for what it does. Portable SQL only: what is here runs unchanged
 * on SQLite and PostgreSQL. A commit serves many exchanges, so what it reads and writes goes by sets.
 */
import { type Kysely, sql } from 'kysely';
import type {
  ClientRow,
  ContestRow,
  CreditRow,
  FinishedRow,
  HitRow,
  JournalRow,
  LedgerTables,
  MetaRow,
  OutboxRow,
  ProxyRow,
  RollupRow,
  RunRow,
  SigningKeyRow,
  TallyRow,
  UpstreamLeaseRow,
} from './schema.ts';

/** SQLite takes 32,766 parameters a statement; the widest rows here have eight. */
const ROWS_AT_ONCE = 2000;

export class LedgerQueries {
  readonly #db: Kysely<LedgerTables>;

  constructor(db: Kysely<LedgerTables>) {
    this.#db = db;
  }

  // Contests

  contests(): Promise<ContestRow[]> {
    return this.#db.selectFrom('contest').selectAll().orderBy('position').orderBy('name').execute();
  }

  async insertContest(row: ContestRow): Promise<void> {
    await this.#db.insertInto('contest').values(row).execute();
  }

  async updateContest(name: string, change: Partial<Omit<ContestRow, 'name'>>): Promise<void> {
    await this.#db.updateTable('contest').set(change).where('name', '=', name).execute();
  }

  // Runs

  /** For each of the units the run that begins last at or before it: the one it is in, where there is one. */
  async runsAt(contest: string, units: readonly number[]): Promise<RunRow[]> {
    const rows: RunRow[] = [];
    for (const some of parts(units)) {
      const points = sql.join(some.map((unit) => sql`(cast(${unit} as bigint))`));
      const begins = sql<boolean>`first in (select (
        select max(first) from run where contest = ${contest} and first <= point.column1
      ) from (values ${points}) as point)`;
      rows.push(
        ...(await this.#db.selectFrom('run').selectAll().where('contest', '=', contest).where(begins).execute()),
      );
    }
    return rows;
  }

  /** The runs that begin within (after, before). */
  runsBetween(contest: string, after: number, before: number): Promise<RunRow[]> {
    return this.#db
      .selectFrom('run')
      .selectAll()
      .where('contest', '=', contest)
      .where('first', '>', after)
      .where('first', '<', before)
      .execute();
  }

  /** The lowest free runs that begin in [from, to). */
  freeRuns(contest: string, from: number, to: number, limit: number): Promise<RunRow[]> {
    return this.#db
      .selectFrom('run')
      .selectAll()
      .where('contest', '=', contest)
      .where('state', '=', 'free')
      .where('first', '>=', from)
      .where('first', '<', to)
      .orderBy('first')
      .limit(limit)
      .execute();
  }

  /** Units that are free, by contest. */
  async freeUnits(): Promise<Map<string, number>> {
    const rows = await this.#db
      .selectFrom('run')
      .select((e) => ['contest', e.fn.sum(e('past', '-', e.ref('first'))).as('units')])
      .where('state', '=', 'free')
      .groupBy('contest')
      .execute();
    return new Map(rows.map(({ contest, units }) => [contest, Number(units)]));
  }

  /** All of them, in order: for tests and exports, never on the way of a request. */
  runs(contest: string): Promise<RunRow[]> {
    return this.#db.selectFrom('run').selectAll().where('contest', '=', contest).orderBy('first').execute();
  }

  async countFreeRuns(contest: string): Promise<number> {
    const row = await this.#db
      .selectFrom('run')
      .select((e) => e.fn.countAll().as('count'))
      .where('contest', '=', contest)
      .where('state', '=', 'free')
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** Every run of these leases. */
  async runsOfLeases(leases: readonly string[]): Promise<RunRow[]> {
    const rows: RunRow[] = [];
    for (const some of parts(leases)) {
      rows.push(...(await this.#db.selectFrom('run').selectAll().where('lease', 'in', some).execute()));
    }
    return rows;
  }

  /** What these clients hold: a row a lease, however many runs are left of it. */
  leasesOf(holders: readonly string[]): Promise<{ holder: string | null; contest: string; lease: string | null }[]> {
    return this.#db
      .selectFrom('run')
      .select(['holder', 'contest', 'lease'])
      .distinct()
      .where('holder', 'in', holders)
      .execute();
  }

  /** Leased runs whose units go back to the free ones, the longest overdue first. */
  dueRuns(now: number, limit: number): Promise<RunRow[]> {
    return this.#db
      .selectFrom('run')
      .selectAll()
      .where('recycle_at', '<=', now)
      .orderBy('recycle_at')
      .limit(limit)
      .execute();
  }

  /** Leased runs of one contest whose time is over, the longest overdue first. */
  overdueRuns(contest: string, now: number, limit: number): Promise<RunRow[]> {
    return this.#db
      .selectFrom('run')
      .selectAll()
      .where('contest', '=', contest)
      .where('state', '=', 'leased')
      .where('recycle_at', 'is not', null)
      .where('expires_at', '<=', now)
      .orderBy('recycle_at')
      .limit(limit)
      .execute();
  }

  async putRuns(rows: readonly RunRow[]): Promise<void> {
    for (const some of parts(rows)) {
      await this.#db
        .insertInto('run')
        .values(some)
        .onConflict((c) =>
          c.columns(['contest', 'first']).doUpdateSet((e) => ({
            past: e.ref('excluded.past'),
            state: e.ref('excluded.state'),
            lease: e.ref('excluded.lease'),
            holder: e.ref('excluded.holder'),
            expires_at: e.ref('excluded.expires_at'),
            recycle_at: e.ref('excluded.recycle_at'),
          })),
        )
        .execute();
    }
  }

  async deleteRuns(contest: string, firsts: readonly number[]): Promise<void> {
    for (const some of parts(firsts)) {
      await this.#db.deleteFrom('run').where('contest', '=', contest).where('first', 'in', some).execute();
    }
  }

  // Hits

  hits(): Promise<HitRow[]> {
    return this.#db.selectFrom('hit').selectAll().execute();
  }

  async insertHit(row: HitRow): Promise<void> {
    await this.#db.insertInto('hit').values(row).execute();
  }

  // What was finished and by whom

  async insertJournal(row: JournalRow): Promise<void> {
    await this.#db.insertInto('journal').values(row).execute();
  }

  journal(limit: number): Promise<JournalRow[]> {
    return this.#db.selectFrom('journal').selectAll().orderBy('at').limit(limit).execute();
  }

  async deleteJournal(ids: readonly string[]): Promise<void> {
    for (const some of parts(ids)) await this.#db.deleteFrom('journal').where('id', 'in', some).execute();
  }

  async clients(ids: readonly string[]): Promise<ClientRow[]> {
    const rows: ClientRow[] = [];
    for (const some of parts(ids)) {
      rows.push(...(await this.#db.selectFrom('client').selectAll().where('id', 'in', some).execute()));
    }
    return rows;
  }

  async highestClientNumber(): Promise<number> {
    const row = await this.#db
      .selectFrom('client')
      .select((e) => e.fn.max('number').as('number'))
      .executeTakeFirst();
    return row?.number ?? 0;
  }

  /** Enters clients, or what is new about them; what is null in the new row stays as it was. */
  async putClients(rows: readonly ClientRow[]): Promise<void> {
    for (const some of parts(rows)) {
      await this.#db
        .insertInto('client')
        .values(some)
        .onConflict((c) =>
          c.column('id').doUpdateSet((e) => ({
            number: e.fn.coalesce('client.number', 'excluded.number'),
            name: e.fn.coalesce('excluded.name', 'client.name'),
            team: e.fn.coalesce('excluded.team', 'client.team'),
            class: e.fn.coalesce('excluded.class', 'client.class'),
            version: e.ref('excluded.version'),
            last_seen: e.ref('excluded.last_seen'),
          })),
        )
        .execute();
    }
  }

  async countClients(since: number): Promise<number> {
    const row = await this.#db
      .selectFrom('client')
      .select((e) => e.fn.countAll().as('count'))
      .where('last_seen', '>=', since)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  async addCredits(rows: readonly CreditRow[]): Promise<void> {
    for (const some of parts(rows)) {
      await this.#db
        .insertInto('credit')
        .values(some)
        .onConflict((c) =>
          c.columns(['client', 'contest']).doUpdateSet((e) => ({
            units: e('credit.units', '+', e.ref('excluded.units')),
            blocks: e('credit.blocks', '+', e.ref('excluded.blocks')),
            duplicates: e('credit.duplicates', '+', e.ref('excluded.duplicates')),
          })),
        )
        .execute();
    }
  }

  /** Units credited, to whom, for what. */
  credits(): Promise<CreditRow[]> {
    return this.#db.selectFrom('credit').selectAll().execute();
  }

  async addRollups(rows: readonly RollupRow[]): Promise<void> {
    for (const some of parts(rows)) {
      await this.#db
        .insertInto('rollup')
        .values(some)
        .onConflict((c) =>
          c.columns(['contest', 'scope', 'who', 'span', 'at']).doUpdateSet((e) => ({
            units: e('rollup.units', '+', e.ref('excluded.units')),
            blocks: e('rollup.blocks', '+', e.ref('excluded.blocks')),
          })),
        )
        .execute();
    }
  }

  rollups(scope: RollupRow['scope'], span: RollupRow['span'], since: number): Promise<RollupRow[]> {
    return this.#db
      .selectFrom('rollup')
      .selectAll()
      .where('scope', '=', scope)
      .where('span', '=', span)
      .where('at', '>=', since)
      .orderBy('at')
      .execute();
  }

  async pruneRollups(span: RollupRow['span'], before: number): Promise<void> {
    await this.#db.deleteFrom('rollup').where('span', '=', span).where('at', '<', before).execute();
  }

  /** The last part of a day's blocks. */
  lastFinished(contest: string, day: number): Promise<FinishedRow | undefined> {
    return this.#db
      .selectFrom('finished')
      .selectAll()
      .where('contest', '=', contest)
      .where('day', '=', day)
      .orderBy('part', 'desc')
      .limit(1)
      .executeTakeFirst();
  }

  async putFinished(row: FinishedRow): Promise<void> {
    await this.#db
      .insertInto('finished')
      .values(row)
      .onConflict((c) =>
        c.columns(['contest', 'day', 'part']).doUpdateSet((e) => ({ blocks: e.ref('excluded.blocks') })),
      )
      .execute();
  }

  finished(contest: string): Promise<FinishedRow[]> {
    return this.#db
      .selectFrom('finished')
      .selectAll()
      .where('contest', '=', contest)
      .orderBy('day')
      .orderBy('part')
      .execute();
  }

  async addTallies(rows: readonly TallyRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#db
      .insertInto('tally')
      .values(rows)
      .onConflict((c) =>
        c.column('name').doUpdateSet((e) => ({ value: e('tally.value', '+', e.ref('excluded.value')) })),
      )
      .execute();
  }

  tallies(): Promise<TallyRow[]> {
    return this.#db.selectFrom('tally').selectAll().execute();
  }

  // Keys, proxies, facts

  async meta(name: MetaRow['name']): Promise<string | undefined> {
    const row = await this.#db.selectFrom('meta').select('value').where('name', '=', name).executeTakeFirst();
    return row?.value;
  }

  async setMeta(name: MetaRow['name'], value: string): Promise<void> {
    await this.#db
      .insertInto('meta')
      .values({ name, value })
      .onConflict((c) => c.column('name').doUpdateSet({ value }))
      .execute();
  }

  signingKeys(): Promise<SigningKeyRow[]> {
    return this.#db.selectFrom('signing_key').selectAll().orderBy('created_at').execute();
  }

  async putSigningKey(row: SigningKeyRow): Promise<void> {
    const { retired_at, revoked_at } = row;
    await this.#db
      .insertInto('signing_key')
      .values(row)
      .onConflict((c) => c.column('id').doUpdateSet({ retired_at, revoked_at }))
      .execute();
  }

  proxies(): Promise<ProxyRow[]> {
    return this.#db.selectFrom('proxy').selectAll().orderBy('first_seen').execute();
  }

  async seeProxy(row: Omit<ProxyRow, 'revoked_at'>): Promise<void> {
    const { name, version, last_seen } = row;
    await this.#db
      .insertInto('proxy')
      .values({ ...row, revoked_at: null })
      .onConflict((c) =>
        c.column('id').doUpdateSet((e) => ({ name: e.fn.coalesce(e.val(name), 'proxy.name'), version, last_seen })),
      )
      .execute();
  }

  /** Whether there is such a proxy. */
  async revokeProxy(id: string, revoked_at: number | null): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('proxy')
      .set({ revoked_at })
      .where('id', '=', id)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  // A proxy's

  upstreamLeases(): Promise<UpstreamLeaseRow[]> {
    return this.#db.selectFrom('upstream_lease').selectAll().orderBy('contest').orderBy('first').execute();
  }

  async putUpstreamLeases(rows: readonly UpstreamLeaseRow[]): Promise<void> {
    for (const some of parts(rows)) {
      await this.#db
        .insertInto('upstream_lease')
        .values(some)
        .onConflict((c) =>
          c.columns(['contest', 'first']).doUpdateSet((e) => ({
            id: e.ref('excluded.id'),
            past: e.ref('excluded.past'),
            expires_at: e.ref('excluded.expires_at'),
            proof: e.ref('excluded.proof'),
          })),
        )
        .execute();
    }
  }

  async deleteUpstreamLease(contest: string, first: number): Promise<void> {
    await this.#db.deleteFrom('upstream_lease').where('contest', '=', contest).where('first', '=', first).execute();
  }

  async putOutbox(rows: readonly OutboxRow[]): Promise<void> {
    for (const some of parts(rows)) await this.#db.insertInto('outbox').values(some).execute();
  }

  /** The reports to send next: those with a hit first, then the oldest. */
  outbox(limit: number): Promise<OutboxRow[]> {
    return this.#db.selectFrom('outbox').selectAll().orderBy('urgent', 'desc').orderBy('at').limit(limit).execute();
  }

  async countOutbox(): Promise<{ contest: string; count: number; oldest: number; urgent: number }[]> {
    const rows = await this.#db
      .selectFrom('outbox')
      .select((e) => [
        'contest',
        e.fn.countAll().as('count'),
        e.fn.min('at').as('oldest'),
        e.fn.sum('urgent').as('urgent'),
      ])
      .groupBy('contest')
      .execute();
    return rows.map(({ contest, count, oldest, urgent }) => ({
      contest,
      count: Number(count),
      oldest,
      urgent: Number(urgent),
    }));
  }

  /** Where the waiting reports of a contest begin. */
  async outboxUnits(contest: string): Promise<number[]> {
    const rows = await this.#db.selectFrom('outbox').select('first').where('contest', '=', contest).execute();
    return rows.map(({ first }) => first);
  }

  async deleteOutbox(ids: readonly string[]): Promise<void> {
    for (const some of parts(ids)) await this.#db.deleteFrom('outbox').where('id', 'in', some).execute();
  }
}

function* parts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += ROWS_AT_ONCE) yield all.slice(i, i + ROWS_AT_ONCE);
}
