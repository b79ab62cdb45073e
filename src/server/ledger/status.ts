/** What any keyserver tells of itself, out of its ledger. */
import type { Status } from '../../protocol/keyserver.ts';
import type { RollupRow } from '../store/schema.ts';
import type { Books } from './books.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export async function statusOf(
  books: Books,
  { version, startedAt, now }: { version: string; startedAt: number; now: number },
): Promise<Status> {
  const { ledger } = books;
  const tallies = await ledger.counting.tallies();
  const tally = (name: string) => tallies.find((row) => row.name === name)?.value ?? 0;
  const contests = books.states();
  const hours = await ledger.counting.rollups('all', 'hour', now - 2 * DAY_MS);
  const rate = (contest: string, windowMs: number): number => {
    const some = hours.filter((row) => row.contest === contest);
    return unitsSince(some, now - windowMs, now) / (windowMs / 1000);
  };
  return {
    version,
    startedAt,
    contests,
    clients: { known: await ledger.countClients(0), lastHour: await ledger.countClients(now - HOUR_MS) },
    reports: { accepted: tally('accepted'), duplicate: tally('duplicate'), refused: tally('refused') },
    rates: Object.fromEntries(
      contests.map(({ name }) => [name, { hour: rate(name, HOUR_MS), day: rate(name, DAY_MS) }]),
    ),
  };
}

/** Units done since then, out of hours of which the first counts only in part. */
export function unitsSince(hours: readonly Pick<RollupRow, 'at' | 'units'>[], since: number, now: number): number {
  let units = 0;
  for (const row of hours) {
    const end = Math.min(row.at + HOUR_MS, now);
    const share = (end - Math.max(row.at, since)) / Math.max(1, end - row.at);
    units += row.units * Math.min(1, Math.max(0, share));
  }
  return units;
}
