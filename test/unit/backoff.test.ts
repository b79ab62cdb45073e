/** When a failed call is repeated: later each time, up to a limit, spread, and not before the other side wants it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backoff, LONGEST_WAIT_MS } from '../../src/protocol/backoff.ts';

const luck = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('each wait lies in the upper half of 2 s doubling to 5 min, whatever the luck', () => {
  fc.assert(
    fc.property(fc.array(luck, { minLength: 1, maxLength: 100 }), (draws) => {
      let turn = 0;
      const backoff = new Backoff(() => draws[turn] ?? 0);
      for (; turn < draws.length; turn++) {
        const full = Math.min(300_000, 2000 * 2 ** turn);
        const wait = backoff.next();
        expect(wait).toBeGreaterThanOrEqual(full / 2);
        expect(wait).toBeLessThanOrEqual(full);
      }
      backoff.reset();
      expect(backoff.next()).toBeLessThanOrEqual(2000);
    }),
  );
});

test('Retry-After is honoured, up to ten minutes', () => {
  const seconds = fc.oneof(
    fc.double({ min: 0, max: 1e4, noNaN: true }),
    fc.constantFrom(Number.MAX_VALUE, 86_400 * 365),
  );
  fc.assert(
    fc.property(seconds, luck, (retryAfter, draw) => {
      const wait = new Backoff(() => draw).next(retryAfter);
      expect(wait).toBeGreaterThanOrEqual(Math.min(retryAfter * 1000, LONGEST_WAIT_MS));
      expect(wait).toBeLessThanOrEqual(LONGEST_WAIT_MS);
    }),
  );
});
