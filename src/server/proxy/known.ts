/**
 * What a proxy knows: what its upstream said last, the blocks it was given, what it has in stock and in the out-buffer,
 * and what went wrong. What must survive a stop is in the ledger.
 */
import { Value } from 'typebox/value';
import type { ContestState } from '../../domain/contest.ts';
import type { Stock } from '../../protocol/keyserver.ts';
import { type Books, manifestOf } from '../ledger/books.ts';
import { clipped } from '../ledger/line.ts';
import { Rates, SavedRates } from '../statistics/rates.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { UpstreamLeaseRow } from '../store/schema.ts';
import { Holding } from './holding.ts';
import type { ProxyPorts, ProxySettings } from './proxy.ts';
import { type StockSettings, type Watermarks, watermarks } from './watermarks.ts';

const DAY_SECONDS = 86_400;
const MAX_ERRORS = 20;

interface Kept {
  trusted: string[];
  toldAt?: number;
  states: ContestState[];
  rates: unknown;
}

export class Known {
  holding = new Holding();
  /** Keys with which a chain of proofs may begin. */
  trusted: string[] = [];
  states = new Map<string, ContestState>();
  /** When the upstream said all this, by its clock: what comes by hand may be older. */
  toldAt = 0;
  messages: string[] = [];
  rates = new Rates();
  stock: Stock[] = [];
  /** The out-buffer. */
  waiting = { count: 0, oldest: 0, urgent: false };
  errors: { at: number; text: string }[] = [];

  readonly #ports: ProxyPorts;
  readonly #startedAt: number;
  #blockUnits = new Map<string, number>();

  constructor(ports: ProxyPorts) {
    this.#ports = ports;
    this.#startedAt = ports.clock();
  }

  /** Whether the upstream has said what it takes to judge a report. */
  get isAcquainted(): boolean {
    return this.states.size > 0 && this.trusted.length > 0;
  }

  /** A client's block. */
  blockUnits(contest: string): number {
    return this.#blockUnits.get(contest) ?? 1;
  }

  /** The contest as the upstream knows it: its progress is the search's, not this proxy's. */
  shown(state: ContestState): ContestState {
    const above = this.states.get(state.name);
    if (above === undefined) return state;
    const hits = above.hits.length >= state.hits.length ? above.hits : state.hits;
    return state.state === 'closed'
      ? { ...above, ...state, done: above.done, leased: above.leased, hits }
      : { ...above, hits };
  }

  /** Looks at stock and out-buffer. */
  async look(): Promise<void> {
    const now = this.#ports.clock();
    const { settings, store } = this.#ports;
    const uptimeSeconds = (now - this.#startedAt) / 1000;
    await store.read(async (ledger) => {
      const free = await ledger.freeUnits();
      const waiting = await ledger.upstream.countOutbox();
      const rows = await ledger.contests();
      this.waiting = {
        count: waiting.reduce((sum, { count }) => sum + count, 0),
        oldest: Math.min(now, ...waiting.map(({ oldest }) => oldest)),
        urgent: waiting.some(({ urgent }) => urgent > 0),
      };
      this.#blockUnits = new Map(rows.map(({ name, manifest }) => [name, manifestOf(manifest).block.maxUnits]));
      this.stock = rows
        .filter(({ offered }) => offered === 1)
        .map((row): Stock => {
          const above = this.states.get(row.name);
          const { units, block } = manifestOf(row.manifest);
          const mark: Watermarks =
            row.closed_by === null && above !== undefined
              ? watermarks(stockSettings(row.name, settings), {
                  unitsPerSecond: this.rates.units(row.name, DAY_SECONDS, now) / DAY_SECONDS,
                  uptimeSeconds,
                  leasedUnits: row.leased,
                  blockUnits: block.maxUnits,
                  freeUnits: Math.max(0, units - above.done - above.leased) + (free.get(row.name) ?? 0),
                })
              : { low: 0, high: 0 };
          return {
            contest: row.name,
            free: free.get(row.name) ?? 0,
            leased: row.leased,
            waiting: waiting.find(({ contest }) => contest === row.name)?.count ?? 0,
            ...mark,
          };
        });
    });
  }

  /** What must survive a stop beside the ledger itself. */
  async keep(ledger: LedgerQueries, states = this.states): Promise<void> {
    const { trusted, toldAt, rates } = this;
    const state: Kept = { trusted, toldAt, states: [...states.values()], rates: rates.toJSON() };
    await ledger.setMeta('state', JSON.stringify(state));
  }

  async remember(ledger: LedgerQueries): Promise<void> {
    this.holding = new Holding(await ledger.upstream.upstreamLeases());
    const text = await ledger.meta('state');
    if (text === undefined) return;
    const { trusted, toldAt = 0, states, rates } = JSON.parse(text) as Kept;
    this.trusted = trusted;
    this.toldAt = toldAt;
    this.states = new Map(states.map((state) => [state.name, state]));
    if (Value.Check(SavedRates, rates)) this.rates = Rates.from(rates);
  }

  /** Upstream leases of which nothing is left here; the time of some is over, and their units are no stock. */
  async forget(books: Books, now: number): Promise<UpstreamLeaseRow[]> {
    const over: UpstreamLeaseRow[] = [];
    for (const lease of this.holding.all()) {
      const book = books.get(lease.contest);
      // Withdrawn up there, and perhaps not for good.
      if (book === undefined && lease.expires_at > now) continue;
      const range = { first: lease.first, count: lease.past - lease.first };
      await book?.line.load([range]);
      const runs = book?.line.within(range) ?? [];
      if (book !== undefined && lease.expires_at <= now) {
        for (const run of runs.filter(({ state }) => state === 'free')) books.drop(book, clipped(run, lease));
      }
      if (runs.some(({ state }) => state === 'leased' || (state === 'free' && lease.expires_at > now))) continue;
      if (await books.ledger.upstream.isInOutbox(lease.contest, lease.first, lease.past)) continue;
      await books.ledger.upstream.deleteUpstreamLease(lease.contest, lease.first);
      over.push(lease);
    }
    return over;
  }

  wrong(text: string): void {
    this.errors = [{ at: this.#ports.clock(), text }, ...this.errors].slice(0, MAX_ERRORS);
    this.#ports.log.warn({ upstream: text }, 'upstream');
  }
}

const stockSettings = (contest: string, { minStock, maxStock, maxBufferDays, mode }: ProxySettings): StockSettings => ({
  minStock: minStock?.[contest],
  maxStock: maxStock?.[contest],
  maxBufferDays,
  expert: mode === 'offline',
});
