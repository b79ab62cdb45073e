/**
 * Keymaster, proxies and clients under whatever can happen to them, against what they promise. PYRAMID_RUNS: how many
 * trials, where there is time for more.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { PyramidTrial, someTrial } from '../helpers/pyramid-trial.ts';

const runs = Number(process.env['PYRAMID_RUNS'] ?? 12);

it(
  'keeps its promises whatever happens to its tiers',
  async () => {
    const trials = fc.assert(
      fc.asyncProperty(someTrial, (trial) => new PyramidTrial(trial).run()),
      { numRuns: runs },
    );
    await expect(trials).resolves.toBeUndefined();
  },
  120_000 + runs * 10_000,
);
