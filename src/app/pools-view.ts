/**
 * From one answer about the pools to the next: what stands where, so that nothing moves while it is looked at, what is new in it,
 * and what to say aloud. No drawing here.
 *
 * Gateways stand in the order of their addresses. One that is gone keeps its place for a while; one that comes back takes it.
 */
import type { PoolEvent, PoolsOverview } from '../protocol/pools.ts';
import { type Names, poolsTexts as t } from './pools-texts.ts';

export type Element = PoolsOverview['pools'][number]['elements'][number];

export interface Row {
  element: Element;
  /** It came while the page was looked at. */
  isNew: boolean;
  gone?: { at: number; why: 'left' | 'silent' | 'unreachable' | 'gone' };
}

export interface PoolView extends Omit<PoolsOverview['pools'][number], 'elements'> {
  rows: readonly Row[];
}

export interface PoolsView {
  overview: PoolsOverview;
  pools: readonly PoolView[];
  /** Where registrars are, those that are gone too. */
  registrars: ReadonlyMap<number, string>;
  marks: ReadonlyMap<number, number>;
  /** What has happened last while it was looked at, in sentences. */
  news: readonly string[];
}

/** How long a gateway that is gone keeps its place. */
export const GONE_MS = 20_000;
/** More at once are only counted aloud. */
const SAID = 3;

export const hostOf = (address: string): string => address.replace(/^https?:\/\//, '');

const addressOf = ({ addresses: [first = ''] }: Element): string => hostOf(first);

export function nextView(overview: PoolsOverview, before?: PoolsView): PoolsView {
  const registrars = new Map(before?.registrars);
  for (const { id, address } of overview.registrars) registrars.set(id, hostOf(address));
  const former = new Map(before?.pools.map((pool) => [pool.handle, pool]));
  const here = overview.pools.map((pool) => poolView(pool, overview, former.get(pool.handle), before !== undefined));
  // A pool whose last gateway is gone stays for as long as that does.
  const emptied = [...former.values()]
    .filter(({ handle }) => overview.pools.every((pool) => pool.handle !== handle))
    .map(({ handle, policy, rows }) => ({
      handle,
      policy,
      count: 0,
      rows: goneRows({ handle, policy, count: 0, elements: [] }, rows, overview),
    }))
    .filter(({ rows }) => rows.length > 0);
  const pools = [...here, ...emptied].toSorted((a, b) => compare(a.handle, b.handle));
  const homes = pools.flatMap(({ rows }) => rows.map(({ element }) => element.home));
  const marks = marksOf([...overview.registrars.map(({ id }) => id), ...homes], before?.marks);
  return { overview, pools, registrars, marks, news: newsOf(overview, before, registrars) };
}

function poolView(
  pool: PoolsOverview['pools'][number],
  overview: PoolsOverview,
  before: PoolView | undefined,
  isLooked: boolean,
): PoolView {
  const { elements, ...rest } = pool;
  const known = new Map(before?.rows.map((row) => [row.element.id, row]));
  const present = elements.map((element): Row => {
    const row = known.get(element.id);
    return { element, isNew: row === undefined || row.gone !== undefined ? isLooked : row.isNew };
  });
  const rows = [...present, ...goneRows(pool, before?.rows ?? [], overview)].toSorted(
    (a, b) => compare(addressOf(a.element), addressOf(b.element)) || a.element.id - b.element.id,
  );
  return { ...rest, rows };
}

function goneRows(
  { handle, count, elements }: PoolsOverview['pools'][number],
  rows: readonly Row[],
  { now, events }: PoolsOverview,
): Row[] {
  // Of more than are told nobody knows who is gone.
  if (count > elements.length) return [];
  const ids = new Set(elements.map(({ id }) => id));
  const addresses = new Set(elements.map(addressOf));
  return rows
    .filter(({ element }) => !ids.has(element.id) && !addresses.has(addressOf(element)))
    .map((row) => {
      const last = events.find((event) => event.handle === handle && event.id === row.element.id);
      const why =
        last?.what === 'left' || last?.what === 'silent' || last?.what === 'unreachable'
          ? last.what
          : ('gone' as const);
      return { ...row, gone: row.gone ?? { at: now, why } };
    })
    .filter(({ gone }) => now - gone.at < GONE_MS);
}

function newsOf(
  overview: PoolsOverview,
  before: PoolsView | undefined,
  registrars: ReadonlyMap<number, string>,
): readonly string[] {
  if (before === undefined) return [];
  // Another has seen other things.
  if (before.overview.registrar !== overview.registrar)
    return [t.answersNow(registrarName(overview.registrar, registrars))];
  const told = new Set(before.overview.events.map(eventKey));
  const since = before.overview.events[0]?.at ?? 0;
  const fresh = overview.events.filter((event) => event.at >= since && !told.has(eventKey(event))).toReversed();
  const said = fresh.slice(0, SAID).map((event) => sentence(event, registrars));
  if (fresh.length === 0) return before.news;
  return fresh.length > SAID ? [...said, t.andMore(fresh.length - SAID)] : said;
}

export const eventKey = ({ at, what, handle, id }: PoolEvent): string => `${at} ${what} ${handle ?? ''} ${id}`;

export const registrarName = (id: number, registrars: ReadonlyMap<number, string>): string =>
  registrars.get(id) ?? t.registrarNumber(id);

export function sentence(event: PoolEvent, registrars: ReadonlyMap<number, string>): string {
  const { id, address, home } = event;
  const names: Names = {
    gateway: address === undefined ? t.number(id) : hostOf(address),
    registrar: address === undefined ? registrarName(id, registrars) : hostOf(address),
    home: home === undefined ? '' : registrarName(home, registrars),
  };
  return t.event(event, names);
}

/** How many marks there are to tell registrars apart by; beyond that they repeat. */
export const MARKS = 8;

/** A mark for each registrar: by its identifier, another where that is taken, and the same for as long as it is looked at. */
export function marksOf(ids: Iterable<number>, before?: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  const all = [...new Set(ids)].toSorted((a, b) => a - b);
  const marks = new Map(all.flatMap((id) => (before?.has(id) ? [[id, before.get(id) ?? 0] as const] : [])));
  for (const id of all) {
    if (marks.has(id)) continue;
    const taken = new Set(marks.values());
    let mark = id % MARKS;
    for (let tries = 0; taken.has(mark) && tries < MARKS; tries += 1) mark = (mark + 1) % MARKS;
    marks.set(id, mark);
  }
  return marks;
}

const compare = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });
