/** The simulation of the pyramid: it repeats itself, and its ledgers agree with what was observed. */
import { expect, test } from 'vitest';
import { weekFigures } from '../../src/cli/bench/pyramid/figures.ts';
import { runSlice } from '../../src/cli/bench/pyramid/slice.ts';

const figuresOf = async (seed: number) => {
  const slice = await runSlice({
    seed,
    uppers: 2,
    leavesPerUpper: 1,
    clientsPerLeaf: 2,
    // Monday noon: short leases run out, a proxy loses its disk, the keymaster is away for hours.
    fromHours: 12,
    hours: 4,
    leaseSeconds: 1800,
    troubles: true,
    stepSeconds: 120,
    sweepMinutes: 60,
  });
  return weekFigures(slice, 2);
};

test('a slice repeats itself for its seed; every unit is somewhere, and credited once', async () => {
  const figures = await figuresOf(1);
  expect(figures.faults).toEqual([]);
  expect(figures.blocks).toBeGreaterThan(100);
  expect(figures.tiers.keymaster.requestsPerThousandBlocks).toBeGreaterThan(0);
  expect(figures.uncredited).toBeLessThan(0.2);
  expect(await figuresOf(1)).toEqual(figures);
  expect((await figuresOf(2)).units).not.toBe(figures.units);
}, 120_000);
