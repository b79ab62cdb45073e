/** A proxy over a keymaster, and a proxy over that. */
import { afterEach, describe, expect, it } from 'vitest';
import { RefusedError, UnreachableError } from '../../src/protocol/errors.ts';
import { checkProof } from '../../src/server/proof/chain.ts';
import { Keyring } from '../../src/server/proof/keyring.ts';
import type { ProxySettings } from '../../src/server/proxy/proxy.ts';
import { asking, client, openKeymaster, START, temporaryFolder } from '../helpers/keyservers.ts';
import { Pyramid, TestProxy } from '../helpers/pyramid.ts';
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
    expect(await store.read((ledger) => ledger.counting.credits())).toMatchObject([
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

  it("refuses a keymaster's place, and a keymaster its", async () => {
    const folder = temporaryFolder();
    const proxy = new TestProxy(folder.path, () => undefined, { clock: { now: START } });
    await proxy.start();
    await proxy.kill();
    await expect(openKeymaster(folder.path, [])).rejects.toThrow("this ledger is a proxy's");
    folder.remove();
    pyramid = new Pyramid([]);
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

  it('keeps its stock where nobody takes it back', async () => {
    const { lower, upper } = await build();
    await lower.exchange(asking({ blocks: 1 }));
    const { stock: before } = await lower.status();
    pyramid.lower.link.weather = 'cut';
    await pyramid.lower.stop();
    pyramid.lower.link.weather = 'fair';
    const { stock: after } = await (await pyramid.lower.start()).status();
    expect(after?.[0]?.free).toBe(before?.[0]?.free);
    expect((await upper.status()).errors).toEqual([]);
  });

  it('lets no report that its upstream cannot read stop those behind it', async () => {
    const { lower, upper, keymaster } = await build();
    const { leases } = await lower.exchange(asking({ blocks: 3 }));
    const { link } = pyramid.lower;
    const pass = link.exchange;
    link.exchange = (request) => {
      const at = request.reports.findIndex(({ core }) => core === 'strange');
      if (at === -1) return pass(request);
      const field = `/reports/${at}/core`;
      return Promise.reject(new RefusedError('body_malformed', `${field} is strange`, { field }));
    };
    const reports = leases.map((lease, i) => ({ ...trueReport(lease), core: i === 1 ? 'strange' : 'plain' }));
    await lower.exchange(asking({ reports }));
    await lower.talk();
    await upper.talk();
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 16 });
    const { stock, errors } = await lower.status();
    expect(stock).toMatchObject([{ waiting: 0 }]);
    expect(errors?.[0]?.text).toContain('/reports/1/core is strange');
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

  it('holds nothing against a client that it has handed in elsewhere', async () => {
    const { lower, upper, keymaster } = await build({}, { maxLeases: 2 });
    const ids = (leases: readonly { id: string }[]): string[] => leases.map(({ id }) => id).toSorted();
    const more = async (settled: string[], of = client()) =>
      (await lower.exchange(asking({ client: of, blocks: 2, holding: [], settled }))).leases;
    const [one, two] = await more([]);
    if (one === undefined || two === undefined) throw new Error('no blocks');
    await upper.exchange(asking({ reports: [trueReport(one)] }));
    // It knows nothing of that, and takes both for blocks whose answer was lost.
    expect(ids(await more([]))).toEqual(ids([one, two]));
    const after = await more([one.id]);
    expect(after).toHaveLength(2);
    expect(ids(after)).toContain(two.id);
    expect(ids(after)).not.toContain(one.id);
    // Nobody is believed about others' leases.
    await more(ids(after), client(2));
    expect(ids(await more([]))).toEqual(ids(after));
    expect((await lower.status()).stock).toMatchObject([{ leased: 32 }]);
    // Should it be handed in here as well, it is passed up, and counts once.
    const { results } = await lower.exchange(asking({ reports: [trueReport(one), trueReport(two)] }));
    expect(results.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
    for (const proxy of [lower, upper]) await proxy.talk();
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 16 });
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
    expect(await store.read((ledger) => ledger.counting.credits())).toMatchObject([{ client: client().id, units: 8 }]);
  });

  it('gives nobody again what its upstream has cut anew meanwhile', async () => {
    const { upper, keymaster } = await build({ minStock: { test: 60 }, maxStock: { test: 60 } }, { maxLeases: 64 });
    // The client never hears of these.
    await upper.exchange(asking({ blocks: 7 }));
    // By the keymaster's clock all that is over. It gives the units out anew, and not in the same blocks.
    pyramid.skews.top = 100 * 3_600_000;
    await keymaster.sweep();
    await keymaster.exchange(asking({ client: client(2), blocks: 1, units: 5 }));
    pyramid.skews.top = 0;
    await upper.exchange(asking({ client: client(3), blocks: 7 }));
    await upper.exchange(asking({ client: client(4), blocks: 7 }));
    const { leases } = await upper.exchange(asking({ blocks: 16, holding: [] }));
    expect(leases.length).toBeGreaterThan(0);
    const proofs = leases.map(({ proof }) => checkProof(proof ?? '', { isTrusted: () => true }));
    expect(proofs.filter(({ ok }) => !ok)).toEqual([]);
  });

  it('judges nobody before it has heard from its upstream', async () => {
    const { upper, lower } = await build();
    const { leases } = await upper.exchange(asking({ blocks: 1 }));
    const reports = leases.map((lease) => trueReport(lease));
    pyramid.lower.link.weather = 'cut';
    await expect(lower.exchange(asking({ reports }))).rejects.toThrow('has not reached its upstream');
    await expect(lower.contests()).rejects.toThrow('has not reached its upstream');
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

  it('does not take what clients kept while it was away for a crowd', async () => {
    const { lower } = await build();
    // The first half hour has rules of its own.
    pyramid.clock.now += 2_000_000;
    const { leases } = await lower.exchange(asking({ blocks: 8 }));
    pyramid.clock.now += 1000;
    await lower.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
    // Sixteen blocks; 64 units a minute would be 115,200 for a day and a quarter.
    expect((await lower.status()).stock).toMatchObject([{ high: 128 }]);
  });

  it('fetches more at once the more is taken from it', async () => {
    const { store, lower, upper } = await build({}, { units: 1_000_000 });
    for (let n = 1; n <= 64; n++) {
      const { leases } = await lower.exchange(asking({ client: client(n), blocks: 64 }));
      expect(leases).not.toHaveLength(0);
    }
    const held = await store.read((ledger) => ledger.leasesOf([upper.id]));
    expect(held.length).toBeLessThan(200);
  }, 60_000);

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

  it('refuses no work because it has not reached its upstream yet', async () => {
    const { upper } = await build();
    const { leases } = await upper.exchange(asking({ blocks: 1 }));
    pyramid.other.link.weather = 'cut';
    const other = await pyramid.other.start();
    const reports = leases.map((lease) => trueReport(lease));
    await expect(other.exchange(asking({ reports }))).rejects.toThrow(UnreachableError);
    pyramid.other.link.weather = 'fair';
    pyramid.clock.now += 10_000;
    expect((await other.exchange(asking({ reports }))).results).toMatchObject([{ outcome: 'accepted', credited: 8 }]);
  });

  it('passes up what a proxy below hands in after the block was forgotten here', async () => {
    const { keymaster, upper, lower } = await build();
    const { leases } = await lower.exchange(asking({ blocks: 1 }));
    pyramid.lower.link.weather = 'cut';
    await lower.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
    pyramid.clock.now += 30 * 86_400_000;
    await upper.sweep();
    expect(await pyramid.upper.store?.read((ledger) => ledger.upstream.upstreamLeases())).toEqual([]);
    pyramid.lower.link.weather = 'fair';
    await lower.talk();
    await upper.talk();
    expect((await upper.status()).errors).toEqual([]);
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 8 });
  });

  it('believes nobody in the name of a proxy', async () => {
    const { keymaster, upper, lower } = await build();
    const { leases } = await lower.exchange(asking({ blocks: 1 }));
    // What every client can read in its proof.
    const [link = ''] = leases[0]?.proof?.split('~') ?? [];
    const claims = Buffer.from(link.split('.')[1] ?? '', 'base64url').toString();
    const { sub, jti } = JSON.parse(claims) as { sub: string; jti: string };
    expect(sub).toBe(upper.id);
    const proxy = { id: sub, version: '0.0.0' };
    const refused = { name: 'RefusedError', code: 'proxy_refused' };
    await expect(keymaster.release({ client: proxy, leases: [jti] })).rejects.toMatchObject(refused);
    await expect(keymaster.exchange(asking({ client: proxy }))).rejects.toMatchObject(refused);
  });

  it('speaks on when its clock is set back by a year', async () => {
    const { keymaster, upper } = await build({ connectPeriodSeconds: 3600 });
    const { leases } = await upper.exchange(asking({ blocks: 1 }));
    await upper.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
    pyramid.clock.now -= 365 * 86_400_000;
    await upper.tick();
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 8 });
  });

  it('lets a contest end that its own clients have left', async () => {
    const { keymaster, lower, upper } = await build({}, { units: 60 });
    await lower.exchange(asking({ blocks: 1 }));
    for (let round = 0; round < 12; round++) {
      pyramid.clock.now += 86_400_000;
      for (const proxy of [lower, upper]) {
        await proxy.sweep();
        await proxy.tick();
      }
      const { leases } = await keymaster.exchange(asking({ client: client(2), blocks: 9 }));
      await keymaster.exchange(asking({ client: client(2), reports: leases.map((lease) => trueReport(lease)) }));
    }
    expect((await keymaster.status()).contests[0]).toMatchObject({ done: 60, closedBy: 'exhausted' });
  });

  it('hears of a new key when somebody comes with its proof', async () => {
    const { keymaster, store } = await build();
    const other = await pyramid.other.start();
    await other.talk();
    pyramid.clock.now += 120_000;
    await store.transaction(async (ledger) => {
      const rows = new Keyring(await ledger.signingKeys()).rotate(pyramid.clock.now);
      for (const row of rows) await ledger.putSigningKey(row);
    });
    await keymaster.refresh();
    const { leases } = await keymaster.exchange(asking({ blocks: 1 }));
    const reports = leases.map((lease) => trueReport(lease));
    // While it cannot ask it must not refuse either.
    pyramid.other.link.weather = 'cut';
    await expect(other.exchange(asking({ reports }))).rejects.toThrow(UnreachableError);
    pyramid.other.link.weather = 'fair';
    pyramid.clock.now += 10_000;
    expect((await other.exchange(asking({ reports }))).results).toMatchObject([{ outcome: 'accepted' }]);
  });
});
