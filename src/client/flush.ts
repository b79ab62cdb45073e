/** Sends what waits in the out-buffer, without an engine: for the service worker when the network comes back. */
import type { ClientInfo } from '../domain/client.ts';
import { UnreachableError } from '../protocol/errors.ts';
import type { Keyserver } from '../protocol/keyserver.ts';
import { reportBatch } from '../protocol/report-batch.ts';
import type { Buffers } from './buffers.ts';
import { isDue, waitUntilOf } from './counter.ts';
import { SPOKEN } from './spoken.ts';

/** The tag of the Background Sync that calls this. */
export const SYNC_TAG = 'tabherd-reports';

/** What a tab sends a new service worker that waits, so that it takes over at once. */
export const TAKE_OVER = 'take-over';

/** @throws UnreachableError or RefusedError; what was answered before it is settled, the rest still waits. */
export async function flushReports(buffers: Buffers, keyserver: Keyserver, client: ClientInfo): Promise<void> {
  let { waitUntil } = (await buffers.load()).facts;
  for (;;) {
    const reports = reportBatch(await buffers.reports());
    if (reports.length === 0) return;
    if (!isDue(waitUntil ?? 0)) throw new UnreachableError('the keyserver asked to wait');
    const want = { blocks: 0, from: [] };
    const reply = await keyserver.exchange({ protocols: [...SPOKEN], client, reports, want });
    if (reply.results.length === 0) throw new UnreachableError('the keyserver answered for none of the reports');
    await buffers.settle(reply.results);
    waitUntil = waitUntilOf(reply);
    if (waitUntil !== undefined) await buffers.setFact('waitUntil', waitUntil);
  }
}
