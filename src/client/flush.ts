/** Sends what waits in the out-buffer, without an engine: for the service worker when the network comes back. */
import type { ClientInfo, Keyserver } from '../protocol/keyserver.ts';
import { reportBatch } from '../protocol/report-batch.ts';
import type { Buffers } from './buffers.ts';

/** @throws UnreachableError or RefusedError; what was answered before it is settled, the rest still waits. */
export async function flushReports(buffers: Buffers, keyserver: Keyserver, client: ClientInfo): Promise<void> {
  for (;;) {
    const reports = reportBatch(await buffers.reports());
    if (reports.length === 0) return;
    const { results } = await keyserver.exchange({ client, reports, want: { blocks: 0, from: [] } });
    await buffers.settle(results);
  }
}
