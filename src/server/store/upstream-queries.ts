/** The statements about a proxy's own affairs with its upstream: what it was leased, and what it has to report. */
import { sql } from 'kysely';
import type { OutboxRow, UpstreamLeaseRow } from './schema.ts';
import { type Columns, given } from './sets.ts';
import { Statements } from './statements.ts';

const UPSTREAM_LEASE: Columns<UpstreamLeaseRow> = {
  id: 'text',
  contest: 'text',
  first: 'bigint',
  past: 'bigint',
  expires_at: 'bigint',
  proof: 'text',
};
const OUTBOX: Columns<OutboxRow> = {
  id: 'text',
  contest: 'text',
  first: 'bigint',
  at: 'bigint',
  urgent: 'bigint',
  body: 'text',
};

export class UpstreamQueries extends Statements {
  upstreamLeases(): Promise<UpstreamLeaseRow[]> {
    return this.db.selectFrom('upstream_lease').selectAll().orderBy('contest').orderBy('first').execute();
  }

  async putUpstreamLeases(rows: readonly UpstreamLeaseRow[]): Promise<void> {
    await this.insert('upstream_lease', UPSTREAM_LEASE, rows)`(contest, first) do update set id = excluded.id,
      past = excluded.past, expires_at = excluded.expires_at, proof = excluded.proof`;
  }

  async deleteUpstreamLease(contest: string, first: number): Promise<void> {
    await this.db.deleteFrom('upstream_lease').where('contest', '=', contest).where('first', '=', first).execute();
  }

  async putOutbox(rows: readonly OutboxRow[]): Promise<void> {
    const names = sql.join(Object.keys(OUTBOX).map((name) => sql.ref(name)));
    const from = given(this.dialect, OUTBOX, rows);
    if (rows.length > 0) await sql`insert into outbox (${names}) select ${names} from ${from}`.execute(this.db);
  }

  /** The reports to send next, those with a hit first, then the oldest: their ids and the lengths of their bodies. */
  nextInOutbox(limit: number): Promise<{ id: string; length: number }[]> {
    return this.db
      .selectFrom('outbox')
      .select((e) => ['id', e.fn<number>('length', ['body']).as('length')])
      .orderBy('urgent', 'desc')
      .orderBy('at')
      .limit(limit)
      .execute();
  }

  outboxRows(ids: readonly string[]): Promise<OutboxRow[]> {
    return this.db
      .selectFrom('outbox')
      .selectAll()
      .where(this.among('id', 'text', ids))
      .execute();
  }

  async countOutbox(): Promise<{ contest: string; count: number; oldest: number; urgent: number }[]> {
    const rows = await this.db
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

  /** Whether a report waits that begins in [first, past). */
  async isInOutbox(contest: string, first: number, past: number): Promise<boolean> {
    const row = await this.db
      .selectFrom('outbox')
      .select('id')
      .where('contest', '=', contest)
      .where('first', '>=', first)
      .where('first', '<', past)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  async deleteOutbox(ids: readonly string[]): Promise<void> {
    await this.db
      .deleteFrom('outbox')
      .where(this.among('id', 'text', ids))
      .execute();
  }
}
