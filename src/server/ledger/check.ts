/**
 * Recounts a ledger: whether the sums it keeps are those of its runs, whether the runs cover every contest without a gap
 * or an overlap, and whether every unit that is done was credited once. Reads everything; belongs in a `snapshot`.
 *
 * A proxy's runs cover only what it was ever given, and others credit what it passes on: there the sums alone are told.
 */
import type { CheckedContest, LedgerCheck } from '../../protocol/administration.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ContestRow } from '../store/schema.ts';
import { manifestOf } from './books.ts';
import type { JournalEntry } from './journal.ts';

const JOURNAL_AT_ONCE = 500;
const BREAKS_SHOWN = 3;

export async function checkLedger(ledger: LedgerQueries): Promise<LedgerCheck> {
  const isProxy = (await ledger.meta('role')) === 'proxy';
  const sums = await ledger.sumsOfRuns();
  const credited = await creditedUnits(ledger);
  const contests: CheckedContest[] = [];
  for (const row of await ledger.contests()) {
    const sum = (state: string) =>
      sums.find((one) => one.contest === row.name && one.state === state) ?? { runs: 0, units: 0 };
    const checked: CheckedContest = {
      name: row.name,
      units: manifestOf(row.manifest).units,
      free: sum('free').units,
      leased: sum('leased').units,
      done: sum('done').units,
      credited: credited.get(row.name) ?? 0,
      faults: [],
    };
    checked.faults.push(...faultsOfSums(checked, row));
    if (!isProxy) checked.faults.push(...(await faultsOfWhole(checked, ledger)));
    contests.push(checked);
  }
  return { ok: contests.every(({ faults }) => faults.length === 0), contests };
}

/** As it will be once the journal is counted. */
async function creditedUnits(ledger: LedgerQueries): Promise<Map<string, number>> {
  const credited = new Map((await ledger.counting.sumsOfCredit()).map(({ contest, units }) => [contest, units]));
  for (let after = ''; ; ) {
    const rows = await ledger.counting.journalAfter(after, JOURNAL_AT_ONCE);
    for (const { body } of rows) {
      const { finished, taken = [] } = JSON.parse(body) as JournalEntry;
      const add = (contest: string, units: number) => credited.set(contest, (credited.get(contest) ?? 0) + units);
      for (const one of finished) add(one.contest, one.credited);
      for (const { contest, days } of taken) for (const { units } of days) add(contest, -units);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < JOURNAL_AT_ONCE) return credited;
    after = last.id;
  }
}

function* faultsOfSums({ name, done, leased }: CheckedContest, row: ContestRow): Generator<string> {
  if (row.done !== done) yield `${name} has ${row.done} units done in its row, and ${done} in its runs`;
  if (row.leased !== leased) yield `${name} has ${row.leased} units leased in its row, and ${leased} in its runs`;
}

async function faultsOfWhole(checked: CheckedContest, ledger: LedgerQueries): Promise<string[]> {
  const { name, units, free, leased, done, credited } = checked;
  const faults: string[] = [];
  const sum = free + leased + done;
  if (sum !== units) faults.push(`${name} has ${units} units, and its runs ${sum}`);
  for (const { before, first } of await ledger.breaksOfRuns(name, BREAKS_SHOWN)) {
    const what = before < first ? 'no run has' : 'two runs have';
    faults.push(`${name}: ${what} the units from ${Math.min(before, first)} to ${Math.max(before, first) - 1}`);
  }
  if (credited !== done) faults.push(`${name} has ${done} units done, of which ${credited} were credited`);
  return faults;
}
