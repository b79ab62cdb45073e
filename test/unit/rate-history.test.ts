/** The rate over time: means of the right seconds, bounded, true over reloads and steps of the clock. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateHistory, SPANS, type Span } from '../../src/client/rate-history.ts';

const start = Date.UTC(2026, 0, 5);
const spans = Object.keys(SPANS) as Span[];

test('a day of work: means of a second, ten, three hundred and seven thousand', () => {
  const history = new RateHistory();
  for (let second = 0; second < 86_400; second += 1) {
    history.add({ at: start + 1000 * second, rate: second, step: 'keys' });
  }
  expect(spans.map((span) => history.of(span).length)).toEqual([60, 360, 288, 12]);
  expect(history.of('day')[0]).toEqual({ at: start, rate: 149.5, step: 'keys', seconds: 300 });
  expect(history.of('month').at(-1)?.rate).toBeCloseTo(86_400 - 3600 - 0.5, 6);
});

test('a second seen twice, keys after nodes, and what is kept and read again', () => {
  const before = new RateHistory();
  before.add({ at: start, rate: 10, step: 'keys' });
  before.add({ at: start + 500, rate: 20, step: 'keys' });
  const history = new RateHistory(structuredClone(before.kept));
  expect(history.of('minute')).toEqual([]);
  history.add({ at: start + 2000, rate: 30, step: 'keys' });
  history.add({ at: start + 3000, rate: 5, step: 'nodes' });
  expect(history.of('hour')).toEqual([
    { at: start, rate: 20, step: 'keys', seconds: 3 },
    { at: start, rate: 5, step: 'nodes', seconds: 1 },
  ]);
});

test('whatever the clock does it stays bounded, in order, and its means lie between what was measured', () => {
  const clock = fc.array(fc.record({ move: fc.integer({ min: -20_000_000, max: 20_000_000 }), rate: fc.nat() }));
  fc.assert(
    fc.property(clock, (moves) => {
      const history = new RateHistory();
      let at = start;
      for (const { move, rate } of moves) {
        at += move;
        history.add({ at, rate, step: 'keys' });
      }
      const rates = moves.map(({ rate }) => rate);
      for (const span of spans) {
        const means = history.of(span);
        expect(means.length).toBeLessThanOrEqual(2 * SPANS[span].count);
        expect(means.map((mean) => mean.at)).toEqual(means.map((mean) => mean.at).toSorted((a, b) => a - b));
        for (const mean of means) {
          expect(mean.rate).toBeGreaterThanOrEqual(Math.min(...rates));
          expect(mean.rate).toBeLessThanOrEqual(Math.max(...rates));
        }
      }
    }),
  );
});
