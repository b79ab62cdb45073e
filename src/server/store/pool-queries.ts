/** The statements about pools of gateways: `pools/shared.ts`. */
import type { PoolElementRow, RegistrarRow } from './schema.ts';
import { Statements } from './statements.ts';

export class PoolQueries extends Statements {
  registrars(): Promise<RegistrarRow[]> {
    return this.db.selectFrom('registrar').selectAll().orderBy('id').execute();
  }

  async putRegistrar(row: RegistrarRow): Promise<void> {
    const { id: _, ...changed } = row;
    await this.db
      .insertInto('registrar')
      .values(row)
      .onConflict((c) => c.column('id').doUpdateSet(changed))
      .execute();
  }

  async dropRegistrar(id: number): Promise<void> {
    await this.db.deleteFrom('registrar').where('id', '=', id).execute();
  }

  /** Those that were changed since. */
  elementsSince(at: number): Promise<PoolElementRow[]> {
    return this.db.selectFrom('pool_element').selectAll().where('changed_at', '>=', at).execute();
  }

  /** An older registration changes nothing, and none brings back what is gone. @returns whether it was taken. */
  async putElement(row: PoolElementRow): Promise<boolean> {
    const { handle: _handle, id: _id, ...changed } = row;
    const { numInsertedOrUpdatedRows } = await this.db
      .insertInto('pool_element')
      .values(row)
      .onConflict((c) =>
        c
          .columns(['handle', 'id'])
          .doUpdateSet(changed)
          .where((e) =>
            e.or([
              e('pool_element.iat', '<', row.iat),
              e.and([e('pool_element.iat', '=', row.iat), e('pool_element.gone', '=', 0)]),
            ]),
          ),
      )
      .executeTakeFirstOrThrow();
    return numInsertedOrUpdatedRows !== 0n;
  }

  async rehome(from: number, to: number, at: number): Promise<void> {
    await this.db
      .updateTable('pool_element')
      .set({ home: to, changed_at: at })
      .where('home', '=', from)
      .where('gone', '=', 0)
      .execute();
  }

  /** Forgets those that are gone for long. */
  async pruneElements(before: number): Promise<void> {
    await this.db.deleteFrom('pool_element').where('gone', '=', 1).where('changed_at', '<', before).execute();
  }
}
