/**
 * Which blocks a client gets: first those of its leases whose answer was lost on the way, then free units in the order
 * that the contest's allocation says, then, where nothing is free any more, overdue ones that somebody else was too slow
 * with (the end game: throttled, for whoever comes second has worked in vain).
 */
import { randomUUID } from 'node:crypto';
import type { Allocation } from '../../domain/contest.ts';
import { endOf, type UnitRange } from '../../domain/units.ts';
import type { Lease } from '../../domain/work.ts';
import { type ExchangeRequest, MAX_PROXY_UNITS } from '../../protocol/keyserver.ts';
import type { Book, Books } from './books.ts';
import type { Commit } from './group-commit.ts';
import type { Role, Source } from './role.ts';
import type { Sender } from './settle.ts';

/** How soon a client that got less than it wanted may ask again: overdue units come back one by one. */
const RETRY_OPEN_SECONDS = 10;
/** … when every contest it wanted is closed. */
const RETRY_CLOSED_SECONDS = 300;

/** Leases a proxy may have of one contest. */
const MAX_PROXY_LEASES = 1024;

/** Blocks given out a second time, per contest and minute. */
const SECOND_TIMES_A_MINUTE = 60;

/** Shorter leases are not worth giving. */
const LEAST_LEASE_MS = 1000;

/** A lease, and what it was cut from at that moment: its proof is signed after the commit, when that may have changed. */
export interface Grant {
  lease: Lease;
  source: Source;
}

export interface Granted {
  grants: Grant[];
  retryAfterSeconds: number;
}

export class Granting {
  readonly #role: Role;
  readonly #random: () => number;
  readonly #secondTimes = new Map<string, { minute: number; blocks: number }>();

  /** @param random in [0, 1), for the choice of subspaces. */
  constructor(role: Role, random: () => number) {
    this.#role = role;
    this.#random = random;
  }

  async grant(commit: Commit, sender: Sender, want: ExchangeRequest['want']): Promise<Granted> {
    if (want.blocks === 0) return { grants: [], retryAfterSeconds: 0 };
    const { books, now, held } = commit;
    const holder = sender.client.id;
    const before = held.get(holder) ?? [];
    if (this.#role.isProxy) await this.#dropSettled(books, holder, want);
    const grants = await this.#lost(books, holder, books.holds(holder, before), want, now);
    grants.splice(want.blocks);
    if (grants.length < want.blocks) grants.push(...(await this.#role.again(commit, sender, want)));
    let anyOpen = false;
    for (const { contest, units } of want.from) {
      const book = books.get(contest);
      if (book === undefined || book.row.closed_by !== null) continue;
      anyOpen = true;
      if (!this.#role.mayWork(sender.client, contest)) continue;
      const { maxUnits, maxLeases } = book.manifest.block;
      const most = sender.isProxy ? MAX_PROXY_LEASES : maxLeases;
      const has = books.holds(holder, before).filter((lease) => lease.contest === contest).length;
      const blocks = Math.min(want.blocks - grants.length, most - has);
      const length = Math.min(units, sender.isProxy ? MAX_PROXY_UNITS : maxUnits);
      const draw = this.#drawing(book, blocks, length);
      for (let i = 0; i < blocks; i++) {
        const grant = await this.#next(commit, book, sender, length, draw);
        if (grant === undefined) break;
        grants.push(grant);
      }
    }
    const enough = grants.length === want.blocks;
    return { grants, retryAfterSeconds: enough ? 0 : anyOpen ? RETRY_OPEN_SECONDS : RETRY_CLOSED_SECONDS };
  }

  async #next(
    { books, now }: Commit,
    book: Book,
    sender: Sender,
    length: number,
    draw: () => Promise<number | undefined>,
  ): Promise<Grant | undefined> {
    const contest = book.row.name;
    let run = await this.#free(book, draw);
    // A proxy's own lease may run out before anyone asked for its units.
    for (; run !== undefined; run = await this.#free(book, draw)) {
      const { past, expiresAt } = this.#role.source(contest, run.first);
      if (expiresAt > now + LEAST_LEASE_MS) break;
      books.drop(book, { first: run.first, past: Math.min(past, endOf(run)), lease: null, state: 'free' });
    }
    if (run === undefined && !sender.isProxy) run = await this.#overdue(books, book, sender, now);
    if (run === undefined) return undefined;
    const source = this.#role.source(contest, run.first);
    const count = Math.min(length, run.count, source.past - run.first);
    const lifeMs = leaseSeconds(book, sender) * 1000;
    const expiresAt = Math.min(now + lifeMs, source.expiresAt);
    const recycleAt = expiresAt + (book.manifest.recycleSeconds ?? 0) * 1000;
    const lease: Lease = { id: randomUUID(), contest, first: run.first, count, expiresAt };
    books.lease(book, { ...lease, holder: sender.client.id, recycleAt });
    return { lease, source };
  }

  async #free(book: Book, draw: () => Promise<number | undefined>): Promise<UnitRange | undefined> {
    const { line, manifest, row } = book;
    const allocation = allocationOf(book);
    if (allocation.kind === 'priority') {
      for (const range of allocation.ranges) {
        const run = await line.lowestFree(range.first, Math.min(endOf(range), manifest.units));
        if (run !== undefined) return run;
      }
    }
    if (allocation.kind === 'random' && row.done + row.leased < manifest.units) {
      const { subspaceUnits } = allocation;
      const inHand = async (): Promise<UnitRange | undefined> =>
        row.cursor === null
          ? undefined
          : line.lowestFree(row.cursor, Math.min(row.cursor + subspaceUnits, manifest.units));
      const run = await inHand();
      if (run !== undefined) return run;
      const unit = await draw();
      if (unit !== undefined) {
        row.cursor = unit - (unit % subspaceUnits);
        book.changed = true;
        return inHand();
      }
    }
    return line.lowestFree(0, manifest.units);
  }

  /**
   * Draws free units for subspaces: the first free one from a random place on. Where a subspace is as long as a block, each
   * block needs another: the places of a whole exchange are looked up at once. Undefined: none from there on.
   */
  #drawing(book: Book, blocks: number, length: number): () => Promise<number | undefined> {
    const { line, manifest } = book;
    const allocation = allocationOf(book);
    const places: number[] = [];
    return async () => {
      if (allocation.kind !== 'random') return undefined;
      if (places.length === 0) {
        const { subspaceUnits } = allocation;
        const subspaces = Math.ceil(manifest.units / subspaceUnits);
        for (let i = Math.min(blocks, Math.ceil((blocks * length) / subspaceUnits)); i > 0; i--) {
          places.push(Math.floor(this.#random() * subspaces) * subspaceUnits);
        }
        await line.loadFree(places);
      }
      return line.someFree(places.pop() as number);
    };
  }

  /**
   * Live leases that the client does not know of, of the contests it wants and that are open. One that a proxy can prove no
   * more, because its upstream has given those units anew and in other blocks, is over: nobody has it.
   */
  async #lost(
    books: Books,
    holder: string,
    has: readonly { contest: string; lease: string }[],
    { from, holding, settled = [] }: ExchangeRequest['want'],
    now: number,
  ): Promise<Grant[]> {
    if (holding === undefined) return [];
    const known = new Set([...holding, ...settled]);
    const wanted = new Set(from.map(({ contest }) => contest));
    const ids = has.filter(({ lease, contest }) => !known.has(lease) && wanted.has(contest)).map(({ lease }) => lease);
    if (ids.length === 0) return [];
    const grants: Grant[] = [];
    for (const row of await books.ledger.runsOfLeases(holder, ids)) {
      const book = books.get(row.contest);
      if (book === undefined || book.row.closed_by !== null || (row.expires_at ?? 0) <= now) continue;
      const { contest, first, past, lease, expires_at } = row;
      const source = this.#role.source(contest, first);
      if (past <= source.past && source.expiresAt > now) {
        const expiresAt = Math.min(expires_at ?? 0, source.expiresAt);
        grants.push({ lease: { id: lease ?? '', contest, first, count: past - first, expiresAt }, source });
        continue;
      }
      book.line.take([row]);
      await book.line.load([{ first, count: past - first }]);
      const run = book.line.at(first);
      if (run?.lease === lease) books.free(book, run);
    }
    return grants.toSorted(({ lease: a }, { lease: b }) => a.contest.localeCompare(b.contest) || a.first - b.first);
  }

  /** What the client has handed in elsewhere is on its way up from there: it counts no more for what the client has here. */
  async #dropSettled(books: Books, holder: string, { settled = [] }: ExchangeRequest['want']): Promise<void> {
    if (settled.length === 0) return;
    for (const row of await books.ledger.runsOfLeases(holder, settled)) {
      const book = books.get(row.contest);
      if (book === undefined) continue;
      const range = { first: row.first, count: row.past - row.first };
      book.line.take([row]);
      await book.line.load([range]);
      for (const run of book.line.within(range)) if (run.lease === row.lease) books.drop(book, run);
    }
  }

  /** Units whose lease has run out and whose report is still waited for; never the client's own. */
  async #overdue(books: Books, book: Book, sender: Sender, now: number): Promise<UnitRange | undefined> {
    const minute = Math.floor(now / 60_000);
    const so = this.#secondTimes.get(book.row.name);
    const blocks = so?.minute === minute ? so.blocks : 0;
    if (blocks >= SECOND_TIMES_A_MINUTE || book.row.leased === 0) return undefined;
    const latest = now + (book.manifest.recycleSeconds ?? 0) * 1000;
    const rows = await books.ledger.overdueRuns(book.row.name, now, latest, 32);
    book.line.take(rows);
    for (const { first, past, lease } of rows) {
      // What an exchange of this very commit left of it.
      const run = book.line.within({ first, count: past - first }).find((left) => left.lease === lease);
      if (run === undefined || run.holder === sender.client.id) continue;
      if (this.#role.source(book.row.name, run.first).expiresAt <= now + LEAST_LEASE_MS) continue;
      const range = { first: run.first, count: run.past - run.first };
      await book.line.load([range]);
      this.#secondTimes.set(book.row.name, { minute, blocks: blocks + 1 });
      return range;
    }
    return undefined;
  }
}

export function allocationOf({ row, manifest }: Book): Allocation {
  const own = row.allocation === null ? undefined : (JSON.parse(row.allocation) as Allocation);
  return own ?? manifest.allocation ?? { kind: 'order' };
}

/** A proxy's blocks pass through more hands: four times as long unless told. */
export function leaseSeconds(
  { manifest: { leaseSeconds, leaseSecondsOf } }: Book,
  { client, isProxy }: Sender,
): number {
  if (isProxy) return leaseSecondsOf?.proxy ?? 4 * leaseSeconds;
  const { class: kind = 'tab' } = client;
  return (kind === 'proxy' ? undefined : leaseSecondsOf?.[kind]) ?? leaseSeconds;
}
