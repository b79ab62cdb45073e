/** The over-fetch guard, with the numbers of distributed.net's manual. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type StockFacts, watermarks } from '../../src/server/proxy/watermarks.ts';

const HALF_AN_HOUR = 1800;
const facts = (some: Partial<StockFacts> = {}): StockFacts => ({
  unitsPerSecond: 0,
  uptimeSeconds: 0,
  leasedUnits: 0,
  blockUnits: 1,
  freeUnits: 2 ** 44,
  ...some,
});

describe('the watermarks of a proxy', () => {
  it('are what the operator set, up to 1000', () => {
    expect(watermarks({ minStock: 10, maxStock: 40 }, facts())).toEqual({ low: 10, high: 40 });
    expect(watermarks({ minStock: 1000, maxStock: 1000 }, facts())).toEqual({ low: 1000, high: 1000 });
  });

  it('take more for 1000 during the first half hour, the low one in the same ratio', () => {
    const settings = { minStock: 2000, maxStock: 8000 };
    const fast = { unitsPerSecond: 1 };
    expect(watermarks(settings, facts({ ...fast, uptimeSeconds: HALF_AN_HOUR - 1 }))).toEqual({ low: 250, high: 1000 });
    expect(watermarks(settings, facts({ ...fast, uptimeSeconds: HALF_AN_HOUR }))).toEqual({ low: 2000, high: 8000 });
  });

  it('are four days of work at most after it, or as many as are set, and never past 200,000', () => {
    const settings = { minStock: 25_000, maxStock: 100_000 };
    const later = { uptimeSeconds: HALF_AN_HOUR };
    expect(watermarks(settings, facts(later))).toEqual({ low: 250, high: 1000 });
    expect(watermarks(settings, facts({ ...later, unitsPerSecond: 10_000 / 86_400 }))).toEqual({
      low: 10_000,
      high: 40_000,
    });
    expect(watermarks({ ...settings, maxBufferDays: 2 }, facts({ ...later, unitsPerSecond: 10_000 / 86_400 }))).toEqual(
      {
        low: 5000,
        high: 20_000,
      },
    );
    expect(watermarks({ minStock: 0, maxStock: 10 ** 6 }, facts({ ...later, unitsPerSecond: 1000 }))).toEqual({
      low: 0,
      high: 200_000,
    });
  });

  it('are whatever was set for an expert', () => {
    const settings = { minStock: 10 ** 6, maxStock: 10 ** 7, expert: true };
    expect(watermarks(settings, facts())).toEqual({ low: 10 ** 6, high: 10 ** 7 });
  });

  it('count in blocks', () => {
    const settings = { minStock: 2000, maxStock: 8000 };
    expect(watermarks(settings, facts({ blockUnits: 8 }))).toEqual({ low: 2000, high: 8000 });
    expect(watermarks(settings, facts({ blockUnits: 2 }))).toEqual({ low: 500, high: 2000 });
  });

  it('keep a day of work wherever the stock stands where nothing is set, and sixteen blocks for a start', () => {
    expect(watermarks({}, facts({ blockUnits: 10 }))).toEqual({ low: 128, high: 160 });
    expect(watermarks({}, facts({ blockUnits: 10, leasedUnits: 4000 })).high).toBe(1000);
    expect(watermarks({}, facts({ unitsPerSecond: 1, uptimeSeconds: HALF_AN_HOUR }))).toEqual({
      low: 86_400,
      high: 108_000,
    });
  });

  it('leave seven eighths of what is free to others, and the last blocks to whoever asks', () => {
    const of8 = (freeUnits: number) => facts({ blockUnits: 8, freeUnits });
    expect(watermarks({}, of8(800))).toEqual({ low: 100, high: 100 });
    expect(watermarks({}, of8(64))).toEqual({ low: 8, high: 8 });
    expect(watermarks({}, of8(63))).toEqual({ low: 0, high: 0 });
    expect(watermarks({ minStock: 500, maxStock: 500, expert: true }, of8(63)).high).toBe(0);
  });

  it('are whole numbers, the low one never above the high one, whatever is set', () => {
    const stock = fc.option(fc.integer({ min: 0, max: 10 ** 7 }), { nil: undefined });
    const settings = fc.record({ minStock: stock, maxStock: stock, expert: fc.boolean() });
    const some = fc.record({
      unitsPerSecond: fc.double({ min: 0, max: 10 ** 6, noNaN: true }),
      uptimeSeconds: fc.integer({ min: -(10 ** 6), max: 10 ** 7 }),
      leasedUnits: fc.nat({ max: 10 ** 9 }),
      blockUnits: fc.integer({ min: 1, max: 256 }),
      freeUnits: fc.nat({ max: 2 ** 44 }),
    });
    fc.assert(
      fc.property(settings, some, (set, known) => {
        const { low, high } = watermarks(set, known);
        expect(Number.isInteger(low) && Number.isInteger(high)).toBe(true);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(high);
        expect(high).toBeLessThanOrEqual(known.freeUnits / 8);
        expect(set.expert || high <= 200_000 * known.blockUnits).toBe(true);
      }),
    );
  });
});
