/**
 * How many waiting reports fit in one exchange. A full report of RC5 (256 units, about 16 near matches each) is
 * 41 kB of JSON, so the 64 reports that an exchange may carry would be 2.6 MB: past what a gateway reads. A client
 * that was offline for long sends them in several.
 */
import type { Report } from '../domain/work.ts';
import { MAX_REPORTS } from './keyserver.ts';

/** The longest body a client sends: about twenty full reports of RC5; any single report that a core makes fits. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** … and a proxy: the longest that a gateway reads. */
export const MAX_PROXY_BODY_BYTES = 4 * 1024 * 1024;

/** What the client's name, its wishes and the braces may take; the leases it names are counted besides. */
const ENVELOPE_BYTES = 16 * 1024;

/** The first of the reports, at least one if there is one, that one exchange can carry beside these lease ids. */
export function reportBatch(reports: readonly Report[], holding: readonly string[] = []): Report[] {
  let room = MAX_BODY_BYTES - ENVELOPE_BYTES - JSON.stringify(holding).length;
  const batch: Report[] = [];
  for (const report of reports) {
    // All of a report is ASCII but the core's name, which counts threefold at worst.
    room -= JSON.stringify(report).length + 2 * report.core.length + 1;
    if (batch.length === MAX_REPORTS || (room < 0 && batch.length > 0)) break;
    batch.push(report);
  }
  return batch;
}
