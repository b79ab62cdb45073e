/**
 * Where the keymaster's ledger and what was observed beside it contradict each other, as sentences: every unit is in one run,
 * sums are sums, each unit is credited once and to whoever handed it in.
 */
import type { Keymaster } from '../../../server/keymaster/keymaster.ts';
import type { Store } from '../../../server/store/store.ts';
import type { Audit } from './audit.ts';
import { CONTEST } from './contest.ts';

export async function contradictions(store: Store, keymaster: Keymaster, audit: Audit): Promise<string[]> {
  const sums = { free: 0, leased: 0, done: 0 };
  let past = 0;
  const faults: string[] = [];
  for (const run of await store.read((ledger) => ledger.runs(CONTEST))) {
    if (run.first !== past) faults.push(`the keymaster's line is broken at unit ${past}`);
    past = run.past;
    sums[run.state] += run.past - run.first;
  }
  const state = (await keymaster.contests())[0]?.state;
  const credits = await store.read((ledger) => ledger.counting.credits());
  const { credited, creditedTwice, creditOf, handedInOf } = audit;
  const same = (what: string, a: number | undefined, b: number | undefined): void => {
    if (a !== b) faults.push(`${what}: ${a} and ${b}`);
  };
  same('units of the line and of the contest', past, state?.units);
  same('leased units and their sum', sums.leased, state?.leased);
  same('done units and their sum', sums.done, state?.done);
  same('done and credited units', sums.done, credited);
  same('units credited twice', creditedTwice, 0);
  for (const { client, units } of credits) same(`credit of ${client}`, units, creditOf.get(client) ?? 0);
  same(
    'credit of all clients',
    credits.reduce((sum, { units }) => sum + units, 0),
    credited,
  );
  for (const [client, units] of creditOf) {
    if (units > (handedInOf.get(client) ?? 0)) faults.push(`${client} has more credit than it was told of`);
  }
  return faults;
}
