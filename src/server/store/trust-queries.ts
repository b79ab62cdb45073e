/** The statements about trust: `server/trust/`. */
import type { CaseFileRow, ConductRow, SecondRunHead, SecondRunRow } from './schema.ts';
import type { Columns } from './sets.ts';
import { Statements } from './statements.ts';

const CONDUCT: Columns<ConductRow> = { client: 'text', contest: 'text', body: 'text' };

export class TrustQueries extends Statements {
  conducts(clients: readonly string[]): Promise<ConductRow[]> {
    return this.db
      .selectFrom('conduct')
      .selectAll()
      .where(this.among('client', 'text', clients))
      .execute();
  }

  /** What is noted of clients in all contests together. */
  general(): Promise<ConductRow[]> {
    return this.db.selectFrom('conduct').selectAll().where('contest', '=', '').execute();
  }

  async dropConduct(client: string, contest: string): Promise<void> {
    await this.db.deleteFrom('conduct').where('client', '=', client).where('contest', '=', contest).execute();
  }

  /** With the cases. */
  async dropAllOf(client: string): Promise<void> {
    await this.db.deleteFrom('conduct').where('client', '=', client).execute();
    await this.db.deleteFrom('case_file').where('client', '=', client).execute();
  }

  async putConducts(rows: readonly ConductRow[]): Promise<void> {
    await this.insert('conduct', CONDUCT, rows)`(client, contest) do update set body = excluded.body`;
  }

  async putCase(row: CaseFileRow): Promise<void> {
    await this.db.insertInto('case_file').values(row).execute();
  }

  /** The newest first. */
  cases(limit: number): Promise<CaseFileRow[]> {
    return this.db.selectFrom('case_file').selectAll().orderBy('at', 'desc').orderBy('id').limit(limit).execute();
  }

  caseOf(id: string): Promise<CaseFileRow | undefined> {
    return this.db.selectFrom('case_file').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** Those against this client that no operator has pardoned; the newest first. */
  casesOf(client: string): Promise<CaseFileRow[]> {
    return this.db
      .selectFrom('case_file')
      .selectAll()
      .where('client', '=', client)
      .where('pardoned_at', 'is', null)
      .orderBy('at', 'desc')
      .execute();
  }

  async changeCase(id: string, body: string): Promise<void> {
    await this.db.updateTable('case_file').set({ body }).where('id', '=', id).execute();
  }

  async pardon(id: string, at: number): Promise<void> {
    await this.db.updateTable('case_file').set({ pardoned_at: at }).where('id', '=', id).execute();
  }

  secondRuns(): Promise<SecondRunRow[]> {
    return this.db.selectFrom('second_run').selectAll().orderBy('at').orderBy('id').execute();
  }

  /** All but what was done, and how long that is. */
  secondRunHeads(): Promise<SecondRunHead[]> {
    return this.db
      .selectFrom('second_run')
      .select(['id', 'at', 'contest', 'first', 'count', 'known', 'lease', 'holder', 'expires_at'])
      .select(({ fn }) => fn<number>('length', ['body']).as('size'))
      .orderBy('at')
      .orderBy('id')
      .execute();
  }

  secondRun(id: string): Promise<SecondRunRow | undefined> {
    return this.db.selectFrom('second_run').selectAll().where('id', '=', id).executeTakeFirst();
  }

  async leaseSecondRun({ id, lease, holder, expires_at }: SecondRunHead): Promise<void> {
    await this.db.updateTable('second_run').set({ lease, holder, expires_at }).where('id', '=', id).execute();
  }

  secondRunOf(lease: string): Promise<SecondRunRow | undefined> {
    return this.db.selectFrom('second_run').selectAll().where('lease', '=', lease).executeTakeFirst();
  }

  async putSecondRun(row: SecondRunRow): Promise<void> {
    const { id: _, ...changed } = row;
    await this.db
      .insertInto('second_run')
      .values(row)
      .onConflict((c) => c.column('id').doUpdateSet(changed))
      .execute();
  }

  async deleteSecondRun(id: string): Promise<void> {
    await this.db.deleteFrom('second_run').where('id', '=', id).execute();
  }
}
