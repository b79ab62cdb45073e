/**
 * Cheats against the built keymaster, as its operator sees them. Who makes up how much it searched is found out by a spot check of the
 * keymaster's own core in a thread; who keeps back a near match, by the second run of somebody at another address. They lose what they
 * were credited with, and are told why; the honest beside them pass.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { rc5Blocks, rc5Evidence } from '../../src/cli/bench/keyserver/contests.ts';
import type { Lease, Report, UnitEvidence } from '../../src/domain/work.ts';
import { Case, ClientRecord } from '../../src/protocol/administration.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import type { ExchangeReply } from '../../src/protocol/keyserver.ts';
import { tabherd } from '../helpers/command.ts';
import { asking, client, temporaryFolder } from '../helpers/keyservers.ts';
import { contestOf, smallSearch } from '../helpers/ogr.ts';
import { ServerProcess } from '../helpers/server-process.ts';

const TOKEN = 'a-token-for-one-test';
const manifest = contestOf(smallSearch(12, 2));

let server: ServerProcess;
let keyserver: HttpKeyserver;
const folder = temporaryFolder();
beforeAll(async () => {
  vi.stubEnv('TABHERD_ADMIN_TOKEN', TOKEN);
  server = await ServerProcess.start([manifest]);
  keyserver = new HttpKeyserver(server.url, { fetch });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
  folder.remove();
});

const adminAt = async <T extends ReturnType<typeof Type.Object> | ReturnType<typeof Type.Array>>(
  url: string,
  schema: T,
  ...args: string[]
) => {
  const answer: unknown = JSON.parse(await tabherd(['admin', ...args, '--at', url, '--json']));
  Value.Assert(schema, answer);
  return answer;
};
const admin = async <T extends ReturnType<typeof Type.Object> | ReturnType<typeof Type.Array>>(
  schema: T,
  ...args: string[]
) => adminAt(server.url, schema, ...args);

test('made-up nodes are found by doing a unit again; the case is on file, the credit is gone, work is refused with a reason', async () => {
  const liar = { ...client(), id: randomUUID(), name: 'liar' };
  const contests = [manifest.name];
  const { leases } = await keyserver.exchange(asking({ client: liar, blocks: 1, contests }));
  const [lease] = leases;
  if (lease === undefined) throw new Error('no block was handed out');
  const { id, contest, first, count, proof } = lease;
  const evidence = Array.from({ length: count }, () => ({ kind: 'ogr' as const, nodes: 12_345 }));
  const report: Report = {
    lease: id,
    contest,
    first,
    evidence,
    core: 'ogr-simd',
    seconds: 1,
    ...(proof === undefined ? {} : { proof }),
  };
  const { results } = await keyserver.exchange(asking({ client: liar, reports: [report], contests }));
  expect(results).toMatchObject([{ outcome: 'accepted', credited: count }]);

  const cases = () => admin(Type.Array(Case), 'cases');
  await expect.poll(async () => (await cases()).length, { timeout: 60_000, interval: 1000 }).toBe(1);
  const [filed] = await cases();
  expect(filed).toMatchObject({ client: liar.id, name: 'liar', how: 'spot-check', units: count });
  expect(filed?.detail).toMatch(/the search ends after \d+ nodes/);
  expect(await admin(ClientRecord, 'client', liar.id)).toMatchObject({ contests: [{ barred: true, failed: 1 }] });
  expect((await server.status()).contests).toMatchObject([{ done: 0 }]);

  const metrics = await (await fetch(new URL('metrics', server.url))).text();
  for (const line of [
    'tabherd_spot_checks_total{result="failed"} 1',
    'tabherd_cases_total{how="spot-check"} 1',
    'tabherd_clients_without_work{why="barred"} 1',
  ]) {
    expect(metrics).toContain(line);
  }
  expect(metrics).toMatch(/^tabherd_spot_check_seconds_total [\d.e-]+$/m);

  const { leases: more, messages } = await keyserver.exchange(asking({ client: liar, blocks: 1, contests }));
  expect(more).toEqual([]);
  expect(messages?.[0]).toMatch(/the search ends after.*its credit was taken back.*machine may be at fault/);
  expect(await tabherd(['admin', 'cases', 'show', filed?.id ?? '', '--at', server.url])).toContain('"nodes": 12345');
});

test('an honest client passes', async () => {
  const data = `${folder.path}/crunch.json`;
  await tabherd(['crunch', server.url, '--until', manifest.name, '--data', data, '--workers', '1']);
  const { clientId } = (JSON.parse(await readFile(data, 'utf8')) as { facts: { clientId: string } }).facts;
  const passed = async () => (await admin(ClientRecord, 'client', clientId)).contests[0]?.passed ?? 0;
  await expect.poll(passed, { timeout: 60_000, interval: 1000 }).toBeGreaterThan(0);
  expect(await admin(ClientRecord, 'client', clientId)).toMatchObject({ contests: [{ barred: false, failed: 0 }] });
  expect((await server.status()).contests).toMatchObject([{ state: 'closed', done: manifest.units }]);
});

test('a near match that is kept back is found out by a second run, by somebody at another address', async () => {
  vi.stubEnv('TABHERD_SECOND_RUNS', '1000');
  vi.stubEnv('TABHERD_SPOT_CHECKS', 'false');
  vi.stubEnv('TABHERD_TRUST_PROXY_HEADERS', 'true');
  const doubling = await ServerProcess.start([rc5Blocks]);
  onTestFinished(() => doubling.close());
  const contests = [rc5Blocks.name];
  const at = (name: string, address: string) => {
    const who = { ...client(), id: randomUUID(), name };
    const from: typeof fetch = (url, init) => {
      const headers = new Headers(init?.headers);
      headers.set('x-forwarded-for', address);
      return fetch(url, { ...init, headers });
    };
    const there = new HttpKeyserver(doubling.url, { fetch: from });
    return {
      id: who.id,
      take: () => there.exchange(asking({ client: who, blocks: 1, units: 1, contests })),
      report: async ({ id, first, proof }: Lease, evidence: UnitEvidence) => {
        const done = { lease: id, contest: rc5Blocks.name, first, evidence: [evidence], core: 'rc5-simd', seconds: 9 };
        const reports = [proof === undefined ? done : { ...done, proof }];
        return (await there.exchange(asking({ client: who, reports, contests }))).results[0];
      },
    };
  };
  const blockOf = ({ leases: [block] }: ExchangeReply): Lease => {
    if (block === undefined) throw new Error('no block was handed out');
    return block;
  };
  const truth = ({ first }: Lease): UnitEvidence => rc5Evidence[first] as UnitEvidence;
  const credited = { outcome: 'accepted', credited: 1 };
  const liar = at('liar', '192.0.2.1');
  const neighbour = at('neighbour', '192.0.2.1');
  const stranger = at('stranger', '198.51.100.1');

  const block = blockOf(await liar.take());
  const whole = truth(block);
  if (whole.kind !== 'rc5') throw new TypeError(`evidence of kind ${whole.kind}`);
  const lacking = { ...whole, nearMatches: whole.nearMatches.slice(1) };
  expect(await liar.report(block, lacking)).toMatchObject(credited);
  const beside = blockOf(await neighbour.take());
  expect(beside.first).not.toBe(block.first);
  const again = blockOf(await stranger.take());
  expect(again.first).toBe(block.first);
  expect(await stranger.report(again, whole)).toMatchObject(credited);

  const cases = () => adminAt(doubling.url, Type.Array(Case), 'cases');
  await expect.poll(async () => (await cases()).length, { timeout: 20_000, interval: 500 }).toBe(1);
  expect(await cases()).toMatchObject([{ client: liar.id, name: 'liar', how: 'second-run', units: 1 }]);
  expect((await doubling.status()).contests).toMatchObject([{ done: 0 }]);
  const { leases, messages } = await liar.take();
  expect(leases).toEqual([]);
  expect(messages?.[0]).toMatch(/1 near match is missing.*its credit was taken back.*machine may be at fault/);

  // Two who are honest agree, wherever they are.
  expect(await neighbour.report(beside, truth(beside))).toMatchObject(credited);
  const third = at('third', '203.0.113.1');
  const same = blockOf(await third.take());
  expect(same.first).toBe(beside.first);
  expect(await third.report(same, truth(same))).toMatchObject(credited);
  for (const { id } of [neighbour, third]) {
    expect(await adminAt(doubling.url, ClientRecord, 'client', id)).toMatchObject({
      contests: [{ barred: false, passed: 1, failed: 0 }],
    });
  }
  expect(await cases()).toHaveLength(1);
}, 60_000);
