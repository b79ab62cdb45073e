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

  test('a block is a minute of one worker, and ten minutes of them are in stock', () => {
    const { blocks, from } = wanted({ contests: [contest('rc5-72')], speeds, workers: 2, blocks: 0 });
    expect(from).toEqual([{ contest: 'rc5-72', units: 0.1 * BLOCK_SECONDS }]);
    expect(blocks).toBe(2 * (1 + STOCK_SECONDS / BLOCK_SECONDS));
  });

  test('nothing while more than half of it is there, the rest when it is not', () => {
    const ask = (blocks: number): number =>
      wanted({ contests: [contest('rc5-72')], speeds, workers: 2, blocks }).blocks;
    expect(ask(12)).toBe(0);
    expect(ask(11)).toBe(11);
    expect(ask(2)).toBe(20);
  });

  test('one unit a block, two blocks a worker, while nothing is known of the speed', () => {
    const { blocks, from } = wanted({
      contests: [contest('rc5-56'), contest('rc5-72')],
      speeds: {},
      workers: 3,
      blocks: 0,
    });
    expect({ blocks, from }).toEqual({
      blocks: 6,
      from: [
        { contest: 'rc5-56', units: 1 },
        { contest: 'rc5-72', units: 1 },
      ],
    });
  });

  test('nothing from closed contests, nothing at all when all are closed', () => {
    const some = wanted({ contests: [contest('rc5-56', 'closed'), contest('rc5-72')], speeds, workers: 1, blocks: 0 });
    expect(some.from.map((from) => from.contest)).toEqual(['rc5-72']);
    expect(wanted({ contests: [contest('rc5-56', 'closed')], speeds, workers: 1, blocks: 0 }).blocks).toBe(0);
  });

  test('any speed, any number of workers: within the protocol, and never a worker idle for want of asking', () => {
    const speed = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        speed,
        fc.integer({ min: 1, max: 512 }),
        fc.integer({ min: 0, max: 2000 }),
        (perSecond, workers, blocks) => {
          const want = wanted({ contests: [contest('rc5-72')], speeds: { 'rc5-72': perSecond }, workers, blocks });
          expect(want.blocks).toBeGreaterThanOrEqual(blocks < workers ? 1 : 0);
          expect(want.blocks).toBeLessThanOrEqual(MAX_BLOCKS);
          expect(want.from[0]?.units).toBeGreaterThanOrEqual(1);
          expect(want.from[0]?.units).toBeLessThanOrEqual(contest('rc5-72').manifest.block.maxUnits);
        },
      ),
    );
  });
});

test('speed is learnt halfway, by at most a factor of two', () => {
  expect(learn(undefined, 4, 2)).toBe(2);
  expect(learn(1, 3, 1)).toBe(2);
  expect(learn(1, 100, 1)).toBe(2);
  expect(learn(1, 1, 1000)).toBeCloseTo(0.5005, 3);
});
