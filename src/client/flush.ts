/** The tag of the Background Sync that calls this. */
export const SYNC_TAG = 'tabherd-reports';

import type { ClientInfo } from '../domain/client.ts';
/** Sends what waits in the out-buffer, without an engine: for the service worker when the network comes back. */
import { UnreachableError } from '../protocol/errors.ts';
import type { Keyserver } from '../protocol/keyserver.ts';
import { reportBatch } from '../protocol/report-batch.ts';
import type { Buffers } from './buffers.ts';

/** @throws UnreachableError or RefusedError; what was answered before it is settled, the rest still waits. */
export async function flushReports(buffers: Buffers, keyserver: Keyserver, client: ClientInfo): Promise<void> {
  for (;;) {
    const reports = reportBatch(await buffers.reports());
    if (reports.length === 0) return;
    const { results } = await keyserver.exchange({ client, reports, want: { blocks: 0, from: [] } });
    if (results.length === 0) throw new UnreachableError('the keyserver answered for none of the reports');
    await buffers.settle(results);
  }
}
