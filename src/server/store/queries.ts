/**
 * Every statement the ledger sends, one a method, named for what it does. Portable SQL only: what is here runs
 * unchanged on SQLite and PostgreSQL.
 */
import type { Kysely } from 'kysely';
import type { ClientRow, ContestRow, HitRow, LeaseRow, LeaseState, LedgerTables, RunRow, TallyRow } from './schema.ts';

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

  lowestFreeRun(contest: string): Promise<RunRow | undefined> {
    return this.#db
      .selectFrom('run')
      .selectAll()
      .where('contest', '=', contest)
      .where('state', '=', 'free')
      .orderBy('first')
      .limit(1)
      .executeTakeFirst();
  }

  /** The two runs that start last at or before `end`, later first: the neighbours of a gap that ends there. */
  runsUpTo(contest: string, end: number): Promise<RunRow[]> {
    return this.#db
      .selectFrom('run')
      .selectAll()
      .where('contest', '=', contest)
      .where('first', '<=', end)
      .orderBy('first', 'desc')
      .limit(2)
      .execute();
  }

  /** All of them, in order: for tests and for exports, never on the way of a request. */
  runs(contest: string): Promise<RunRow[]> {
    return this.#db.selectFrom('run').selectAll().where('contest', '=', contest).orderBy('first').execute();
  }

  async insertRun(row: RunRow): Promise<void> {
    await this.#db.insertInto('run').values(row).execute();
  }

  async moveRun(contest: string, from: number, to: { first: number; count: number }): Promise<void> {
    await this.#db.updateTable('run').set(to).where('contest', '=', contest).where('first', '=', from).execute();
  }

  async deleteRun(contest: string, first: number): Promise<void> {
    await this.#db.deleteFrom('run').where('contest', '=', contest).where('first', '=', first).execute();
  }

  // Leases

  leases(ids: readonly string[]): Promise<LeaseRow[]> {
    return this.#db.selectFrom('lease').selectAll().where('id', 'in', ids).execute();
  }

  async insertLeases(rows: readonly LeaseRow[]): Promise<void> {
    await this.#db.insertInto('lease').values(rows).execute();
  }

  async endLease(id: string, state: LeaseState, why: { code: string; detail: string } | undefined): Promise<void> {
    await this.#db
      .updateTable('lease')
      .set({ state, code: why?.code ?? null, detail: why?.detail ?? null })
      .where('id', '=', id)
      .execute();
  }

  /** Live leases whose time is over, the longest overdue first. */
  dueLeases(now: number, limit: number): Promise<LeaseRow[]> {
    return this.#db
      .selectFrom('lease')
      .selectAll()
      .where('state', '=', 'live')
      .where('expires_at', '<=', now)
      .orderBy('expires_at')
      .limit(limit)
      .execute();
  }

  /** All that a client holds. */
  liveLeases(client: string): Promise<LeaseRow[]> {
    return this.#db
      .selectFrom('lease')
      .selectAll()
      .where('client', '=', client)
      .where('state', '=', 'live')
      .orderBy('contest')
      .orderBy('first')
      .execute();
  }

  /** Forgets ended leases whose time was over before `before`; at most `limit`; how many it were. */
  async pruneLeases(state: Exclude<LeaseState, 'live'>, before: number, limit: number): Promise<number> {
    const { numDeletedRows } = await this.#db
      .deleteFrom('lease')
      .where('id', 'in', (e) =>
        e
          .selectFrom('lease')
          .select('id')
          .where('state', '=', state)
          .where('expires_at', '<', before)
          .orderBy('expires_at')
          .limit(limit),
      )
      .executeTakeFirst();
    return Number(numDeletedRows);
  }

  // Hits

  hits(): Promise<HitRow[]> {
    return this.#db.selectFrom('hit').selectAll().execute();
  }

  async insertHit(row: HitRow): Promise<void> {
    await this.#db.insertInto('hit').values(row).execute();
  }

  // Clients, credits, tallies

  async seeClient(client: Pick<ClientRow, 'id' | 'name' | 'version'>, now: number): Promise<void> {
    await this.#db
      .insertInto('client')
      .values({ ...client, first_seen: now, last_seen: now })
      .onConflict((c) =>
        c.column('id').doUpdateSet({
          // A service worker's flush tells no name.
          ...(client.name === null ? {} : { name: client.name }),
          version: client.version,
          last_seen: now,
        }),
      )
      .execute();
  }

  async countClients(since: number): Promise<number> {
    const row = await this.#db
      .selectFrom('client')
      .select((e) => e.fn.countAll().as('count'))
      .where('last_seen', '>=', since)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  async addCredit(client: string, contest: string, units: number): Promise<void> {
    await this.#db
      .insertInto('credit')
      .values({ client, contest, units, blocks: 1 })
      .onConflict((c) =>
        c.columns(['client', 'contest']).doUpdateSet((e) => ({
          units: e('credit.units', '+', units),
          blocks: e('credit.blocks', '+', 1),
        })),
      )
      .execute();
  }

  /** Units credited, to whom, for what. */
  credits(): Promise<{ client: string; contest: string; units: number; blocks: number }[]> {
    return this.#db.selectFrom('credit').selectAll().execute();
  }

  async addTally(name: TallyRow['name'], by: number): Promise<void> {
    await this.#db
      .insertInto('tally')
      .values({ name, value: by })
      .onConflict((c) => c.column('name').doUpdateSet((e) => ({ value: e('tally.value', '+', by) })))
      .execute();
  }

  tallies(): Promise<TallyRow[]> {
    return this.#db.selectFrom('tally').selectAll().execute();
  }
}
