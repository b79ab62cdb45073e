/**
 * Maps of contests for pictures. Anyone may ask for any part at any scale, so what they cost must not depend on what is
 * asked: the line is read a part at a time, with rests between, into a chart that then serves all of them for some
 * seconds. Nothing is read that nobody asks for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { endOf, type UnitRange } from '../../domain/units.ts';
import { RefusedError } from '../../protocol/errors.ts';
import { MAX_CELLS, type MapQuery, type UnitMap } from '../../protocol/unit-map.ts';
import type { Store } from '../store/store.ts';
import { manifestOf } from './books.ts';
import { type Chart, Stretches } from './chart.ts';

/** How old a chart may be that is served. */
export const FRESH_MS = 5000;
/** While a long line is read, the chart before it serves those who have waited so long. */
const PATIENCE_MS = 250;
const RUNS_AT_ONCE = 5000;
/** Reading rests so many times as long as it worked, so that exchanges wait for it a third of the time at most. */
const REST = 2;

export interface MapsPorts {
  store: Pick<Store, 'read'>;
  clock: () => number;
  /** Done units that are to look as if they were handed out. */
  hidden?(contest: string): readonly UnitRange[];
}

export class Maps {
  readonly #ports: MapsPorts;
  readonly #charts = new Map<string, Chart>();
  readonly #drawing = new Map<string, Promise<Chart>>();

  constructor(ports: MapsPorts) {
    this.#ports = ports;
  }

  /** @throws RefusedError there is no such contest, or no such stretch of it. */
  async map(query: MapQuery): Promise<UnitMap> {
    checkSize(query);
    const { contest, first, size, cells } = query;
    const { at, units, done, leased } = await this.#chart(contest);
    if (first >= units)
      throw new RefusedError('body_malformed', `${contest} ends at unit ${units}`, { field: '/first' });
    const shares = (of: Stretches): number[] => of.shares(first, size, cells, units);
    return { contest, first, size, at, done: shares(done), leased: shares(leased) };
  }

  async #chart(contest: string): Promise<Chart> {
    const last = this.#charts.get(contest);
    if (last !== undefined && Math.abs(this.#ports.clock() - last.at) < FRESH_MS) return last;
    let drawing = this.#drawing.get(contest);
    if (drawing === undefined) {
      drawing = this.#draw(contest).finally(() => this.#drawing.delete(contest));
      this.#drawing.set(contest, drawing);
      // Those who were served the one before do not hear of it.
      drawing.catch(() => {});
    }
    return last === undefined ? drawing : Promise.race([drawing, sleep(PATIENCE_MS, last, { ref: false })]);
  }

  async #draw(contest: string): Promise<Chart> {
    const { store, clock } = this.#ports;
    const at = clock();
    const row = (await store.read((ledger) => ledger.contests())).find(({ name }) => name === contest);
    if (row === undefined || row.offered === 0) {
      this.#charts.delete(contest);
      throw new RefusedError('contest_unknown', `there is no contest ${contest} here`, { status: 404, field: '/name' });
    }
    const hidden = (this.#ports.hidden?.(contest) ?? []).toSorted((a, b) => a.first - b.first);
    const done = new Stretches();
    const leased = new Stretches();
    // Between two parts units may have changed hands: none is counted twice.
    let past = 0;
    for (let after = -1; ; ) {
      const began = performance.now();
      const runs = await store.read((ledger) => ledger.takenRuns(contest, after, RUNS_AT_ONCE));
      for (const run of runs) {
        let first = Math.max(run.first, past);
        past = Math.max(past, run.past);
        if (run.state !== 'done') {
          leased.add(first, run.past);
          continue;
        }
        for (const range of hidden) {
          if (endOf(range) <= first) continue;
          if (range.first >= run.past) break;
          if (range.first > first) done.add(first, range.first);
          leased.add(Math.max(first, range.first), Math.min(run.past, endOf(range)));
          first = endOf(range);
        }
        if (first < run.past) done.add(first, run.past);
      }
      const last = runs.at(-1);
      if (last === undefined || runs.length < RUNS_AT_ONCE) break;
      after = last.first;
      await sleep(REST * (performance.now() - began));
    }
    const chart: Chart = { at, units: manifestOf(row.manifest).units, done, leased };
    this.#charts.set(contest, chart);
    return chart;
  }
}

function checkSize({ size, cells }: MapQuery): void {
  if (!(cells >= 1 && cells <= MAX_CELLS)) {
    throw new RefusedError('body_malformed', `cells must be between 1 and ${MAX_CELLS}`, { field: '/cells' });
  }
  if (!(size >= 1)) throw new RefusedError('body_malformed', 'a cell has at least one unit', { field: '/size' });
}
