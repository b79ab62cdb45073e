/** The short form of the fuzzer; the long one is `npm run soak`. What it does and what must be true: `test/helpers/fuzz.ts`. */
import { expect, test } from 'vitest';
import { fuzz } from '../helpers/fuzz.ts';

test('two thousand strange requests: no crash, no 5xx, no wrong credit', async () => {
  const { faults, statuses, done } = await fuzz(2000, Math.floor(Math.random() * 2 ** 31));
  expect(faults).toEqual([]);
  expect(done).toBeGreaterThan(50);
  expect(statuses[400]).toBeGreaterThan(100);
  expect(statuses[200]).toBeGreaterThan(600);
}, 120_000);
