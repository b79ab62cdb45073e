/**
 * Takes back what a client that was caught has done in a contest: units that it alone has done are
 * free again. The credit goes with them, through the journal, so that credited and done units stay equal at every moment.
 *
 * Where somebody else's block overlaps one of its own it cannot be told whose units count, and they stay done.
 */
import type { UnitRange } from '../../domain/units.ts';
import { endOf } from '../../domain/units.ts';
import type { Book, Books } from '../ledger/books.ts';
import type { Taken } from '../ledger/journal.ts';
import { unpackBlocks } from '../ledger/packed-blocks.ts';

interface Own extends UnitRange {
  day: number;
}

/** What was finished must have been counted before. */
export async function takeBack(books: Books, book: Book, client: string): Promise<Taken> {
  const contest = book.row.name;
  const [row] = await books.ledger.clients([client]);
  const own: Own[] = [];
  const others: UnitRange[] = [];
  for (const { day, blocks } of await books.ledger.counting.finished(contest)) {
    for (const { client: number, first, count } of unpackBlocks(new Uint8Array(blocks))) {
      if (number === row?.number) own.push({ first, count, day });
      else others.push({ first, count });
    }
  }
  const left = without(own, others);
  await book.line.load(left);
  const days = new Map<number, { day: number; units: number; blocks: number }>();
  const ranges: UnitRange[] = [];
  for (const { first, count, day } of left) {
    const units = books.undo(book, { first, count });
    if (units === 0) continue;
    const sum = days.get(day) ?? { day, units: 0, blocks: 0 };
    sum.units += units;
    sum.blocks += 1;
    days.set(day, sum);
    ranges.push({ first, count });
  }
  const taken: Taken = { contest, client, ranges, days: [...days.values()] };
  if (ranges.length > 0) books.takeBack(taken);
  return taken;
}

/** Those blocks, without what any of the others has of them. */
export function without<T extends UnitRange>(blocks: readonly T[], others: readonly UnitRange[]): T[] {
  const sorted = blocks.toSorted((a, b) => a.first - b.first);
  const cuts = others.toSorted((a, b) => a.first - b.first);
  const left: T[] = [];
  // No cut that ends before a block ends before the next; long ones may begin early, so the furthest end is kept.
  let at = 0;
  let furthest = 0;
  for (const block of sorted) {
    let first = Math.max(block.first, Math.min(furthest, endOf(block)));
    for (; at < cuts.length; at++) {
      const cut = cuts[at] as UnitRange;
      if (cut.first >= endOf(block)) break;
      if (cut.first > first) left.push({ ...block, first, count: cut.first - first });
      first = Math.max(first, endOf(cut));
      furthest = Math.max(furthest, endOf(cut));
    }
    if (first < endOf(block)) left.push({ ...block, first, count: endOf(block) - first });
  }
  return left;
}
