/**
 * Who is online, as DiCoP has it: a client that was not heard of for a day is offline. A day, because one with a full stock has
 * nothing to say for hours. It follows from when it was last seen and is kept nowhere; that a client went offline is said once,
 * by whichever keymaster over the ledger looks first.
 */
import type { LedgerQueries } from '../store/queries.ts';

const DAY_MS = 24 * 3_600_000;
/** Of those that went offline so many are named. */
const MOST_NAMED = 20;

/** @param seenAt up to five minutes less than the truth. */
export function presenceOf(seenAt: number, now: number): { online: boolean; wentOfflineAt?: number } {
  const offlineAt = seenAt + DAY_MS;
  return now < offlineAt ? { online: true } : { online: false, wentOfflineAt: offlineAt };
}

/** Those that went offline since somebody last looked. For a timer; once an hour is enough. */
export async function goneOffline(ledger: LedgerQueries, now: number): Promise<{ count: number; clients: string[] }> {
  const looked = await ledger.meta('offline-looked-at');
  await ledger.setMeta('offline-looked-at', String(now));
  if (looked === undefined) return { count: 0, clients: [] };
  const ids = await ledger.clientsLastSeen(Number(looked) - DAY_MS, now - DAY_MS);
  return { count: ids.length, clients: ids.slice(0, MOST_NAMED) };
}
