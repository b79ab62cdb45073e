/**
 * Takes back what a client that was caught has done in a contest: units that it alone has done are
 * free again. The credit goes with them, through the journal, so that credited and done units stay equal at every moment.
 *
 * Where somebody else's block overlaps one of its own it cannot be told whose units count, and they stay done. A second run makes no
 * difference: whoever agreed may be of its kind.
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
  const left = row === undefined || row.number === null ? [] : await ownOf(books, contest, row.number);
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

/** What of a contest this client has finished and nobody else. */
async function ownOf(books: Books, contest: string, number: number): Promise<Own[]> {
  const parts = await books.ledger.counting.finished(contest);
  const own: Own[] = [];
  for (const { day, blocks } of parts) {
    for (const { client, first, count } of unpackBlocks(new Uint8Array(blocks))) {
      if (client === number) own.push({ first, count, day });
    }
  }
  own.sort((a, b) => a.first - b.first);
  // Of all that others have done, no more is kept than what meets it: there may be a hundred million blocks.
  const others: UnitRange[] = [];
  const meets = meeting(own);
  for (const { blocks } of own.length === 0 ? [] : parts) {
    for (const { client, first, count } of unpackBlocks(new Uint8Array(blocks))) {
      if (client !== number && meets({ first, count })) others.push({ first, count });
    }
  }
  return without(own, others);
}

/** Tells whether any of these, which stand in the order of their first units, has a unit of a range. */
export function meeting(blocks: readonly UnitRange[]): (range: UnitRange) => boolean {
  let furthest = 0;
  const ends = blocks.map((block) => {
    furthest = Math.max(furthest, endOf(block));
    return furthest;
  });
  return (range) => {
    // How many begin before its end.
    let [low, high] = [0, blocks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((blocks[middle] as UnitRange).first < endOf(range)) low = middle + 1;
      else high = middle;
    }
    return low > 0 && (ends[low - 1] as number) > range.first;
  };
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
