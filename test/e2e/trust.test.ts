/**
 * A client that makes up how much it searched, against the built keymaster with its own core in a thread: it is found out by a spot
 * check, loses what it was credited with, and is told why; an honest one beside it passes. Seen as its operator sees it.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Report } from '../../src/domain/work.ts';
import { Case, ClientRecord } from '../../src/protocol/administration.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
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

const admin = async <T extends ReturnType<typeof Type.Object> | ReturnType<typeof Type.Array>>(
  schema: T,
  ...args: string[]
) => {
  const answer: unknown = JSON.parse(await tabherd(['admin', ...args, '--at', server.url, '--json']));
  Value.Assert(schema, answer);
  return answer;
};

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
