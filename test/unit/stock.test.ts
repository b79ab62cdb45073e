/**
 * How much work is asked for, and of which contest: sized in seconds of measured speed, within what manifests and protocol
 * allow, by priority and by lot.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomOf } from '../../src/cli/bench/random.ts';
import { Lottery } from '../../src/client/lottery.ts';
import { BLOCK_SECONDS, learn, STOCK_SECONDS, wanted } from '../../src/client/stock.ts';
import { manifests } from '../../src/contests/manifests.ts';
import type { Contest } from '../../src/domain/contest.ts';
import { MAX_BLOCKS } from '../../src/protocol/keyserver.ts';

const contest = (name: string, state: 'open' | 'closed' = 'open'): Contest => {
  const manifest = manifests.find((one) => one.name === name);
  if (manifest === undefined) throw new Error(`no ${name}`);
  return { manifest, state: { name, state, units: manifest.units, done: 0, leased: 0, hits: [] } };
};

describe('what is wanted', () => {
  const speeds = { 'rc5-72': 0.1 };
  const blocks = (count: number, name = 'rc5-72'): string[] => Array(count).fill(name) as string[];

  test('a block is a minute of one worker, and ten minutes of them are in stock', () => {
    const want = wanted({ contests: [contest('rc5-72')], speeds, workers: 2, blocks: blocks(3) });
    expect(want.from).toEqual([{ contest: 'rc5-72', units: 0.1 * BLOCK_SECONDS }]);
    expect(want.blocks).toBe(2 * (1 + STOCK_SECONDS / BLOCK_SECONDS) - 3);
  });

  test('nothing while more than half of it is there, the rest when it is not', () => {
    const ask = (held: number): number =>
      wanted({ contests: [contest('rc5-72')], speeds, workers: 2, blocks: blocks(held) }).blocks;
    expect(ask(12)).toBe(0);
    expect(ask(11)).toBe(11);
  });

  test('a day of work: longer blocks rather than more leases than there may be, within a lease and what one block holds', () => {
    const day = { contests: [contest('rc5-72')], speeds, workers: 4, seconds: 86_400, blocks: blocks(5) };
    const { from, blocks: count } = wanted(day);
    const seconds = (from[0]?.units ?? 0) / 0.1;
    expect(seconds).toBeGreaterThan(BLOCK_SECONDS);
    expect(count).toBe(MAX_BLOCKS);
    const { maxLeases } = day.contests[0]?.manifest.block ?? { maxLeases: 0 };
    const full = (seconds * maxLeases) / 4;
    expect(full).toBeGreaterThan(86_400);
    expect(full).toBeLessThan(1.6 * 86_400);
    expect(wanted({ ...day, seconds: 1e9 }).from[0]?.units).toBe(256);
    const short = { ...contest('rc5-56'), speeds: {} };
    expect(wanted({ ...day, contests: [short], speeds: { 'rc5-56': 0.1 } }).from[0]?.units).toBe(1);
  });

  test('about to run dry: whatever there is, two blocks a worker', () => {
    const contests = [contest('rc5-56'), contest('rc5-72')];
    expect(wanted({ contests, speeds: {}, workers: 3, blocks: blocks(3) })).toEqual({
      blocks: 6,
      from: [
        { contest: 'rc5-56', units: 1 },
        { contest: 'rc5-72', units: 1 },
      ],
    });
  });

  test('blocks of the second contest do not keep it from asking for the first', () => {
    const contests = [contest('rc5-56'), contest('rc5-72')];
    const want = wanted({ contests, speeds, workers: 2, blocks: blocks(50) });
    expect(want.from.map((from) => from.contest)).toEqual(['rc5-56']);
    expect(want.blocks).toBeGreaterThan(0);
  });

  test('a contest without free units is passed over, a closed one not named', () => {
    const full = contest('rc5-56');
    const taken = { ...full, state: { ...full.state, leased: full.state.units } };
    const stock = { speeds, workers: 1, blocks: blocks(2) };
    const passed = wanted({ ...stock, contests: [taken, contest('rc5-72')] });
    expect(passed.from.map((from) => from.contest)).toEqual(['rc5-72']);
    expect(
      wanted({ ...stock, contests: [contest('rc5-56', 'closed'), contest('rc5-72')], blocks: [] }).from,
    ).toHaveLength(1);
    expect(wanted({ ...stock, contests: [contest('rc5-56', 'closed')], blocks: [] })).toEqual({ blocks: 0, from: [] });
  });

  test('any speed, any number of workers: within the protocol, and never a worker idle for want of asking', () => {
    const speed = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    const counts = [fc.integer({ min: 1, max: 512 }), fc.integer({ min: 0, max: 2000 })] as const;
    fc.assert(
      fc.property(speed, ...counts, (perSecond, workers, held) => {
        const stock = { contests: [contest('rc5-72')], speeds: { 'rc5-72': perSecond }, workers, blocks: blocks(held) };
        const want = wanted(stock);
        expect(want.blocks).toBeGreaterThanOrEqual(held <= workers ? 1 : 0);
        expect(want.blocks).toBeLessThanOrEqual(MAX_BLOCKS);
        for (const { units } of want.from) {
          expect(units).toBeGreaterThanOrEqual(1);
          expect(units).toBeLessThanOrEqual(contest('rc5-72').manifest.block.maxUnits);
        }
      }),
    );
  });
});

describe('which contest comes first', () => {
  const ranked = (name: string, priority?: number, weight?: number): Contest => {
    const base = contest('rc5-72');
    return {
      manifest: { ...base.manifest, name },
      state: {
        ...base.state,
        name,
        ...(priority === undefined ? {} : { priority }),
        ...(weight === undefined ? {} : { weight }),
      },
    };
  };
  const names = (contests: readonly Contest[]): string[] => contests.map(({ manifest }) => manifest.name);

  test('lower priorities first, then those without one, as they are listed', () => {
    const listed = [ranked('e'), ranked('c', 2), ranked('a', -1), ranked('d'), ranked('b', 1)];
    expect(names(new Lottery().inOrder(listed))).toEqual(['a', 'b', 'c', 'e', 'd']);
  });

  test('any contests, any luck: nothing is lost, and no contest before one of a lower priority', () => {
    const ranks = fc.array(
      fc.tuple(fc.option(fc.integer({ min: -3, max: 3 })), fc.double({ min: 1e-3, max: 1e3, noNaN: true })),
    );
    fc.assert(
      fc.property(
        ranks,
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (given, luck) => {
          const listed = given.map(([priority, weight], i) => ranked(`c${i}`, priority ?? undefined, weight));
          const lottery = new Lottery(() => luck.next().value ?? 0);
          const order = lottery.inOrder(listed);
          expect(names(order).toSorted()).toEqual(names(listed).toSorted());
          const priorities = order.map(({ state }) => state.priority ?? Number.POSITIVE_INFINITY);
          expect(priorities).toEqual(priorities.toSorted((a, b) => (a === b ? 0 : a - b)));
          // It stays as drawn, whichever take part, until it is drawn again.
          expect(names(lottery.inOrder(listed.filter((_, i) => i % 2 === 0)))).toEqual(
            names(order).filter((name) => Number(name.slice(1)) % 2 === 0),
          );
        },
      ),
    );
  });

  test('contests of one priority share the work by their weights, and one stock', () => {
    const contests = [ranked('a', 1, 3), ranked('b', 1), ranked('c', 2, 100)];
    const lottery = new Lottery(randomOf(11));
    const speeds = { a: 0.1, b: 0.1, c: 0.1 };
    const got = new Map<string, number>();
    const stock: string[] = [];
    for (let fills = 0; fills < 4000; ) {
      const want = wanted({ contests: lottery.inOrder(contests), speeds, workers: 1, blocks: stock });
      if (want.blocks > 0) {
        const name = want.from[0]?.contest ?? '';
        for (let i = 0; i < want.blocks; i++) stock.push(name);
        got.set(name, (got.get(name) ?? 0) + want.blocks);
        fills += 1;
        lottery.redraw();
      }
      expect(stock.length).toBeLessThanOrEqual(1 + STOCK_SECONDS / BLOCK_SECONDS);
      stock.shift();
    }
    // Three quarters, give or take four standard deviations of 4000 draws.
    const share = (got.get('a') ?? 0) / ((got.get('a') ?? 0) + (got.get('b') ?? 0));
    expect(Math.abs(share - 0.75)).toBeLessThan(4 * Math.sqrt((0.75 * 0.25) / 4000));
    expect(got.has('c')).toBe(false);
  });

  test('one of the lowest priority without free units leaves the lot to its equals', () => {
    const taken = ranked('a', 1, 1e6);
    const full = { ...taken, state: { ...taken.state, leased: taken.state.units } };
    const contests = new Lottery().inOrder([full, ranked('c', 2), ranked('b', 1)]);
    const want = wanted({ contests, speeds: {}, workers: 1, blocks: ['a', 'a', 'c'] });
    expect(want.from.map((from) => from.contest)).toEqual([]);
    expect(wanted({ contests, speeds: {}, workers: 1, blocks: ['c', 'c'] }).from).toEqual([{ contest: 'b', units: 1 }]);
  });
});

test('speed is learnt halfway, by at most a factor of two', () => {
  expect(learn(undefined, 4, 2)).toBe(2);
  expect(learn(1, 3, 1)).toBe(2);
  expect(learn(1, 100, 1)).toBe(2);
  expect(learn(1, 1, 1000)).toBeCloseTo(0.5005, 3);
});
