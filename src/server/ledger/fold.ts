/**
 * Counts what the journal holds: credit of each client, rollups by hour, day and for ever, and who finished what. On a
 * timer, and before anyone asks, so that the exchange that everybody waits for writes one row for it and no more.
 *
 * Hours are kept for two weeks and days for two years: rollups stay small however long a contest runs.
 */
import type { ClientInfo } from '../../domain/client.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ClientRow, CreditRow, RollupRow, TallyRow } from '../store/schema.ts';
import type { Finished, JournalEntry } from './journal.ts';
import { packBlocks, unpackBlocks } from './packed-blocks.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOURS_KEPT_MS = 14 * DAY_MS;
const DAYS_KEPT_MS = 731 * DAY_MS;

/** Reports counted in one transaction, and clients entered: exchanges wait for its end. A commit's are counted together. */
const REPORTS_AT_ONCE = 256;
const ARRIVALS_AT_ONCE = 256;
/** Rows of the journal that are looked at for them. */
const ROWS_AT_ONCE = 16;
/** A client of whom nothing is new is written again when it was seen so much later. */
const SEEN_EVERY_MS = 5 * 60_000;
/** A part of a day's blocks grows to this; it is rewritten at each counting. */
const PART_BYTES = 8192;

/** Clients who were here since the last counting, by id. */
export type Arrivals = Map<string, { client: ClientInfo; at: number }>;

/** Takes some of them out, for one transaction. */
export function takeArrivals(arrivals: Arrivals): Arrivals {
  const some: Arrivals = new Map();
  for (const [id, arrival] of arrivals) {
    if (some.size === ARRIVALS_AT_ONCE) break;
    some.set(id, arrival);
    arrivals.delete(id);
  }
  return some;
}

/** @returns whether there may be more. */
export async function fold(ledger: LedgerQueries, arrivals: Arrivals): Promise<boolean> {
  const waiting = await ledger.counting.journal(ROWS_AT_ONCE);
  if (waiting.length === 0 && arrivals.size === 0) return false;
  const entries: JournalEntry[] = [];
  const finished: Finished[] = [];
  for (const { body } of waiting) {
    const entry = JSON.parse(body) as JournalEntry;
    if (entries.length > 0 && finished.length + entry.finished.length > REPORTS_AT_ONCE) break;
    entries.push(entry);
    finished.push(...entry.finished);
  }
  const rows = waiting.slice(0, entries.length);
  const numbers = await enterClients(ledger, arrivals, finished);
  await ledger.counting.addCredits([...creditsOf(finished).values()]);
  await ledger.counting.addRollups([...rollupsOf(finished).values()]);
  await pack(ledger, finished, numbers);
  await ledger.counting.addTallies(talliesOf(entries));
  await ledger.counting.deleteJournal(rows.map(({ id }) => id));
  return rows.length < waiting.length || waiting.length === ROWS_AT_ONCE;
}

/** Forgets old rollups; once an hour is enough. */
export async function prune(ledger: LedgerQueries, now: number): Promise<void> {
  await ledger.counting.pruneRollups('hour', now - HOURS_KEPT_MS);
  await ledger.counting.pruneRollups('day', now - DAYS_KEPT_MS);
}

/** The numbers of those who finished something. */
async function enterClients(
  ledger: LedgerQueries,
  arrivals: Arrivals,
  finished: readonly Finished[],
): Promise<Map<string, number>> {
  const seen = new Map(arrivals);
  for (const { client, at } of finished) {
    if ((seen.get(client.id)?.at ?? 0) <= at) seen.set(client.id, { client, at });
  }
  const known = new Map((await ledger.clients([...seen.keys()])).map((row) => [row.id, row]));
  const numbers = new Map<string, number>();
  for (const { id, number } of known.values()) if (number !== null) numbers.set(id, number);
  const fresh = finished.filter(({ client, credited }) => credited > 0 && !numbers.has(client.id));
  let highest = fresh.length === 0 ? 0 : await ledger.highestClientNumber();
  for (const { client } of fresh) if (!numbers.has(client.id)) numbers.set(client.id, ++highest);
  const rows = [...seen.values()]
    .map(
      ({ client, at }): ClientRow => ({
        id: client.id,
        number: numbers.get(client.id) ?? null,
        name: client.name ?? null,
        team: client.team ?? null,
        class: client.class ?? null,
        version: client.version,
        first_seen: at,
        last_seen: at,
      }),
    )
    .filter((row) => tellsMore(row, known.get(row.id)));
  await ledger.putClients(rows);
  return numbers;
}

function tellsMore(row: ClientRow, known: ClientRow | undefined): boolean {
  if (known === undefined || row.last_seen >= known.last_seen + SEEN_EVERY_MS) return true;
  if (row.version !== known.version || row.number !== known.number) return true;
  return (['name', 'team', 'class'] as const).some((key) => row[key] !== null && row[key] !== known[key]);
}

function creditsOf(finished: readonly Finished[]): Map<string, CreditRow> {
  const credits = new Map<string, CreditRow>();
  for (const { client, contest, count, credited } of finished) {
    const key = `${client.id} ${contest}`;
    const row = credits.get(key) ?? { client: client.id, contest, units: 0, blocks: 0, duplicates: 0 };
    row.units += credited;
    row.blocks += credited > 0 ? 1 : 0;
    row.duplicates += count - credited;
    credits.set(key, row);
  }
  return credits;
}

function rollupsOf(finished: readonly Finished[]): Map<string, RollupRow> {
  const rollups = new Map<string, RollupRow>();
  const add = (row: Omit<RollupRow, 'units' | 'blocks'>, units: number): void => {
    const { contest, scope, span, at, who } = row;
    const key = `${contest} ${scope} ${span} ${at} ${who}`;
    const sum = rollups.get(key) ?? { ...row, units: 0, blocks: 0 };
    sum.units += units;
    sum.blocks += 1;
    rollups.set(key, sum);
  };
  for (const { client, contest, credited, at } of finished) {
    if (credited === 0) continue;
    const day = at - (at % DAY_MS);
    add({ contest, scope: 'all', who: '', span: 'hour', at: at - (at % HOUR_MS) }, credited);
    add({ contest, scope: 'all', who: '', span: 'day', at: day }, credited);
    for (const [scope, who] of [
      ['person', client.name ?? ''],
      ['team', client.team ?? ''],
    ] as const) {
      add({ contest, scope, who, span: 'day', at: day }, credited);
      add({ contest, scope, who, span: 'ever', at: 0 }, credited);
    }
  }
  return rollups;
}

async function pack(
  ledger: LedgerQueries,
  finished: readonly Finished[],
  numbers: ReadonlyMap<string, number>,
): Promise<void> {
  const groups = new Map<string, Finished[]>();
  for (const one of finished) {
    if (one.credited === 0) continue;
    const key = `${Math.floor(one.at / DAY_MS)} ${one.contest}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  for (const some of groups.values()) {
    const [{ contest, at }] = some as [Finished];
    const day = Math.floor(at / DAY_MS);
    const last = await ledger.counting.lastFinished(contest, day);
    const before = last === undefined ? new Uint8Array() : new Uint8Array(last.blocks);
    const isFull = before.length >= PART_BYTES;
    const part = last === undefined ? 0 : isFull ? last.part + 1 : last.part;
    const start = isFull ? new Uint8Array() : before;
    const past = unpackBlocks(start).at(-1);
    const blocks = some
      .toSorted((a, b) => a.first - b.first)
      .map(({ client, first, count }) => ({ client: numbers.get(client.id) ?? 0, first, count }));
    const added = packBlocks(blocks, past === undefined ? 0 : past.first + past.count);
    await ledger.counting.putFinished({ contest, day, part, blocks: Buffer.concat([start, added]) });
  }
}

function talliesOf(entries: readonly JournalEntry[]): TallyRow[] {
  return (['accepted', 'duplicate', 'refused'] as const)
    .map((name) => ({ name, value: entries.reduce((sum, { outcomes }) => sum + outcomes[name], 0) }))
    .filter(({ value }) => value > 0);
}
