/** The bench of pools, briefly and in one process: that every part of it runs, never how fast anything is. */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { poolsReport } from '../../src/cli/bench/pools/pools.ts';
import { freePort, type Programs } from '../../src/cli/bench/pools/programs.ts';
import { poolsText } from '../../src/cli/bench/pools/text.ts';
import { POLICY_NAMES } from '../../src/protocol/pools.ts';
import { startProxy, startServer } from '../../src/server/serve.ts';
import { temporaryFolder } from '../helpers/keyservers.ts';
import { POLICY } from '../helpers/pools.ts';
import { testKinds, testManifest } from '../helpers/test-contest.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const common = (name: string) => ({
  dataDir: join(folder.path, name),
  host: '127.0.0.1',
  kinds: testKinds,
  version: '0.0.0',
  logLevel: 'silent' as const,
});
const registrar = { registrar: true, registrars: [], policy: POLICY, successors: [], origins: [] };

const programs: Programs = {
  async registrar(adminToken) {
    const port = await freePort();
    const pools = { ...registrar, addresses: [`http://127.0.0.1:${port}`] };
    const server = await startServer({ ...common('top'), port, manifests: [testManifest()], adminToken, pools });
    return { url: server.url, pid: process.pid, close: () => server.close() };
  },
  async newcomerKey(upstream) {
    const proxy = await startProxy({ ...common('newcomer'), port: 0, upstreams: [upstream], settings: {} });
    await proxy.close();
    return proxy.id;
  },
  async newcomer(upstream, address, voucher) {
    const pools = { ...registrar, registrars: [upstream], addresses: [address], voucher };
    const proxy = await startProxy({ ...common('newcomer'), port: 0, upstreams: [upstream], settings: {}, pools });
    return { url: proxy.url, pid: process.pid, close: () => proxy.close() };
  },
};

test('a resolution by every policy, registrations, newcomers', async () => {
  const given = { elements: 10_000, repeats: 5, seconds: 2, connections: 16, short: true };
  const report = await poolsReport(given, '0.0.0', folder.path, programs);
  expect(report.options.elements).toBeLessThan(1000);
  expect(report.resolutions.map(({ policy }) => policy)).toEqual(POLICY_NAMES);
  for (const { rates, callRates, callP50, callP99 } of report.resolutions) {
    for (const values of [rates, callRates, callP50, callP99]) expect(values[0]).toBeGreaterThan(0);
  }
  const { registrations, newcomer, sharedRegistrations } = report;
  for (const values of [...Object.values(registrations), ...Object.values(newcomer), sharedRegistrations]) {
    expect(values).toHaveLength(1);
    expect(values[0]).toBeGreaterThan(0);
  }
  const lines = poolsText(report).split('\n');
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
  for (const policy of POLICY_NAMES)
    expect(lines.filter((line) => line.trim().startsWith(`${policy} `))).toHaveLength(2);
}, 60_000);
