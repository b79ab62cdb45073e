/**
 * The arithmetic of runs: units leave the line when they are leased and come back free or done, and a run that
 * comes back melts into neighbours of its own state. So the table holds as many rows as the line has changes of
 * state: a handful for 2^44 units, and a million blocks done in any order end as one row.
 */
import { endOf, type UnitRange } from '../../domain/units.ts';
import type { LedgerQueries } from '../store/queries.ts';

/** Takes up to `blocks` blocks of up to `units` units each off the lowest free runs, in order. */
export async function takeFree(
  ledger: LedgerQueries,
  contest: string,
  { blocks, units }: { blocks: number; units: number },
): Promise<UnitRange[]> {
  const taken: UnitRange[] = [];
  while (taken.length < blocks) {
    const run = await ledger.lowestFreeRun(contest);
    if (run === undefined) break;
    let first = run.first;
    while (taken.length < blocks && first < endOf(run)) {
      const count = Math.min(units, endOf(run) - first);
      taken.push({ first, count });
      first += count;
    }
    if (first === endOf(run)) await ledger.deleteRun(contest, run.first);
    else await ledger.moveRun(contest, run.first, { first, count: endOf(run) - first });
  }
  return taken;
}

/**
 * Puts leased units back on the line. Nothing else covers them, so of the runs that start at or before their end
 * only the last two can touch them: one that starts just there, one that ends where they begin.
 */
export async function putBack(
  ledger: LedgerQueries,
  contest: string,
  range: UnitRange,
  state: 'free' | 'done',
): Promise<void> {
  const near = (await ledger.runsUpTo(contest, endOf(range))).filter((run) => run.state === state);
  const before = near.find((run) => endOf(run) === range.first);
  const after = near.find((run) => run.first === endOf(range));
  const first = before?.first ?? range.first;
  const count = (after === undefined ? endOf(range) : endOf(after)) - first;
  if (before !== undefined) {
    if (after !== undefined) await ledger.deleteRun(contest, after.first);
    await ledger.moveRun(contest, before.first, { first, count });
  } else if (after !== undefined) {
    await ledger.moveRun(contest, after.first, { first, count });
  } else {
    await ledger.insertRun({ contest, first, count, state });
  }
}
