/** The storm over a pool in short; `npm run soak` is the long one. */
import { expect, it } from 'vitest';
import { CLIENTS } from '../helpers/pools-storm/herd.ts';
import { faultsOf, inWords, poolsTrial } from '../helpers/pools-storm/trial.ts';

it('loses nothing, and leaves nobody idle, while gateways and registrars come and go', async () => {
  const began = Date.now();
  const trial = await poolsTrial({
    behind: 'proxies',
    ms: 20_000,
    pauseMs: 700,
    longestSeconds: 8,
    // Every other one takes three times as many as the one beside it.
    policy: (gateway) => ({
      kind: 'weighted-round-robin',
      weight: gateway % 2 === 0 ? 1 : 3,
      priority: 0,
      degradation: 0,
    }),
  });
  console.log(inWords('a storm over a pool', trial, (Date.now() - began) / 1000));
  expect(faultsOf(trial)).toEqual([]);
  expect(trial.moves).toBeGreaterThan(20);
  expect(trial.audit.acknowledged).toBeGreaterThan(CLIENTS);
  // In turn and not by chance: three quarters, but for those who have no answer of a registrar yet.
  const strong = trial.settled.filter((_, gateway) => gateway % 2 === 1).reduce((sum, clients) => sum + clients, 0);
  expect(Math.abs(strong - (3 / 4) * CLIENTS)).toBeLessThanOrEqual(CLIENTS / 10);
}, 300_000);
