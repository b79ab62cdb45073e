/**
 * The keymaster's view of the ledger during one transaction: every contest's counts and hits, read once, changed
 * in memory by the exchanges that share the transaction, and written once at its end. Nothing in it outlives the
 * transaction, so several keymasters may one day stand over one database.
 *
 * Invariant: a contest's `done` and `leased` change only here, together with the runs and leases they sum up.
 */
import type { Contest, ContestState, Hit } from '../../domain/contest.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ContestRow, LeaseRow, TallyRow } from '../store/schema.ts';
import type { Catalogue } from './catalogue.ts';
import { putBack } from './runs.ts';

/** A reply carries no more than this many hits of a contest: the best ones. */
const MAX_HITS_SHOWN = 16;

interface Book {
  row: ContestRow;
  hits: { lease: string; hit: Hit }[];
  changed: boolean;
}

export class Books {
  readonly ledger: LedgerQueries;
  readonly catalogue: Catalogue;
  readonly #books: Map<string, Book>;
  readonly #tallies: Record<TallyRow['name'], number> = { accepted: 0, duplicate: 0, refused: 0 };

  private constructor(ledger: LedgerQueries, catalogue: Catalogue, books: Map<string, Book>) {
    this.ledger = ledger;
    this.catalogue = catalogue;
    this.#books = books;
  }

  static async open(ledger: LedgerQueries, catalogue: Catalogue): Promise<Books> {
    const books = new Map<string, Book>();
    for (const row of await ledger.contests()) books.set(row.name, { row, hits: [], changed: false });
    for (const { contest, lease, body } of await ledger.hits()) {
      books.get(contest)?.hits.push({ lease, hit: JSON.parse(body) as Hit });
    }
    return new Books(ledger, catalogue, books);
  }

  isOpen(contest: string): boolean {
    return this.#book(contest).row.closed_by === null;
  }

  /** Adds leases, whose units have been taken off the line. */
  async addLeases(contest: string, leases: readonly LeaseRow[]): Promise<void> {
    const book = this.#book(contest);
    await this.ledger.insertLeases(leases);
    for (const lease of leases) book.row.leased += lease.count;
    book.changed = true;
  }

  /** Ends a live lease without credit: its units are free again. */
  async freeLease(
    lease: LeaseRow,
    state: 'expired' | 'released' | 'refused',
    why?: { code: string; detail: string },
  ): Promise<void> {
    const book = this.#book(lease.contest);
    await this.ledger.endLease(lease.id, state, why);
    await putBack(this.ledger, lease.contest, lease, 'free');
    book.row.leased -= lease.count;
    book.changed = true;
  }

  /** Ends a live lease with a verified report: its units are done, and the contest closes if that was its end. */
  async acceptLease(lease: LeaseRow, hits: readonly Hit[]): Promise<void> {
    const book = this.#book(lease.contest);
    await this.ledger.endLease(lease.id, 'accepted', undefined);
    await putBack(this.ledger, lease.contest, lease, 'done');
    await this.ledger.addCredit(lease.client, lease.contest, lease.count);
    for (const hit of hits) {
      await this.ledger.insertHit({
        contest: lease.contest,
        lease: lease.id,
        unit: hit.unit,
        body: JSON.stringify(hit),
      });
      book.hits.push({ lease: lease.id, hit });
    }
    book.row.leased -= lease.count;
    book.row.done += lease.count;
    book.changed = true;
    const manifest = this.catalogue.get(lease.contest)?.manifest;
    if (manifest === undefined) return;
    if (hits.length > 0 && manifest.closes === 'hit') book.row.closed_by ??= 'hit';
    if (book.row.done === manifest.units) book.row.closed_by ??= 'exhausted';
  }

  /** What a lease's report found. */
  hitsOf(lease: LeaseRow): Hit[] {
    return this.#book(lease.contest)
      .hits.filter((entry) => entry.lease === lease.id)
      .map((entry) => entry.hit);
  }

  count(outcome: TallyRow['name']): void {
    this.#tallies[outcome] += 1;
  }

  /** The contests on offer, in the catalogue's order. */
  contests(): Contest[] {
    return [...this.catalogue.values()].map(({ manifest, kind }) => {
      const { row, hits } = this.#book(manifest.name);
      const state: ContestState = {
        name: manifest.name,
        state: row.closed_by === null ? 'open' : 'closed',
        ...(row.closed_by === null ? {} : { closedBy: row.closed_by }),
        units: manifest.units,
        done: row.done,
        leased: row.leased,
        hits: hits
          .map(({ hit }) => hit)
          .toSorted((a, b) => kind.compareHits(a, b))
          .slice(0, MAX_HITS_SHOWN),
      };
      return { manifest, state };
    });
  }

  states(): ContestState[] {
    return this.contests().map(({ state }) => state);
  }

  /** Writes what changed. The last thing a transaction does. */
  async write(): Promise<void> {
    for (const { row, changed } of this.#books.values()) {
      const { name, done, leased, closed_by } = row;
      if (changed) await this.ledger.updateContest(name, { done, leased, closed_by });
    }
    for (const name of ['accepted', 'duplicate', 'refused'] as const) {
      if (this.#tallies[name] > 0) await this.ledger.addTally(name, this.#tallies[name]);
    }
  }

  #book(contest: string): Book {
    const book = this.#books.get(contest);
    if (book === undefined) throw new Error(`the ledger has no contest ${contest}`);
    return book;
  }
}
