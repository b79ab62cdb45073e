/**
 * Puts finished neighbours of one client together before they go up, so that the upstream gets one report where the
 * client sent many. Only what was worked under the same upstream lease, and by the same core, is one piece of work.
 */
import { MAX_REPORT_SECONDS, MAX_REPORT_UNITS, type Report } from '../../domain/work.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { OutboxRow } from '../store/schema.ts';

export interface Parcel {
  report: Report;
  /** The rows of the outbox that are in it. */
  ids: string[];
}

/** What waits in the out-buffer, the most urgent first: so many rows at most, and no more text than that; one row always. */
export async function waitingParcels(
  ledger: LedgerQueries,
  maxRows: number,
  maxBytes: number,
): Promise<{ parcels: Parcel[]; more: boolean }> {
  // Their lengths first: a proxy that was alone for long has more than fits into the memory.
  const next = await ledger.upstream.nextInOutbox(maxRows);
  let room = maxBytes;
  const some = next.filter(({ length }, i) => {
    room -= length;
    return i === 0 || room > 0;
  });
  const rows = some.length === 0 ? [] : await ledger.upstream.outboxRows(some.map(({ id }) => id));
  return { parcels: coalesce(rows), more: next.length === maxRows || some.length < next.length };
}

/** The rows as parcels, those with hits first, and otherwise in order of units. */
export function coalesce(rows: readonly OutboxRow[]): Parcel[] {
  const waiting = rows
    .map(({ id, body, urgent }) => ({ id, urgent, report: JSON.parse(body) as Report }))
    .toSorted(
      (a, b) =>
        b.urgent - a.urgent || a.report.contest.localeCompare(b.report.contest) || a.report.first - b.report.first,
    );
  const parcels: Parcel[] = [];
  for (const { id, report } of waiting) {
    const last = parcels.at(-1);
    if (last !== undefined && fits(last.report, report)) {
      last.report = {
        ...last.report,
        evidence: [...last.report.evidence, ...report.evidence],
        seconds: Math.min(MAX_REPORT_SECONDS, last.report.seconds + report.seconds),
        finishedAt: Math.max(last.report.finishedAt ?? 0, report.finishedAt ?? 0),
      };
      last.ids.push(id);
    } else {
      parcels.push({ report, ids: [id] });
    }
  }
  return parcels;
}

const fits = (a: Report, b: Report): boolean =>
  a.contest === b.contest &&
  a.lease === b.lease &&
  a.proof === b.proof &&
  a.first + a.evidence.length === b.first &&
  a.core === b.core &&
  a.client?.id === b.client?.id &&
  a.evidence.length + b.evidence.length <= MAX_REPORT_UNITS;
