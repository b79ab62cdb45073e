/** How much work is asked for: sized in seconds of measured speed, within what manifests and protocol allow. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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

test('speed is learnt halfway, by at most a factor of two', () => {
  expect(learn(undefined, 4, 2)).toBe(2);
  expect(learn(1, 3, 1)).toBe(2);
  expect(learn(1, 100, 1)).toBe(2);
  expect(learn(1, 1, 1000)).toBeCloseTo(0.5005, 3);
});
