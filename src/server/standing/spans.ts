/** Which rollups make a span. Days are UTC's, as the ledger counts them. */
import type { StandingSpan } from '../../protocol/standing.ts';
import type { RollupRow } from '../store/schema.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

const DAYS: Readonly<Record<Exclude<StandingSpan, 'all'>, number>> = { today: 1, week: 7 };

export interface Spanned {
  span: RollupRow['span'];
  /** When each of its rollups begins. */
  at: number[];
  /** When it begins; undefined: ever. */
  since: number | undefined;
}

export function spanned(span: StandingSpan, now: number): Spanned {
  if (span === 'all') return { span: 'ever', at: [0], since: undefined };
  const today = now - (now % DAY_MS);
  const at = Array.from({ length: DAYS[span] }, (_, i) => today - i * DAY_MS).toReversed();
  return { span: 'day', at, since: at[0] };
}
