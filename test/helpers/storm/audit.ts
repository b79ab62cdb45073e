/**
 * What must be true of a ledger after a storm, once all is quiet, told from what the clients wrote down:
 *
 *   each acknowledged unit is done, and nothing else is
 *   free, leased and done runs cover the line once, and the contest's counts are their sums
 *   the credit of all is the number of done units: each was credited once
 *   what was finished is ascribed to those who did it, and each unit to one who had it acknowledged
 */

import { unpackBlocks } from '../../../src/server/ledger/packed-blocks.ts';
import type { Store } from '../../../src/server/store/store.ts';
import { client } from '../keyservers.ts';
import { type Answered, type JournalLine, readJournal } from './client-journal.ts';

export interface Audit {
  /** Reports that some keyserver took: accepted, or a duplicate. */
  acknowledged: number;
  units: number;
  duplicates: number;
  /** Units that two clients did. */
  doneByTwo: number;
  /** Acknowledged units that are not done. */
  lost: string[];
  /** Units whose credit is not that of one who did them. */
  astray: string[];
  /** Credit beyond the units done, or short of them. */
  miscounted: string[];
  /** Reports refused, by reason. */
  refused: Record<string, number>;
  /** Whole exchanges refused, by reason. */
  refusedExchanges: Record<string, number>;
  unanswered: number;
  contests: Record<string, string>;
}

interface Doing {
  /** Who had it acknowledged. */
  clients: Set<string>;
  example: Answered;
}

export async function audit(store: Store, journals: readonly { number: number; path: string }[]): Promise<Audit> {
  const found: Audit = {
    acknowledged: 0,
    units: 0,
    duplicates: 0,
    doneByTwo: 0,
    lost: [],
    astray: [],
    miscounted: [],
    refused: {},
    refusedExchanges: {},
    unanswered: 0,
    contests: {},
  };
  const contests = new Map<string, Map<number, Doing>>();
  for (const { number, path } of journals) {
    for (const line of readJournal(path)) enter(found, contests, client(number).id, line);
  }
  await store.read(async (ledger) => {
    const credits = await ledger.counting.credits();
    const numbers = new Map(
      (await ledger.clients(journals.map(({ number }) => client(number).id))).map(({ id, number }) => [number, id]),
    );
    for (const { name, done, leased, closed_by, manifest } of await ledger.contests()) {
      const doings = contests.get(name) ?? new Map<number, Doing>();
      const runs = await ledger.runs(name);
      const { units } = JSON.parse(manifest) as { units: number };
      const sums = { free: 0, leased: 0, done: 0 };
      let past = 0;
      for (const run of runs) {
        if (run.first !== past) found.miscounted.push(`${name}: runs end at ${past} and go on at ${run.first}`);
        past = run.past;
        sums[run.state] += run.past - run.first;
      }
      if (past !== units) found.miscounted.push(`${name}: runs end at ${past} of ${units}`);
      const credited = credits.filter(({ contest }) => contest === name).reduce((sum, row) => sum + row.units, 0);
      const sides = { row: done, runs: sums.done, credited, acknowledged: doings.size };
      if (new Set(Object.values(sides)).size > 1) found.miscounted.push(`${name} done: ${JSON.stringify(sides)}`);
      if (leased !== sums.leased) found.miscounted.push(`${name} leased: ${leased}, runs ${sums.leased}`);
      found.units += doings.size;
      found.contests[name] = `${sums.done} done, ${sums.leased} leased${closed_by ? `, ${closed_by}` : ''}`;
      const doneRuns = runs.filter(({ state }) => state === 'done');
      for (const [unit, { example, clients }] of doings) {
        if (clients.size > 1) found.doneByTwo += 1;
        if (doneRuns.some((run) => unit >= run.first && unit < run.past)) continue;
        found.lost.push(`${name}/${unit}: ${JSON.stringify(example)}`);
      }
      const ascribed = new Set<number>();
      for (const { blocks } of await ledger.counting.finished(name)) {
        for (const { client: number, first, count } of unpackBlocks(new Uint8Array(blocks))) {
          const who = numbers.get(number) ?? `number ${number}`;
          for (let unit = first; unit < first + count; unit++) {
            if (doings.get(unit)?.clients.has(who) === true) ascribed.add(unit);
            else found.astray.push(`${name}/${unit} is ascribed to ${who}`);
          }
        }
      }
      for (const unit of doings.keys()) if (!ascribed.has(unit)) found.astray.push(`${name}/${unit} is nobody's`);
    }
  });
  return found;
}

function enter(found: Audit, contests: Map<string, Map<number, Doing>>, id: string, line: JournalLine): void {
  if (line.unanswered === true) found.unanswered += 1;
  if (line.refused !== undefined) more(found.refusedExchanges, line.refused);
  for (const report of line.answered) {
    const { contest, first, count, outcome, code, detail } = report;
    if (outcome === 'refused') {
      more(found.refused, `${code}: ${detail}`);
      continue;
    }
    found.acknowledged += 1;
    if (outcome === 'duplicate') found.duplicates += 1;
    const doings = contests.get(contest) ?? new Map<number, Doing>();
    contests.set(contest, doings);
    for (let unit = first; unit < first + count; unit++) {
      const doing = doings.get(unit);
      if (doing === undefined) doings.set(unit, { clients: new Set([id]), example: report });
      else doing.clients.add(id);
    }
  }
}

function more(of: Record<string, number>, reason: string): void {
  of[reason] = (of[reason] ?? 0) + 1;
}
