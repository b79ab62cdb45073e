/** Every statement of the ledger, one a method, named for what it does. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { CountingQueries } from './counting-queries.ts';
import { KioskQueries } from './kiosk-queries.ts';
import { PoolQueries } from './pool-queries.ts';
import type {
  ClientRow,
  ContestRow,
  HitRow,
  LedgerTables,
  MetaRow,
  ProxyRow,
  RunRow,
  RunState,
  SigningKeyRow,
  SiteRow,
} from './schema.ts';
import { type Columns, type Dialect, given } from './sets.ts';
import { Statements } from './statements.ts';
import { TrustQueries } from './trust-queries.ts';
import { UpstreamQueries } from './upstream-queries.ts';

const RUN: Columns<RunRow> = {
  contest: 'text',
  first: 'bigint',
  past: 'bigint',
  state: 'text',
  lease: 'text',
  holder: 'text',
  expires_at: 'bigint',
  recycle_at: 'bigint',
};
const CLIENT: Columns<ClientRow> = {
  id: 'text',
  number: 'bigint',
  name: 'text',
  team: 'text',
  class: 'text',
  site: 'text',
  version: 'text',
  first_seen: 'bigint',
  last_seen: 'bigint',
};

/** As a literal: for a parameter neither database would look into the index of the free runs. */
const FREE = sql.lit('free' as const);

export class LedgerQueries extends Statements {
  readonly counting: CountingQueries;
  readonly upstream: UpstreamQueries;
  readonly kiosks: KioskQueries;
  readonly trust: TrustQueries;
  readonly pools: PoolQueries;

  constructor(db: Kysely<LedgerTables>, dialect: Dialect) {
    super(db, dialect);
    this.counting = new CountingQueries(db, dialect);
    this.upstream = new UpstreamQueries(db, dialect);
    this.kiosks = new KioskQueries(db, dialect);
    this.trust = new TrustQueries(db, dialect);
    this.pools = new PoolQueries(db, dialect);
  }

  // Contests

  contests(): Promise<ContestRow[]> {
    return this.db.selectFrom('contest').selectAll().orderBy('position').orderBy('name').execute();
  }

  async insertContest(row: ContestRow): Promise<void> {
    await this.db.insertInto('contest').values(row).execute();
  }

  async updateContest(name: string, change: Partial<Omit<ContestRow, 'name'>>): Promise<void> {
    await this.db.updateTable('contest').set(change).where('name', '=', name).execute();
  }

  // Runs

  /** For each of the units the run that begins last at or before it: the one it is in, where there is one. */
  runsAt(contest: string, units: readonly number[]): Promise<RunRow[]> {
    const rows = units.map((unit) => ({ unit }));
    const firsts = sql`select (select max(first) from run where contest = ${contest} and first <= given.unit)
      from ${given(this.dialect, { unit: 'bigint' }, rows)}`;
    return this.#runsWithin(contest, firsts);
  }

  /** For each of the units the first free run that begins at or after it. */
  nextFree(contest: string, units: readonly number[]): Promise<RunRow[]> {
    const rows = units.map((unit) => ({ unit }));
    const firsts = sql`select (select min(first) from run where contest = ${contest} and state = ${FREE} and first >= given.unit)
      from ${given(this.dialect, { unit: 'bigint' }, rows)}`;
    return this.#runsWithin(contest, firsts);
  }

  #runsWithin(contest: string, firsts: RawBuilder<unknown>): Promise<RunRow[]> {
    return this.db
      .selectFrom('run')
      .selectAll()
      .where('contest', '=', contest)
      .where(this.within('first', firsts))
      .execute();
  }

  /** The runs that begin within (after, before). */
  runsBetween(contest: string, after: number, before: number): Promise<RunRow[]> {
    return this.db
      .selectFrom('run')
      .selectAll()
      .where('contest', '=', contest)
      .where('first', '>', after)
      .where('first', '<', before)
      .execute();
  }

  /** The lowest free runs that begin in [from, to). */
  freeRuns(contest: string, from: number, to: number, limit: number): Promise<RunRow[]> {
    return this.db
      .selectFrom('run')
      .selectAll()
      .where('contest', '=', contest)
      .where('state', '=', FREE)
      .where('first', '>=', from)
      .where('first', '<', to)
      .orderBy('first')
      .limit(limit)
      .execute();
  }

  /** Units that are free, by contest. */
  async freeUnits(): Promise<Map<string, number>> {
    const rows = await this.db
      .selectFrom('run')
      .select((e) => ['contest', e.fn.sum(e('past', '-', e.ref('first'))).as('units')])
      .where('state', '=', FREE)
      .groupBy('contest')
      .execute();
    return new Map(rows.map(({ contest, units }) => [contest, Number(units)]));
  }

  /** Where units are done or leased: the runs that begin after this unit, in order. */
  takenRuns(contest: string, after: number, limit: number): Promise<Pick<RunRow, 'first' | 'past' | 'state'>[]> {
    return this.db
      .selectFrom('run')
      .select(['first', 'past', 'state'])
      .where('contest', '=', contest)
      .where('first', '>', after)
      .where('state', '<>', FREE)
      .orderBy('first')
      .limit(limit)
      .execute();
  }

  /** All of them, in order: for tests and exports, never on the way of a request. */
  runs(contest: string): Promise<RunRow[]> {
    return this.db.selectFrom('run').selectAll().where('contest', '=', contest).orderBy('first').execute();
  }

  async countFreeRuns(contest: string): Promise<number> {
    const row = await this.db
      .selectFrom('run')
      .select((e) => e.fn.countAll().as('count'))
      .where('contest', '=', contest)
      .where('state', '=', FREE)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** Every run of these leases of one client. */
  runsOfLeases(holder: string, leases: readonly string[]): Promise<RunRow[]> {
    return this.db
      .selectFrom('run')
      .selectAll()
      .where('holder', '=', holder)
      .where(this.among('lease', 'text', leases))
      .execute();
  }

  /** What these clients hold: a row a lease, however many runs are left of it. */
  async leasesOf(
    holders: readonly string[],
  ): Promise<{ holder: string | null; contest: string; lease: string | null }[]> {
    // Async, so that a holder that no text can name rejects: others run beside this.
    return this.db
      .selectFrom('run')
      .select(['holder', 'contest', 'lease'])
      .distinct()
      .where(this.among('holder', 'text', holders))
      .execute();
  }

  /** Leased runs whose units go back to the free ones, the longest overdue first. */
  dueRuns(now: number, limit: number): Promise<RunRow[]> {
    return this.db
      .selectFrom('run')
      .selectAll()
      .where('recycle_at', '<=', now)
      .orderBy('recycle_at')
      .limit(limit)
      .execute();
  }

  /**
   * Leased runs of one contest whose time is over, the longest overdue first. `latest`: when the last of them is recycled, at
   * the latest; without it all leased runs would be read to find that none is overdue.
   */
  overdueRuns(contest: string, now: number, latest: number, limit: number): Promise<RunRow[]> {
    return this.db
      .selectFrom('run')
      .selectAll()
      .where('contest', '=', contest)
      .where('state', '=', 'leased')
      .where('recycle_at', '<=', latest)
      .where('expires_at', '<=', now)
      .orderBy('recycle_at')
      .limit(limit)
      .execute();
  }

  /** What one client holds, whatever the contest. */
  runsOfHolder(holder: string, limit: number): Promise<RunRow[]> {
    return this.db.selectFrom('run').selectAll().where('holder', '=', holder).limit(limit).execute();
  }

  /** How many runs and units of each state: a scan. */
  async sumsOfRuns(): Promise<{ contest: string; state: RunState; runs: number; units: number }[]> {
    const rows = await this.db
      .selectFrom('run')
      .select((e) => ['contest', 'state', e.fn.countAll().as('runs'), sql`sum(past - first)`.as('units')])
      .groupBy(['contest', 'state'])
      .execute();
    return rows.map(({ runs, units, ...row }) => ({ ...row, runs: Number(runs), units: Number(units) }));
  }

  /** Where a run does not begin at the unit at which the one before it ends: a scan. */
  breaksOfRuns(contest: string, limit: number): Promise<{ before: number; first: number }[]> {
    return this.db
      .selectFrom((from) =>
        from
          .selectFrom('run')
          .select(['first', sql<number>`lag(past) over (order by first)`.as('before')])
          .where('contest', '=', contest)
          .as('pair'),
      )
      .select(['before', 'first'])
      .whereRef('before', '<>', 'first')
      .orderBy('first')
      .limit(limit)
      .execute();
  }

  async putRuns(rows: readonly RunRow[]): Promise<void> {
    await this.insert('run', RUN, rows)`(contest, first) do update set past = excluded.past, state = excluded.state,
      lease = excluded.lease, holder = excluded.holder,
      expires_at = excluded.expires_at, recycle_at = excluded.recycle_at`;
  }

  async deleteRuns(contest: string, firsts: readonly number[]): Promise<void> {
    await this.db
      .deleteFrom('run')
      .where('contest', '=', contest)
      .where(this.among('first', 'bigint', firsts))
      .execute();
  }

  // Hits

  hits(): Promise<HitRow[]> {
    return this.db.selectFrom('hit').selectAll().execute();
  }

  async insertHit(row: HitRow): Promise<void> {
    await this.db.insertInto('hit').values(row).execute();
  }

  // Clients

  clients(ids: readonly string[]): Promise<ClientRow[]> {
    return this.db
      .selectFrom('client')
      .selectAll()
      .where(this.among('id', 'text', ids))
      .execute();
  }

  clientsByNumber(numbers: readonly number[]): Promise<ClientRow[]> {
    return this.db
      .selectFrom('client')
      .selectAll()
      .where(this.among('number', 'bigint', numbers))
      .execute();
  }

  async highestClientNumber(): Promise<number> {
    const row = await this.db
      .selectFrom('client')
      .select((e) => e.fn.max('number').as('number'))
      // So that the index of the numbers answers.
      .where('number', 'is not', null)
      .executeTakeFirst();
    return row?.number ?? 0;
  }

  /** Enters clients, or what is new about them; what is null in the new row stays as it was. */
  async putClients(rows: readonly ClientRow[]): Promise<void> {
    await this.insert('client', CLIENT, rows)`(id) do update set number = coalesce(client.number, excluded.number),
      name = coalesce(excluded.name, client.name), team = coalesce(excluded.team, client.team),
      class = coalesce(excluded.class, client.class), site = coalesce(excluded.site, client.site),
      version = excluded.version, last_seen = excluded.last_seen`;
  }

  /** Whoever it was stays in the ledger as a number. */
  async forgetClient(id: string, team: string | null): Promise<void> {
    await this.db.updateTable('client').set({ name: null, team }).where('id', '=', id).execute();
  }

  async countClients(since: number): Promise<number> {
    const row = await this.db
      .selectFrom('client')
      .select((e) => e.fn.countAll().as('count'))
      .where('last_seen', '>=', since)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** Clients that were last seen after the one time and until the other. */
  async clientsLastSeen(after: number, until: number): Promise<string[]> {
    const rows = await this.db
      .selectFrom('client')
      .select('id')
      .where('last_seen', '>', after)
      .where('last_seen', '<=', until)
      .orderBy('last_seen')
      .execute();
    return rows.map(({ id }) => id);
  }

  // Keys, proxies, facts

  async meta(name: MetaRow['name']): Promise<string | undefined> {
    const row = await this.db.selectFrom('meta').select('value').where('name', '=', name).executeTakeFirst();
    return row?.value;
  }

  async setMeta(name: MetaRow['name'], value: string): Promise<void> {
    await this.db
      .insertInto('meta')
      .values({ name, value })
      .onConflict((c) => c.column('name').doUpdateSet({ value }))
      .execute();
  }

  signingKeys(): Promise<SigningKeyRow[]> {
    return this.db.selectFrom('signing_key').selectAll().orderBy('created_at').execute();
  }

  async putSigningKey(row: SigningKeyRow): Promise<void> {
    const { retired_at, revoked_at } = row;
    await this.db
      .insertInto('signing_key')
      .values(row)
      .onConflict((c) => c.column('id').doUpdateSet({ retired_at, revoked_at }))
      .execute();
  }

  proxies(): Promise<ProxyRow[]> {
    return this.db.selectFrom('proxy').selectAll().orderBy('first_seen').execute();
  }

  /** A proxy that tells no name keeps the one it has. */
  async seeProxy(row: Omit<ProxyRow, 'listed' | 'revoked_at'>): Promise<void> {
    const { version, last_seen } = row;
    await this.db
      .insertInto('proxy')
      .values({ ...row, listed: 0, revoked_at: null })
      .onConflict((c) =>
        c.column('id').doUpdateSet((e) => ({
          name: e.fn.coalesce('excluded.name', 'proxy.name'),
          version,
          last_seen,
        })),
      )
      .execute();
  }

  /** Enters a proxy before it ever came, or gives one a name. */
  async listProxy(id: string, name: string | null, first_seen: number): Promise<void> {
    await this.db
      .insertInto('proxy')
      .values({ id, name, version: '', first_seen, last_seen: 0, listed: 1, revoked_at: null })
      .onConflict((c) =>
        c.column('id').doUpdateSet((e) => ({ listed: 1, name: e.fn.coalesce('excluded.name', 'proxy.name') })),
      )
      .execute();
  }

  /** Whether there is such a proxy. */
  async revokeProxy(id: string, revoked_at: number | null): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('proxy')
      .set({ revoked_at })
      .where('id', '=', id)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  // Sites that show the widget

  sites(): Promise<SiteRow[]> {
    return this.db.selectFrom('site').selectAll().orderBy('created_at').orderBy('token').execute();
  }

  site(token: string): Promise<SiteRow | undefined> {
    return this.db.selectFrom('site').selectAll().where('token', '=', token).executeTakeFirst();
  }

  /** Enters a site, or changes it. */
  async putSite(row: SiteRow): Promise<void> {
    const { token: _, ...change } = row;
    await this.db
      .insertInto('site')
      .values(row)
      .onConflict((c) => c.column('token').doUpdateSet(change))
      .execute();
  }
}
