/**
 * A person takes name and team back. Sums are kept by name, not by client, so what the client did is looked up in who finished
 * what, and moved from its name to those without one; by the name that it has now. What was done in a site's widget stays its team's, whose name no visitor typed. Its cases and second runs lose the name too, and
 * what is noted of all who use that name is dropped: it begins with the next of them.
 */
import type { Books } from '../ledger/books.ts';
import type { Forgotten } from '../ledger/journal.ts';
import { eachBlock } from '../ledger/packed-blocks.ts';
import { bodyOf } from './cases.ts';
import type { FirstRun } from './seconds.ts';
import { accountOf } from './trust.ts';

/** What was finished must have been counted before. */
export async function forget(books: Books, id: string): Promise<void> {
  const { ledger } = books;
  const [row] = await ledger.clients([id]);
  for (const one of await ledger.trust.casesOf(id)) {
    const { name: _name, team: _team, evidence: _evidence, ...body } = bodyOf(one);
    await ledger.trust.changeCase(one.id, JSON.stringify(body));
  }
  for (const one of await ledger.trust.secondRuns()) {
    const run = JSON.parse(one.body) as FirstRun;
    const { client, agreed = [] } = run;
    if (client.id !== id && !agreed.some((who) => who.id === id)) continue;
    const nameless = (who: typeof client) => (who.id === id ? { id } : who);
    const body: FirstRun = { ...run, client: nameless(client), agreed: agreed.map(nameless) };
    await ledger.trust.putSecondRun({ ...one, body: JSON.stringify(body) });
  }
  if (row !== undefined && row.name !== null) await ledger.trust.dropAllOf(accountOf(row.name));
  if (row === undefined) return;
  const keptTeam = row.site === null ? null : row.team;
  if (row.name === null && (row.team === null || keptTeam !== null)) return;
  const contests: Forgotten['contests'] = [];
  for (const { row: contest } of books.all()) {
    const days = new Map<number, { day: number; units: number; blocks: number }>();
    for (const { day, blocks } of await ledger.counting.finished(contest.name)) {
      eachBlock(new Uint8Array(blocks), (client, _first, count) => {
        if (client !== row.number) return;
        const sum = days.get(day) ?? { day, units: 0, blocks: 0 };
        days.set(day, { day, units: sum.units + count, blocks: sum.blocks + 1 });
      });
    }
    const credit = await ledger.counting.creditOf(id, contest.name);
    const again = { units: credit?.again_units ?? 0, blocks: credit?.again_blocks ?? 0 };
    if (days.size + again.units > 0) contests.push({ contest: contest.name, days: [...days.values()], again });
  }
  const kept = keptTeam === null ? {} : { keptTeam };
  books.forget({ client: id, name: row.name ?? '', team: row.team ?? '', ...kept, contests });
}
