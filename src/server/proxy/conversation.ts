/**
 * A proxy's conversation with its upstream: when there is something to say, what, and what becomes of the answer. One at
 * a time; it ends when its answer is in the ledger, so that a kill at any moment loses no report, and one that is sent
 * twice is a duplicate up there.
 */
import type { ContestState } from '../../domain/contest.ts';
import { Backoff } from '../../protocol/backoff.ts';
import { RefusedError, UnreachableError } from '../../protocol/errors.ts';
import {
  type ExchangeReply,
  type ExchangeRequest,
  MAX_HOLDING,
  MAX_PROXY_UNITS,
  type ReleaseRequest,
  type UpstreamState,
} from '../../protocol/keyserver.ts';
import type { Books } from '../ledger/books.ts';
import type { Desk } from '../ledger/desk.ts';
import { makeAssertion } from '../proof/assertion.ts';
import { linksIn, MAX_LINKS } from '../proof/chain.ts';
import type { KeyPair } from '../proof/key.ts';
import type { UpstreamLeaseRow } from '../store/schema.ts';
import { coalesce, type Parcel } from './coalesce.ts';
import { clipped } from './holding.ts';
import type { Known } from './known.ts';
import type { ProxyPorts } from './proxy.ts';
import { Upstreams } from './upstreams.ts';

const REPORT_BATCH = 256;
const REPORT_AGE_SECONDS = 120;
/** Reports of one conversation, and about how long its body may be. */
const MAX_ROWS = 1024;
const MAX_REPORT_BYTES = 3_000_000;
const CONTESTS_EVERY_MS = 600_000;

export class Conversation {
  readonly #ports: ProxyPorts;
  readonly #desk: Desk;
  readonly #key: KeyPair;
  readonly #known: Known;
  readonly #upstreams: Upstreams;
  readonly #backoff: Backoff;
  #talking: Promise<void> | undefined;
  /** No call before this time, milliseconds since 1970. */
  #nextAt = 0;
  #contestsAt = 0;
  /** No asking for work of a contest before this time. */
  readonly #askAt = new Map<string, number>();

  constructor(ports: ProxyPorts, desk: Desk, key: KeyPair, known: Known) {
    this.#ports = ports;
    this.#desk = desk;
    this.#key = key;
    this.#known = known;
    this.#backoff = new Backoff(ports.random);
    const { fallback = true } = ports.settings;
    this.#upstreams = new Upstreams(ports.upstreams, { fallback, clock: ports.clock });
  }

  get upstreams(): UpstreamState[] {
    return this.#upstreams.states;
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    await this.#talking;
  }

  /** Speaks now, if it may. Never throws: what goes wrong is in the status. */
  talk(): Promise<void> {
    if (!this.mayTalk) return Promise.resolve();
    this.#talking ??= this.#converse().finally(() => {
      this.#talking = undefined;
    });
    return this.#talking;
  }

  get mayTalk(): boolean {
    const { settings, schedule, isOnline, clock } = this.#ports;
    const { mode = 'normal' } = settings;
    const isOn = mode === 'normal' || (mode === 'only-when-online' && (isOnline?.() ?? true));
    return isOn && (schedule?.(new Date(clock())) ?? true) && this.#nextAt <= clock();
  }

  mayAsk(contests: readonly string[]): boolean {
    const now = this.#ports.clock();
    return contests.some((contest) => this.#isOpen(contest) && (this.#askAt.get(contest) ?? 0) <= now);
  }

  #isOpen(contest: string): boolean {
    return this.#known.states.get(contest)?.state === 'open';
  }

  get isDue(): boolean {
    const { clock, settings } = this.#ports;
    const { reportBatch = REPORT_BATCH, reportAgeSeconds = REPORT_AGE_SECONDS } = settings;
    const now = clock();
    const { count, oldest, urgent } = this.#known.waiting;
    if (urgent || count >= reportBatch || (count > 0 && now - oldest >= reportAgeSeconds * 1000)) return true;
    if (this.#contestsAt <= now) return true;
    return this.#known.stock.some(({ contest, free, low }) => free < low && this.mayAsk([contest]));
  }

  async #converse(): Promise<void> {
    const { clock, settings } = this.#ports;
    try {
      if (this.#contestsAt <= clock()) await this.#fetchContests();
      // Each round hands up a body of reports and fills one contest; there are few of either.
      for (let round = 0; round < 64; round++) if (!(await this.#round())) break;
      this.#backoff.reset();
      this.#nextAt = clock() + (settings.connectPeriodSeconds ?? 0) * 1000;
    } catch (error) {
      const retryAfter = error instanceof UnreachableError ? (error.retryAfterSeconds ?? 0) : 0;
      this.#nextAt = clock() + this.#backoff.next(retryAfter);
      if (error instanceof RefusedError && error.code === 'contest_unknown') this.#contestsAt = 0;
      this.#known.wrong(error instanceof Error ? error.message : String(error));
      if (!(error instanceof RefusedError || error instanceof UnreachableError)) {
        this.#ports.log.error({ err: error }, 'the conversation with the upstream failed');
      }
    }
    await this.#known.look();
  }

  /** One exchange; whether another is due at once. */
  async #round(): Promise<boolean> {
    const { clock } = this.#ports;
    const { parcels, more } = await this.#parcels();
    const want = this.#want();
    if (parcels.length === 0 && want.blocks === 0) return false;
    const reply = await this.#exchange(parcels, want);
    for (const { contest } of want.from) {
      if (reply.leases.length === 0) this.#askAt.set(contest, clock() + Math.max(5, reply.retryAfterSeconds) * 1000);
    }
    await this.#known.look();
    // What came meanwhile waits for the next batch: at a busy proxy something always has.
    return more || this.#want().blocks > 0;
  }

  /** What goes up next, and whether that leaves something of what waits now. */
  async #parcels(): Promise<{ parcels: Parcel[]; more: boolean }> {
    const rows = await this.#ports.store.read((ledger) => ledger.outbox(MAX_ROWS));
    let room = MAX_REPORT_BYTES;
    const some = rows.filter(({ body }, i) => {
      room -= body.length;
      return i === 0 || room > 0;
    });
    return { parcels: coalesce(some), more: rows.length === MAX_ROWS || some.length < rows.length };
  }

  /** Fills the first contest that is below its low watermark. */
  #want(): ExchangeRequest['want'] {
    const holding = this.#known.holding.all().map(({ id }) => id);
    const some = holding.length > MAX_HOLDING ? {} : { holding: [...new Set(holding)] };
    const short = this.#known.stock.find(({ contest, free, low }) => free < low && this.mayAsk([contest]));
    if (short === undefined) return { blocks: 0, from: [] };
    const missing = short.high - short.free;
    const units = Math.max(1, Math.min(MAX_PROXY_UNITS, Math.ceil(missing / 4)));
    const blocks = Math.min(64, Math.ceil(missing / units));
    return { blocks, from: [{ contest: short.contest, units }], ...some };
  }

  async #exchange(parcels: readonly Parcel[], want: ExchangeRequest['want']): Promise<ExchangeReply> {
    const reply = await this.#upstreams.call((keyserver) =>
      keyserver.exchange({
        protocols: ['keyserver<-proxy/1'],
        client: this.#self(),
        assertion: makeAssertion(this.#key, this.#ports.clock()),
        reports: parcels.map(({ report }) => report),
        want,
      }),
    );
    await this.#record(parcels, reply);
    return reply;
  }

  async #record(parcels: readonly Parcel[], reply: ExchangeReply): Promise<void> {
    try {
      await this.#desk.run((books) => this.#apply(books, parcels, reply));
    } catch (error) {
      // Not written: the upstream hands them out again to a proxy that does not know of them.
      for (const lease of reply.leases) this.#known.holding.remove(lease);
      throw error;
    }
  }

  /** Writes the upstream's answer down. */
  async #apply(books: Books, parcels: readonly Parcel[], reply: ExchangeReply): Promise<void> {
    const { ledger } = books;
    const answered: string[] = [];
    for (const [i, { ids, report }] of parcels.entries()) {
      const result = reply.results[i];
      if (result === undefined) continue;
      answered.push(...ids);
      if (result.outcome !== 'refused') continue;
      // It was checked here and found good: only a lease that was revoked or forgotten up there is refused.
      this.#known.wrong(`the upstream refused ${report.contest}/${report.first}: ${result.detail ?? result.code}`);
    }
    await ledger.deleteOutbox(answered);
    const usable = reply.leases.filter(({ proof }) => linksIn(proof ?? '') < MAX_LINKS);
    for (const { id, contest, first, count, expiresAt, proof } of usable) {
      const book = books.get(contest);
      if (book === undefined) continue;
      const row: UpstreamLeaseRow = {
        id,
        contest,
        first,
        past: first + count,
        expires_at: expiresAt,
        proof: proof ?? null,
      };
      for (const over of this.#known.holding.add(row)) await ledger.deleteUpstreamLease(contest, over.first);
      await ledger.putUpstreamLeases([row]);
      await book.line.load([{ first, count }]);
      books.stock(book, { first, count });
    }
    if (reply.trusted !== undefined) this.#known.trusted = reply.trusted;
    this.#known.messages = reply.messages ?? [];
    this.#noteStates(books, reply.contests);
    if (reply.contests.some(({ name }) => books.get(name) === undefined)) this.#contestsAt = 0;
    await this.#known.keep(ledger);
  }

  async #fetchContests(): Promise<void> {
    const contests = await this.#upstreams.call((keyserver) => keyserver.contests());
    this.#contestsAt = this.#ports.clock() + CONTESTS_EVERY_MS;
    await this.#desk.run(async (books) => {
      const known = new Map([...books.all()].map((book) => [book.row.name, book]));
      for (const [position, { manifest, state }] of contests.entries()) {
        const text = JSON.stringify(manifest);
        const book = known.get(manifest.name);
        if (book === undefined) await books.ledger.insertContest(newContest(state, text, position));
        else if (book.row.manifest !== text || book.row.position !== position || book.row.offered === 0) {
          await books.ledger.updateContest(manifest.name, { manifest: text, position, offered: 1 });
        }
      }
      for (const [name, { row }] of known) {
        const isThere = contests.some(({ manifest }) => manifest.name === name);
        if (!isThere && row.offered === 1) await books.ledger.updateContest(name, { offered: 0 });
      }
      this.#known.states = new Map(contests.map(({ state }) => [state.name, state]));
      this.#noteStates(books, [...this.#known.states.values()]);
    });
    await this.#known.look();
  }

  #noteStates(books: Books, states: readonly ContestState[]): void {
    for (const state of states) {
      this.#known.states.set(state.name, state);
      const book = books.get(state.name);
      const closed = state.closedBy ?? null;
      if (book === undefined || book.row.closed_by === closed) continue;
      book.row.closed_by = closed;
      book.changed = true;
    }
  }

  /** Hands up what waits, and gives the stock back. */
  async giveBack(): Promise<void> {
    try {
      for (let round = 0; round < 64; round++) {
        const { parcels } = await this.#parcels();
        if (parcels.length === 0) break;
        await this.#exchange(parcels, { blocks: 0, from: [] });
      }
      await this.#releaseStock();
    } catch (error) {
      // Unanswered, the leases run out up there by themselves; the reports are sent at the next start.
      this.#known.wrong(`the stock was not given back: ${(error as Error).message}`);
    }
  }

  async #releaseStock(): Promise<void> {
    const parts: NonNullable<ReleaseRequest['parts']> = [];
    await this.#desk.run(async (books) => {
      for (const lease of this.#known.holding.all()) {
        const book = books.get(lease.contest);
        const range = { first: lease.first, count: lease.past - lease.first };
        await book?.line.load([range]);
        for (const run of book?.line.within(range) ?? []) {
          if (book === undefined || run.state !== 'free') continue;
          const part = clipped(run, lease);
          books.drop(book, part);
          parts.push({ lease: lease.id, contest: lease.contest, first: part.first, count: part.past - part.first });
        }
      }
    });
    for (let i = 0; i < parts.length; i += 1000) {
      const assertion = makeAssertion(this.#key, this.#ports.clock());
      const request = { client: this.#self(), assertion, leases: [], parts: parts.slice(i, i + 1000) };
      await this.#upstreams.call((keyserver) => keyserver.release(request));
    }
  }

  #self(): ExchangeRequest['client'] {
    const { name, version } = this.#ports;
    return { id: this.#key.id, version, class: 'proxy', ...(name === undefined ? {} : { name }) };
  }
}

const newContest = ({ name, closedBy }: ContestState, manifest: string, position: number) => ({
  name,
  position,
  manifest,
  priority: null,
  weight: null,
  allocation: null,
  cursor: null,
  closed_by: closedBy ?? null,
  done: 0,
  leased: 0,
  origin: 'upstream' as const,
  offered: 1,
});
