/**
 * What an upstream's answer changes in a proxy's ledger, however it came: over the wire (`conversation.ts`) or by hand
 * (`carrying.ts`).
 */
import type { Contest, ContestState } from '../../domain/contest.ts';
import { endOf } from '../../domain/units.ts';
import type { Lease, Report } from '../../domain/work.ts';
import type { ReportResult } from '../../protocol/keyserver.ts';
import type { Books } from '../ledger/books.ts';
import { clipped } from '../ledger/line.ts';
import type { UpstreamLeaseRow } from '../store/schema.ts';
import type { Known } from './known.ts';

/** What the upstream said of reports, by their rows in the out-buffer: they leave it, and what was refused is not done. */
export async function takeVerdicts(
  known: Known,
  books: Books,
  verdicts: readonly { ids: readonly string[]; result: Pick<ReportResult, 'outcome' | 'code' | 'detail'> }[],
): Promise<void> {
  const { upstream } = books.ledger;
  for (const { ids, result } of verdicts) {
    if (result.outcome !== 'refused') continue;
    // It was checked here and found good: only a lease that was revoked or forgotten up there is refused.
    for (const { contest, first, body } of await upstream.outboxRows(ids)) {
      known.wrong(`the upstream refused ${contest}/${first}: ${result.detail ?? result.code}`);
      // They may be handed out here again.
      const book = books.get(contest);
      const range = { first, count: (JSON.parse(body) as Report).evidence.length };
      await book?.line.load([range]);
      for (const run of book?.line.within(range) ?? []) {
        if (book === undefined || run.state !== 'done') continue;
        books.drop(book, clipped(run, { first, past: endOf(range) }));
      }
    }
  }
  await upstream.deleteOutbox(verdicts.flatMap(({ ids }) => ids));
}

/** Puts a block in stock: those of its units that are neither done nor out. False where its contest is not on offer. */
export async function takeLease(known: Known, books: Books, lease: Lease): Promise<boolean> {
  const book = books.get(lease.contest);
  if (book === undefined) return false;
  const row = rowOf(lease);
  const range = { first: lease.first, count: lease.count };
  const { gone, put } = known.holding.add(row);
  for (const over of gone) await books.ledger.upstream.deleteUpstreamLease(over.contest, over.first);
  await books.ledger.upstream.putUpstreamLeases(put);
  await book.line.load([range]);
  books.stock(book, range);
  return true;
}

export const rowOf = ({ id, contest, first, count, expiresAt, proof }: Lease): UpstreamLeaseRow => ({
  id,
  contest,
  first,
  past: first + count,
  expires_at: expiresAt,
  proof: proof ?? null,
});

/** The contests on offer are these, in this order. New ones are in the books from the next transaction on. */
export async function enterContests(books: Books, contests: readonly Contest[]): Promise<void> {
  const entered = new Map([...books.all()].map((book) => [book.row.name, book]));
  for (const [position, { manifest, state }] of contests.entries()) {
    const text = JSON.stringify(manifest);
    const book = entered.get(manifest.name);
    if (book === undefined) await books.ledger.insertContest(newContest(state, text, position));
    else if (book.row.manifest !== text || book.row.position !== position || book.row.offered === 0) {
      await books.ledger.updateContest(manifest.name, { manifest: text, position, offered: 1 });
    }
  }
  for (const [name, { row }] of entered) {
    const isThere = contests.some(({ manifest }) => manifest.name === name);
    if (!isThere && row.offered === 1) await books.ledger.updateContest(name, { offered: 0 });
  }
  noteStates(
    books,
    contests.map(({ state }) => state),
  );
}

/** Closes here what is closed above, and opens it again. */
export function noteStates(books: Books, states: readonly ContestState[]): void {
  for (const state of states) {
    const book = books.get(state.name);
    const closed = state.closedBy ?? null;
    if (book === undefined || book.row.closed_by === closed) continue;
    book.row.closed_by = closed;
    book.changed = true;
  }
}

const newContest = ({ name, closedBy }: ContestState, manifest: string, position: number) => ({
  name,
  position,
  manifest,
  priority: null,
  weight: null,
  allocation: null,
  cursor: null,
  closed_by: closedBy ?? null,
  done: 0,
  leased: 0,
  origin: 'upstream' as const,
  offered: 1,
});
