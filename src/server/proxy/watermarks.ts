/**
 * How much a proxy keeps in stock: under the low watermark it asks for more, up to the high one.
 *
 * The guard against hoarding is that of distributed.net's personal proxy, in units for its blocks: what an operator sets is
 * obeyed up to 1000; more is taken for 1000 during the first half hour, and for what the clients really do in so many
 * days afterwards, never past 200,000; the low mark shrinks with the high one. `expert` obeys what is set, for work that
 * is carried by hand. What nobody set is a quarter of a day's work, and a day's.
 */
export interface StockSettings {
  /** Units. */
  minStock?: number | undefined;
  maxStock?: number | undefined;
  maxBufferDays?: number | undefined;
  expert?: boolean | undefined;
}

export interface Watermarks {
  low: number;
  high: number;
}

const OBEYED = 1000;
const HARD_CAP = 200_000;
const FIRST_SECONDS = 1800;
const DAY_SECONDS = 86_400;
const MAX_BUFFER_DAYS = 4;

export interface StockFacts {
  /** Sustained, of all its clients. */
  unitsPerSecond: number;
  uptimeSeconds: number;
  /** A block of a client. */
  blockUnits: number;
  /** Units of the contest that nobody has. */
  freeUnits: number;
}

export function watermarks(settings: StockSettings, facts: StockFacts): Watermarks {
  const { minStock, maxStock, maxBufferDays = MAX_BUFFER_DAYS, expert = false } = settings;
  const { unitsPerSecond, uptimeSeconds, blockUnits, freeUnits } = facts;
  const days = (n: number): number => Math.ceil(unitsPerSecond * DAY_SECONDS * n);
  let high = maxStock ?? Math.max(days(1), 16 * blockUnits);
  let low = Math.min(high, minStock ?? Math.ceil(high / 4));
  if (!expert) {
    const sustained = uptimeSeconds < FIRST_SECONDS ? OBEYED : days(maxBufferDays);
    const guarded = Math.min(high, HARD_CAP, Math.max(OBEYED, sustained));
    low = high === 0 ? 0 : Math.ceil((low * guarded) / high);
    high = guarded;
  }
  // The last units of a contest are not one proxy's; the very last it gets only when clients ask for them.
  const eighth = Math.floor(freeUnits / 8);
  const share = eighth < blockUnits ? 0 : eighth;
  return { low: Math.min(low, share), high: Math.min(high, share) };
}
