/** How fast a contest goes, span by span, and when it would be done. */
import { pointsPerUnit } from '../../domain/points.ts';
import type { ContestRates, RateSpan } from '../../protocol/standing.ts';
import { manifestOf } from '../ledger/books.ts';
import { unitsSince } from '../ledger/status.ts';
import type { ContestRow, RollupRow } from '../store/schema.ts';
import { DAY_MS } from './spans.ts';

type RateRow = Pick<RollupRow, 'at' | 'units' | 'blocks'>;

export interface RatesFacts {
  row: ContestRow;
  span: RateSpan;
  /** How long each of the spans is, milliseconds. */
  every: number;
  since: number;
  now: number;
  /** Those after `since`, oldest first; empty ones are not among them. */
  spans: readonly RateRow[];
  /** Those of the last day and one more. */
  hours: readonly RateRow[];
}

export function ratesOf({ row, span, every, since, now, spans, hours }: RatesFacts): ContestRates {
  const manifest = manifestOf(row.manifest);
  const unitsPerSecond = rateOf(hours, now);
  const state = row.closed_by === null ? 'open' : 'closed';
  const left = manifest.units - row.done;
  return {
    contest: row.name,
    span,
    at: now,
    state,
    units: manifest.units,
    done: row.done,
    pointsPerUnit: pointsPerUnit(manifest),
    unitsPerSecond,
    ...(state === 'open' && unitsPerSecond > 0 ? { secondsLeft: left / unitsPerSecond } : {}),
    spans: filled(spans, { every, since, now, done: row.done }),
  };
}

/** Over the last day, or since the first work in it. */
function rateOf(hours: readonly RateRow[], now: number): number {
  const since = now - DAY_MS;
  const first = hours[0]?.at;
  if (first === undefined) return 0;
  return unitsSince(hours, since, now) / Math.max(1, (now - Math.max(first, since)) / 1000);
}

/** Every span from the first with work on, what each added, and what was done by its end. */
function filled(
  rows: readonly RateRow[],
  { every, since, now, done }: { every: number; since: number; now: number; done: number },
): ContestRates['spans'] {
  const known = new Map(rows.map((row) => [row.at, row]));
  const first = Math.max(rows[0]?.at ?? Number.POSITIVE_INFINITY, since - (since % every) + every);
  const spans: ContestRates['spans'] = [];
  let after = done;
  for (let at = now - (now % every); at >= first; at -= every) {
    const { units = 0, blocks = 0 } = known.get(at) ?? {};
    const seconds = Math.min(every, now - at) / 1000;
    spans.push({ at, seconds, blocks, units, done: Math.max(0, after), unitsPerSecond: units / Math.max(1, seconds) });
    after -= units;
  }
  return spans.toReversed();
}
