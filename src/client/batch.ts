/** Which of the waiting reports go into the next exchange: as many as the gateway takes in one body. */
import type { Report } from '../domain/work.ts';
import { MAX_BODY_BYTES, MAX_REPORTS } from '../protocol/keyserver.ts';

/** The rest of the request is small; half is left for it. */
const BYTES = MAX_BODY_BYTES / 2;

/** The first of them, at least one where there is one. A full report of 256 units is about 40 kB. */
export function firstBatch(reports: Iterable<Report>): Report[] {
  const batch: Report[] = [];
  let bytes = 0;
  for (const report of reports) {
    // Every character of a report is ASCII.
    bytes += JSON.stringify(report).length;
    if (batch.length === MAX_REPORTS || (batch.length > 0 && bytes > BYTES)) break;
    batch.push(report);
  }
  return batch;
}
