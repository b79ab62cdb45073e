/**
 * How much a proxy keeps in stock: under the low watermark it asks for more, up to the high one.
 *
 * The guard against hoarding is that of distributed.net's personal proxy, with our longest blocks for its packets: what an
 * operator sets is obeyed up to 1000 blocks; more is taken for 1000 during the first half hour, and for what the clients
 * really do in so many days afterwards, never past 200,000; the low mark shrinks with the high one. `expert` obeys what is
 * set, for work that is carried by hand.
 *
 * What nobody set is a day's work below which it asks, and a day and a quarter: whenever the upstream goes, it can be away
 * for a day. With a quarter of a day and a day, as it was at first, a proxy could be caught with six hours of work; marks
 * so near each other cost four requests a day. A day's work is what the last 24 hours brought, a proxy's first hours
 * included: what its clients kept while it was away comes in its first minutes, and would look like a crowd. Until clients have
 * done something, it is a quarter of what they took: else a proxy over many others would fetch a lease for each of them.
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

const OBEYED_BLOCKS = 1000;
const HARD_CAP_BLOCKS = 200_000;
const FIRST_SECONDS = 1800;
const DAY_SECONDS = 86_400;
const MAX_BUFFER_DAYS = 4;
/** What nobody set. */
const HIGH_DAYS = 1.25;
const LOW_SHARE = 0.8;
const LEAST_BLOCKS = 16;

export interface StockFacts {
  /** Of all its clients, over the last day: its whole 86,400 seconds, however few of them were counted. */
  unitsPerSecond: number;
  uptimeSeconds: number;
  /** What its clients have in hand. */
  leasedUnits: number;
  /** The longest block of a client. */
  blockUnits: number;
  /** Units of the contest that nobody has. */
  freeUnits: number;
}

export function watermarks(settings: StockSettings, facts: StockFacts): Watermarks {
  const { minStock, maxStock, maxBufferDays = MAX_BUFFER_DAYS, expert = false } = settings;
  const { unitsPerSecond, uptimeSeconds, leasedUnits, blockUnits, freeUnits } = facts;
  const days = (n: number): number => Math.ceil(unitsPerSecond * DAY_SECONDS * n);
  let high = maxStock ?? Math.max(days(HIGH_DAYS), LEAST_BLOCKS * blockUnits, Math.ceil(leasedUnits / 4));
  let low = Math.min(high, minStock ?? Math.ceil(high * LOW_SHARE));
  if (!expert) {
    const obeyed = OBEYED_BLOCKS * blockUnits;
    const sustained = uptimeSeconds < FIRST_SECONDS ? obeyed : days(maxBufferDays);
    const guarded = Math.min(high, HARD_CAP_BLOCKS * blockUnits, Math.max(obeyed, sustained));
    low = high === 0 ? 0 : Math.ceil((low * guarded) / high);
    high = guarded;
  }
  // The last units of a contest are not one proxy's; the very last it gets only when clients ask for them.
  const eighth = Math.floor(freeUnits / 8);
  const share = eighth < blockUnits ? 0 : eighth;
  return { low: Math.min(low, share), high: Math.min(high, share) };
}
