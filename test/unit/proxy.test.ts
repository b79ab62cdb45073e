/** A proxy over a keymaster, and a proxy over that. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxySettings } from '../../src/server/proxy/proxy.ts';
import { asking, client } from '../helpers/keyservers.ts';
import { Pyramid } from '../helpers/pyramid.ts';
import { testManifest, trueReport } from '../helpers/test-contest.ts';

describe('a proxy', () => {
  let pyramid: Pyramid;
  afterEach(() => pyramid.close());

  const build = async (settings: ProxySettings = {}, contest = {}) => {
    pyramid = new Pyramid([testManifest({ units: 10_000, maxUnits: 8, leaseSeconds: 3600, ...contest })], settings);
    const { keymaster, store } = await pyramid.top();
    return { keymaster, store, upper: await pyramid.upper.start(), lower: await pyramid.lower.start() };
  };

  it('hands on parts of its blocks, takes reports, and passes them up with their names', async () => {
    const { keymaster, store, lower, upper } = await build();
    const { leases } = await lower.exchange(asking({ blocks: 3 }));
    expect(leases.map(({ count }) => count)).toEqual([8, 8, 8]);
    expect(leases[0]?.proof?.split('~')).toHaveLength(3);
    const reports = leases.map((lease) => trueReport(lease));
    const { results } = await lower.exchange(asking({ reports }));
    expect(results.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted']);
    expect((await lower.exchange(asking({ reports }))).results.map(({ outcome }) => outcome)).toEqual([
      'duplicate',
      'duplicate',
      'duplicate',
    ]);
    await lower.talk();
    await upper.talk();
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 24 });
    expect(await store.read((ledger) => ledger.credits())).toMatchObject([
      { client: client().id, units: 24, blocks: 1 },
    ]);
    expect((await lower.status()).stock).toMatchObject([{ waiting: 0, leased: 0 }]);
  });

  it('goes on without its upstream, from its store, and tells everything afterwards', async () => {
    const { keymaster } = await build();
    let lower = await pyramid.lower.start();
    const first = await lower.exchange(asking({ blocks: 2 }));
    pyramid.lower.link.weather = 'cut';
    await pyramid.lower.kill();
    lower = await pyramid.lower.start();
    const second = await lower.exchange(asking({ client: client(2), blocks: 2 }));
    expect(second.leases).toHaveLength(2);
    await lower.exchange(asking({ reports: first.leases.map((lease) => trueReport(lease)) }));
    await lower.exchange(asking({ client: client(2), reports: second.leases.map((lease) => trueReport(lease)) }));
    await lower.talk();
    expect((await lower.status()).upstreams).toMatchObject([{ state: 'unreachable' }]);
    await pyramid.lower.kill();
    pyramid.lower.link.weather = 'fair';
    lower = await pyramid.lower.start();
    await lower.talk();
    await (await pyramid.upper.start()).talk();
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 32 });
  });

  it('gives its stock back when it is stopped', async () => {
    const { keymaster, lower, upper } = await build();
    const { leases } = await lower.exchange(asking({ blocks: 1 }));
    expect((await keymaster.status()).contests[0]?.leased).toBeGreaterThan(8);
    await lower.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
    await pyramid.lower.stop();
    await upper.talk();
    await pyramid.upper.stop();
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 8, leased: 0 });
  });

  it('takes what a client of a dead sibling hands in, by its proof', async () => {
    const { keymaster, lower, upper } = await build();
    const { leases } = await lower.exchange(asking({ blocks: 1 }));
    await pyramid.lower.kill();
    const reports = leases.map((lease) => trueReport(lease));
    const other = await upper.exchange(asking({ client: client(2), reports }));
    expect(other.results).toMatchObject([{ outcome: 'refused', code: 'lease_foreign' }]);
    expect((await upper.exchange(asking({ reports }))).results).toMatchObject([{ outcome: 'accepted', credited: 8 }]);
    expect((await keymaster.exchange(asking({ reports }))).results).toMatchObject([
      { outcome: 'accepted', credited: 8 },
    ]);
    await upper.talk();
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 8 });
  });

  it('passes on what a proxy below did under a lease that it has forgotten itself', async () => {
    const { keymaster, store, lower, upper } = await build();
    const { leases } = await lower.exchange(asking({ blocks: 1 }));
    await lower.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
    pyramid.clock.now += 7 * 24 * 3_600_000;
    await upper.sweep();
    await lower.talk();
    await upper.talk();
    expect((await upper.status()).errors).toEqual([]);
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 8 });
    expect(await store.read((ledger) => ledger.credits())).toMatchObject([{ client: client().id, units: 8 }]);
  });

  it('judges nobody before it has heard from its upstream', async () => {
    const { upper, lower } = await build();
    const { leases } = await upper.exchange(asking({ blocks: 1 }));
    const reports = leases.map((lease) => trueReport(lease));
    pyramid.lower.link.weather = 'cut';
    await expect(lower.exchange(asking({ reports }))).rejects.toThrow('has not heard from its upstream');
    await expect(lower.contests()).rejects.toThrow('has not heard from its upstream');
  });

  it('does not wait for a time that its clock, set back, has yet to reach', async () => {
    const { keymaster, upper } = await build();
    const { leases } = await upper.exchange(asking({ blocks: 1 }));
    await upper.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
    pyramid.clock.now += 30 * 24 * 3_600_000;
    pyramid.upper.link.weather = 'cut';
    await upper.talk();
    pyramid.upper.link.weather = 'fair';
    pyramid.clock.now -= 30 * 24 * 3_600_000;
    await upper.talk();
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 8 });
  });

  it('sends a hit up at once', async () => {
    const { keymaster, lower } = await build({}, { winners: [3], closes: 'hit' });
    const { leases } = await lower.exchange(asking({ blocks: 1 }));
    await lower.exchange(asking({ reports: leases.map((lease) => trueReport(lease, [3])) }));
    await expect.poll(async () => (await keymaster.status()).contests[0]?.closedBy).toBe('hit');
  });

  it('leaves what comes while it speaks for the next batch', async () => {
    const { lower, upper, keymaster } = await build({ minStock: { test: 8 }, maxStock: { test: 64 } });
    const { leases } = await lower.exchange(asking({ blocks: 5 }));
    const [first, ...others] = leases.map((lease) => trueReport(lease));
    if (first === undefined) throw new Error('no lease came');
    await lower.exchange(asking({ reports: [first] }));
    const { link } = pyramid.lower;
    const pass = link.exchange;
    let exchanges = 0;
    link.exchange = async (request) => {
      exchanges += 1;
      const reply = await pass(request);
      await lower.exchange(asking({ reports: others.splice(0, 1) }));
      return reply;
    };
    await lower.talk();
    expect(exchanges).toBe(1);
    expect((await lower.status()).stock).toMatchObject([{ waiting: 1 }]);
    await lower.talk();
    await upper.talk();
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 16 });
  });

  it('is not served once it is revoked', async () => {
    const { keymaster, store, upper, lower } = await build();
    await lower.exchange(asking({ blocks: 1 }));
    await keymaster.sweep();
    await store.transaction((ledger) => ledger.revokeProxy(upper.id, 1));
    await keymaster.sweep();
    pyramid.clock.now += 700_000;
    await upper.talk();
    expect((await upper.status()).errors?.[0]?.text).toContain('revoked');
  });
});
