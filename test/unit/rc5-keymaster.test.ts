/**
 * The warm-up as the keymaster sees it, with real evidence: false reports earn a named refusal and nothing else, their
 * block is handed out again, and the true one with the answer closes the contest.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kinds } from '../../src/contests/kinds.ts';
import { manifests } from '../../src/contests/manifests.ts';
import { rc5Search } from '../../src/contests/rc5/rc5.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { Lease, Report } from '../../src/domain/work.ts';
import { asking, client, openKeymaster, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
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
