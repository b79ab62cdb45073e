/** What an operator does to a running keymaster, on both homes of the ledger. */
import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lease } from '../../src/domain/work.ts';
import type { RefusedError } from '../../src/protocol/errors.ts';
import { Administration } from '../../src/server/keymaster/administration.ts';
import { makeAssertion } from '../../src/server/proof/assertion.ts';
import { generateKey } from '../../src/server/proof/key.ts';
import {
  asking,
  client,
  type Home,
  openKeymaster,
  type TestKeymaster,
  temporaryFolder,
} from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { testKinds, testManifest, trueReport } from '../helpers/test-contest.ts';

const MANIFESTS = [
  testManifest({ units: 100, maxUnits: 8 }),
  testManifest({ name: 'prize', units: 20, closes: 'hit', winners: [5] }),
  testManifest({ name: 'wide', units: 2 ** 44, allocation: { kind: 'random', subspaceUnits: 64 } }),
];

describe.each([
  ['SQLite', async (folder: string): Promise<Home> => folder],
  ['PostgreSQL', async (): Promise<Home> => ({ url: await sharedPostgres(), schema: freshSchema() })],
])('administration on %s', (_name, homeIn) => {
  const folder = temporaryFolder();
  let home: Home;
  let clock: { now: number };
  let server: TestKeymaster;
  let administration: Administration;
  const open = async (manifests = MANIFESTS) => {
    server = await openKeymaster(home, manifests, { clock });
    const { keymaster, store } = server;
    administration = new Administration({ keymaster, store, kinds: testKinds, clock: () => clock.now });
  };
  afterAll(() => folder.remove());
  beforeEach(async () => {
    clock = { now: Date.UTC(2026, 0, 1, 12) };
    home = await homeIn(`${folder.path}/${freshSchema()}`);
    await open();
  });
  afterEach(async () => {
    // Whatever the operator did, the ledger agrees with itself.
    assert.equal((await administration.inquiries.check()).ok, true);
    await server.close();
  });

  const exchange = (asked: Parameters<typeof asking>[0]) => server.keymaster.exchange(asking(asked));
  const work = async (contest = 'test', who = client()): Promise<Lease> => {
    const { leases } = await exchange({ client: who, blocks: 1, contests: [contest] });
    const [lease] = leases as [Lease];
    await exchange({ client: who, reports: [trueReport(lease, contest === 'prize' ? [5] : [])] });
    return lease;
  };
  const refusal = async (promise: Promise<unknown>) => {
    const { code, status, field } = await promise.then(
      () => expect.fail('it was not refused'),
      (error: RefusedError) => error,
    );
    return [code, status, field];
  };
  const offered = async () => (await server.keymaster.contests()).map(({ manifest }) => manifest.name);
  const contest = async (name: string) => (await administration.contests()).find((one) => one.name === name);

  it('closes a contest and opens it again, but not one that its hit closed', async () => {
    expect(await administration.changeContest('test', { state: 'closed' })).toMatchObject({ closedBy: 'operator' });
    expect((await exchange({ blocks: 1 })).leases).toEqual([]);
    expect(await administration.changeContest('test', { state: 'open' })).toMatchObject({ state: 'open' });
    expect((await exchange({ blocks: 1 })).leases).toHaveLength(1);
    await work('prize');
    for (const state of ['open', 'closed'] as const) {
      const again = administration.changeContest('prize', { state, priority: 3 });
      expect(await refusal(again)).toEqual(['conflict', 409, '/state']);
    }
    expect((await contest('prize'))?.priority).toBeUndefined();
    expect(await refusal(administration.changeContest('no', { state: 'open' }))).toEqual(['not_found', 404, undefined]);
  });

  it('withdraws a contest beyond the next start, and offers it again', async () => {
    await administration.changeContest('test', { offered: false });
    expect(await offered()).toEqual(['prize', 'wide']);
    await server.close();
    await open();
    expect(await offered()).toEqual(['prize', 'wide']);
    await administration.changeContest('test', { offered: true });
    expect(await offered()).toEqual(['test', 'prize', 'wide']);
  });

  it('adds a contest that a later start does not name; one that differs is a conflict', async () => {
    const added = testManifest({ name: 'added', units: 30 });
    const [one, other] = await Promise.all([
      administration.addContest(added),
      administration.addContest(testManifest({ name: 'other' })),
    ]);
    expect([one, other]).toMatchObject([{ origin: 'operator', units: 30 }, { offered: true }]);
    await work('added');
    expect(await refusal(administration.addContest({ ...added, units: 31 }))).toEqual(['conflict', 409, '/name']);
    const absurd = testManifest({ name: 'absurd', winners: [1000] });
    expect(await refusal(administration.addContest(absurd))).toEqual(['body_malformed', 400, '/search']);
    await administration.addContest({ ...added, leaseSeconds: 7 });
    await server.close();
    await open();
    expect(await offered()).toEqual(['test', 'prize', 'wide', 'added', 'other']);
    expect((await server.keymaster.contests())[3]).toMatchObject({ manifest: { leaseSeconds: 7 }, state: { done: 8 } });
  });

  it('sets priority and weight, which clients are told, and takes them back', async () => {
    await administration.changeContest('wide', { priority: 2, weight: 0.5 });
    expect((await exchange({})).contests[2]).toMatchObject({ name: 'wide', priority: 2, weight: 0.5 });
    await administration.changeContest('wide', { priority: null, weight: null });
    expect((await exchange({})).contests[2]).not.toHaveProperty('priority');
  });

  it('changes the order in which units are handed out', async () => {
    const firstOf = async (name: string) => (await exchange({ blocks: 1, contests: [name] })).leases[0]?.first ?? -1;
    const ranges = [{ first: 50, count: 4 }];
    await administration.changeContest('test', { allocation: { kind: 'priority', ranges } });
    expect([await firstOf('test'), await firstOf('test')]).toEqual([50, 0]);
    const outside = { kind: 'priority' as const, ranges: [...ranges, { first: 99, count: 2 }] };
    expect(await refusal(administration.changeContest('test', { allocation: outside }))).toEqual([
      'body_malformed',
      400,
      '/allocation/ranges/1',
    ]);
    expect(await refusal(administration.changeContest('test', { cursor: null }))).toEqual(['conflict', 409, '/cursor']);
    expect(await contest('test')).toMatchObject({ allocation: { kind: 'priority' }, allocationIsOwn: true });
    expect(await administration.changeContest('test', { allocation: null })).toMatchObject({
      allocation: { kind: 'order' },
      allocationIsOwn: false,
    });
    // One of 2^38 subspaces: that it is drawn twice would be news.
    const before = await firstOf('wide');
    expect(before - (await contest('wide').then((one) => one?.cursor ?? 0))).toBeLessThan(64);
    expect(await administration.changeContest('wide', { cursor: null })).toMatchObject({ cursor: null });
    expect(Math.abs((await firstOf('wide')) - before)).toBeGreaterThan(64);
  });

  it('rotates keys and revokes them, and shows no secret', async () => {
    const [first] = await administration.keys();
    const [late, later] = (await exchange({ blocks: 2 })).leases as [Lease, Lease];
    clock.now += 1;
    const rotated = await administration.rotateKey();
    expect(rotated.map(({ state }) => state)).toEqual(['retired', 'signing']);
    expect(JSON.stringify(rotated)).not.toContain('secret');
    clock.now += 3_600_000;
    await server.keymaster.sweep();
    // The key is retired and the lease over, and yet its proof counts, until the key is revoked.
    expect((await exchange({ reports: [trueReport(late)] })).results).toMatchObject([{ outcome: 'accepted' }]);
    const id = first?.id ?? '';
    expect((await administration.revokeKey(id)).map(({ state }) => state)).toEqual(['revoked', 'signing']);
    const { results } = await exchange({ reports: [trueReport(later)] });
    expect(results).toMatchObject([{ outcome: 'refused', code: 'proof_false' }]);
    expect(await refusal(administration.revokeKey(id))).toEqual(['conflict', 409, undefined]);
    expect(await refusal(administration.revokeKey('0'.repeat(64)))).toEqual(['not_found', 404, undefined]);
    const last = rotated[1]?.id ?? '';
    clock.now += 1;
    expect((await administration.revokeKey(last)).map(({ state }) => state)).toEqual(['revoked', 'revoked', 'signing']);
    const fresh = (await exchange({ blocks: 1 })).leases[0] as Lease;
    clock.now += 3_600_000;
    await server.keymaster.sweep();
    expect((await exchange({ reports: [trueReport(fresh)] })).results).toMatchObject([{ outcome: 'accepted' }]);
  });

  it('takes back all that a proxy holds when it is revoked', async () => {
    const key = generateKey();
    const proxy = { id: key.id, name: 'p', version: '1', class: 'proxy' as const };
    const come = (blocks: number) =>
      server.keymaster.exchange({
        ...asking({ client: proxy, blocks, units: 1, contests: ['test', 'wide'], protocols: ['keyserver<-proxy/1'] }),
        assertion: makeAssertion(key, clock.now),
      });
    const leased = new Map<string, number>();
    // More than are freed in one commit.
    for (let i = 0; i < 9; i++) for (const { contest: name } of (await come(64)).leases) leased.set(name, 1);
    expect([...leased.keys()]).toEqual(['test', 'wide']);
    const other = (await exchange({ blocks: 1, contests: ['wide'] })).leases[0] as Lease;
    // It came since the last sweep, and is known all the same.
    const { proxy: revoked, units } = await administration.revokeProxy(key.id);
    expect(units).toBe(9 * 64);
    expect(revoked).toMatchObject({ id: key.id, name: 'p', revokedAt: clock.now });
    expect((await administration.contests()).map((one) => one.leased)).toEqual([0, 0, other.count]);
    expect(await refusal(come(1))).toEqual(['proxy_refused', 403, '/client/id']);
    expect(await administration.revokeProxy(key.id)).toMatchObject({ units: 0 });
    expect(await administration.restoreProxy(key.id)).not.toHaveProperty('revokedAt');
    expect((await come(1)).leases).toHaveLength(1);
    expect(await refusal(administration.restoreProxy(key.id))).toEqual(['conflict', 409, undefined]);
  });

  it('lists a proxy before it comes, by a name that it keeps', async () => {
    const key = generateKey();
    expect(await administration.addProxy(key.id, 'the office')).toEqual({
      id: key.id,
      name: 'the office',
      listedAt: clock.now,
    });
    await server.keymaster.exchange({
      ...asking({ client: { id: key.id, version: '1' }, protocols: ['keyserver<-proxy/1'] }),
      assertion: makeAssertion(key, clock.now),
    });
    expect(await administration.proxies()).toMatchObject([{ name: 'the office', version: '1' }]);
    await administration.revokeProxy(key.id);
    expect(await refusal(administration.addProxy(key.id))).toEqual(['conflict', 409, undefined]);
    for (const what of ['revokeProxy', 'restoreProxy'] as const) {
      expect(await refusal(administration[what]('0'.repeat(64)))).toEqual(['not_found', 404, undefined]);
    }
  });

  it('sets messages of the day, which clients get at once', async () => {
    expect(await administration.setMessages(['Back at noon.'])).toEqual({
      configured: [],
      messages: ['Back at noon.'],
    });
    expect((await exchange({})).messages).toEqual(['Back at noon.']);
    const many = Array.from({ length: 9 }, () => 'x');
    expect(await refusal(administration.setMessages(many))).toEqual(['body_malformed', 400, '/messages']);
    await administration.setMessages([]);
    expect(await exchange({})).not.toHaveProperty('messages');
  });

  it('tells who did what, how much and how fast', async () => {
    const anna = { ...client(1), name: 'Anna', team: 'Ants' };
    await work('test', anna);
    clock.now += 86_400_000;
    const bertha = { ...client(2), name: 'Bertha', team: 'Ants' };
    const late = await work('test', bertha);
    await work('test', bertha);
    const { inquiries } = administration;
    expect(await inquiries.top('test', 'person', undefined, 9)).toEqual([
      { who: 'Bertha', units: 16, blocks: 2 },
      { who: 'Anna', units: 8, blocks: 1 },
    ]);
    expect(await inquiries.top('test', 'person', '2026-01-01', 9)).toMatchObject([{ who: 'Anna' }]);
    expect(await inquiries.top('test', 'team', undefined, 1)).toEqual([{ who: 'Ants', units: 24, blocks: 3 }]);
    expect(await inquiries.rates('test', 'day', 9)).toMatchObject([
      { at: Date.UTC(2026, 0, 2), units: 16, unitsPerSecond: 16 / 43_200 },
      { at: Date.UTC(2026, 0, 1), units: 8, unitsPerSecond: 8 / 86_400 },
    ]);
    expect(await inquiries.who('test', 3)).toEqual({
      contest: 'test',
      unit: 3,
      state: 'done',
      finished: [{ day: '2026-01-01', client: anna.id, name: 'Anna', team: 'Ants', first: 0, count: 8 }],
    });
    expect((await inquiries.who('test', late.first)).finished).toMatchObject([{ name: 'Bertha' }]);
    const held = (await exchange({ blocks: 1 })).leases[0] as Lease;
    expect(await inquiries.who('test', held.first)).toMatchObject({
      state: 'leased',
      lease: { id: held.id, holder: client().id },
    });
    expect(await inquiries.who('wide', 2 ** 44 - 1)).toMatchObject({ state: 'free', finished: [] });
    expect(await refusal(inquiries.who('test', 100))).toEqual(['not_found', 404, undefined]);
    expect(await refusal(inquiries.top('test', 'team', '2026-13-01', 1))).toEqual(['body_malformed', 400, '/day']);
    expect(await inquiries.facts()).toEqual({
      contests: [
        { name: 'test', free: { runs: 1, units: 68 }, leased: { runs: 1, units: 8 }, done: { runs: 1, units: 24 } },
        { name: 'prize', free: { runs: 1, units: 20 }, leased: { runs: 0, units: 0 }, done: { runs: 0, units: 0 } },
        { name: 'wide', free: { runs: 1, units: 2 ** 44 }, leased: { runs: 0, units: 0 }, done: { runs: 0, units: 0 } },
      ],
      journal: 0,
      clients: 2,
    });
  });

  it('finds whatever contradicts itself in a ledger', async () => {
    const done = await work();
    await exchange({ blocks: 1 });
    // Not counted yet, and no fault.
    expect(await administration.inquiries.check()).toMatchObject({
      ok: true,
      contests: [{ name: 'test', units: 100, free: 84, leased: 8, done: 8, credited: 8, faults: [] }, {}, {}],
    });
    const spoil = async (spoilt: Parameters<typeof server.store.transaction>[0], faults: RegExp[]) => {
      const rows = await server.store.read(async (ledger) => ({
        runs: await ledger.runs('test'),
        row: (await ledger.contests())[0],
      }));
      await server.store.transaction(spoilt);
      const { ok, contests } = await administration.inquiries.check();
      expect(ok).toBe(false);
      expect(contests[0]?.faults).toEqual(faults.map((fault) => expect.stringMatching(fault) as unknown));
      await server.store.transaction(async (ledger) => {
        await ledger.putRuns(rows.runs);
        await ledger.updateContest('test', { done: rows.row?.done ?? 0, leased: rows.row?.leased ?? 0 });
      });
    };
    await spoil((ledger) => ledger.updateContest('test', { done: 9 }), [/9 units done in its row, and 8 in its runs/]);
    await spoil(
      (ledger) => ledger.deleteRuns('test', [8]),
      [/8 units leased in its row, and 0/, /100 units, and its runs 92/, /no run has the units from 8 to 15/],
    );
    await spoil(
      async (ledger) => {
        const [first] = await ledger.runs('test');
        if (first !== undefined) await ledger.putRuns([{ ...first, past: 10 }]);
      },
      [
        /8 units done in its row, and 10/,
        /and its runs 102/,
        /two runs have the units from 8 to 9/,
        /10.*8 were credited/,
      ],
    );
    const credit = { client: 'x', contest: 'test', blocks: 1, duplicates: 0, again_units: 0, again_blocks: 0 };
    await spoil(
      (ledger) => ledger.counting.addCredits([{ ...credit, units: 1 }]),
      [/8 units done, of which 9 were credited/],
    );
    await server.store.transaction((ledger) => ledger.counting.addCredits([{ ...credit, units: -1 }]));
    expect(done.count).toBe(8);
  });
});
