/**
 * The runs of one contest during one transaction: what is needed of them is loaded, changed in memory by the exchanges
 * that share the transaction, and what differs in the end is written, in two statements.
 *
 * A run is a stretch of units in one state. Free runs melt into free neighbours and done ones into done ones, so the
 * table has as many rows as the line has changes of state; each leased run keeps to itself. Units in no run were never
 * given to this keyserver: a keymaster has none such, a proxy has most.
 *
 * Before a stretch is looked at or changed it must be loaded, with its neighbours.
 */
import { endOf, type UnitRange } from '../../domain/units.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { RunRow } from '../store/schema.ts';

export type Run = Omit<RunRow, 'contest'>;

export const FREE_AT_ONCE = 64;

export class Line {
  readonly contest: string;
  readonly #ledger: LedgerQueries;
  /** Sorted by `first`; never overlapping. */
  readonly #runs: Run[] = [];
  /** As they are in the table, by `first`. */
  readonly #stored = new Map<number, Run>();
  /** Free runs that begin in [freeFrom, freeTo) are all loaded. */
  #freeFrom = 0;
  #freeTo = 0;
  /** No free run that is loaded begins before this. */
  #lowestFree = 0;
  /** Units whose run, if there is one, is loaded. */
  readonly #asked = new Set<number>();

  constructor(contest: string, ledger: LedgerQueries) {
    this.contest = contest;
    this.#ledger = ledger;
  }

  /** Loads these stretches and whatever touches them. */
  async load(ranges: readonly UnitRange[]): Promise<void> {
    const points = pointsOf(ranges).filter((unit) => !this.#asked.has(unit) && this.at(unit) === undefined);
    if (points.length > 0) this.takeAt(points, await this.#ledger.runsAt(this.contest, points));
    for (const { first, count } of ranges) {
      // A lease is one run, or a part of one: only a late report, or a proxy's, spans several.
      const covered = this.at(first);
      if (covered !== undefined && covered.past >= first + count) continue;
      this.#take(await this.#ledger.runsBetween(this.contest, first, first + count));
    }
  }

  /** Takes rows that were loaded otherwise; those changed here meanwhile stay as they are. */
  take(rows: readonly RunRow[]): void {
    this.#take(rows);
  }

  /** The same, of what `runsAt` gave for these units. */
  takeAt(units: readonly number[], rows: readonly RunRow[]): void {
    for (const unit of units) this.#asked.add(unit);
    this.#take(rows);
  }

  /** The same, of what `freeRuns` gave from the beginning of the line; there are no others below `to`. */
  takeLowest(rows: readonly RunRow[], to: number): void {
    this.#take(rows);
    this.#freeFrom = 0;
    this.#freeTo = to;
  }

  /** The run that the unit is in. */
  at(unit: number): Run | undefined {
    const run = this.#runs[this.#indexAt(unit)];
    return run !== undefined && unit < run.past ? run : undefined;
  }

  /** The runs that have units of the stretch, in order. */
  within({ first, count }: UnitRange): Run[] {
    const found: Run[] = [];
    for (let i = Math.max(0, this.#indexAt(first)); i < this.#runs.length; i++) {
      const run = this.#runs[i] as Run;
      if (run.first >= first + count) break;
      if (run.past > first) found.push(run);
    }
    return found;
  }

  /** Loads a free run at or after each of these units, where there is one. */
  async loadFree(units: readonly number[]): Promise<void> {
    const [at, next] = await Promise.all([
      this.#ledger.runsAt(this.contest, units),
      this.#ledger.nextFree(this.contest, units),
    ]);
    this.takeAt(units, at);
    this.#take(next);
  }

  /** A free unit at or after this one, of those loaded. */
  someFree(unit: number): number | undefined {
    for (let i = Math.max(0, this.#indexAt(unit)); i < this.#runs.length; i++) {
      const run = this.#runs[i] as Run;
      if (run.state === 'free' && run.past > unit) return Math.max(run.first, unit);
    }
    return undefined;
  }

  /**
   * The lowest free run with units in [from, to), clipped to it.
   */
  async lowestFree(from: number, to: number): Promise<UnitRange | undefined> {
    const here = this.at(from);
    if (here?.state === 'free') return clip(here, from, to);
    if (from < this.#freeFrom || from > this.#freeTo) {
      await this.load([{ first: from, count: 1 }]);
      this.#freeFrom = from;
      this.#freeTo = from;
      this.#lowestFree = Math.min(this.#lowestFree, from);
    }
    for (;;) {
      const found = this.#lowestLoaded(from, to);
      if (found !== undefined && found.first < this.#freeTo) return clip(found, from, to);
      if (this.#freeTo >= to) return found === undefined ? undefined : clip(found, from, to);
      const rows = await this.#ledger.freeRuns(this.contest, this.#freeTo, to, FREE_AT_ONCE);
      this.#take(rows);
      this.#freeTo = pastOf(rows, to);
    }
  }

  /** Makes the stretch, whatever it was, one run of this state; it must be loaded. */
  set(range: UnitRange, run: Omit<Run, 'first' | 'past'>): void {
    const { first } = range;
    const past = endOf(range);
    let low = Math.max(0, this.#indexAt(first));
    if (this.#runs[low] !== undefined && (this.#runs[low] as Run).past <= first) low += 1;
    let high = low;
    const put: Run[] = [];
    let merged: Run = { ...run, first, past };
    for (; high < this.#runs.length && (this.#runs[high] as Run).first < past; high++) {
      const old = this.#runs[high] as Run;
      if (old.first < first) put.push({ ...old, past: first });
      if (old.past > past) put.push({ ...old, first: past });
    }
    // Neighbours of its own state melt with it: what is left of the runs it cut, or those beside it.
    const left = put.find((one) => one.past === first) ?? this.#runs[low - 1];
    if (left !== undefined && left.past === first && melts(left, merged)) {
      merged = { ...merged, first: left.first };
      if (put.includes(left)) put.splice(put.indexOf(left), 1);
      else low -= 1;
    }
    const right = put.find((one) => one.first === past) ?? this.#runs[high];
    if (right !== undefined && right.first === past && melts(right, merged)) {
      merged = { ...merged, past: right.past };
      if (put.includes(right)) put.splice(put.indexOf(right), 1);
      else high += 1;
    }
    put.push(merged);
    put.sort((a, b) => a.first - b.first);
    this.#runs.splice(low, high - low, ...put);
    if (merged.state === 'free') this.#lowestFree = Math.min(this.#lowestFree, merged.first);
  }

  /** Takes the stretch out of the line: it is not this keyserver's any more. */
  remove(range: UnitRange): void {
    this.set(range, GONE);
    const index = this.#indexAt(range.first);
    this.#runs.splice(index, 1);
  }

  /** Writes what differs from the table. The last thing a transaction does with it. */
  async write(): Promise<void> {
    const put: RunRow[] = [];
    const gone = new Map(this.#stored);
    for (const run of this.#runs) {
      if (gone.get(run.first) !== run) put.push({ contest: this.contest, ...run });
      gone.delete(run.first);
    }
    await Promise.all([
      gone.size > 0 ? this.#ledger.deleteRuns(this.contest, [...gone.keys()]) : undefined,
      put.length > 0 ? this.#ledger.putRuns(put) : undefined,
    ]);
  }

  #take(rows: readonly RunRow[]): void {
    for (const { contest: _, ...run } of rows) {
      if (this.#stored.has(run.first)) continue;
      this.#stored.set(run.first, run);
      this.#runs.splice(this.#indexAt(run.first) + 1, 0, run);
      if (run.state === 'free') this.#lowestFree = Math.min(this.#lowestFree, run.first);
    }
  }

  #lowestLoaded(from: number, to: number): Run | undefined {
    for (let i = Math.max(0, this.#indexAt(Math.max(from, this.#lowestFree))); i < this.#runs.length; i++) {
      const run = this.#runs[i] as Run;
      if (run.first >= to) return undefined;
      if (run.state !== 'free' || run.past <= from) continue;
      if (from <= this.#lowestFree) this.#lowestFree = run.first;
      return run;
    }
    return undefined;
  }

  /** The index of the last run that begins at or before the unit; −1 if there is none. */
  #indexAt(unit: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle] as Run).first <= unit) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** The units whose runs must be known to change these stretches. */
export function pointsOf(ranges: readonly UnitRange[]): number[] {
  const points = new Set<number>();
  for (const range of ranges) {
    if (range.first > 0) points.add(range.first - 1);
    points.add(range.first).add(endOf(range));
  }
  return [...points];
}

/** Below what all free runs are known, where `freeRuns` gave these up to `to`. */
export const pastOf = (rows: readonly RunRow[], to: number): number =>
  rows.length < FREE_AT_ONCE ? to : (rows.at(-1) as RunRow).first + 1;

const BLANK = { lease: null, holder: null, expires_at: null, recycle_at: null } as const;
export const FREE = { state: 'free', ...BLANK } as const;
export const DONE = { state: 'done', ...BLANK } as const;
/** Melts with nothing. */
const GONE = { state: 'leased', ...BLANK } as const;

const melts = (a: Run, b: Run): boolean => a.state === b.state && a.state !== 'leased';

function clip(run: Run, from: number, to: number): UnitRange {
  const first = Math.max(run.first, from);
  return { first, count: Math.min(run.past, to) - first };
}

/** The part of a run that is in the stretch. */
export const clipped = <T extends { first: number; past: number }>(
  run: T,
  { first, past }: { first: number; past: number },
): T => ({ ...run, first: Math.max(run.first, first), past: Math.min(run.past, past) });

/** How many units they have in common; they touch. */
export const overlap = (run: Run, { first, count }: UnitRange): number =>
  Math.min(run.past, first + count) - Math.max(run.first, first);
