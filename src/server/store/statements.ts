/**
 * What every group of the ledger's statements is made from. Portable SQL only: what is here runs unchanged on SQLite and
 * PostgreSQL. A commit serves many exchanges, so what it reads and writes goes by sets (`sets.ts`).
 */
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { LedgerTables } from './schema.ts';
import { type Columns, type Dialect, given } from './sets.ts';

export class Statements {
  protected readonly db: Kysely<LedgerTables>;
  protected readonly dialect: Dialect;

  constructor(db: Kysely<LedgerTables>, dialect: Dialect) {
    this.db = db;
    this.dialect = dialect;
  }

  /** Whether the column is one of these values. */
  protected among(column: string, type: 'text' | 'bigint', values: readonly (string | number)[]): RawBuilder<SqlBool> {
    const rows = values.map((value) => ({ value }));
    return this.within(column, sql`select given.value from ${given(this.dialect, { value: type }, rows)}`);
  }

  /**
   * Whether the column is one of those selected. PostgreSQL plans `in (select …)` as a join, once and for all, and by what it
   * knows of the table then: an empty one it reads whole for ever after. With an array there is but one way: the index.
   */
  protected within(column: string, selected: RawBuilder<unknown>): RawBuilder<SqlBool> {
    return this.dialect === 'postgresql'
      ? sql`${sql.ref(column)} = any(array(${selected}))`
      : sql`${sql.ref(column)} in (${selected})`;
  }

  /** `insert … on conflict …`, where there is anything to insert. */
  protected insert<T extends object>(table: string, columns: Columns<T>, rows: readonly T[]) {
    return async (conflict: TemplateStringsArray): Promise<void> => {
      if (rows.length === 0) return;
      const names = sql.join(Object.keys(columns).map((name) => sql.ref(name)));
      // Without a `where` SQLite would take `on` for that of a join.
      await sql`insert into ${sql.table(table)} (${names}) select ${names} from ${given(this.dialect, columns, rows)}
        where true on conflict ${sql.raw(conflict.join(''))}`.execute(this.db);
    };
  }
}
