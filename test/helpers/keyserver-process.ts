/**
 * A real keyserver in a process of its own, with the tests' contest kind, for tests that kill it. Bundled by the
 * test, since Node 20 runs no TypeScript. Argument: the data folder. It opens the folder when anything arrives on
 * stdin, prints its address once it listens, and ends by itself when the process that started it is gone.
 */
import { once } from 'node:events';
import { startServer } from '../../src/server/serve.ts';
import { testKinds, testManifest } from './test-contest.ts';

process.stdin.on('end', () => process.exit(0));
await once(process.stdin, 'data');
const [dataDir = ''] = process.argv.slice(2);
const server = await startServer({
  dataDir,
  port: 0,
  host: '127.0.0.1',
  manifests: [testManifest({ units: 2 ** 44, maxUnits: 4, leaseSeconds: 3600 })],
  kinds: testKinds,
  version: '0.0.0',
  logLevel: 'silent',
  // A block that is done again would look as if it counted twice.
  secondRuns: 0,
});
process.stdout.write(`${server.url}\n`);
