/** What the service worker sends without an engine. */
import { expect, test } from 'vitest';
import { flushReports } from '../../src/client/flush.ts';
import { MemoryBuffers } from '../../src/client/memory-buffers.ts';
import type { Report } from '../../src/domain/work.ts';
import { UnreachableError } from '../../src/protocol/errors.ts';
import { type Directive, type ExchangeRequest, type Keyserver, MAX_REPORTS } from '../../src/protocol/keyserver.ts';
import { client } from '../helpers/keyservers.ts';

const report = (n: number): Report => ({
  lease: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  contest: 'rc5-72',
  first: n,
  evidence: [{ kind: 'rc5', nearMatches: [1] }],
  core: 'rc5-scalar4',
  seconds: 1,
  proof: `proof.${n}`,
});

async function waiting(count: number): Promise<MemoryBuffers> {
  const buffers = new MemoryBuffers();
  for (let n = 0; n < count; n++) await buffers.finishBlock(report(n));
  return buffers;
}

function keyserver(directives: Directive[]): { requests: ExchangeRequest[]; keyserver: Keyserver } {
  const requests: ExchangeRequest[] = [];
  const exchange: Keyserver['exchange'] = async (request) => {
    requests.push(request);
    const results = request.reports.map(({ lease }) => ({
      lease,
      outcome: 'accepted' as const,
      credited: 1,
      hits: [],
    }));
    return { results, leases: [], now: Date.now(), contests: [], retryAfterSeconds: 0, directives };
  };
  return { requests, keyserver: { exchange } as Keyserver };
}

test('all reports go, proofs with them, and nothing is asked for', async () => {
  const buffers = await waiting(MAX_REPORTS + 1);
  const { requests, keyserver: there } = keyserver([]);
  await flushReports(buffers, there, client());
  expect(requests.map(({ reports }) => reports.length)).toEqual([MAX_REPORTS, 1]);
  expect(requests[1]).toEqual({
    protocols: ['keyserver<-client/2', 'keyserver<-client/1'],
    client: client(),
    reports: [report(MAX_REPORTS)],
    want: { blocks: 0, from: [] },
  });
  expect(await buffers.reports()).toEqual([]);
});

test('told to wait: the rest stays, now and at the next sync', async () => {
  const buffers = await waiting(MAX_REPORTS + 1);
  const { requests, keyserver: there } = keyserver([{ do: 'wait', code: 302, seconds: 60 }]);
  await expect(flushReports(buffers, there, client())).rejects.toThrow(UnreachableError);
  await expect(flushReports(buffers, there, client())).rejects.toThrow('asked to wait');
  expect(requests).toHaveLength(1);
  expect(await buffers.reports()).toEqual([report(MAX_REPORTS)]);
});
