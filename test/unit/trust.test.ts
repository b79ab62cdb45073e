/**
 * Second runs, known answers, and what happens to those who are caught, with real RC5 evidence: a client that keeps back a
 * near match, as one would that hides the winning key, is found out by the next who does the block; its work is free again, its credit
 * gone, the case on file; a pardon brings back what nobody has done meanwhile.
 */
import { array, assert as check, integer, property, record } from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordText } from '../../src/cli/admin/show.ts';
import { rc5Blocks, rc5Evidence } from '../../src/cli/bench/keyserver/contests.ts';
import type { SpotCheck } from '../../src/contests/kind.ts';
import { kinds } from '../../src/contests/kinds.ts';
import type { ClientInfo } from '../../src/domain/client.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { endOf } from '../../src/domain/units.ts';
import { KEYS_PER_UNIT, type Lease, type Report, type UnitEvidence } from '../../src/domain/work.ts';
import type { ReportResult } from '../../src/protocol/keyserver.ts';
import { checkLedger } from '../../src/server/ledger/check.ts';
import type { Observer } from '../../src/server/ledger/desk.ts';
import { bodyOf, Cases } from '../../src/server/trust/cases.ts';
import type { Checker } from '../../src/server/trust/checks.ts';
import { after, isBarred, UNKNOWN } from '../../src/server/trust/conduct.ts';
import { isAnswerDue, secondRate, spotRate } from '../../src/server/trust/rates.ts';
import { without } from '../../src/server/trust/take-back.ts';
import { asking, client, openKeymaster, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { contestOf, smallSearch } from '../helpers/ogr.ts';

const HOUR_MS = 3_600_000;
const contest = rc5Blocks.name;

let folder: { path: string; remove: () => void };
let server: TestKeymaster;
/** What the observer was told of checks. */
let told: string[];
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

/** @param random what is drawn: 0 checks everything, and 0.49 offers each block that may be done again. */
const open = async (
  random: () => number,
  { manifests = [rc5Blocks], checker }: { manifests?: ContestManifest[]; checker?: Checker } = {},
): Promise<void> => {
  told = [];
  const observer: Observer = {
    doneAgain: (how, agreed) => told.push(`${how} ${agreed ? 'agreed' : 'contradicted'}`),
    wentOffline: (count, clients) => told.push(`${count} offline: ${clients.join()}`),
    caught: (how) => told.push(`caught by ${how}`),
  };
  server = await openKeymaster(folder.path, manifests, { kinds, random, secondRuns: 1, observer, checker });
};

const lease = async (who: ClientInfo): Promise<Lease | undefined> => {
  const { leases } = await server.keymaster.exchange(asking({ client: who, blocks: 1, units: 1, contests: [contest] }));
  return leases[0];
};

const honest = ({ first, count }: Lease): UnitEvidence[] =>
  Array.from({ length: count }, (_, i) => rc5Evidence[first + i] as UnitEvidence);

const lacking = (given: Lease): UnitEvidence[] =>
  honest(given).map((one) => (one.kind === 'rc5' ? { ...one, nearMatches: one.nearMatches.slice(1) } : one));

async function report(who: ClientInfo, given: Lease, evidence = honest(given)): Promise<ReportResult> {
  const { id, first, proof } = given;
  const handedIn: Report = { lease: id, contest, first, evidence, core: 'rc5-scalar4', seconds: 10 };
  const { results } = await server.keymaster.exchange(
    asking({ client: who, contests: [], reports: [proof === undefined ? handedIn : { ...handedIn, proof }] }),
  );
  return results[0] as ReportResult;
}

const given = async (who: ClientInfo): Promise<Lease> => {
  const one = await lease(who);
  if (one === undefined) throw new Error('no block was handed out');
  return one;
};

const pointsOf = async (name: string): Promise<number> => {
  await server.keymaster.desk.counting.count();
  const rows = await server.store.read((ledger) =>
    ledger.counting.rollupsOfOne({ contest, scope: 'person', who: name, span: 'ever' }, 0),
  );
  return rows.reduce((sum, { units }) => sum + units, 0);
};

const cases = () => server.store.read((ledger) => ledger.trust.cases(100));
const close = (name: string) =>
  server.keymaster.desk.run(({ ledger }) => ledger.updateContest(name, { closed_by: 'operator' }));
const failed = { kind: 'failed', at: 1, how: 'spot-check', detail: 'x' } as const;
const ledgerIsRight = async () => (await server.store.snapshot(checkLedger)).ok;

test('a near match that is kept back is missed by the next who does the block; nothing of its finder counts any more', async () => {
  await open(() => 0);
  const [liar, other] = [client(1), client(2)];
  const first = await given(liar);
  expect(await report(liar, first, lacking(first))).toMatchObject({ outcome: 'accepted', credited: 1 });
  expect(await pointsOf('client 1')).toBe(1);

  const again = await given(other);
  expect([again.first, again.count]).toEqual([first.first, first.count]);
  expect(await report(other, again)).toMatchObject({ outcome: 'accepted', credited: 1 });
  await server.keymaster.trust.settled();

  expect((await cases()).map(bodyOf)).toMatchObject([{ how: 'second-run', name: 'client 1', units: 1, blocks: 1 }]);
  expect(told).toEqual(['second-run contradicted', 'caught by second-run']);
  // That of the other, which nobody has done again.
  expect(server.keymaster.trust.figures()).toEqual({ checksWaiting: 0, seconds: new Map(), barred: 1, stopped: 0 });
  expect([await pointsOf('client 1'), await pointsOf('client 2')]).toEqual([0, 1]);
  expect(await server.keymaster.contests()).toMatchObject([{ state: { done: 0 } }]);
  expect(await ledgerIsRight()).toBe(true);

  // It is told why, gets nothing, and what it still holds is not taken.
  const { leases, messages } = await server.keymaster.exchange(
    asking({ client: liar, blocks: 1, contests: [contest] }),
  );
  expect(leases).toEqual([]);
  expect(messages?.[0]).toMatch(/near match is missing.*machine may be at fault/);
});

test('a pardon gives work again, and the credit of what nobody has done meanwhile', async () => {
  await open(() => 0);
  const [liar, other] = [client(1), client(2)];
  const blocks = [await given(liar), await given(liar)];
  for (const block of blocks) await report(liar, block, lacking(block));
  await report(other, await given(other));
  const { trust, desk } = server.keymaster;
  await trust.settled();
  const cases = new Cases({ store: server.store, desk, trust, clock: () => server.clock.now });
  const [filed] = await cases.list(9);
  expect(filed).toMatchObject({ client: liar.id, units: 2, blocks: 2 });
  expect(await cases.record(liar.id)).toMatchObject({
    contests: [{ barred: true, failed: 1 }],
    cases: [{ id: filed?.id }],
  });

  // Somebody else does the first of them.
  const redone = await given(client(3));
  expect(redone.first).toBe(blocks[0]?.first);
  await report(client(3), redone);
  expect(await cases.pardon(filed?.id ?? '')).toMatchObject({ pardonedAt: server.clock.now });
  await expect(cases.pardon(filed?.id ?? '')).rejects.toMatchObject({ code: 'conflict' });
  expect([await pointsOf('client 1'), await pointsOf('client 3')]).toEqual([1, 1]);
  expect(await lease(liar)).toBeDefined();
  expect(await ledgerIsRight()).toBe(true);
});

test('points for what the caught did again go with the rest, and come back with a pardon', async () => {
  await open(() => 0);
  const [liar, other, third] = [client(1), client(2), client(3)];
  await report(other, await given(other));
  await report(liar, await given(liar));
  expect(await pointsOf('client 1')).toBe(1);
  const own = await given(liar);
  await report(liar, own, lacking(own));
  expect(await pointsOf('client 1')).toBe(2);
  for (let i = 0; i < 2; i++) await report(third, await given(third));
  const { trust, desk } = server.keymaster;
  await trust.settled();
  expect([await pointsOf('client 1'), await pointsOf('client 2')]).toEqual([0, 1]);
  const cases = new Cases({ store: server.store, desk, trust, clock: () => server.clock.now });
  const [filed] = await cases.list(9);
  expect(filed).toMatchObject({ client: liar.id, units: 2, blocks: 2 });
  await cases.pardon(filed?.id ?? '');
  expect(await pointsOf('client 1')).toBe(2);
  expect(await ledgerIsRight()).toBe(true);
});

test('who differs from what two agree on is wrong; who gets a test block right later is believed again', async () => {
  await open(() => 0);
  const [a, b, c] = [client(1), client(2), client(3)];
  const block = await given(a);
  await report(a, block);
  const second = await given(b);
  expect(second.first).toBe(block.first);
  await report(b, second);
  await server.keymaster.trust.settled();
  expect(server.keymaster.trust.conductOf(a.id, contest)).toMatchObject({ passed: 1, score: 0 });

  const known = await given(c);
  expect(known.first).toBe(block.first);
  expect(await report(c, known, lacking(known))).toMatchObject({
    outcome: 'refused',
    code: 'evidence_missing',
    hits: [],
  });
  await server.keymaster.trust.settled();
  expect((await cases()).map(bodyOf)).toMatchObject([{ how: 'known-answer', name: 'client 3' }]);
  expect(await lease(c)).toBeUndefined();

  server.clock.now += 6 * HOUR_MS;
  const test = await given(c);
  expect(test.first).toBe(block.first);
  expect(await report(c, test)).toMatchObject({ outcome: 'accepted', credited: 1 });
  const [after1] = (await server.store.read((ledger) => ledger.trust.cases(9))).map(bodyOf);
  expect(after1?.how).toBe('known-answer');
  expect(await lease(c)).toBeDefined();
});

test('two who agree on what is false accuse nobody: who shows what they left out accuses both', async () => {
  await open(() => 0);
  const [a, b, c] = [client(1), client(2), client(3)];
  const block = await given(a);
  await report(a, block, lacking(block));
  const second = await given(b);
  expect(second.first).toBe(block.first);
  await report(b, second, lacking(second));
  const known = await given(c);
  expect(known.first).toBe(block.first);
  expect(await report(c, known)).toMatchObject({ outcome: 'accepted', credited: 1 });
  await server.keymaster.trust.settled();
  expect((await cases()).map((row) => row.client).toSorted()).toEqual([a.id, b.id]);
  // What they agreed on confirms nothing, and is no known answer any more.
  expect((await cases()).map(bodyOf).find(({ name }) => name === 'client 1')).toMatchObject({ units: 1 });
  expect((await given(client(4))).first).toBe(block.first);
  expect(await server.keymaster.contests()).toMatchObject([{ state: { done: 0 } }]);
  expect(await ledgerIsRight()).toBe(true);
});

test('a second run is never of the same name, team, address or client', async () => {
  await open(() => 0);
  const first: ClientInfo = { ...client(1), team: 'owls' };
  const block = await given(first);
  await report(first, block);
  const take = async (who: ClientInfo): Promise<number | undefined> => (await lease(who))?.first;
  expect(await take({ ...client(2), name: 'client 1' })).not.toBe(block.first);
  expect(await take({ ...client(3), team: 'owls' })).not.toBe(block.first);
  expect(await take(first)).not.toBe(block.first);
  expect(await take(client(4))).toBe(block.first);
});

test('a block that somebody took and keeps goes to the next after six hours; until then whoever is late counts', async () => {
  await open(() => 0);
  const block = await given(client(1));
  await report(client(1), block);
  const kept = await given(client(2));
  expect(kept.first).toBe(block.first);
  server.clock.now += 5 * HOUR_MS;
  expect((await given(client(3))).first).not.toBe(block.first);
  server.clock.now += HOUR_MS;
  const again = await given(client(4));
  expect(again.first).toBe(block.first);
  server.clock.now += 7 * HOUR_MS;
  expect(await report(client(4), again)).toMatchObject({ outcome: 'accepted', credited: 1 });
  // Of whose lease nothing is known any more.
  expect(await report(client(2), kept)).toMatchObject({ outcome: 'duplicate', credited: 0 });
  expect(await cases()).toEqual([]);
});

test('a map shows what is done again as handed out', async () => {
  await open(() => 0);
  const block = await given(client(1));
  await report(client(1), block);
  const { done, leased } = await server.keymaster.map({ contest, first: block.first, size: 1, cells: 1 });
  expect({ done, leased }).toEqual({ done: [0], leased: [255] });
});

test('what waits for a second run goes with its contest, and no sooner', async () => {
  await open(() => 0);
  await report(client(1), await given(client(1)));
  const waiting = () => server.store.read((ledger) => ledger.trust.secondRuns());
  await server.keymaster.sweep();
  expect(await waiting()).toHaveLength(1);
  expect(await lease(client(2))).toBeDefined();
  await close(contest);
  await server.keymaster.sweep();
  expect(await waiting()).toHaveLength(1);
  // Whoever has it never comes back.
  server.clock.now += 366 * 24 * HOUR_MS;
  await server.keymaster.sweep();
  expect(await waiting()).toEqual([]);
});

test('without a draw there is no second run, and every block is new', async () => {
  await open(() => 0.9999);
  const firsts: number[] = [];
  for (let i = 0; i < 4; i++) {
    const block = await given(client(1 + (i % 2)));
    firsts.push(block.first);
    await report(client(1 + (i % 2)), block);
  }
  expect(new Set(firsts).size).toBe(4);
  expect(await cases()).toEqual([]);
});

test('a name that many identities cheat under is watched: the honest who use it are checked more, and accused of nothing', async () => {
  let checked: number[] = [];
  const check = async (_manifest: unknown, { unit }: SpotCheck) => {
    checked.push(unit);
    return 'agrees' as const;
  };
  await open(() => 0.9999, { checker: { check, async close() {} } });
  const { trust } = server.keymaster;
  const one: ClientInfo = { ...client(1), name: 'many' };
  for (let i = 0; i < 64; i++) trust.note(one.id, contest, { kind: 'passed', at: i, how: 'spot-check' });
  await trust.settled();
  await report(one, await given(one));
  await trust.settled();
  expect(checked).toEqual([]);

  // Each identity does the first half of a single unit, which by itself may be bad luck.
  const half = (block: Lease): UnitEvidence[] =>
    honest(block).map((each) =>
      each.kind === 'rc5' ? { ...each, nearMatches: each.nearMatches.filter((key) => key < KEYS_PER_UNIT / 2) } : each,
    );
  for (let n = 2; n <= 4; n++) {
    const cheat: ClientInfo = { ...client(n), name: 'many' };
    const block = await given(cheat);
    expect(await report(cheat, block, half(block))).toMatchObject({ outcome: 'accepted', credited: 1 });
    await trust.settled();
  }
  expect((await cases()).map((row) => [row.client, bodyOf(row).how])).toEqual([['name:many', 'record']]);
  expect((await cases()).map(bodyOf)).toMatchObject([{ name: 'many', units: 0, ranges: [] }]);
  expect(await pointsOf('many')).toBe(4);

  checked = [];
  const block = await given(one);
  expect(await report(one, block)).toMatchObject({ outcome: 'accepted', credited: 1 });
  await trust.settled();
  expect(checked).toEqual([block.first]);
  expect(trust.conductOf(one.id, contest)).toMatchObject({ passed: 65, failed: 0, score: 0 });

  // Who is new has each block done again by others; who had passed checks has not.
  const again = () => server.store.read((ledger) => ledger.trust.secondRuns());
  expect(await again()).toEqual([]);
  const fresh: ClientInfo = { ...client(9), name: 'many' };
  const another = await given(fresh);
  expect(await report(fresh, another)).toMatchObject({ outcome: 'accepted', credited: 1 });
  expect(await again()).toMatchObject([{ first: another.first, known: 0 }]);
  await trust.settled();
  expect(await cases()).toHaveLength(1);
  expect(await lease(one)).toBeDefined();
});

const range = record({ first: integer({ min: 0, max: 60 }), count: integer({ min: 1, max: 20 }) });

test('what is taken back is what the client has and nobody else', async () => {
  await open(() => 0.9999);
  check(
    property(array(range, { maxLength: 8 }), array(range, { maxLength: 8 }), (own, others) => {
      const units = (some: readonly { first: number; count: number }[]): Set<number> =>
        new Set(some.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i)));
      const left = without(own, others);
      const [mine, theirs, got] = [units(own), units(others), units(left)];
      expect([...got].every((unit) => mine.has(unit) && !theirs.has(unit))).toBe(true);
      expect([...mine].every((unit) => theirs.has(unit) || got.has(unit))).toBe(true);
      expect(left.every((one) => own.some((block) => one.first >= block.first && endOf(one) <= endOf(block)))).toBe(
        true,
      );
    }),
  );
});

test('false evidence that a proxy hands on is not held against the client that it names; nor is it false to be too old', async () => {
  await open(() => 0.9999);
  const { trust } = server.keymaster;
  const [who, other, proxy] = [client(1), client(2), { ...client(3), class: 'proxy' as const }];
  await trust.know([who, other]);
  const done: Report = {
    lease: 'x',
    contest,
    first: 0,
    evidence: honest({ first: 0, count: 1 } as Lease),
    core: 'a',
    seconds: 1,
  };
  const refused = { lease: 'x', outcome: 'refused', detail: 'it is false', credited: 0 } as const;
  const ogr = contestOf(smallSearch(12, 2));
  for (let i = 0; i < 3; i++) {
    trust.reported(
      who,
      rc5Blocks,
      done,
      { ...refused, code: 'evidence_false', hits: [] },
      { client: proxy, isProxy: true },
    );
    trust.reported(who, ogr, done, { ...refused, code: 'evidence_missing', hits: [] }, { client: who, isProxy: false });
    trust.reported(
      other,
      rc5Blocks,
      done,
      { ...refused, code: 'evidence_false', hits: [] },
      { client: other, isProxy: false },
    );
  }
  await trust.settled();
  expect((await cases()).map((row) => row.client)).toEqual([other.id]);
  expect(trust.conductOf(who.id, contest)).toEqual(UNKNOWN);
});

test('what is found while others are written is not forgotten, nor at the end; after a new start nobody is caught twice', async () => {
  await open(() => 0);
  const [a, b] = [client(1), client(2)];
  const block = await given(a);
  await report(a, block);
  const writing = server.keymaster.trust.write();
  server.keymaster.trust.note(a.id, contest, failed);
  await writing;
  expect(server.keymaster.trust.conductOf(a.id, contest).distrusted).toBe(true);
  await server.keymaster.trust.know([b]);
  const refused = { kind: 'refused', at: 1, detail: 'it was false' } as const;
  for (let i = 0; i < 3; i++) server.keymaster.trust.note(b.id, contest, refused);
  await server.close();

  await open(() => 0);
  expect((await cases()).map((row) => row.client)).toEqual([b.id]);
  server.keymaster.trust.convict(a, contest, 'spot-check', 'x', undefined);
  server.keymaster.trust.convict(b, contest, 'spot-check', 'x', undefined);
  await server.keymaster.trust.settled();
  expect(await cases()).toHaveLength(1);
  expect([await lease(a), await lease(b)]).toEqual([undefined, undefined]);
  // What waited for a second run still does.
  expect((await given(client(3))).first).toBe(block.first);
});

test('who was wrong in a contest that is over is believed again by a test block of another', async () => {
  const ended = { ...rc5Blocks, name: 'rc5-ended' };
  await open(() => 0, { manifests: [rc5Blocks, ended] });
  const [a, b, c, d] = [client(1), client(2), client(3), client(4)];
  for (const who of [c, d]) server.keymaster.trust.convict(who, ended.name, 'spot-check', 'x', undefined);
  await server.keymaster.trust.settled();
  await report(a, await given(a));
  await report(b, await given(b));
  await report(c, await given(c));
  expect(await lease(c)).toBeUndefined();

  await close(ended.name);
  await report(d, await given(d));
  expect(await lease(d)).toBeDefined();
});

test('what another keymaster over the same ledger has pardoned is heard of at the next sweep', async () => {
  await open(() => 0.9999);
  const who = client(1);
  await given(who);
  server.keymaster.trust.convict(who, contest, 'spot-check', 'x', undefined);
  await server.keymaster.trust.settled();
  expect(await lease(who)).toBeUndefined();
  await server.store.transaction((ledger) =>
    ledger.trust.putConducts([{ client: who.id, contest, body: JSON.stringify(UNKNOWN) }]),
  );
  await server.keymaster.sweep();
  expect(await lease(who)).toBeDefined();
});

test('where a check comes to no end somebody does the block again, but not if somebody has', async () => {
  await open(() => 0.9999, { checker: { check: async () => 'undecided', close: async () => {} } });
  const { checks } = server.keymaster.trust;
  const evidence = honest({ first: 0, count: 1 } as Lease);
  const spot = kinds.rc5.spotCheck(rc5Blocks, { contest, first: 0, evidence } as Report, () => 0);
  if (spot === undefined) throw new Error('nothing can be checked');
  const done = { contest, first: 0, core: 'a', evidence };
  const suspect = { client: client(1), manifest: rc5Blocks, spot, done, evidence };
  const waiting = () => server.store.read((ledger) => ledger.trust.secondRuns());
  checks.take({ ...suspect, isContradicted: true });
  await server.keymaster.trust.settled();
  expect(await waiting()).toEqual([]);
  checks.take(suspect);
  await server.keymaster.trust.settled();
  expect(await waiting()).toHaveLength(1);
});

test('runs of OGR that say the same agree, in whichever order they say it', async () => {
  await open(() => 0.9999);
  const manifest = contestOf(smallSearch(12, 2));
  const compare = (second: UnitEvidence) => kinds.ogr.compare(manifest, 0, [{ kind: 'ogr', nodes: 5 }], [second]);
  expect(compare({ nodes: 5, kind: 'ogr' })).toEqual({ agree: true });
  expect(compare({ kind: 'ogr', nodes: 6 })).toMatchObject({ agree: false, wrong: [] });
});

test('conduct: three false reports bar a client, a right answer lets it in; trust makes checks rarer and never ends them', async () => {
  await open(() => 0.9999);
  const refused = { kind: 'refused', at: 1, detail: 'it was false' } as const;
  const passed = { kind: 'passed', at: 2, how: 'spot-check' } as const;
  const three = after(after(after(UNKNOWN, refused), refused), refused);
  expect([isBarred(after(UNKNOWN, refused)), isBarred(three), isBarred(after(three, passed))]).toEqual([
    false,
    true,
    true,
  ]);
  expect(isBarred(after(three, { ...passed, how: 'known-answer' }))).toBe(false);
  // Somebody of its kind agrees with it on a block that it had in hand.
  const caught = after(UNKNOWN, { kind: 'failed', at: 1, how: 'spot-check', detail: 'x' });
  expect(isBarred(after(caught, { ...passed, how: 'second-run' }))).toBe(true);
  let conduct = UNKNOWN;
  for (const kind of ['rc5', 'ogr'] as const) {
    conduct = UNKNOWN;
    let last = [spotRate(kind, conduct), secondRate(kind, conduct)];
    expect(last[0]).toBe(1);
    for (let i = 0; i < 10_000; i++) {
      conduct = after(conduct, passed);
      const next = [spotRate(kind, conduct), secondRate(kind, conduct)];
      expect(next.every((rate, n) => rate > 0 && rate <= (last[n] ?? 0))).toBe(true);
      last = next;
    }
  }
  expect([isAnswerDue(UNKNOWN, 7 * HOUR_MS), isAnswerDue(conduct, 7 * HOUR_MS)]).toEqual([true, false]);
  expect(after(conduct, { kind: 'failed', at: 3, how: 'spot-check', detail: 'x' })).toMatchObject({
    passed: 0,
    distrusted: true,
  });
});

test('a person takes the name back: what was done counts, and for nobody by name', async () => {
  await open(() => 0.9999);
  const ada: ClientInfo = { ...client(1), name: 'Ada', team: 'owls' };
  for (let i = 0; i < 2; i++) await report(ada, await given(ada));
  await report(client(2), await given(client(2)));
  expect([await pointsOf('Ada'), await pointsOf('client 2'), await pointsOf('')]).toEqual([2, 1, 0]);
  await server.keymaster.release({ client: ada, leases: [], forget: true });
  expect([await pointsOf('Ada'), await pointsOf('client 2'), await pointsOf('')]).toEqual([0, 1, 2]);
  const left = await server.store.read(async (ledger) => ({
    clients: await ledger.clients([ada.id]),
    members: await ledger.counting.members({ team: 'owls', contest }, undefined, 9),
    rollups: await ledger.counting.rollups('person', 'ever', 0),
  }));
  expect(left.clients).toMatchObject([{ name: null, team: null }]);
  expect(left.members).toEqual([]);
  expect(left.rollups.map(({ who }) => who).toSorted()).toEqual(['', 'client 2']);
  expect(await ledgerIsRight()).toBe(true);
});

test('of a name that was taken back nothing is left in what is noted of anybody', async () => {
  await open(() => 0);
  const [ada, b, liar] = [{ ...client(1), name: 'Ada' }, { ...client(2), name: 'Bob' }, client(3)];
  await report(ada, await given(ada));
  await report(b, await given(b));
  const known = await given(liar);
  await report(liar, known, lacking(known));
  await server.keymaster.trust.settled();
  const noted = async () =>
    JSON.stringify(
      await server.store.read(async ({ trust }) => [
        await trust.secondRuns(),
        await trust.cases(9),
        await trust.conducts([ada.id, b.id, liar.id, 'name:Ada', 'name:Bob']),
      ]),
    );
  expect(await noted()).toMatch(/known-answer.*name:Ada/);
  for (const client of [ada, b]) await server.keymaster.release({ client, leases: [], forget: true });
  expect(await noted()).not.toMatch(/Ada|Bob/);
  expect(await noted()).toContain('known-answer');
});

test('an operator stops a client, with a reason that it is told, and lets it go on', async () => {
  await open(() => 0.9999);
  const { trust, desk } = server.keymaster;
  const cases = new Cases({ store: server.store, desk, trust, clock: () => server.clock.now });
  const who = client(1);
  await report(who, await given(who));
  const inHand = await given(who);
  expect(await cases.stop(who.id, 'a lab machine')).toMatchObject({ client: who.id, stopped: 'a lab machine' });
  const { leases, directives } = await server.keymaster.exchange(
    asking({ client: who, blocks: 1, contests: [contest] }),
  );
  expect(leases).toEqual([]);
  expect(directives).toEqual([{ do: 'stop', code: 463, reason: 'a lab machine' }]);
  await server.keymaster.sweep();
  expect(await cases.record(who.id)).toMatchObject({ stopped: 'a lab machine', contests: [{ contest, reports: 1 }] });
  // What it has done still counts.
  expect(await report(who, inHand)).toMatchObject({ outcome: 'accepted', credited: 1 });
  await cases.stop(who.id, undefined);
  expect(await lease(who)).toBeDefined();
  await expect(cases.record(client(9).id)).rejects.toMatchObject({ code: 'not_found' });
});

test('who was not heard of for a day is offline: that is said once, and told of the client', async () => {
  await open(() => 0.9999);
  const { trust, desk } = server.keymaster;
  const cases = new Cases({ store: server.store, desk, trust, clock: () => server.clock.now });
  const [gone, stays] = [client(1), client(2)];
  await lease(gone);
  await lease(stays);
  const seenAt = server.clock.now;
  await server.keymaster.sweep();
  expect(await cases.record(gone.id)).toMatchObject({ seenAt, online: true });

  server.clock.now += 23 * HOUR_MS;
  await lease(stays);
  server.clock.now += HOUR_MS;
  for (let i = 0; i < 3; i++) {
    await server.keymaster.sweep();
    server.clock.now += HOUR_MS;
  }
  expect(told).toEqual([`1 offline: ${gone.id}`]);
  const record = await cases.record(gone.id);
  expect(record).toMatchObject({ seenAt, online: false, wentOfflineAt: seenAt + 24 * HOUR_MS });
  expect(recordText(record)).toMatch(/^offline since \d{4}-/m);
  expect(await cases.record(stays.id)).toMatchObject({ online: true });

  await lease(gone);
  const back = await cases.record(gone.id);
  expect(back.online).toBe(true);
  expect(recordText(back)).not.toContain('offline');
});

test('speeds are learnt by half or twice at most', async () => {
  await open(() => 0.9999);
  const did = (seconds: number) => ({ kind: 'accepted', at: 1, units: 10, core: 'a', seconds }) as const;
  const once = after(UNKNOWN, did(10));
  expect(once.speeds).toEqual({ a: 1 });
  expect(after(once, did(5)).speeds).toEqual({ a: 1.5 });
  expect(after(once, did(0.001)).speeds).toEqual({ a: 2 });
  expect(after(once, did(1e9)).speeds['a']).toBeCloseTo(0.5);
});
