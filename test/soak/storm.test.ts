/**
 * The long form of the storm (`npm run soak`): ten minutes unless SOAK_MINUTES says otherwise, a hundred kills at least. What
 * it does and what must be true in the end: `test/helpers/storm/`.
 */
import { expect, test } from 'vitest';
import { inWords, trial } from '../helpers/storm/trial.ts';

const minutes = Number(process.env['SOAK_MINUTES'] ?? 10);
if (!(minutes > 0)) throw new Error('SOAK_MINUTES is a number of minutes');

test.each([
  { kind: 'pyramid' as const, share: 0.75, kills: 75 },
  { kind: 'embedded' as const, share: 0.25, kills: 25 },
])(
  '$kind: every acknowledged report is in the ledger once',
  async ({ kind, share, kills }) => {
    const began = Date.now();
    const result = await trial(kind, { ms: minutes * share * 60_000, kills, pauseMs: 350 });
    console.log(inWords(kind, result, (Date.now() - began) / 1000));
    const { lost, astray, miscounted, refused } = result.audit;
    const { crashes, refusedAbove } = result;
    expect({ lost, astray, miscounted, refused, refusedAbove, crashes }).toEqual({
      lost: [],
      astray: [],
      miscounted: [],
      refused: {},
      refusedAbove: [],
      crashes: [],
    });
  },
  minutes * 60_000 + 900_000,
);
