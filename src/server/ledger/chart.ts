/**
 * What of a contest's line is done and leased at a moment, in memory, so that a map of any part of it costs two searches a
 * cell however many runs there are. Sixteen bytes and a half-filled array's room for each stretch; neighbours are one.
 */
import type { UnitRange } from '../../domain/units.ts';
import { FULL } from '../../protocol/unit-map.ts';

/** Units in ascending order; how many of them are below any one. */
export class Stretches {
  readonly #firsts: number[] = [];
  readonly #pasts: number[] = [];
  /** Units in the stretches before. */
  readonly #before: number[] = [];

  get count(): number {
    return this.#firsts.length;
  }

  /** Each begins no earlier than the one before; what of it is there already is passed over. */
  add(first: number, past: number): void {
    const last = this.#firsts.length - 1;
    const end = this.#pasts[last] ?? Number.NEGATIVE_INFINITY;
    if (past <= end) return;
    if (first <= end) {
      this.#pasts[last] = past;
      return;
    }
    this.#before.push(last < 0 ? 0 : (this.#before[last] ?? 0) + end - (this.#firsts[last] ?? 0));
    this.#firsts.push(first);
    this.#pasts.push(past);
  }

  /** How many of its units are below this one. */
  below(unit: number): number {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#firsts[middle] as number) < unit) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return 0;
    const first = this.#firsts[low - 1] as number;
    return (this.#before[low - 1] as number) + Math.min(unit, this.#pasts[low - 1] as number) - first;
  }

  /** How many of its units are among these. */
  within({ first, count }: UnitRange): number {
    return this.below(first + count) - this.below(first);
  }

  /** The share of each cell, 0…255, as in a `UnitMap`. @param units where the line ends. */
  shares(first: number, size: number, cells: number, units: number): number[] {
    let begin = first;
    let below = this.below(begin);
    return Array.from({ length: cells }, (_, nth) => {
      const end = Math.max(begin, Math.min(units, first + (nth + 1) * size));
      const belowEnd = end === begin ? below : this.below(end);
      const share = shareOf(belowEnd - below, end - begin);
      begin = end;
      below = belowEnd;
      return share;
    });
  }
}

/** None and all are told exactly: one unit of 2^44 is not nothing. */
function shareOf(some: number, all: number): number {
  if (some <= 0) return 0;
  return some >= all ? FULL : Math.max(1, Math.min(FULL - 1, Math.round((FULL * some) / all)));
}

export interface Chart {
  at: number;
  units: number;
  done: Stretches;
  leased: Stretches;
}
