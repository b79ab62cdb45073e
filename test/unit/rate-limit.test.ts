/** Who asks too often is told to come again, and when; who obeys is served; nobody pays for another. */
import { assert as check, integer, property } from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ClientInfo } from '../../src/domain/client.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { TokenBuckets } from '../../src/server/http/token-buckets.ts';
import { asking, client, openKeymaster, START, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { testManifest } from '../helpers/test-contest.ts';

let folder: { path: string; remove: () => void };
let server: TestKeymaster;
let gateway: Awaited<ReturnType<typeof createGateway>>;
beforeEach(async () => {
  folder = temporaryFolder();
  server = await openKeymaster(folder.path, [testManifest()]);
  gateway = await createGateway({
    keyserver: server.keymaster,
    version: '0.0.0',
    clock: () => server.clock.now,
    rates: () => ({ client: 3, address: 8, team: 5 }),
  });
});
afterEach(async () => {
  await gateway.close();
  await server.close();
  folder.remove();
});

const ask = (who: ClientInfo, address: string) =>
  gateway.inject({ method: 'POST', url: '/api/v1/exchange', remoteAddress: address, payload: asking({ client: who }) });
const statuses = async (asked: readonly (readonly [ClientInfo, string])[]): Promise<number[]> => {
  const all: number[] = [];
  for (const [who, address] of asked) all.push((await ask(who, address)).statusCode);
  return all;
};
const times = <T>(count: number, one: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => one(i));

test('one client', async () => {
  expect(await statuses(times(4, () => [client(1), '192.0.2.1']))).toEqual([200, 200, 200, 429]);
  const refused = await ask(client(1), '192.0.2.1');
  expect(refused.json()).toMatchObject({
    code: 'rate_limited',
    reply: 302,
    detail: expect.stringMatching(/this client.*20 s/),
  });
  expect(refused.headers['retry-after']).toBe('20');
  server.clock.now += 20_000;
  expect((await ask(client(1), '192.0.2.1')).statusCode).toBe(200);
  expect((await ask(client(2), '192.0.2.1')).statusCode).toBe(200);
});

test('all of one address, but not of this machine', async () => {
  const asked = times(9, (i) => [client(i), '192.0.2.1'] as const);
  expect(await statuses(asked)).toEqual([...times(8, () => 200), 429]);
  expect(await statuses(asked.map(([who]) => [who, '127.0.0.1']))).toEqual(times(9, () => 200));
});

test('all of one team', async () => {
  const asked = times(6, (i) => [{ ...client(i), team: 'owls' }, `192.0.2.${i}`] as const);
  expect(await statuses(asked)).toEqual([...times(5, () => 200), 429]);
});

test('whoever waits as long as was said is served, and over a long time nobody has more than the rate', () => {
  check(
    property(integer({ min: 1, max: 1000 }), integer({ min: 1, max: 500 }), (rate, requests) => {
      const buckets = new TokenBuckets();
      let now = START;
      for (let i = 0; i < requests; i++) {
        const seconds = buckets.take('a', rate, now);
        if (seconds === 0) continue;
        now += seconds * 1000 + 1e-3;
        expect(buckets.take('a', rate, now)).toBe(0);
      }
      const minutes = (now - START) / 60_000;
      expect(requests).toBeLessThanOrEqual(rate * (1 + minutes) + 1);
    }),
  );
});
