/**
 * A keyserver's view of its ledger during one transaction: every contest's counts, line and hits, read once, changed
 * in memory by the exchanges that share the transaction, and written once at its end. Nothing in it outlives the
 * transaction, so several keyservers may stand over one database.
 *
 * Invariant: a contest's `done` and `leased` change only here, together with the runs they sum up.
 */
import type { ContestKind } from '../../contests/kind.ts';
import type { ClientInfo } from '../../domain/client.ts';
import {
  type Announcement,
  announceOf,
  type Contest,
  type ContestKindName,
  type ContestManifest,
  type ContestState,
  type Hit,
} from '../../domain/contest.ts';
import type { UnitRange } from '../../domain/units.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ContestRow, RunRow } from '../store/schema.ts';
import { type Forgotten, type JournalEntry, journalId, type Outcome, type Taken } from './journal.ts';
import { clipped, DONE, FREE, Line, overlap, type Run } from './line.ts';

/** A reply carries no more than this many hits of a contest: the best ones. */
const MAX_HITS_SHOWN = 16;

export type Kinds = Readonly<Record<ContestKindName, ContestKind>>;

export interface Book {
  readonly row: ContestRow;
  readonly manifest: ContestManifest;
  readonly kind: ContestKind;
  readonly line: Line;
  /** With the lease of the report that each was in. Of a blind contest nothing of them leaves the keymaster. */
  readonly hits: FoundHit[];
  changed: boolean;
}

interface FoundHit {
  lease: string;
  hit: Hit;
  /** Absent in ledgers of before there were blind contests. */
  found?: Finding;
}

/** When somebody found something, and their name if they gave one. */
interface Finding {
  at: number;
  by?: string | undefined;
}

export interface NewLease extends UnitRange {
  id: string;
  holder: string;
  expiresAt: number;
  recycleAt: number;
}

/** Manifests by their text: the rows are read at every commit, and the texts hardly ever change. */
const parsed = new Map<string, ContestManifest>();

export class Books {
  readonly ledger: LedgerQueries;
  readonly #books: Map<string, Book>;
  readonly #journal: JournalEntry = { finished: [], outcomes: { accepted: 0, duplicate: 0, refused: 0 } };
  /** Leases given during this transaction, by holder. */
  readonly #given = new Map<string, { contest: string; lease: string }[]>();
  /** Leases that ended during it. */
  readonly #ended = new Set<string>();

  private constructor(ledger: LedgerQueries, books: Map<string, Book>) {
    this.ledger = ledger;
    this.#books = books;
  }

  static async open(ledger: LedgerQueries, kinds: Kinds): Promise<Books> {
    const [rows, hits] = await Promise.all([ledger.contests(), ledger.hits()]);
    const books = new Map<string, Book>();
    for (const row of rows) {
      const manifest = manifestOf(row.manifest);
      const kind = kinds[manifest.search.kind];
      const line = new Line(row.name, ledger);
      books.set(row.name, { row, manifest, kind, line, hits: [], changed: false });
    }
    for (const { contest, lease, body } of hits) {
      const { found, ...hit } = JSON.parse(body) as Hit & { found?: Finding };
      books.get(contest)?.hits.push({ lease, hit, ...(found === undefined ? {} : { found }) });
    }
    return new Books(ledger, books);
  }

  /** The contest, if it is on offer here. */
  get(contest: string): Book | undefined {
    const book = this.#books.get(contest);
    return book?.row.offered === 1 ? book : undefined;
  }

  /** Runs that were read beside the contests. */
  take(contest: string, take: (line: Line) => void): void {
    const book = this.#books.get(contest);
    if (book !== undefined) take(book.line);
  }

  /** Every contest of the ledger, on offer or not. */
  all(): IterableIterator<Book> {
    return this.#books.values();
  }

  /** Loads what the exchanges of this transaction will look at. */
  async load(ranges: ReadonlyMap<string, readonly UnitRange[]>): Promise<void> {
    for (const [contest, some] of ranges) await this.#books.get(contest)?.line.load(some);
  }

  /** Leases free units; they must be loaded. */
  lease(book: Book, { id, holder, first, count, expiresAt, recycleAt }: NewLease): void {
    for (const run of book.line.within({ first, count })) {
      if (run.state === 'leased') book.row.leased -= overlap(run, { first, count });
    }
    book.line.set(
      { first, count },
      { state: 'leased', lease: id, holder, expires_at: expiresAt, recycle_at: recycleAt },
    );
    book.row.leased += count;
    book.changed = true;
    const given = this.#given.get(holder) ?? [];
    given.push({ contest: book.row.name, lease: id });
    this.#given.set(holder, given);
  }

  /** Adds units that an upstream gave: those that are neither done nor out become free. They must be loaded. */
  stock(book: Book, range: UnitRange): void {
    let first = range.first;
    const add = (past: number): void => {
      if (past > first) book.line.set({ first, count: past - first }, FREE);
    };
    for (const run of book.line.within(range)) {
      if (run.state === 'free') continue;
      add(Math.max(run.first, first));
      first = run.past;
    }
    add(range.first + range.count);
    book.changed = true;
  }

  /** Makes leased units free again; they must be loaded. */
  free(book: Book, run: Pick<Run, 'first' | 'past' | 'lease'>): void {
    const range = { first: run.first, count: run.past - run.first };
    book.line.set(range, FREE);
    book.row.leased -= range.count;
    book.changed = true;
    if (run.lease !== null) this.#ended.add(run.lease);
  }

  /** Takes units off the line: they are not this keyserver's any more. */
  drop(book: Book, run: Pick<Run, 'first' | 'past' | 'lease' | 'state'>): void {
    const range = { first: run.first, count: run.past - run.first };
    book.line.remove(range);
    if (run.state === 'leased') book.row.leased -= range.count;
    if (run.state === 'done') book.row.done -= range.count;
    book.changed = true;
    if (run.lease !== null) this.#ended.add(run.lease);
  }

  /** Frees the units of overdue leases, as they are in the table. */
  async freeDue(rows: readonly RunRow[]): Promise<void> {
    for (const book of this.#books.values()) {
      const some = rows.filter(({ contest }) => contest === book.row.name);
      if (some.length === 0) continue;
      book.line.take(some);
      await book.line.load(some.map(({ first, past }) => ({ first, count: past - first })));
      for (const run of some) this.free(book, run);
    }
  }

  /**
   * Makes units done, whoever held them, and closes the contest if that was its end. They must be loaded.
   * @returns how many had not been done before.
   */
  finish(book: Book, range: UnitRange): number {
    let done = 0;
    let leased = 0;
    for (const run of book.line.within(range)) {
      const units = overlap(run, range);
      if (run.state === 'done') done += units;
      if (run.state !== 'leased') continue;
      leased += units;
      if (run.lease !== null && units === run.past - run.first) this.#ended.add(run.lease);
    }
    const fresh = range.count - done;
    if (fresh === 0) return 0;
    book.line.set(range, DONE);
    book.row.leased -= leased;
    book.row.done += fresh;
    book.changed = true;
    if (book.row.done === book.manifest.units && book.row.closed_by !== 'hit') book.row.closed_by = 'exhausted';
    return fresh;
  }

  /** Makes done units free again, of whoever's work that counts no more; they must be loaded. @returns how many. */
  undo(book: Book, range: UnitRange): number {
    let undone = 0;
    for (const run of book.line.within(range)) {
      if (run.state !== 'done') continue;
      const { first, past } = clipped(run, { first: range.first, past: range.first + range.count });
      book.line.set({ first, count: past - first }, FREE);
      undone += past - first;
    }
    if (undone === 0) return 0;
    book.row.done -= undone;
    if (book.row.closed_by === 'exhausted') book.row.closed_by = null;
    book.changed = true;
    return undone;
  }

  /** Credits units that a report no longer speaks for: those of a client that was pardoned. */
  credit(client: ClientInfo, contest: string, range: UnitRange, at: number): void {
    this.#journal.finished.push({ contest, client, first: range.first, count: range.count, credited: range.count, at });
  }

  /** Credits units that were done again: those of a client that was pardoned. */
  creditAgain(client: ClientInfo, contest: string, again: number, at: number): void {
    this.#journal.finished.push({ contest, client, first: 0, count: again, credited: 0, again, at });
  }

  /** Enters in the journal what is taken back from a client. */
  takeBack(taken: Taken): void {
    this.#journal.taken = [...(this.#journal.taken ?? []), taken];
  }

  /** Enters in the journal whose name is to be forgotten. */
  forget(forgotten: Forgotten): void {
    this.#journal.forgotten = [...(this.#journal.forgotten ?? []), forgotten];
  }

  /** Records hits that are new. */
  async found(book: Book, lease: string, hits: readonly Hit[], found: Finding): Promise<void> {
    for (const hit of hits) {
      const text = JSON.stringify(hit);
      if (book.hits.some((known) => JSON.stringify(known.hit) === text)) continue;
      const body = JSON.stringify({ ...hit, found });
      await this.ledger.insertHit({ contest: book.row.name, lease, unit: hit.unit, body });
      book.hits.push({ lease, hit, found });
      if (book.manifest.closes === 'hit') book.row.closed_by = 'hit';
      book.changed = true;
    }
  }

  /** What a lease's report found. */
  hitsOf(book: Book, lease: string): Hit[] {
    return book.hits.filter((entry) => entry.lease === lease).map((entry) => entry.hit);
  }

  /** Enters a report in the journal. */
  count(
    outcome: Outcome,
    client: ClientInfo,
    contest: string,
    range: UnitRange,
    credited: number,
    at: number,
    again = 0,
  ): void {
    this.#journal.outcomes[outcome] += 1;
    if (outcome === 'refused') return;
    const finished = { contest, client, first: range.first, count: range.count, credited, at };
    this.#journal.finished.push(again === 0 ? finished : { ...finished, again });
  }

  /** What a client holds now, given what it held when the transaction began. */
  holds(holder: string, before: readonly { contest: string; lease: string }[]): { contest: string; lease: string }[] {
    return [...before, ...(this.#given.get(holder) ?? [])].filter(({ lease }) => !this.#ended.has(lease));
  }

  /** The contests on offer, in order. */
  contests(): Contest[] {
    return [...this.#books.values()]
      .filter(({ row }) => row.offered === 1)
      .map((book) => ({
        manifest: book.kind.handedOut?.(book.manifest) ?? book.manifest,
        state: stateOf(book),
      }));
  }

  states(): ContestState[] {
    return [...this.#books.values()].filter(({ row }) => row.offered === 1).map((book) => stateOf(book));
  }

  /** Writes what changed. The last thing a transaction does. */
  async write(now: number): Promise<void> {
    const body = JSON.stringify(this.#journal);
    const writes: Promise<void>[] = [];
    for (const { row, line, changed } of this.#books.values()) {
      if (!changed) continue;
      const { name, done, leased, closed_by, cursor } = row;
      writes.push(line.write(), this.ledger.updateContest(name, { done, leased, closed_by, cursor }));
    }
    const { accepted, duplicate, refused } = this.#journal.outcomes;
    const { finished, taken, forgotten } = this.#journal;
    if (accepted + duplicate + refused + finished.length > 0 || taken !== undefined || forgotten !== undefined) {
      writes.push(this.ledger.counting.insertJournal({ id: journalId(now), at: now, body }));
    }
    await Promise.all(writes);
  }
}

/** @param announce what is told of its hits: what the manifest says, unless it is for an operator. */
export function stateOf(book: Book, announce = announceOf(book.manifest)): ContestState {
  const { row, manifest, kind, hits } = book;
  const { closed_by, priority, weight, done, leased } = row;
  return {
    name: manifest.name,
    state: closed_by === null ? 'open' : 'closed',
    ...(closed_by === null ? {} : { closedBy: closed_by }),
    ...(priority === null ? {} : { priority }),
    ...(weight === null ? {} : { weight }),
    units: manifest.units,
    done,
    leased,
    hits: hits
      .toSorted((a, b) => kind.compareHits(a.hit, b.hit))
      .slice(0, MAX_HITS_SHOWN)
      .map((one) => (announce === 'all' ? one.hit : announcement(one))),
  };
}

/** Not even the unit is in it: whoever knows that has but 2^28 keys to try. */
function announcement({ found: { at, by } = { at: 0 } }: FoundHit): Announcement {
  return { kind: 'found', at, ...(by === undefined ? {} : { by }) };
}

export function manifestOf(text: string): ContestManifest {
  let manifest = parsed.get(text);
  if (manifest === undefined) {
    if (parsed.size > 1000) parsed.clear();
    manifest = JSON.parse(text) as ContestManifest;
    parsed.set(text, manifest);
  }
  return manifest;
}
