/** The two ends of a lease that nobody asks for: its time runs out, and one day it is forgotten. */
import type { LedgerQueries } from '../store/queries.ts';
import type { Books } from './books.ts';

/** A server that was away for long finds thousands overdue: it works them off over several transactions. */
const MAX_EXPIRED_AT_ONCE = 500;
const MAX_PRUNED_AT_ONCE = 5000;

/** How long an ended lease still answers a repeated report as it did the first time: past its expiry, one week. */
export const REMEMBERED_MS = 7 * 86_400_000;

/** Frees the units of overdue leases; how many leases it were. */
export async function expireDue(books: Books, now: number): Promise<number> {
  const due = await books.ledger.dueLeases(now, MAX_EXPIRED_AT_ONCE);
  for (const lease of due) await books.freeLease(lease, 'expired');
  return due.length;
}

/** Forgets ended leases; how many. A report of one is then answered `lease_unknown`, never credited again. */
export async function pruneEnded(ledger: LedgerQueries, now: number): Promise<number> {
  let pruned = 0;
  for (const state of ['accepted', 'refused', 'expired', 'released'] as const) {
    pruned += await ledger.pruneLeases(state, now - REMEMBERED_MS, MAX_PRUNED_AT_ONCE);
  }
  return pruned;
}
