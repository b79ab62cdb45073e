/**
 * The long form of the storm (`npm run soak`): ten minutes unless SOAK_MINUTES says otherwise, and a hundred kills in ten. What
 * it does and what must be true in the end: `test/helpers/storm/`.
 */
import { expect, test } from 'vitest';
import { faultsOf, inWords, trial } from '../helpers/storm/trial.ts';

const minutes = Number(process.env['SOAK_MINUTES'] ?? 10);
if (!(minutes > 0)) throw new Error('SOAK_MINUTES is a number of minutes');

test.each([
  { kind: 'pyramid' as const, share: 0.7 },
  { kind: 'embedded' as const, share: 0.3 },
])(
  '$kind: every acknowledged report is in the ledger once',
  async ({ kind, share }) => {
    const began = Date.now();
    const kills = Math.ceil(10 * share * minutes);
    const result = await trial(kind, { ms: minutes * share * 60_000, kills, pauseMs: 250 });
    console.log(inWords(kind, result, (Date.now() - began) / 1000));
    expect(faultsOf(result)).toEqual([]);
    expect(result.kills).toBeGreaterThanOrEqual(kills);
    expect(result.audit.acknowledged).toBeGreaterThan(kills);
  },
  minutes * 120_000 + 900_000,
);
