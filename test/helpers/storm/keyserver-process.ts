/**
 * A keymaster or a proxy as the storm kills it: the real thing in a process of its own, with a clock that the test steps by
 * sending a number of milliseconds, and a network that it cuts. Bundled by the test. Says its port once it serves, and ends
 * when the process that started it is gone.
 */
import { kinds } from '../../../src/contests/kinds.ts';
import type { ContestManifest } from '../../../src/domain/contest.ts';
import type { PoolsOptions } from '../../../src/server/pools/pools.ts';
import { startProxy, startServer } from '../../../src/server/serve.ts';
import { testKinds } from '../test-contest.ts';

export interface KeyserverOrder {
  dataDir: string;
  databaseUrl?: string;
  /** Of a proxy. */
  upstreams?: readonly string[];
  clockOffsetMs: number;
  manifests: readonly ContestManifest[];
  /** `tests`: work that costs nothing to do. */
  work: 'real' | 'tests';
  /** Units of each contest that a proxy keeps at most. */
  stock: number;
  pools?: PoolsOptions;
  adminToken?: string;
}

/** From now on what it sends goes nowhere, but to its upstreams. */
export interface CutOff {
  isCutOff: boolean;
}

const order = JSON.parse(process.argv[2] ?? '') as KeyserverOrder;
let offsetMs = order.clockOffsetMs;
process.on('disconnect', () => process.exit(0));
process.on('message', (told: number | CutOff) => {
  if (typeof told === 'number') offsetMs = told;
  else isCutOff = told.isCutOff;
});

const { upstreams, clockOffsetMs: _, manifests, work, stock: units, ...home } = order;

let isCutOff = false;
const send = globalThis.fetch;
globalThis.fetch = (input, init) => {
  if (!isCutOff || upstreams?.some((url) => String(input).startsWith(url))) return send(input, init);
  return new Promise((_, reject) => {
    init?.signal?.addEventListener('abort', () => reject(new TypeError('nothing came back')));
  });
};
const options = {
  ...home,
  port: 0,
  host: '127.0.0.1',
  kinds: work === 'real' ? kinds : testKinds,
  version: '0.0.0',
  logLevel: 'warn' as const,
  clock: () => Date.now() + offsetMs,
};
const stock = Object.fromEntries(manifests.map(({ name }) => [name, units]));
const settings = { maxStock: stock, reportBatch: 8, reportAgeSeconds: 1 };
try {
  const server = await (upstreams === undefined
    ? // A block that is done again would look as if it counted twice.
      startServer({ ...options, manifests, secondRuns: 0 })
    : startProxy({ ...options, upstreams, settings }));
  process.send?.(Number(new URL(server.url).port));
} catch (error) {
  process.stderr.write(`cannot start: ${String(error)}\n`);
  process.exit(1);
}
