/**
 * A keymaster or a proxy as the storm kills it: the real thing in a process of its own, with the tests' contest kind and a clock
 * that the test steps by sending a number of milliseconds. Bundled by the test. Says its address once it serves, and ends when
 * the process that started it is gone.
 */
import { startProxy, startServer } from '../../../src/server/serve.ts';
import { testKinds, testManifest } from '../test-contest.ts';

export interface KeyserverOrder {
  dataDir: string;
  databaseUrl?: string;
  /** Of a proxy. */
  upstreams?: readonly string[];
  clockOffsetMs: number;
}

/** Endless work; and lines that come to their end in the storm, whose last units are handed out twice. */
const manifests = [
  testManifest({ name: 'endless', units: 2 ** 44, maxUnits: 4, leaseSeconds: 20, recycleSeconds: 3 }),
  testManifest({ name: 'short', units: 1500, maxUnits: 8, leaseSeconds: 5, recycleSeconds: 5 }),
  testManifest({ name: 'middling', units: 20_000, maxUnits: 8, leaseSeconds: 10, recycleSeconds: 20 }),
];

const order = JSON.parse(process.argv[2] ?? '') as KeyserverOrder;
let offsetMs = order.clockOffsetMs;
process.on('disconnect', () => process.exit(0));
process.on('message', (stepped) => {
  offsetMs = Number(stepped);
});

const { upstreams, clockOffsetMs: _, ...home } = order;
const options = {
  ...home,
  port: 0,
  host: '127.0.0.1',
  kinds: testKinds,
  version: '0.0.0',
  logLevel: 'warn' as const,
  clock: () => Date.now() + offsetMs,
};
const stock = Object.fromEntries(manifests.map(({ name }) => [name, 200]));
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
