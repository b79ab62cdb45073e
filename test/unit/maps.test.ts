/** Maps of a contest: charts against an array with an entry for every unit, and what they cost a keyserver. */
import * as fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FULL, type MapQuery } from '../../src/protocol/unit-map.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { Stretches } from '../../src/server/ledger/chart.ts';
import { FRESH_MS, Maps } from '../../src/server/ledger/maps.ts';
import type { RunRow } from '../../src/server/store/schema.ts';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import type { Store } from '../../src/server/store/store.ts';
import { asking, openKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { Pyramid } from '../helpers/pyramid.ts';
import { testManifest, trueReport } from '../helpers/test-contest.ts';

/** Beyond 32 bits. */
const BASE = 2 ** 43;

test('shares are those of an array with an entry for every unit', () => {
  const some = fc.record({
    taken: fc.array(fc.boolean(), { minLength: 1, maxLength: 80 }),
    first: fc.nat({ max: 79 }),
    size: fc.integer({ min: 1, max: 40 }),
    cells: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(some, ({ taken, first, size, cells }) => {
      fc.pre(first < taken.length);
      const stretches = new Stretches();
      for (const [unit, is] of taken.entries()) if (is) stretches.add(BASE + unit, BASE + unit + 1);
      const shares = stretches.shares(BASE + first, size, cells, BASE + taken.length);
      const expected = Array.from({ length: cells }, (_, nth) => {
        const cell = taken.slice(first + nth * size, first + (nth + 1) * size);
        const count = cell.filter(Boolean).length;
        if (count === 0 || count === cell.length) return count === 0 ? 0 : FULL;
        return Math.max(1, Math.min(FULL - 1, Math.round((FULL * count) / cell.length)));
      });
      expect(shares).toEqual(expected);
    }),
  );
});

test('neighbours are one stretch, and what overlaps counts once', () => {
  const stretches = new Stretches();
  for (const [first, past] of [
    [0, 3],
    [3, 5],
    [4, 6],
    [2, 6],
    [9, 10],
  ] as const)
    stretches.add(first, past);
  expect(stretches.count).toBe(2);
  expect(stretches.below(100)).toBe(7);
});

describe('over a ledger of many runs', () => {
  const RUNS = 24_000;
  const folder = temporaryFolder();
  const clock = { now: 1e12 };
  let store: Store;
  beforeAll(async () => {
    store = await openSqliteStore(folder.path);
    const manifest = JSON.stringify(testManifest({ name: 'long', units: RUNS * 10 }));
    await store.transaction(async (ledger) => {
      await ledger.insertContest({
        name: 'long',
        position: 0,
        priority: null,
        weight: null,
        manifest,
        closed_by: null,
        done: 0,
        leased: 0,
        allocation: null,
        cursor: null,
        origin: 'start',
        offered: 1,
      });
      const blank = { contest: 'long', lease: null, holder: null, expires_at: null, recycle_at: null };
      const rows = Array.from({ length: RUNS }, (_, nth): RunRow[] => [
        { ...blank, first: nth * 10, past: nth * 10 + 4, state: 'done' },
        { ...blank, first: nth * 10 + 4, past: nth * 10 + 6, state: 'leased' },
        { ...blank, first: nth * 10 + 6, past: nth * 10 + 10, state: 'free' },
      ]).flat();
      await ledger.putRuns(rows);
    });
  });
  afterAll(async () => {
    await store.close();
    folder.remove();
  });

  test('it is read part by part, once for all maps of some seconds', async () => {
    let reads = 0;
    const counted: Pick<Store, 'read'> = {
      read: (work) => {
        reads += 1;
        return store.read(work);
      },
    };
    const maps = new Maps({ store: counted, clock: () => clock.now });
    const query: MapQuery = { contest: 'long', first: 0, size: 100, cells: 2400 };
    const [map] = await Promise.all([maps.map(query), maps.map({ ...query, first: 5, size: 1 })]);
    expect(new Set(map.done)).toEqual(new Set([102]));
    expect(new Set(map.leased)).toEqual(new Set([51]));
    const once = reads;
    // Of the contest, and of some 5,000 runs each time.
    expect(once).toBe(1 + 1 + Math.floor((2 * RUNS) / 5000));
    const single = await maps.map({ ...query, first: 13, size: 1, cells: 4 });
    expect(single).toMatchObject({ done: [FULL, 0, 0, 0], leased: [0, FULL, FULL, 0] });
    expect(reads).toBe(once);
    clock.now += FRESH_MS;
    // The one before serves those who would have to wait.
    const { at } = await maps.map(query);
    expect([clock.now, clock.now - FRESH_MS]).toContain(at);
    await expect.poll(() => reads).toBe(2 * once);
  });
});

describe('over HTTP', () => {
  const folder = temporaryFolder();
  let gateway: FastifyInstance;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const server = await openKeymaster(folder.path, [testManifest()]);
    gateway = await createGateway({ keyserver: server.keymaster, version: '0.0.0' });
    close = server.close;
  });
  afterAll(async () => {
    await gateway.close();
    await close();
    folder.remove();
  });

  test('a map may be kept for some seconds; everything else may not', async () => {
    const response = await gateway.inject('/api/v1/contests/test/map?size=8');
    expect(response.statusCode).toBe(200);
    expect(response.headers['cache-control']).toBe('public, max-age=5');
    expect(response.json()).toMatchObject({ first: 0, size: 8 });
    expect((await gateway.inject('/api/v1/contests')).headers['cache-control']).toBe('no-store');
  });

  test.each([
    ['/api/v1/contests/test/map', 400, '/size'],
    ['/api/v1/contests/test/map?size=1.5', 400, '/size'],
    ['/api/v1/contests/test/map?size=0', 400, '/size'],
    ['/api/v1/contests/test/map?size=1&first=-1', 400, '/first'],
    ['/api/v1/contests/test/map?size=1&first=1e9', 400, '/first'],
    ['/api/v1/contests/test/map?size=1&first=999999999', 400, '/first'],
    ['/api/v1/contests/test/map?size=1&cells=5000', 400, '/cells'],
    ['/api/v1/contests/test/map?size=1&colour=red', 400, '/colour'],
    ['/api/v1/contests/Test!/map?size=1', 400, '/name'],
    ['/api/v1/contests/nowhere/map?size=1', 404, '/name'],
  ])('%s is refused with %i, and the field named', async (url, status, field) => {
    const response = await gateway.inject(url);
    expect(response.json()).toMatchObject({ status, field });
    expect(response.headers['cache-control']).toBe('no-store');
  });
});

test('a proxy tells what its upstream knows, what that told last while it is away, and its own where it never asked', async () => {
  const pyramid = new Pyramid([testManifest({ units: 100, maxUnits: 8 })]);
  try {
    const { keymaster: top } = await pyramid.top();
    const proxy = await pyramid.upper.start();
    // Someone who does not come by this proxy.
    const { leases } = await top.exchange(asking({ blocks: 1 }));
    await top.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
    pyramid.clock.now += FRESH_MS;
    const query: MapQuery = { contest: 'test', first: 0, size: 50, cells: 2 };
    const first = leases[0]?.first ?? 0;
    const whole = await proxy.map(query);
    expect(whole.done.some((share) => share > 0)).toBe(true);
    pyramid.upper.link.weather = 'cut';
    pyramid.clock.now += 60_000;
    expect((await proxy.map(query)).done).toEqual(whole.done);
    const other = await proxy.map({ ...query, first, size: 8, cells: 1 });
    expect(other.done).toEqual([0]);
  } finally {
    await pyramid.close();
  }
});
