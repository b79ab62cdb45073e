/** The statements about kiosks: `ledger/kiosks.ts`. */
import type { KioskRow } from './schema.ts';
import { Statements } from './statements.ts';

export class KioskQueries extends Statements {
  /** Those heard of last come first. */
  all(): Promise<KioskRow[]> {
    return this.db.selectFrom('kiosk').selectAll().orderBy('last_seen', 'desc').orderBy('client').execute();
  }

  /** An older word, as one that came by a slower way, changes nothing. */
  async see(row: KioskRow): Promise<void> {
    const { client: _client, first_seen: _first, ...heard } = row;
    await this.db
      .insertInto('kiosk')
      .values(row)
      .onConflict((c) => c.column('client').doUpdateSet(heard).where('kiosk.last_seen', '<=', row.last_seen))
      .execute();
  }

  async forgetBefore(at: number): Promise<void> {
    await this.db.deleteFrom('kiosk').where('last_seen', '<', at).execute();
  }

  /** Leaves so many, those heard of last. */
  async keepLatest(count: number): Promise<void> {
    const past = this.db
      .selectFrom('kiosk')
      .select('client')
      .orderBy('last_seen', 'desc')
      .orderBy('client')
      // SQLite takes no offset without a limit.
      .limit(Number.MAX_SAFE_INTEGER)
      .offset(count);
    await this.db.deleteFrom('kiosk').where('client', 'in', past).execute();
  }
}
