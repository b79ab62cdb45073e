/** The long form of the fuzzer (`npm run soak`): a hundred thousand requests unless FUZZ_REQUESTS says otherwise. */
import { expect, test } from 'vitest';
import { fuzz } from '../helpers/fuzz.ts';

const requests = Number(process.env['FUZZ_REQUESTS'] ?? 100_000);
if (!(requests > 0)) throw new Error('FUZZ_REQUESTS is a number of requests');

test('strange requests: no crash, no 5xx, no wrong credit', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { faults, statuses, done } = await fuzz(requests, seed);
  console.log(`${requests} requests, seed ${seed}: ${JSON.stringify(statuses)} by status; ${done} units done`);
  expect(faults).toEqual([]);
}, 3_600_000);
