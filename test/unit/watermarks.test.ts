/** How much a proxy keeps in stock. */
import { describe, expect, it } from 'vitest';
import { watermarks } from '../../src/server/proxy/watermarks.ts';

const facts = { unitsPerSecond: 100, uptimeSeconds: 86_400, blockUnits: 256, freeUnits: 2 ** 44 };
const DAY = 86_400 * facts.unitsPerSecond;

describe('the watermarks', () => {
  it('keep a day of work wherever the stock stands, however many clients there are', () => {
    expect(watermarks({}, facts)).toEqual({ low: DAY, high: 1.25 * DAY });
    const few = watermarks({}, { ...facts, unitsPerSecond: 0.01 });
    expect(few).toEqual({ low: Math.ceil(0.8 * 4096), high: 4096 });
  });

  it('obey an operator up to 1000 blocks, and then what the clients really do in four days', () => {
    const asked = { minStock: 100_000, maxStock: 200_000 };
    expect(watermarks(asked, { ...facts, unitsPerSecond: 0 })).toEqual({ low: 100_000, high: 200_000 });
    const greedy = { minStock: 50 * DAY, maxStock: 100 * DAY };
    expect(watermarks(greedy, { ...facts, uptimeSeconds: 60 }).high).toBe(256_000);
    expect(watermarks(greedy, facts)).toEqual({ low: 2 * DAY, high: 4 * DAY });
    expect(watermarks({ ...greedy, maxBufferDays: 1000 }, facts).high).toBe(200_000 * 256);
    expect(watermarks({ ...greedy, expert: true }, facts).high).toBe(100 * DAY);
  });

  it('leave the last units of a contest to others, too', () => {
    expect(watermarks({}, { ...facts, freeUnits: 8000 })).toEqual({ low: 1000, high: 1000 });
    expect(watermarks({}, { ...facts, freeUnits: 9 })).toEqual({ low: 9, high: 9 });
  });
});
