/** The storm over a pool in short; `npm run soak` is the long one. */
import { expect, it } from 'vitest';
import { faultsOf, inWords, poolsTrial } from '../helpers/pools-storm/trial.ts';

it('loses nothing, and leaves nobody idle, while gateways and registrars come and go', async () => {
  const began = Date.now();
  const trial = await poolsTrial({
    behind: 'proxies',
    ms: 25_000,
    pauseMs: 700,
    longestSeconds: 8,
    policy: () => ({ kind: 'round-robin', weight: 1, priority: 0, degradation: 0 }),
  });
  console.log(inWords('a storm over a pool', trial, (Date.now() - began) / 1000));
  expect(faultsOf(trial)).toEqual([]);
  expect(trial.moves).toBeGreaterThan(20);
  expect(trial.audit.acknowledged).toBeGreaterThan(200);
}, 300_000);
