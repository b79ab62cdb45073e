/**
 * The standing of a large ledger: the first who asks waits for it, all others do not. With a hundred thousand names, on two
 * cores shared with others, the first waited for 1.7 s, in parts, and the others for 2 ms; over PostgreSQL as long.
 */
import { afterAll, expect, test } from 'vitest';
import { LedgerStandings } from '../../src/server/standing/ledger-standings.ts';
import type { RollupRow } from '../../src/server/store/schema.ts';
import { openKeymaster, START, temporaryFolder } from '../helpers/keyservers.ts';
import { testManifest } from '../helpers/test-contest.ts';

const PEOPLE = 30_000;
const TEAMS = 1000;
const AT_ONCE = 10_000;

const folder = temporaryFolder();
afterAll(() => folder.remove());

test('one who asks after the first does not wait, however many there are', async () => {
  const { store, keymaster, clock, close } = await openKeymaster(folder.path, [testManifest({ units: 1e9 })]);
  try {
    const rows: RollupRow[] = [];
    const add = (row: Pick<RollupRow, 'scope' | 'who' | 'units'>) => {
      const one = { contest: 'test', blocks: 1, ...row };
      rows.push({ ...one, span: 'ever', at: 0 });
    };
    for (let n = 0; n < PEOPLE; n++) add({ scope: 'person', who: `person ${n}`, units: 1 + ((n * 7919) % 50_021) });
    for (let n = 0; n < TEAMS; n++) add({ scope: 'team', who: `team ${n}`, units: 1 + n });
    const members = Array.from({ length: PEOPLE }, (_, n) => {
      return { team: `team ${n % TEAMS}`, name: `person ${n}`, contest: 'test', units: 1, blocks: 1, last_at: START };
    });
    await store.counting(async ({ counting }) => {
      for (let i = 0; i < rows.length; i += AT_ONCE) await counting.addRollups(rows.slice(i, i + AT_ONCE));
      for (let i = 0; i < PEOPLE; i += AT_ONCE) await counting.addMembers(members.slice(i, i + AT_ONCE));
    });

    const standings = new LedgerStandings({ store, counting: keymaster.desk.counting, clock: () => clock.now });
    const took: Record<string, number> = {};
    const timed = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
      const began = performance.now();
      const answer = await ask();
      took[what] = Math.round(10 * (performance.now() - began)) / 10;
      return answer;
    };
    const query = { of: 'people', span: 'all' } as const;
    const first = await timed('first', () => standings.standing(query));
    expect(first.ranked).toBe(PEOPLE);
    const other = await timed('around', () => standings.standing({ ...query, around: 'person 12345' }));
    expect(other.around?.entries).toHaveLength(11);
    await timed('deep page', () => standings.standing({ ...query, from: 90_001, limit: 50 }));
    await timed('team, first', () => standings.team('team 500'));
    await timed('team', () => standings.team('team 500'));
    // Stale: given out at once, and made anew behind it.
    clock.now += 60_000;
    await timed('stale', () => standings.standing(query));
    const slow = ['around', 'deep page', 'team', 'stale'].filter((what) => (took[what] ?? 0) > 100);
    expect(slow.map((what) => `${what}: ${took[what]} ms`)).toEqual([]);
  } finally {
    await close();
  }
});
