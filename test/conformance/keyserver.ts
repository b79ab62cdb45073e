/**
 * What every Keyserver must do, whatever stands behind it. Each implementation runs this suite (keyserver.test.ts);
 * the contest is the tests' own kind, the ledger beneath is the real one.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { Lease } from '../../src/domain/work.ts';
import type { ExchangeReply, Keyserver } from '../../src/protocol/keyserver.ts';
import type { MapQuery } from '../../src/protocol/unit-map.ts';
import { asking, client, START } from '../helpers/keyservers.ts';
import { falseReport, handedOut, SECRET, testManifest, trueReport } from '../helpers/test-contest.ts';

export interface KeyserverUnderTest {
  keyserver: Keyserver;
  /**
   * What `done` and `leased` count. `own`: all that this keyserver was told and has given, at once. `upstream`: what the
   * keyserver above knows, which is all of it once they have settled; its `leased` includes the stock here.
   */
  counts: 'own' | 'upstream';
  /** Has everything that was acknowledged told to the top. */
  settle?: () => Promise<void>;
  /** Turns the keyserver's clock, which stood at START. */
  advance: (ms: number) => void;
  close: () => Promise<void>;
}

const MANIFESTS: readonly ContestManifest[] = [
  testManifest({ name: 'test', units: 100, maxUnits: 8, leaseSeconds: 60 }),
  testManifest({ name: 'warm-up', units: 20, maxUnits: 4, maxLeases: 3, closes: 'hit', winners: [5, 13] }),
  testManifest({ name: 'small', units: 6, maxUnits: 4, winners: [2, 5] }),
  testManifest({ name: 'blind', units: 12, maxUnits: 4, closes: 'hit', winners: [5], blind: true }),
  testManifest({ name: 'told', units: 12, maxUnits: 4, closes: 'hit', winners: [5], blind: true, announce: 'all' }),
  testManifest({ name: 'vast', units: 2 ** 44, maxUnits: 256 }),
];

export function keyserverConformance(
  name: string,
  open: (manifests: readonly ContestManifest[]) => Promise<KeyserverUnderTest>,
): void {
  describe(`${name} is a keyserver`, () => {
    let server: KeyserverUnderTest;
    let keyserver: Keyserver;
    beforeEach(async () => {
      server = await open(MANIFESTS);
      keyserver = server.keyserver;
    });
    afterEach(() => server.close());

    const one = async (contest = 'test', who = client()): Promise<Lease> =>
      only((await keyserver.exchange(asking({ client: who, blocks: 1, contests: [contest] }))).leases);
    const state = async (contest = 'test') => {
      await server.settle?.();
      return stateOf(await keyserver.status(), contest);
    };
    /** @param told what was in the reply; asked for where it cannot be told yet. */
    const expectCounts = async (
      told: Pick<ExchangeReply, 'contests'> | undefined,
      { done, leased }: { done: number; leased: number },
      contest = 'test',
    ): Promise<void> => {
      if (server.counts === 'own') {
        expect(told === undefined ? await state(contest) : stateOf(told, contest)).toMatchObject({ done, leased });
        return;
      }
      const settled = await state(contest);
      expect(settled.done).toBe(done);
      expect(settled.leased).toBeGreaterThanOrEqual(leased);
    };

    it('lists its contests in order, untouched but for what blind ones hide', async () => {
      const contests = await keyserver.contests();
      expect(contests.map(({ manifest }) => manifest)).toEqual(MANIFESTS.map(handedOut));
      const first = defined(contests[0]).state;
      const leased = server.counts === 'own' ? 0 : first.leased;
      expect(first).toEqual({ name: 'test', state: 'open', units: 100, done: 0, leased, hits: [] });
    });

    it('hands out units in order, no more at once than the manifest or the client allows', async () => {
      const reply = await keyserver.exchange(asking({ blocks: 3 }));
      expect(reply.leases.map(({ first, count }) => [first, count])).toEqual([
        [0, 8],
        [8, 8],
        [16, 8],
      ]);
      expect(new Set(reply.leases.map(({ id }) => id)).size).toBe(3);
      expect(reply.leases.every(({ expiresAt }) => expiresAt === START + 60_000)).toBe(true);
      expect(reply.now).toBe(START);
      expect(reply.retryAfterSeconds).toBe(0);
      await expectCounts(reply, { done: 0, leased: 24 });
      const next = await keyserver.exchange(asking({ client: client(2), blocks: 2, units: 3 }));
      expect(next.leases.map(({ first, count }) => [first, count])).toEqual([
        [24, 3],
        [27, 3],
      ]);
    });

    it('draws a map of what is done and leased', async () => {
      const lease = await one();
      await keyserver.exchange(asking({ reports: [trueReport(lease)], blocks: 1 }));
      await server.settle?.();
      server.advance(60_000 - 1);
      const map = await keyserver.map({ contest: 'test', first: 4, size: 8, cells: 16 });
      expect(map).toMatchObject({ contest: 'test', first: 4, size: 8 });
      // 4 to 7 are done, 8 to 15 leased; the contest ends at 100, which is where the 13th cell does.
      expect(map.done).toEqual([128, ...Array.from({ length: 15 }, () => 0)]);
      // A proxy's stock is leased up there: what is in it here is known of the first cell only.
      expect(map.leased[0]).toBe(128);
      expect(map.leased[1]).toBeGreaterThanOrEqual(128);
      const whole = await keyserver.map({ contest: 'vast', first: 0, size: 2 ** 32, cells: 4096 });
      expect(whole.done).toEqual(Array.from({ length: 4096 }, () => 0));
    });

    it('draws no map of what there is not', async () => {
      const refused = (query: Partial<MapQuery>, why: object) =>
        expect(keyserver.map({ contest: 'test', first: 0, size: 1, cells: 4, ...query })).rejects.toMatchObject(why);
      await refused({ contest: 'nowhere' }, { code: 'contest_unknown', status: 404, field: '/name' });
      await refused({ first: 100 }, { code: 'body_malformed', field: '/first' });
      await refused({ size: 0 }, { code: 'body_malformed', field: '/size' });
      await refused({ cells: 4097 }, { code: 'body_malformed', field: '/cells' });
    });

    it('counts units exactly far beyond 2^32', async () => {
      const { leases } = await keyserver.exchange(asking({ blocks: 64, contests: ['vast'] }));
      expect(leases).toHaveLength(64);
      expect(leases.at(-1)).toMatchObject({ first: 63 * 256, count: 256 });
      expect((await state('vast')).units).toBe(17_592_186_044_416);
    });

    it('credits a true report once; its repetition is a duplicate', async () => {
      const lease = await one();
      const report = trueReport(lease);
      const first = await keyserver.exchange(asking({ reports: [report] }));
      expect(first.results).toEqual([{ lease: lease.id, outcome: 'accepted', credited: 8, hits: [] }]);
      await expectCounts(first, { done: 8, leased: 0 });
      const again = await keyserver.exchange(asking({ reports: [report, report] }));
      const duplicate = { lease: lease.id, outcome: 'duplicate', credited: 0, hits: [] };
      expect(again.results).toEqual([duplicate, duplicate]);
      await expectCounts(again, { done: 8, leased: 0 });
    });

    it('credits a lease once when one request reports it twice, true or false', async () => {
      const { leases } = await keyserver.exchange(asking({ blocks: 2 }));
      const [a, b] = [leases[0], leases[1]].map(defined);
      const reports = [trueReport(defined(a)), trueReport(defined(a)), falseReport(defined(b)), trueReport(defined(b))];
      const { results, contests } = await keyserver.exchange(asking({ reports }));
      expect(results.map(({ outcome }) => outcome)).toEqual(['accepted', 'duplicate', 'refused', 'accepted']);
      expect(results.map(({ code }) => code)).toEqual([undefined, undefined, 'evidence_false', undefined]);
      await expectCounts({ contests }, { done: 16, leased: 0 });
    });

    it.each([
      ['altered', 'evidence_false', (lease: Lease) => falseReport(lease)],
      [
        'removed',
        'evidence_missing',
        (lease: Lease) => ({ ...trueReport(lease), evidence: trueReport(lease).evidence.map(() => noWork) }),
      ],
      ['for other units', 'evidence_false', (lease: Lease) => ({ ...trueReport({ ...lease, first: 50 }), first: 0 })],
      ['of a wrong first unit', 'report_mismatch', (lease: Lease) => ({ ...trueReport(lease), first: 1 })],
      ['of too few units', 'report_mismatch', (lease: Lease) => trueReport({ ...lease, count: 7 })],
      ['of too many units', 'report_mismatch', (lease: Lease) => trueReport({ ...lease, count: 9 })],
      ['of another contest', 'report_mismatch', (lease: Lease) => ({ ...trueReport(lease), contest: 'vast' })],
    ])('refuses evidence %s, credits nothing, hands the block out again at once', async (_what, code, spoil) => {
      const lease = await one();
      const spoilt = await keyserver.exchange(asking({ reports: [spoil(lease)], blocks: 1 }));
      expect(spoilt.results).toMatchObject([{ lease: lease.id, outcome: 'refused', code, credited: 0, hits: [] }]);
      expect(only(spoilt.leases)).toMatchObject({ first: 0, count: 8 });
      expect(only(spoilt.leases).id).not.toBe(lease.id);
      await expectCounts(spoilt, { done: 0, leased: 8 });
      const again = await keyserver.exchange(asking({ reports: [spoil(lease)] }));
      expect(again.results).toMatchObject([{ lease: lease.id, outcome: 'refused', code, credited: 0 }]);
      await expectCounts(again, { done: 0, leased: 8 });
    });

    it('takes expired leases back, and credits a late report of them as long as nobody was faster', async () => {
      const lease = await one();
      server.advance(59_999);
      expect(only((await keyserver.exchange(asking({ client: client(2), blocks: 1 }))).leases).first).toBe(8);
      server.advance(1);
      const again = only((await keyserver.exchange(asking({ client: client(3), blocks: 1, units: 3 }))).leases);
      expect(again).toMatchObject({ first: 0, count: 3 });
      await keyserver.exchange(asking({ client: client(3), reports: [trueReport(again)] }));
      const reply = await keyserver.exchange(asking({ reports: [trueReport(lease)] }));
      expect(reply.results).toMatchObject([{ outcome: 'accepted', credited: 5 }]);
      await expectCounts(reply, { done: 8, leased: 8 });
      const late = await keyserver.exchange(asking({ client: client(3), reports: [trueReport(again)] }));
      expect(late.results).toMatchObject([{ outcome: 'duplicate', credited: 0 }]);
    });

    it('lets the slower of two have what the faster has left', async () => {
      const slow = only((await keyserver.exchange(asking({ blocks: 1, units: 4 }))).leases);
      server.advance(60_000);
      const fast = only((await keyserver.exchange(asking({ client: client(2), blocks: 1 }))).leases);
      expect(fast).toMatchObject({ first: 0, count: 8 });
      const first = await keyserver.exchange(asking({ reports: [trueReport(slow)] }));
      expect(first.results).toMatchObject([{ outcome: 'accepted', credited: 4 }]);
      const second = await keyserver.exchange(asking({ client: client(2), reports: [trueReport(fast)] }));
      expect(second.results).toMatchObject([{ outcome: 'accepted', credited: 4 }]);
      await expectCounts(second, { done: 8, leased: 0 });
    });

    it('refuses a proof that was tampered with, and one of another lease', async () => {
      const { leases } = await keyserver.exchange(asking({ blocks: 2 }));
      const [a, b] = leases.map(defined) as [Lease, Lease];
      server.advance(60_000);
      const forged = `${a.proof?.slice(0, -3)}AAA`;
      const reports = [
        { ...trueReport(a), proof: forged },
        { ...trueReport(a), proof: b.proof ?? '' },
      ];
      const { results } = await keyserver.exchange(asking({ reports }));
      expect(results.map(({ code }) => code)).toEqual(['proof_false', 'report_mismatch']);
      expect((await state()).done).toBe(0);
    });

    it('speaks the newest protocol both sides know, and the one before', async () => {
      const newest = await keyserver.exchange(
        asking({ blocks: 1, protocols: ['keyserver<-client/9', 'keyserver<-client/2'] }),
      );
      expect(newest.protocol).toBe('keyserver<-client/2');
      expect(only(newest.leases).proof).toBeDefined();
      const { protocols: _, ...plain } = asking({ client: client(2), blocks: 1 });
      const before = await keyserver.exchange(plain);
      expect(before.protocol).toBeUndefined();
      const lease = only(before.leases);
      expect(lease.proof).toBeUndefined();
      const reported = await keyserver.exchange({ ...plain, reports: [trueReport(lease)] });
      expect(reported.results).toMatchObject([{ outcome: 'accepted', credited: 8 }]);
      await expect(keyserver.exchange(asking({ protocols: ['keyserver<-client/9'] }))).rejects.toMatchObject({
        code: 'protocol_unknown',
        field: '/protocols',
      });
    });

    it("refuses a report of another client's lease, and leaves the lease alone", async () => {
      const lease = await one();
      for (const report of [trueReport(lease), falseReport(lease)]) {
        const { results } = await keyserver.exchange(asking({ client: client(2), reports: [report] }));
        expect(results).toMatchObject([{ outcome: 'refused', code: 'lease_foreign', credited: 0 }]);
      }
      const { results } = await keyserver.exchange(asking({ reports: [trueReport(lease)] }));
      expect(results).toMatchObject([{ outcome: 'accepted', credited: 8 }]);
    });

    it('refuses a report of a lease it never gave', async () => {
      const { proof: _, ...given } = await one();
      const lease = { ...given, id: '00000000-0000-0000-0000-000000000000' };
      const { results } = await keyserver.exchange(asking({ reports: [trueReport(lease)] }));
      expect(results).toMatchObject([{ outcome: 'refused', code: 'lease_unknown', credited: 0 }]);
    });

    it('takes blocks back from their holder only', async () => {
      const lease = await one();
      const released = { released: [lease.id] };
      const id = '00000000-0000-0000-0000-000000000000';
      expect(await keyserver.release({ client: client(2), leases: [lease.id] })).toEqual({ released: [] });
      expect(await keyserver.release({ client: client(), leases: [lease.id, id, lease.id] })).toEqual(released);
      expect(await keyserver.release({ client: client(), leases: [lease.id] })).toEqual({ released: [] });
      expect((await one('test', client(3))).first).toBe(0);
      // It was worked after all.
      const { results } = await keyserver.exchange(asking({ reports: [trueReport(lease)] }));
      expect(results).toMatchObject([{ outcome: 'accepted', credited: 8 }]);
    });

    it('lets no client hold more leases of a contest than its manifest says', async () => {
      const { leases, retryAfterSeconds } = await keyserver.exchange(asking({ blocks: 9, contests: ['warm-up'] }));
      expect(leases).toHaveLength(3);
      expect(retryAfterSeconds).toBeGreaterThan(0);
      const more = await keyserver.exchange(asking({ blocks: 1, contests: ['warm-up'] }));
      expect(more.leases).toEqual([]);
      const reports = [trueReport(defined(leases[0]))];
      const next = await keyserver.exchange(asking({ reports, blocks: 9, contests: ['warm-up'] }));
      expect(next.leases).toMatchObject([{ first: 12, count: 4 }]);
      const other = await keyserver.exchange(asking({ client: client(2), blocks: 9, contests: ['warm-up'] }));
      expect(other.leases).toMatchObject([{ first: 16 }]);
    });

    it('walks the contests wanted in order until it has enough', async () => {
      const { leases } = await keyserver.exchange(
        asking({ blocks: 7, contests: ['small', 'warm-up', 'test', 'vast'] }),
      );
      const blocks = leases.map(({ contest, first, count }) => [contest, first, count]);
      expect(blocks).toEqual([
        ['small', 0, 4],
        ['small', 4, 2],
        ['warm-up', 0, 4],
        ['warm-up', 4, 4],
        ['warm-up', 8, 4],
        ['test', 0, 8],
        ['test', 8, 8],
      ]);
    });

    it('hands leases out again whose answer was lost, to whom they belong, and no others', async () => {
      const { leases } = await keyserver.exchange(asking({ blocks: 3, contests: ['test'] }));
      const ids = leases.map((lease) => lease.id);
      // The client heard of the first only.
      const ask = { blocks: 4, contests: ['test'], holding: ids.slice(0, 1) };
      const again = await keyserver.exchange(asking(ask));
      expect(again.leases.slice(0, 2)).toEqual(leases.slice(1));
      expect(again.leases).toHaveLength(4);
      expect(again.leases.slice(2).some(({ id }) => ids.includes(id))).toBe(false);
      const all = [...ids, ...again.leases.map((lease) => lease.id)];
      const next = await keyserver.exchange(asking({ blocks: 1, contests: ['test'], holding: all }));
      expect(all).not.toContain(next.leases[0]?.id);
      const other = await keyserver.exchange(asking({ client: client(2), blocks: 1, contests: ['test'], holding: [] }));
      expect(all).not.toContain(other.leases[0]?.id);
      const elsewhere = await keyserver.exchange(asking({ blocks: 1, contests: ['small'], holding: [] }));
      expect(elsewhere.leases).toMatchObject([{ contest: 'small' }]);
      await expectCounts(undefined, { done: 0, leased: 7 * 8 });
    });

    it('refuses to want an unknown contest, and names the place', async () => {
      await expect(keyserver.exchange(asking({ blocks: 1, contests: ['test', 'rc5-64'] }))).rejects.toMatchObject({
        name: 'RefusedError',
        code: 'contest_unknown',
        field: '/want/from/1/contest',
      });
      await expectCounts(undefined, { done: 0, leased: 0 });
    });

    it('closes on the hit where the manifest says so; work under way still counts', async () => {
      const { leases } = await keyserver.exchange(asking({ blocks: 3, contests: ['warm-up'] }));
      const [, winner, late] = leases.map(defined);
      const other = await one('warm-up', client(2));
      const reports = [trueReport(defined(winner), [5])];
      const hit = { kind: 'ogr', unit: 5, marks: [0, 1, 4, 9, 11] };
      const reply = await keyserver.exchange(asking({ reports, blocks: 1, contests: ['warm-up'] }));
      expect(reply.results).toMatchObject([{ outcome: 'accepted', credited: 4, hits: [hit] }]);
      expect(reply.leases).toEqual([]);
      expect(reply.retryAfterSeconds).toBeGreaterThan(0);
      expect(stateOf(reply, 'warm-up')).toMatchObject({ state: 'closed', closedBy: 'hit', hits: [hit] });
      await expectCounts(reply, { done: 4, leased: 12 }, 'warm-up');
      const after = await keyserver.exchange(asking({ reports: [trueReport(defined(late)), ...reports] }));
      expect(after.results).toMatchObject([
        { outcome: 'accepted', credited: 4, hits: [] },
        { outcome: 'duplicate', credited: 0, hits: [hit] },
      ]);
      // A second answer is kept beside the first, best first.
      await keyserver.exchange(asking({ client: client(2), reports: [trueReport(other, [13])] }));
      expect(await state('warm-up')).toMatchObject({ closedBy: 'hit', done: 12, hits: [{ unit: 5 }, { unit: 13 }] });
    });

    it('keeps the secret of a blind contest, and that alone', async () => {
      const hit = { kind: 'ogr', unit: 5, marks: [0, 1, 4, 9, 11] };
      const answers: unknown[] = [];
      for (const contest of ['blind', 'told']) {
        const { leases } = await keyserver.exchange(asking({ blocks: 2, contests: [contest] }));
        const reports = leases.map((lease) => trueReport(lease, [5]));
        const reply = await keyserver.exchange(asking({ reports }));
        expect(reply.results).toMatchObject([
          { outcome: 'accepted', credited: 4, hits: [] },
          { outcome: 'accepted', credited: 4 },
        ]);
        await server.settle?.();
        const again = await keyserver.exchange(asking({ reports, contests: [contest] }));
        expect(again.results).toMatchObject([{ outcome: 'duplicate' }, { outcome: 'duplicate' }]);
        answers.push(reply, again);
      }
      const [offered, status] = [await keyserver.contests(), await keyserver.status()];
      const [blind, told] = ['blind', 'told'].map((name) => offered.find(({ manifest }) => manifest.name === name));
      expect(blind?.manifest).toMatchObject({ search: { blind: true, target: '000000' } });
      const found = { kind: 'found', at: START, by: 'client 1' };
      expect(blind?.state).toMatchObject({ state: 'closed', closedBy: 'hit', done: 8, hits: [found] });
      expect(told?.state).toMatchObject({ state: 'closed', closedBy: 'hit', hits: [hit] });
      expect(stateOf(status, 'blind').hits).toEqual([found]);
      expect(JSON.stringify([offered, status, answers])).not.toContain(SECRET);
      expect(JSON.stringify([blind, answers.slice(0, 2)])).not.toContain('marks');
    });

    it('closes when the last unit is done, and not before', async () => {
      const { leases } = await keyserver.exchange(asking({ blocks: 2, contests: ['small'] }));
      const reports = leases.map((lease) => trueReport(lease, [2, 5])).toReversed();
      const early = await keyserver.exchange(asking({ reports: reports.slice(0, 1) }));
      expect(stateOf(early, 'small')).toMatchObject({ state: 'open', hits: [{ unit: 5 }] });
      await expectCounts(early, { done: 2, leased: 4 }, 'small');
      const reply = await keyserver.exchange(asking({ reports: reports.slice(1), blocks: 1, contests: ['small'] }));
      expect(stateOf(reply, 'small')).toMatchObject({ state: 'closed', closedBy: 'exhausted' });
      await expectCounts(reply, { done: 6, leased: 0 }, 'small');
      expect(stateOf(reply, 'small').hits).toMatchObject([{ unit: 2 }, { unit: 5 }]);
      expect(reply.leases).toEqual([]);
    });

    it('hands no unit to two clients who ask at the same time', async () => {
      const replies = await Promise.all(
        Array.from({ length: 32 }, (_, n) => keyserver.exchange(asking({ client: client(n), blocks: 2, units: 2 }))),
      );
      const leases = replies.flatMap((reply) => reply.leases);
      const units = leases.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
      expect(new Set(units).size).toBe(units.length);
      expect(units.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
      await expectCounts(undefined, { done: 0, leased: 100 });
    });

    it('says who was there and what came of the reports', async () => {
      const lease = await one();
      const other = await one('test', client(2));
      await keyserver.exchange(asking({ reports: [trueReport(lease)] }));
      await keyserver.exchange(asking({ reports: [trueReport(lease)] }));
      await keyserver.exchange(asking({ client: client(2), reports: [falseReport(other)] }));
      server.advance(3_600_001);
      await keyserver.exchange(asking({ client: client(3) }));
      const status = await keyserver.status();
      expect(status.clients).toEqual({ known: 3, lastHour: 1 });
      expect(status.reports).toEqual({ accepted: 1, duplicate: 1, refused: 1 });
      expect(status.startedAt).toBe(START);
    });
  });
}

const noWork = { kind: 'ogr' as const, nodes: 0 };

const stateOf = (reply: Pick<ExchangeReply, 'contests'>, contest = 'test') =>
  only(reply.contests.filter((state) => state.name === contest));

function only<T>(items: readonly T[]): T {
  expect(items).toHaveLength(1);
  return defined(items[0]);
}

function defined<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected one more');
  return value;
}
