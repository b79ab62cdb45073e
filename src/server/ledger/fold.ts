/**
 * Counts what the journal holds: credit of each client and of each team's members, rollups by hour, day and for ever,
 * and who finished what. On a
 * timer, and before anyone asks, so that the exchange that everybody waits for writes one row for it and no more.
 *
 * Hours are kept for two weeks and days for two years: rollups stay small however long a contest runs.
 */
import type { ClientInfo } from '../../domain/client.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ClientRow, CreditRow, FinishedRow, MemberRow, RollupRow, TallyRow } from '../store/schema.ts';
import { Stretches } from './chart.ts';
import { type Counted, type Finished, type Forgotten, type JournalEntry, NONE, sumOf, type Taken } from './journal.ts';
import { packBlocks, unpackBlocks } from './packed-blocks.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOURS_KEPT_MS = 14 * DAY_MS;
const DAYS_KEPT_MS = 731 * DAY_MS;

/** Reports counted in one transaction, and clients entered: exchanges wait for its end. A commit's are counted together. */
const REPORTS_AT_ONCE = 128;
const ARRIVALS_AT_ONCE = 128;
/** Rows of the journal that are looked at for them. */
const ROWS_AT_ONCE = 16;
/** A client of whom nothing is new is written again when it was seen so much later. */
const SEEN_EVERY_MS = 5 * 60_000;
/** A part of a day's blocks grows to this; it is rewritten at each counting. */
const PART_BYTES = 8192;

/** Clients who were here since the last counting, by id. */
export type Arrivals = Map<string, { client: ClientInfo; at: number }>;

/** Some of them, for one transaction. */
export const firstArrivals = (arrivals: Arrivals): Arrivals => new Map([...arrivals].slice(0, ARRIVALS_AT_ONCE));

/** @returns how many rows of the journal were counted. */
export async function fold(ledger: LedgerQueries, arrivals: Arrivals): Promise<number> {
  const waiting = await ledger.counting.journal(ROWS_AT_ONCE);
  if (waiting.length === 0 && arrivals.size === 0) return 0;
  const entries: JournalEntry[] = [];
  const finished: Finished[] = [];
  for (const { body } of waiting) {
    const entry = JSON.parse(body) as JournalEntry;
    if (entries.length > 0 && finished.length + entry.finished.length > REPORTS_AT_ONCE) break;
    entries.push(entry);
    finished.push(...entry.finished);
    // What comes after it may be of the same units.
    if (entry.taken !== undefined || entry.forgotten !== undefined) break;
  }
  const rows = waiting.slice(0, entries.length);
  const seen = seenIn(arrivals, finished);
  // Read at once, then written at once: over PostgreSQL each is one round trip, and exchanges wait.
  const [known, highest, parts] = await Promise.all([
    ledger.clients([...seen.keys()]),
    ledger.highestClientNumber(),
    Promise.all(daysOf(finished).map((day) => lastPart(ledger, day))),
  ]);
  const clients = new Map(known.map((row) => [row.id, row]));
  const numbers = numbersOf(clients, finished, highest);
  const { counting } = ledger;
  await Promise.all([
    ledger.putClients(clientRows(seen, clients, numbers)),
    counting.addCredits([...creditsOf(finished).values()]),
    counting.addRollups([...rollupsOf(finished).values()]),
    counting.addMembers([...membersOf(finished).values()]),
    ...parts.map((part) => counting.putFinished(pack(part, numbers))),
    counting.addTallies(talliesOf(entries)),
    counting.deleteJournal(rows.map(({ id }) => id)),
  ]);
  for (const taken of entries.flatMap((entry) => entry.taken ?? [])) await takeBack(ledger, taken);
  for (const forgotten of entries.flatMap((entry) => entry.forgotten ?? [])) await forget(ledger, forgotten);
  return rows.length;
}

/** Forgets old rollups; once an hour is enough. */
export async function prune(ledger: LedgerQueries, now: number): Promise<void> {
  await ledger.counting.pruneRollups('hour', now - HOURS_KEPT_MS);
  await ledger.counting.pruneRollups('day', now - DAYS_KEPT_MS);
}

function seenIn(arrivals: Arrivals, finished: readonly Finished[]): Arrivals {
  const seen = new Map(arrivals);
  for (const { client, at } of finished) {
    if ((seen.get(client.id)?.at ?? 0) <= at) seen.set(client.id, { client, at });
  }
  return seen;
}

/** Of everyone known who has one, and of those who finished their first block. */
function numbersOf(
  known: ReadonlyMap<string, ClientRow>,
  finished: readonly Finished[],
  highest: number,
): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const { id, number } of known.values()) if (number !== null) numbers.set(id, number);
  let next = highest + 1;
  for (const { client, credited } of finished) {
    if (credited > 0 && !numbers.has(client.id)) numbers.set(client.id, next++);
  }
  return numbers;
}

/** What is new about clients. */
function clientRows(
  seen: Arrivals,
  known: ReadonlyMap<string, ClientRow>,
  numbers: ReadonlyMap<string, number>,
): ClientRow[] {
  const rows = [...seen.values()].map(
    ({ client, at }): ClientRow => ({
      id: client.id,
      number: numbers.get(client.id) ?? null,
      name: client.name ?? null,
      team: client.team ?? null,
      class: client.class ?? null,
      site: client.site ?? null,
      version: client.version,
      first_seen: at,
      last_seen: at,
    }),
  );
  return rows.filter((row) => tellsMore(row, known.get(row.id)));
}

function tellsMore(row: ClientRow, known: ClientRow | undefined): boolean {
  if (known === undefined || Math.abs(row.last_seen - known.last_seen) >= SEEN_EVERY_MS) return true;
  if (row.version !== known.version || row.number !== known.number) return true;
  return (['name', 'team', 'class', 'site'] as const).some((key) => row[key] !== null && row[key] !== known[key]);
}

const NOTHING = { units: 0, blocks: 0, duplicates: 0, again_units: 0, again_blocks: 0 };

function creditsOf(finished: readonly Finished[]): Map<string, CreditRow> {
  const credits = new Map<string, CreditRow>();
  for (const { client, contest, count, credited, again = 0 } of finished) {
    const key = `${client.id} ${contest}`;
    const row = credits.get(key) ?? { client: client.id, contest, ...NOTHING };
    row.units += credited;
    row.blocks += credited > 0 ? 1 : 0;
    row.duplicates += count - credited - again;
    row.again_units += again;
    row.again_blocks += again > 0 ? 1 : 0;
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
  for (const { client, contest, credited, again = 0, at } of finished) {
    const units = credited + again;
    if (units === 0) continue;
    const day = at - (at % DAY_MS);
    add({ contest, scope: 'all', who: '', span: 'hour', at: at - (at % HOUR_MS) }, units);
    add({ contest, scope: 'all', who: '', span: 'day', at: day }, units);
    for (const [scope, who] of [
      ['person', client.name ?? ''],
      ['team', client.team ?? ''],
      ...(client.site === undefined ? [] : [['site', client.site] as const]),
    ] as const) {
      add({ contest, scope, who, span: 'day', at: day }, units);
      add({ contest, scope, who, span: 'ever', at: 0 }, units);
    }
  }
  return rollups;
}

function membersOf(finished: readonly Finished[]): Map<string, MemberRow> {
  const members = new Map<string, MemberRow>();
  for (const { client, contest, credited, again = 0, at } of finished) {
    if (credited + again === 0) continue;
    const { team = '', name = '' } = client;
    const key = JSON.stringify([team, name, contest]);
    const row = members.get(key) ?? { team, name, contest, units: 0, blocks: 0, last_at: at };
    row.units += credited + again;
    row.blocks += 1;
    row.last_at = Math.max(row.last_at, at);
    members.set(key, row);
  }
  return members;
}

/** Takes back what a client was credited with, under the name and team that it has now. */
async function takeBack(ledger: LedgerQueries, taken: Taken): Promise<void> {
  const { contest, client, ranges, days, again = NONE } = taken;
  const [row] = await ledger.clients([client]);
  const { name, team, site, number } = row ?? { name: null, team: null, site: null, number: null };
  const all = days.map(({ day, units, blocks }): RollupRow => {
    const at = day * DAY_MS;
    return { contest, scope: 'all', who: '', span: 'day', at, units: -units, blocks: -blocks };
  });
  const { counting } = ledger;
  const { units, blocks } = sumOf(days);
  const own = { units: -units, blocks: -blocks, again_units: -again.units, again_blocks: -again.blocks };
  await counting.addCredits([{ client, contest, duplicates: 0, ...own }]);
  await counting.addRollups(all);
  await addPersonal(ledger, taken, { name: name ?? '', team: team ?? '', site }, -1);
  const gone = new Stretches();
  for (const { first, count } of ranges.toSorted((a, b) => a.first - b.first)) gone.add(first, first + count);
  const touched = days.map(({ day }) => day);
  for (const part of await counting.finished(contest, touched)) {
    const blocks = unpackBlocks(new Uint8Array(part.blocks));
    const left = blocks.filter((block) => block.client !== number || gone.within(block) < block.count);
    if (left.length < blocks.length) await counting.putFinished({ ...part, blocks: Buffer.from(packBlocks(left)) });
  }
}

/** Work that was done under a name and a team counts without either. */
async function forget(
  ledger: LedgerQueries,
  { client, name, team, keptTeam = '', contests }: Forgotten,
): Promise<void> {
  for (const counted of contests) {
    // One after the other: a name that is empty already is both.
    await addPersonal(ledger, counted, { name, team, site: null }, -1);
    await addPersonal(ledger, counted, { name: '', team: keptTeam, site: null }, 1);
    await ledger.counting.dropEmpty(counted.contest, { name, team });
  }
  await ledger.forgetClient(client, keptTeam === '' ? null : keptTeam);
}

/** Adds what counts for a client to the sums of a person, a team and its member, and a site, or takes it from them. */
async function addPersonal(
  { counting }: LedgerQueries,
  { contest, days, again = NONE }: Counted,
  { name, team, site }: { name: string; team: string; site: string | null },
  sign: 1 | -1,
): Promise<void> {
  const whole = sumOf([...days, again]);
  const ever = { units: sign * whole.units, blocks: sign * whole.blocks };
  const spans = [
    ...days.map(({ day, units, blocks }) => {
      return { span: 'day', at: day * DAY_MS, units: sign * units, blocks: sign * blocks } as const;
    }),
    { span: 'ever', at: 0, ...ever } as const,
  ];
  await counting.addRollups([
    ...spans.map((span) => ({ contest, scope: 'person' as const, who: name, ...span })),
    ...spans.map((span) => ({ contest, scope: 'team' as const, who: team, ...span })),
    ...(site === null ? [] : spans.map((span) => ({ contest, scope: 'site' as const, who: site, ...span }))),
  ]);
  await counting.addMembers([{ team, name, contest, ...ever, last_at: 0 }]);
}

/** What was finished of a contest on one day. */
interface Day {
  contest: string;
  day: number;
  finished: Finished[];
}

function daysOf(finished: readonly Finished[]): Day[] {
  const days = new Map<string, Day>();
  for (const one of finished) {
    if (one.credited === 0) continue;
    const { contest } = one;
    const day = Math.floor(one.at / DAY_MS);
    const some = days.get(`${day} ${contest}`) ?? { contest, day, finished: [] };
    some.finished.push(one);
    days.set(`${day} ${contest}`, some);
  }
  return [...days.values()];
}

/** Where the day's blocks go: to its last part, or to a new one where that is full. */
async function lastPart(ledger: LedgerQueries, day: Day): Promise<Day & { part: number; start: Uint8Array }> {
  const last = await ledger.counting.lastFinished(day.contest, day.day);
  if (last === undefined) return { ...day, part: 0, start: new Uint8Array() };
  const blocks = new Uint8Array(last.blocks);
  return blocks.length >= PART_BYTES
    ? { ...day, part: last.part + 1, start: new Uint8Array() }
    : { ...day, part: last.part, start: blocks };
}

function pack(
  { contest, day, finished, part, start }: Awaited<ReturnType<typeof lastPart>>,
  numbers: ReadonlyMap<string, number>,
): FinishedRow {
  const past = unpackBlocks(start).at(-1);
  const blocks = finished
    .toSorted((a, b) => a.first - b.first)
    .map(({ client, first, count }) => ({ client: numbers.get(client.id) ?? 0, first, count }));
  const added = packBlocks(blocks, past === undefined ? 0 : past.first + past.count);
  return { contest, day, part, blocks: Buffer.concat([start, added]) };
}

function talliesOf(entries: readonly JournalEntry[]): TallyRow[] {
  return (['accepted', 'duplicate', 'refused'] as const)
    .map((name) => ({ name, value: entries.reduce((sum, { outcomes }) => sum + outcomes[name], 0) }))
    .filter(({ value }) => value > 0);
}
