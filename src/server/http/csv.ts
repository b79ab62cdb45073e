/**
 * Tables as comma-separated values (RFC 4180): CRLF, a header row, quotes only where they are needed. Names are strangers' words:
 * one that a spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises.
 */

export type Cell = string | number | undefined;

/** @param columns their names, which never change; a row has a cell for each. */
export function csv(columns: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines = [columns.join(',')];
  for (const row of rows) lines.push(row.map(cell).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

function cell(value: Cell): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What may begin a formula, in full width too; spreadsheets pass over blanks before it. */
const FORMULA = /^\s*[=+\-@＝＋－＠\t\r\n]/;

/** As everything that is read by programs is written: `2026-01-31T14:00:00.000Z`. */
export const instant = (at: number): string => new Date(at).toISOString();
/** `2026-01-31`. */
export const day = (at: number): string => instant(at).slice(0, 10);
