/** The storm in short; `npm run soak` is the long one. */
import { expect, it } from 'vitest';
import { faultsOf, inWords, trial } from '../helpers/storm/trial.ts';

const KILLS = 20;

it('leaves every acknowledged report in the ledger once', async () => {
  const began = Date.now();
  const result = await trial('pyramid', { ms: 12_000, kills: KILLS, pauseMs: 80 });
  console.log(inWords('a storm over two gateways, PostgreSQL, three proxies', result, (Date.now() - began) / 1000));
  expect(faultsOf(result)).toEqual([]);
  expect(result.kills).toBeGreaterThanOrEqual(KILLS);
  expect(result.audit.acknowledged).toBeGreaterThan(KILLS);
}, 600_000);
