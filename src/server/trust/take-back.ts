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
import { Stretches } from '../ledger/chart.ts';
import type { Taken } from '../ledger/journal.ts';
import { eachBlock } from '../ledger/packed-blocks.ts';

interface Own extends UnitRange {
  day: number;
}

/** What was finished must have been counted before. */
export async function takeBack(books: Books, book: Book, client: string): Promise<Taken> {
  const contest = book.row.name;
  const left = await ownOf(books, contest, client);
  const { again_units: units = 0, again_blocks = 0 } = (await books.ledger.counting.creditOf(client, contest)) ?? {};
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
  const again = units === 0 ? {} : { again: { units, blocks: again_blocks } };
  const taken: Taken = { contest, client, ranges, days: [...days.values()], ...again };
  if (ranges.length > 0 || units > 0) books.takeBack(taken);
  return taken;
}

/**
 * What a client has finished and nobody else has. Everyone's blocks are gone through twice, a commit long: of the others' only
 * those are kept that touch its own, so that a million of them are a matter of milliseconds.
 */
async function ownOf({ ledger }: Books, contest: string, client: string): Promise<Own[]> {
  const [row] = await ledger.clients([client]);
  if (row === undefined || row.number === null) return [];
  const { number } = row;
  const parts = await ledger.counting.finished(contest);
  const own: Own[] = [];
  for (const { day, blocks } of parts) {
    eachBlock(new Uint8Array(blocks), (who, first, count) => who === number && own.push({ first, count, day }));
  }
  own.sort((a, b) => a.first - b.first);
  const stretches = new Stretches();
  for (const one of own) stretches.add(one.first, endOf(one));
  const others: UnitRange[] = [];
  for (const { blocks } of parts) {
    eachBlock(new Uint8Array(blocks), (who, first, count) => {
      if (who !== number && stretches.within({ first, count }) > 0) others.push({ first, count });
    });
  }
  return without(own, others);
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
