/**
 * A board: everyone's sums in order, with ranks. Made whole out of the ledger's rollups, kept for a moment, and then any page
 * of it, any rank and any neighbourhood is there without another look at the ledger.
 */
import { roundPoints } from '../../domain/points.ts';
import type { StandingEntry } from '../../protocol/standing.ts';

/** What the ledger says of somebody in one contest. */
export interface Row {
  /** '': those without a name. */
  who: string;
  units: number;
  blocks: number;
}

export interface Sum {
  blocks: number;
  /** Of all contests together it means nothing, and is not shown. */
  units: number;
  points: number;
}

interface Ranked extends Sum {
  name: string;
  rank: number;
}

const NOTHING: Sum = { blocks: 0, units: 0, points: 0 };

/** Adds rows up, contest by contest. */
export class Sums {
  readonly #sums = new Map<string, Sum>();

  add({ who, units, blocks }: Row, pointsPerUnit: number): void {
    let sum = this.#sums.get(who);
    if (sum === undefined) {
      sum = { ...NOTHING };
      this.#sums.set(who, sum);
    }
    sum.units += units;
    sum.blocks += blocks;
    sum.points += units * pointsPerUnit;
  }

  /** What was added; to be called once. */
  board(at: number): Board {
    const unnamed = this.#sums.get('') ?? { ...NOTHING };
    const ranked: Ranked[] = [];
    const total = { ...NOTHING };
    for (const [name, sum] of this.#sums) {
      sum.points = roundPoints(sum.points);
      total.units += sum.units;
      total.blocks += sum.blocks;
      total.points += sum.points;
      if (name !== '') ranked.push({ name, rank: 0, ...sum });
    }
    total.points = roundPoints(total.points);
    ranked.sort((a, b) => b.points - a.points || (a.name < b.name ? -1 : 1));
    for (const [i, entry] of ranked.entries()) {
      const above = ranked[i - 1];
      entry.rank = above?.points === entry.points ? above.rank : i + 1;
    }
    return new Board(at, ranked, total, unnamed);
  }
}

export class Board {
  /** When its sums were made. */
  readonly at: number;
  readonly total: Sum;
  readonly unnamed: Sum;
  readonly #ranked: readonly Ranked[];
  readonly #places: ReadonlyMap<string, number>;

  constructor(at: number, ranked: readonly Ranked[], total: Sum, unnamed: Sum) {
    this.at = at;
    this.total = total;
    this.unnamed = unnamed;
    this.#ranked = ranked;
    this.#places = new Map(ranked.map(({ name }, i) => [name, i + 1]));
  }

  /** How many are ranked. */
  get size(): number {
    return this.#ranked.length;
  }

  share({ points }: Sum): number {
    return this.total.points > 0 ? Math.min(1, points / this.total.points) : 0;
  }

  /** @param from a place, from 1. */
  entries(from: number, limit: number): StandingEntry[] {
    return this.#ranked
      .slice(from - 1, from - 1 + limit)
      .map(({ rank, name, ...sum }) => ({ rank, name, ...sum, share: this.share(sum) }));
  }

  entry(name: string): StandingEntry | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.entries(place, 1)[0];
  }

  /** Somebody with so many neighbours to either side. */
  around(name: string, neighbours: number): { from: number; entries: StandingEntry[] } | undefined {
    const place = this.#places.get(name);
    if (place === undefined) return undefined;
    const from = Math.max(1, place - neighbours);
    return { from, entries: this.entries(from, place + neighbours - from + 1) };
  }
}
