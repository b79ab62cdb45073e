/**
 * A set of values or rows crosses to the database as one parameter, a JSON text, and is a table there. So a statement has one text
 * whatever the size of its set: it is prepared once, and neither kysely nor the driver handles thousands of parameters.
 *
 * The two databases spell it differently; this is the one place where the ledger's SQL does.
 */
import { type RawBuilder, sql } from 'kysely';

export type Dialect = 'sqlite' | 'postgresql';

/** Columns of the set, and their types. */
export type Columns<T> = Readonly<Record<keyof T & string, 'text' | 'bigint'>>;

/** `given`, a table of these rows: for a `from`. */
export function given<T extends object>(
  dialect: Dialect,
  columns: Columns<T>,
  rows: readonly T[],
): RawBuilder<unknown> {
  const names = Object.keys(columns) as (keyof T & string)[];
  const json = jsonOf(rows);
  if (dialect === 'postgresql') {
    const typed = names.map((name) => sql`${sql.ref(name)} ${sql.raw(columns[name])}`);
    return sql`json_to_recordset(cast(${json} as json)) as given(${sql.join(typed)})`;
  }
  const drawn = names.map((name) => sql`value ->> ${sql.lit(name)} as ${sql.ref(name)}`);
  return sql`(select ${sql.join(drawn)} from json_each(${json})) as given`;
}

/** Half a surrogate pair, which JSON writes as an escape, PostgreSQL refuses and libsql cannot read again. */
function jsonOf(rows: readonly object[]): string {
  const json = JSON.stringify(rows);
  if (!json.includes('\\ud')) return json;
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value));
}
