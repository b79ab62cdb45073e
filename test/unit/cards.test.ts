/** Business cards: a proxy in a pool hears at once that a contest is over; nobody can have a keyserver call anyone else. */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ContestState } from '../../src/domain/contest.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import { Cards } from '../../src/server/pools/cards.ts';
import type { PoolsOptions } from '../../src/server/pools/pools.ts';
import { generateKey } from '../../src/server/proof/key.ts';
import { makeVoucher } from '../../src/server/proof/voucher.ts';
import { startProxy, startServer } from '../../src/server/serve.ts';
import { asking, temporaryFolder } from '../helpers/keyservers.ts';
import { freePort } from '../helpers/server-process.ts';
import { testKinds, testManifest, trueReport } from '../helpers/test-contest.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const state = (name: string, is: 'open' | 'closed'): ContestState => ({
  name,
  state: is,
  units: 1,
  done: 0,
  leased: 0,
  hits: [],
});

test('whoever left a card with a voucher is called once when a contest is over, and nobody else', async () => {
  const called: string[] = [];
  const cards = new Cards(async (address) => {
    called.push(address);
  });
  const [keymaster, proxy, other] = [generateKey(), generateKey(), generateKey()];
  const claims = { sub: proxy.id, handle: 'eu', addresses: ['http://a.example'], exp: 1_000_000 };
  const trust = { isTrusted: (key: string) => key === keymaster.id, isRevoked: () => false, now: 0 };
  const card = (voucher: string, handle = 'eu') => ({ handle, id: 1, voucher });
  const good = makeVoucher(claims, keymaster);
  cards.leave(proxy.id, card(good), trust);
  cards.leave(other.id, card(good), trust);
  cards.leave(proxy.id, card(good, 'us'), trust);
  const forged = makeVoucher({ ...claims, sub: other.id, addresses: ['http://b.example'] }, other);
  cards.leave(other.id, card(forged), trust);
  expect(await cards.look([state('x', 'open')], 0)).toBe(0);
  expect(await cards.look([state('x', 'closed')], 1)).toBe(1);
  expect(await cards.look([state('x', 'closed')], 100_000)).toBe(0);
  expect(called).toEqual(['http://a.example']);
  // Too soon after the last call: it is made up for.
  await cards.look([state('x', 'open'), state('y', 'open')], 100_001);
  expect(await cards.look([state('x', 'closed'), state('y', 'open')], 100_002)).toBe(1);
  expect(await cards.look([state('x', 'closed'), state('y', 'closed')], 100_003)).toBe(0);
  expect(await cards.look([state('x', 'closed'), state('y', 'closed')], 200_000)).toBe(1);
});

test('a proxy in a pool hears that a contest is over, although it has nothing to say', async () => {
  const options = (dataDir: string, port: number) => ({
    dataDir: join(folder.path, dataDir),
    host: '127.0.0.1',
    port,
    kinds: testKinds,
    version: '0.0.0',
    logLevel: 'silent' as const,
  });
  const winners = Array.from({ length: 70 }, (_, i) => 30 + i);
  const manifests = [testManifest({ winners, closes: 'hit' })];
  const port = await freePort();
  const pools = (port: number, rest: Partial<PoolsOptions>): PoolsOptions => ({
    registrar: false,
    registrars: [],
    addresses: [`http://127.0.0.1:${port}`],
    handle: 'test',
    policy: { kind: 'round-robin', weight: 1, priority: 0, degradation: 0 },
    successors: [],
    origins: [],
    ...rest,
  });
  const adminToken = 'a-token-for-one-test';
  const top = await startServer({
    ...options('top', port),
    manifests,
    adminToken,
    pools: pools(port, { registrar: true }),
  });
  const settings = { minStock: { test: 8 }, maxStock: { test: 16 } };
  const upstreams = [top.url];
  const own = await freePort();
  const first = await startProxy({ ...options('proxy', own), upstreams, settings });
  const { id } = first;
  await first.close();
  const response = await fetch(`${top.url}admin/v1/vouchers`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ sub: id, handle: 'test', addresses: [`http://127.0.0.1:${own}`], days: 1 }),
  });
  const { voucher } = (await response.json()) as { voucher: string };
  const registrars = [`http://127.0.0.1:${port}`];
  const proxy = await startProxy({
    ...options('proxy', own),
    upstreams,
    settings,
    pools: pools(own, { registrars, voucher }),
  });
  try {
    const [here, there] = [new HttpKeyserver(top.url, { fetch }), new HttpKeyserver(proxy.url, { fetch })];
    await proxy.talk();
    expect((await there.exchange(asking({ blocks: 1 }))).pool).toBe('test');
    expect((await there.status()).contests).toMatchObject([{ state: 'open' }]);
    // Somebody else finds the winner at the keymaster.
    const { leases } = await here.exchange(asking({ blocks: 8 }));
    await here.exchange(asking({ reports: leases.map((lease) => trueReport(lease, winners)) }));
    expect(await here.contests()).toMatchObject([{ state: { state: 'closed' } }]);
    await expect
      .poll(async () => (await there.status()).contests, { timeout: 5000 })
      .toMatchObject([{ state: 'closed' }]);
  } finally {
    await proxy.close();
    await top.close();
  }
}, 30_000);
