/**
 * A real keymaster in a process of its own, with the tests' contest kind and an administration token, for tests of the
 * operator's commands. Bundled by the test, since Node 20 runs no TypeScript. Arguments: the data folder, the token.
 * It prints its address once it listens, and ends when its stdin does.
 */
import { createGateway } from '../../src/server/http/gateway.ts';
import { Administration } from '../../src/server/keymaster/administration.ts';
import { Keymaster } from '../../src/server/keymaster/keymaster.ts';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import { testKinds, testManifest } from './test-contest.ts';

process.stdin.on('end', () => process.exit(0)).resume();
const [dataDir = '', token = ''] = process.argv.slice(2);
const store = await openSqliteStore(dataDir);
const log = { info() {}, warn() {}, error: console.error };
const keymaster = await Keymaster.open({
  store,
  manifests: [testManifest({ units: 2 ** 44, maxUnits: 4, leaseSeconds: 3600 })],
  kinds: testKinds,
  clock: Date.now,
  log,
  version: '0.0.0',
});
const administration = new Administration({ keymaster, store, kinds: testKinds, clock: Date.now });
const gateway = await createGateway({
  keyserver: keymaster,
  version: '0.0.0',
  admin: { administration, token: () => token },
});
process.stdout.write(`${await gateway.listen({ port: 0, host: '127.0.0.1' })}\n`);
