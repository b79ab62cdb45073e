/**
 * The warm-up as the keymaster sees it, with real evidence: false reports earn a named refusal and nothing else, their
 * block is handed out again, and the true one with the answer closes the contest. The same blind, where nobody else can tell
 * the answer, through a proxy too.
 */
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kinds } from '../../src/contests/kinds.ts';
import { manifests } from '../../src/contests/manifests.ts';
import { rc5, rc5Search } from '../../src/contests/rc5/rc5.ts';
import { ContestManifest } from '../../src/domain/contest.ts';
import type { Lease, Report } from '../../src/domain/work.ts';
import type { Keyserver } from '../../src/protocol/keyserver.ts';
import { Administration } from '../../src/server/keymaster/administration.ts';
import { Proxy } from '../../src/server/proxy/proxy.ts';
import {
  asking,
  client,
  openKeymaster,
  openStore,
  START,
  silent,
  type TestKeymaster,
  temporaryFolder,
} from '../helpers/keyservers.ts';
import near from '../vectors/rc5-near-matches.json' with { type: 'json' };

const [unit = '', otherUnit = ''] = Object.keys(near.units).toReversed();
const offsets = (of: string): number[] => (near.units as Record<string, number[]>)[of] ?? [];

const warmUp = manifests.find(({ name }) => name === 'rc5-56') as ContestManifest;
/** The unit with the answer, alone. */
const one: ContestManifest = { ...warmUp, units: 1, search: { ...rc5Search(warmUp), firstUnit: Number(unit) } };

let folder: { path: string; remove: () => void };
let server: TestKeymaster;
beforeEach(async () => {
  folder = temporaryFolder();
  server = await openKeymaster(folder.path, [one], { kinds });
});
afterEach(async () => {
  await server.close();
  folder.remove();
});

async function lease(): Promise<Lease> {
  const { leases } = await server.keymaster.exchange(asking({ blocks: 1, contests: ['rc5-56'] }));
  const [given] = leases;
  if (given === undefined) throw new Error('no block was handed out');
  return given;
}

const report = ({ id, contest, first }: Lease, nearMatches: number[]): Report => ({
  lease: id,
  contest,
  first,
  evidence: [{ kind: 'rc5', nearMatches }],
  core: 'rc5-scalar4',
  seconds: 18,
});

const [first = 0, ...rest] = offsets(unit);

test.each([
  ['removed', [], 'evidence_missing'],
  ['altered', [first + 1, ...rest], 'evidence_false'],
  ['for other keys', offsets(otherUnit), 'evidence_false'],
])('evidence %s: refused, not credited, handed out again', async (_how, nearMatches, code) => {
  const false1 = report(await lease(), nearMatches);
  const { results, contests } = await server.keymaster.exchange(asking({ contests: [], reports: [false1] }));
  expect(results).toMatchObject([{ outcome: 'refused', code, credited: 0, hits: [] }]);
  expect(results[0]?.detail).toMatch(/near match/);
  expect(contests).toMatchObject([{ state: 'open', done: 0, leased: 0 }]);
  expect(await lease()).toMatchObject({ first: 0, count: 1 });
});

test('the true report: credited once, the message read, the contest closed', async () => {
  const mine = await lease();
  const stranger = client(2);
  const stolen = await server.keymaster.exchange(
    asking({ client: stranger, contests: [], reports: [report(mine, offsets(unit))] }),
  );
  expect(stolen.results).toMatchObject([{ outcome: 'refused', code: 'lease_foreign' }]);
  const { results, contests } = await server.keymaster.exchange(
    asking({ contests: [], reports: [report(mine, offsets(unit))] }),
  );
  const message = "The unknown message is: It's time to move to a longer key length.";
  expect(results).toMatchObject([{ outcome: 'accepted', credited: 1, hits: [{ key: '532b744cc20999', message }] }]);
  expect(contests).toMatchObject([{ state: 'closed', closedBy: 'hit', done: 1, hits: [{ message }] }]);
  const again = await server.keymaster.exchange(asking({ contests: [], reports: [report(mine, offsets(unit))] }));
  expect(again.results).toMatchObject([{ outcome: 'duplicate', credited: 0 }]);
});

describe('blind', () => {
  const hidden: ContestManifest = { ...one, name: 'hidden', search: { ...rc5Search(one), blind: true } };
  const message = "The unknown message is: It's time to move to a longer key length.";
  const { iv, ciphertext } = rc5Search(one);
  const secrets = [iv, ciphertext.slice(0, 8), ciphertext.slice(8, 16), '532b744cc20999', 'longer key length'];

  /** A proxy over a keymaster, with all that passes between and what the proxy kept. */
  async function searched(announce: 'found' | 'all' | undefined) {
    const top = await openKeymaster(`${folder.path}/top`, [announce === undefined ? hidden : { ...hidden, announce }], {
      kinds,
    });
    const below = await openStore(`${folder.path}/below`);
    const passed: string[] = [];
    const keyserver: Keyserver = {
      exchange: async (request, origin) => heard(await top.keymaster.exchange(request, origin)),
      release: async (request) => heard(await top.keymaster.release(request)),
      contests: async () => heard(await top.keymaster.contests()),
      status: async () => heard(await top.keymaster.status()),
      map: (query) => top.keymaster.map(query),
    };
    function heard<T>(answer: T): T {
      passed.push(JSON.stringify(answer));
      return answer;
    }
    const proxy = await Proxy.open({
      store: below,
      kinds,
      clock: () => top.clock.now,
      log: silent,
      version: '0.0.0',
      upstreams: [{ url: 'above', keyserver }],
      settings: {},
    });
    const { leases } = await proxy.exchange(asking({ blocks: 1, contests: ['hidden'] }));
    const [given] = leases;
    if (given === undefined) throw new Error('no block was handed out');
    const reports = [{ ...report(given, offsets(unit)), proof: given.proof ?? '' }];
    passed.push(JSON.stringify(await proxy.exchange(asking({ contests: [], reports }))));
    await proxy.talk();
    await proxy.talk();
    passed.push(JSON.stringify([await proxy.contests(), await proxy.status()]));
    const kept = await below.read(async (ledger) => [
      await ledger.contests(),
      await ledger.hits(),
      await ledger.meta('state'),
    ]);
    passed.push(JSON.stringify(kept));
    const { state } = (await proxy.contests())[0] ?? {};
    const admin = new Administration({ keymaster: top.keymaster, store: top.store, kinds, clock: () => top.clock.now });
    const [known] = await admin.contests();
    await below.close();
    await top.close();
    return { passed: passed.join('\n'), state, known };
  }

  test('the keymaster recognises and keeps the answer, its operator reads it, and nobody else learns more than that', async () => {
    const { passed, state, known } = await searched(undefined);
    expect(state).toMatchObject({ state: 'closed', closedBy: 'hit', done: 1 });
    expect(state?.hits).toEqual([{ kind: 'found', at: START, by: 'client 1' }]);
    expect(known?.hits).toMatchObject([{ key: '532b744cc20999', message, unit: 0 }]);
    expect(secrets.filter((secret) => passed.includes(secret))).toEqual([]);
  });

  test('key and message are announced where the manifest says so, and the ciphertext never', async () => {
    const { passed, state } = await searched('all');
    expect(state?.hits).toMatchObject([{ kind: 'rc5', key: '532b744cc20999', message }]);
    expect(secrets.filter((secret) => passed.includes(secret))).toEqual(['532b744cc20999', 'longer key length']);
  });

  test('what is handed out is believed alike, but makes no keymaster', async () => {
    const handed = rc5.handedOut?.(hidden) ?? hidden;
    expect(handed.search).toEqual({
      kind: 'rc5',
      blind: true,
      keyBytes: 7,
      plain: '2f5a95aa9379b5e2',
      target: ciphertext.slice(0, 6),
      firstUnit: Number(unit),
    });
    expect(Value.Check(ContestManifest, handed)).toBe(true);
    expect(rc5.handedOut?.(handed)).toEqual(handed);
    expect(rc5.handedOut?.(one)).toBe(one);
    const evidence = report(
      { id: '0123456789abcdef', contest: 'hidden', first: 0, count: 1, expiresAt: 0 },
      offsets(unit),
    );
    expect(rc5.verify(handed, evidence)).toEqual({ ok: true, hits: [] });
    expect(rc5.verify(hidden, evidence)).toMatchObject({ ok: true, hits: [{ message }] });
    const near = { ...evidence, evidence: [{ kind: 'rc5' as const, nearMatches: [first + 1] }] };
    expect(rc5.verify(handed, near)).toMatchObject({ ok: false, code: 'evidence_false' });
    await expect(openKeymaster(`${folder.path}/top`, [handed], { kinds })).rejects.toThrow(
      /hidden: search.ciphertext is missing/,
    );
    expect(() => rc5.validate({ ...one, announce: 'all' })).toThrow(/rc5-56: announce/);
  });
});
