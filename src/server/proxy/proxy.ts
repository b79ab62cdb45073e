/**
 * A proxy: a keyserver with an upstream. It leases big blocks, hands them on in parts, checks the evidence that comes
 * back, and passes it up with the names of those who did the work; it goes on with all of it while the upstream is away.
 *
 * Its ledger is a keymaster's, with other words: `free` is its stock, `leased` what its clients have, `done` what they
 * finished. A report is in the out-buffer (table `outbox`) from the commit that made its units done until the upstream
 * has answered for it, so that a kill at any moment loses none, and one that is sent twice is a duplicate up there.
 *
 * One conversation with the upstream at a time; it ends when its answer is in the ledger.
 */
import { randomUUID } from 'node:crypto';
import { Value } from 'typebox/value';
import type { Contest, ContestState } from '../../domain/contest.ts';
import { endOf } from '../../domain/units.ts';
import type { Lease } from '../../domain/work.ts';
import { Backoff } from '../../protocol/backoff.ts';
import { RefusedError, UnreachableError } from '../../protocol/errors.ts';
import type {
  ExchangeReply,
  ExchangeRequest,
  Keyserver,
  ReleaseReply,
  ReleaseRequest,
  Status,
  Stock,
} from '../../protocol/keyserver.ts';
import { MAX_HOLDING, MAX_PROXY_UNITS } from '../../protocol/keyserver.ts';
import { type Books, manifestOf } from '../ledger/books.ts';
import { Desk, type DeskPorts } from '../ledger/desk.ts';
import { Proxies, type ProxyPolicy } from '../ledger/proxies.ts';
import type { Accepted, Role } from '../ledger/role.ts';
import { statusOf } from '../ledger/status.ts';
import { makeAssertion } from '../proof/assertion.ts';
import { linksIn, MAX_LINKS } from '../proof/chain.ts';
import { generateKey, KeyPair } from '../proof/key.ts';
import { Rates, SavedRates } from '../statistics/rates.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { UpstreamLeaseRow } from '../store/schema.ts';
import { StoreError } from '../store/store.ts';
import { coalesce, type Parcel } from './coalesce.ts';
import { Holding } from './holding.ts';
import { type Upstream, Upstreams } from './upstreams.ts';
import { type StockSettings, type Watermarks, watermarks } from './watermarks.ts';

/** `only-when-online`: speaks with the upstream while `isOnline` says so. */
export type ProxyMode = 'normal' | 'offline' | 'only-when-online';

export interface ProxySettings extends StockSettings {
  mode?: ProxyMode | undefined;
  /** Reports that make it speak up, and the age of one, in seconds, that does. */
  reportBatch?: number | undefined;
  reportAge?: number | undefined;
  /** The least time between two conversations that nothing urgent asks for, in seconds. */
  connectPeriod?: number | undefined;
  /** False: only the first upstream, whatever happens. */
  fallback?: boolean | undefined;
  proxies?: ProxyPolicy | undefined;
}

export interface ProxyPorts extends DeskPorts {
  upstreams: readonly Upstream[];
  settings: ProxySettings;
  /** Shown to the upstream. */
  name?: string | undefined;
  version: string;
  /** When it may speak with the upstream; always unless told. */
  schedule?(at: Date): boolean;
  isOnline?(): boolean;
  messages?: readonly string[];
}

const REPORT_BATCH = 256;
const REPORT_AGE_SECONDS = 120;
/** Reports of one conversation, and about how long its body may be. */
const MAX_ROWS = 1024;
const MAX_REPORT_BYTES = 3_000_000;
const CONTESTS_EVERY_MS = 600_000;
const NEWS_EVERY_MS = 60_000;
/** A client that finds the stock empty waits this long for the upstream's answer. */
const PATIENCE_MS = 5_000;
const MAX_ERRORS = 20;

export class Proxy implements Keyserver {
  readonly desk: Desk;
  readonly #ports: ProxyPorts;
  readonly #startedAt: number;
  readonly #upstreams: Upstreams;
  readonly #proxies: Proxies;
  readonly #backoff: Backoff;
  readonly #key: KeyPair;
  #holding = new Holding();
  /** What the upstream said last. */
  #trusted: string[] = [];
  #states = new Map<string, ContestState>();
  #messages: string[] = [];
  #rates = new Rates();
  #stock: Stock[] = [];
  #waiting = { count: 0, oldest: 0, urgent: false };

  #talking: Promise<void> | undefined;
  #nextAt = 0;
  #contestsAt = 0;
  #lookedAt = 0;
  #askAt = new Map<string, number>();
  /** Blocks that clients wanted and that were not here, by contest. */
  #wanted = new Map<string, number>();
  /** A client's block, units. */
  #blockUnits = new Map<string, number>();
  #errors: { at: number; text: string }[] = [];

  private constructor(ports: ProxyPorts, key: KeyPair) {
    this.#ports = ports;
    this.#key = key;
    this.#startedAt = ports.clock();
    const { fallback = true } = ports.settings;
    this.#upstreams = new Upstreams(ports.upstreams, { fallback, clock: ports.clock });
    this.#backoff = new Backoff(ports.random);
    this.#proxies = new Proxies(ports.settings.proxies);
    this.desk = new Desk(ports, this.#role());
  }

  /** @throws StoreError the ledger is a keymaster's. */
  static async open(ports: ProxyPorts): Promise<Proxy> {
    const secret = await ports.store.transaction(async (ledger) => {
      const role = await ledger.meta('role');
      if (role === undefined && (await ledger.contests()).length > 0) {
        throw new StoreError("this ledger is a keymaster's: a proxy needs a data folder of its own");
      }
      await ledger.setMeta('role', 'proxy');
      const known = await ledger.meta('proxy-key');
      if (known !== undefined) return known;
      const made = generateKey().secret();
      await ledger.setMeta('proxy-key', made);
      return made;
    });
    const proxy = new Proxy(ports, new KeyPair(secret));
    await ports.store.read((ledger) => proxy.#remember(ledger));
    await proxy.#look();
    return proxy;
  }

  /** Its name at its upstream: what an operator up there lists or revokes. */
  get id(): string {
    return this.#key.id;
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeReply> {
    await this.#knowContests([...request.reports, ...request.want.from].map(({ contest }) => contest));
    // So that work comes from the contests that the client named first, and not from those that happen to be here.
    if (this.#mayTalk() && this.#order(request.want.from, request.want.blocks)) await this.#patiently(this.talk());
    const reply = await this.desk.exchange(request);
    for (const [i, { credited }] of reply.results.entries()) {
      if (credited > 0) this.#rates.add(request.reports[i]?.contest ?? '', credited, reply.now);
    }
    if (reply.results.some(({ hits }) => hits.length > 0)) this.#speakSoon();
    const missing = request.want.blocks - reply.leases.length;
    if (missing <= 0 || !this.#mayTalk()) return reply;
    await this.#look();
    if (!this.#order(request.want.from, missing)) return reply;
    await this.#patiently(this.talk());
    const { leases } = reply;
    const holding = [...(request.want.holding ?? []), ...leases.map(({ id }) => id)];
    const want = { ...request.want, blocks: missing, ...(request.want.holding === undefined ? {} : { holding }) };
    const more = await this.desk.exchange({ ...request, reports: [], want });
    return { ...more, results: reply.results, leases: [...leases, ...more.leases] };
  }

  release(request: ReleaseRequest): Promise<ReleaseReply> {
    return this.desk.release(request);
  }

  async contests(): Promise<Contest[]> {
    await this.#knowContests();
    return this.desk.read(async (books) =>
      books.contests().map(({ manifest, state }) => ({ manifest, state: this.#shown(state) })),
    );
  }

  async status(): Promise<Status> {
    await this.desk.count();
    await this.#look();
    const { version, clock } = this.#ports;
    return this.desk.read(async (books) => {
      const own = await statusOf(books, { version, startedAt: this.#startedAt, now: clock() });
      return {
        ...own,
        role: 'proxy',
        contests: own.contests.map((state) => this.#shown(state)),
        stock: this.#stock,
        upstreams: this.#upstreams.states,
        errors: [...this.#errors],
      };
    });
  }

  /** Frees what is overdue, counts, forgets upstream leases that are done with. For a timer. */
  async sweep(): Promise<void> {
    await this.desk.run(({ ledger }) => this.#proxies.write(ledger));
    await this.desk.sweep();
    const over = await this.desk.run((books, now) => this.#forget(books, now));
    for (const lease of over) this.#holding.remove(lease);
    await this.#ports.store.transaction((ledger) => this.#keep(ledger));
    await this.#ports.store.read((ledger) => this.#proxies.read(ledger));
  }

  /** Speaks with the upstream if there is something to say. For a timer of a second. */
  async tick(): Promise<void> {
    await this.#look();
    if (this.#isDue()) await this.talk();
  }

  /** Speaks with the upstream now, if it may. Never throws: what goes wrong is in the status. */
  talk(): Promise<void> {
    if (!this.#mayTalk()) return Promise.resolve();
    this.#talking ??= this.#converse().finally(() => {
      this.#talking = undefined;
    });
    return this.#talking;
  }

  /**
   * Answers what waits and takes no more. Hands up what it can and gives the stock back, unless it is to be kept for the
   * next start.
   */
  async close({ keepStock = false } = {}): Promise<void> {
    await this.#talking;
    if (!keepStock && this.#mayTalk()) await this.#patiently(this.#giveBack());
    await this.desk.close();
    await this.#ports.store.transaction((ledger) => this.#keep(ledger));
  }

  #role(): Role {
    return {
      key: () => this.#key,
      isTrusted: (key) => this.#trusted.includes(key),
      learnKeys: () => this.#hearNews(),
      isRevoked: (key) => this.#proxies.isRevoked(key),
      admitProxy: (request, now) => this.#proxies.admit(request, now),
      source: (contest, unit) => {
        const lease = this.#holding.at(contest, unit);
        if (lease === undefined) return { past: unit + 1, expiresAt: 0 };
        const { past, expires_at: expiresAt, proof } = lease;
        return { past, expiresAt, proof: proof ?? undefined };
      },
      accepted: (books, accepted) => this.#accepted(books, accepted),
      messages: () => [...(this.#ports.messages ?? []), ...this.#messages],
      directives: () => [],
      trusted: () => this.#trusted,
      shown: (state) => this.#shown(state),
    };
  }

  /** Puts a verified report into the out-buffer, under the lease that the upstream knows. */
  async #accepted({ ledger }: Books, { report, client, hits, at }: Accepted): Promise<void> {
    const { contest, first } = report;
    const lease = this.#holding.at(contest, first);
    const isOurs = lease !== undefined && first + report.evidence.length <= lease.past;
    const up = isOurs ? { lease: lease.id, ...(lease.proof === null ? {} : { proof: lease.proof }) } : {};
    const body = JSON.stringify({ ...report, ...up, client, finishedAt: report.finishedAt ?? at });
    const urgent = hits.length > 0 ? 1 : 0;
    await ledger.putOutbox([{ id: randomUUID(), contest, first, at, urgent, body }]);
  }

  /** The contest as the upstream knows it: its progress is the search's, not this proxy's. */
  #shown(state: ContestState): ContestState {
    const above = this.#states.get(state.name);
    if (above === undefined) return state;
    const hits = above.hits.length >= state.hits.length ? above.hits : state.hits;
    return state.state === 'closed'
      ? { ...above, ...state, done: above.done, leased: above.leased, hits }
      : { ...above, hits };
  }

  /** @throws UnreachableError it has never heard of any: to say that there are none would make clients drop their work. */
  async #knowContests(asked: readonly string[] = []): Promise<void> {
    if (this.#states.size === 0) await this.#patiently(this.talk());
    if (asked.some((contest) => !this.#states.has(contest))) await this.#hearNews();
    if (this.#states.size === 0) throw new UnreachableError('this proxy has not reached its upstream yet');
  }

  /** Asks for contests and keys out of turn, but once a minute at most: anyone can name what does not exist. */
  async #hearNews(): Promise<void> {
    if (this.#contestsAt - this.#ports.clock() > CONTESTS_EVERY_MS - NEWS_EVERY_MS) return;
    this.#contestsAt = 0;
    await this.#patiently(this.talk());
  }

  // When to speak

  #mayTalk(): boolean {
    const { settings, schedule, isOnline, clock } = this.#ports;
    const { mode = 'normal' } = settings;
    const isOn = mode === 'normal' || (mode === 'only-when-online' && (isOnline?.() ?? true));
    return isOn && (schedule?.(new Date(clock())) ?? true) && this.#nextAt <= clock();
  }

  #mayAsk(contest: string): boolean {
    return this.#isOpen(contest) && (this.#askAt.get(contest) ?? 0) <= this.#ports.clock();
  }

  /** Notes what a client wants and the stock lacks; whether there is anything that may be asked for. */
  #order(from: ExchangeRequest['want']['from'], blocks: number): boolean {
    let left = blocks;
    let isShort = false;
    for (const { contest } of from) {
      const free = this.#stock.find((stock) => stock.contest === contest)?.free ?? 0;
      left -= Math.floor(free / (this.#blockUnits.get(contest) ?? 1));
      if (left <= 0) break;
      if (!this.#mayAsk(contest)) continue;
      this.#wanted.set(contest, (this.#wanted.get(contest) ?? 0) + left);
      isShort = true;
    }
    return isShort;
  }

  #isOpen(contest: string): boolean {
    return this.#states.get(contest)?.state === 'open';
  }

  #isDue(): boolean {
    const { clock, settings } = this.#ports;
    const { reportBatch = REPORT_BATCH, reportAge = REPORT_AGE_SECONDS } = settings;
    const now = clock();
    const { count, oldest, urgent } = this.#waiting;
    if (urgent || count >= reportBatch || (count > 0 && now - oldest >= reportAge * 1000)) return true;
    if (this.#contestsAt <= now) return true;
    return this.#stock.some(({ contest, free, low }) => free < low && this.#mayAsk(contest));
  }

  #speakSoon(): void {
    this.talk().catch(() => {});
  }

  async #patiently(work: Promise<unknown>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  // A conversation

  async #converse(): Promise<void> {
    const { clock, settings } = this.#ports;
    try {
      const isNews = this.#contestsAt <= clock();
      if (isNews) await this.#fetchContests();
      // Each round hands up a body of reports and fills one contest; there are few of either. With the contests come
      // the keys that are trusted, even if there is nothing to say.
      for (let round = 0; round < 64; round++) if (!(await this.#round(isNews && round === 0))) break;
      this.#backoff.reset();
      this.#nextAt = clock() + (settings.connectPeriod ?? 0) * 1000;
    } catch (error) {
      this.#wanted.clear();
      const retryAfter = error instanceof UnreachableError ? (error.retryAfterSeconds ?? 0) : 0;
      this.#nextAt = clock() + this.#backoff.next(retryAfter);
      if (error instanceof RefusedError && error.code === 'contest_unknown') this.#contestsAt = 0;
      this.#wrong(error instanceof Error ? error.message : String(error));
      if (!(error instanceof RefusedError || error instanceof UnreachableError)) {
        this.#ports.log.error({ err: error }, 'the conversation with the upstream failed');
      }
      await this.#look();
    }
  }

  /** One exchange; whether another is due at once. */
  async #round(evenIdle: boolean): Promise<boolean> {
    const { clock } = this.#ports;
    const parcels = await this.#parcels();
    const want = this.#want();
    if (parcels.length === 0 && want.blocks === 0 && !evenIdle) return false;
    // What clients want from here on is another round's.
    for (const { contest } of want.from) this.#wanted.delete(contest);
    const reply = await this.#exchange(parcels, want);
    const isTooDeep = reply.leases.length > 0 && !reply.leases.some(isUsable);
    if (isTooDeep) this.#wrong(`there are ${MAX_LINKS} tiers above already: what comes from there cannot be handed on`);
    for (const { contest } of want.from) {
      if (reply.leases.length === 0 || isTooDeep)
        this.#askAt.set(contest, clock() + Math.max(5, reply.retryAfterSeconds) * 1000);
    }
    await this.#look();
    return this.#waiting.count > 0 ? parcels.length > 0 : this.#want().blocks > 0;
  }

  async #parcels(): Promise<Parcel[]> {
    const rows = await this.#ports.store.read((ledger) => ledger.outbox(MAX_ROWS));
    let room = MAX_REPORT_BYTES;
    const some = rows.filter(({ body }, i) => {
      room -= body.length;
      return i === 0 || room > 0;
    });
    return coalesce(some);
  }

  /** Fills the first contest that is below its low watermark, or of which clients want more. */
  #want(): ExchangeRequest['want'] {
    const holding = this.#holding.all().map(({ id }) => id);
    const some = holding.length > MAX_HOLDING ? {} : { holding: [...new Set(holding)] };
    const isShort = ({ contest, free, low }: Stock): boolean => free < low || this.#wanted.has(contest);
    const short = this.#stock.find((stock) => isShort(stock) && this.#mayAsk(stock.contest));
    if (short === undefined) return { blocks: 0, from: [] };
    const { contest, free, high } = short;
    const blockUnits = this.#blockUnits.get(contest) ?? 1;
    const missing = Math.max(high - free, (this.#wanted.get(contest) ?? 0) * blockUnits);
    // In few pieces, that cut no client's block.
    const units = Math.min(MAX_PROXY_UNITS, Math.ceil(missing / 4 / blockUnits) * blockUnits);
    const blocks = Math.min(64, Math.ceil(missing / units));
    return { blocks, from: [{ contest, units }], ...some };
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
      await this.desk.run((books) => this.#apply(books, parcels, reply));
      for (const state of reply.contests) this.#states.set(state.name, state);
    } catch (error) {
      // Not written: the upstream hands them out again to a proxy that does not know of them.
      this.#holding = new Holding(await this.#ports.store.read((ledger) => ledger.upstreamLeases()));
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
      this.#wrong(`the upstream refused ${report.contest}/${report.first}: ${result.detail ?? result.code}`);
      // Not done, then: they may be handed out here again.
      const book = books.get(report.contest);
      const range = { first: report.first, count: report.evidence.length };
      await book?.line.load([range]);
      for (const run of book?.line.within(range) ?? []) {
        if (book === undefined || run.state !== 'done') continue;
        books.drop(book, clipped(run, { first: range.first, past: endOf(range) }));
      }
    }
    await ledger.deleteOutbox(answered);
    // As the table has it: this may be the second try of a commit.
    this.#holding = new Holding(await ledger.upstreamLeases());
    for (const { id, contest, first, count, expiresAt, proof } of reply.leases.filter(isUsable)) {
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
      const { gone, put } = this.#holding.add(row);
      for (const over of gone) await ledger.deleteUpstreamLease(contest, over.first);
      await ledger.putUpstreamLeases(put);
      await book.line.load([{ first, count }]);
      books.stock(book, { first, count });
    }
    if (reply.trusted !== undefined) this.#trusted = reply.trusted;
    this.#messages = reply.messages ?? [];
    this.#noteStates(books, reply.contests);
    if (reply.contests.some(({ name }) => books.get(name) === undefined)) this.#contestsAt = 0;
    await this.#keep(ledger);
  }

  async #fetchContests(): Promise<void> {
    const contests = await this.#upstreams.call((keyserver) => keyserver.contests());
    const states = new Map(contests.map(({ state }) => [state.name, state]));
    await this.desk.run(async (books) => {
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
      this.#noteStates(books, [...states.values()]);
      await this.#keep(books.ledger, states);
    });
    this.#states = states;
    this.#contestsAt = this.#ports.clock() + CONTESTS_EVERY_MS;
    await this.#look();
  }

  #noteStates(books: Books, states: readonly ContestState[]): void {
    for (const state of states) {
      const book = books.get(state.name);
      const closed = state.closedBy ?? null;
      if (book === undefined || book.row.closed_by === closed) continue;
      book.row.closed_by = closed;
      book.changed = true;
    }
  }

  /** Upstream leases of which nothing is left here; the time of some is over, and their units are no stock. */
  async #forget(books: Books, now: number): Promise<UpstreamLeaseRow[]> {
    const over: UpstreamLeaseRow[] = [];
    for (const lease of this.#holding.all()) {
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
      const waiting = await books.ledger.outboxUnits(lease.contest);
      if (waiting.some((unit) => unit >= lease.first && unit < lease.past)) continue;
      await books.ledger.deleteUpstreamLease(lease.contest, lease.first);
      over.push(lease);
    }
    return over;
  }

  async #giveBack(): Promise<void> {
    try {
      for (let round = 0; round < 64; round++) {
        const parcels = await this.#parcels();
        if (parcels.length === 0) break;
        await this.#exchange(parcels, { blocks: 0, from: [] });
      }
      await this.#releaseStock();
    } catch (error) {
      // Unanswered, the leases run out up there by themselves; the reports are sent at the next start.
      this.#wrong(`the stock was not given back: ${(error as Error).message}`);
    }
  }

  async #releaseStock(): Promise<void> {
    const parts: NonNullable<ReleaseRequest['parts']> = [];
    await this.desk.run(async (books) => {
      for (const lease of this.#holding.all()) {
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

  // What it knows

  #self(): ExchangeRequest['client'] {
    const { name, version } = this.#ports;
    return { id: this.#key.id, version, class: 'proxy', ...(name === undefined ? {} : { name }) };
  }

  /** Looks at stock and out-buffer. */
  async #look(): Promise<void> {
    const now = this.#ports.clock();
    const { settings, store } = this.#ports;
    // After a clock was set back by a month nobody should wait for a month.
    if (now < this.#lookedAt) {
      this.#nextAt = 0;
      this.#contestsAt = 0;
      this.#askAt.clear();
    }
    this.#lookedAt = now;
    const uptimeSeconds = (now - this.#startedAt) / 1000;
    await store.read(async (ledger) => {
      const free = await ledger.freeUnits();
      const waiting = await ledger.countOutbox();
      const rows = await ledger.contests();
      this.#waiting = {
        count: waiting.reduce((sum, { count }) => sum + count, 0),
        oldest: Math.min(now, ...waiting.map(({ oldest }) => oldest)),
        urgent: waiting.some(({ urgent }) => urgent > 0),
      };
      this.#blockUnits = new Map(rows.map(({ name, manifest }) => [name, manifestOf(manifest).block.maxUnits]));
      this.#stock = rows
        .filter(({ offered }) => offered === 1)
        .map((row): Stock => {
          const above = this.#states.get(row.name);
          const { units, block } = manifestOf(row.manifest);
          const mark: Watermarks =
            row.closed_by === null && above !== undefined
              ? watermarks(settings, {
                  unitsPerSecond: this.#rates.unitsPerSecond(row.name, 86_400, now),
                  uptimeSeconds,
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
  async #keep(ledger: LedgerQueries, states = this.#states): Promise<void> {
    const state: Kept = { trusted: this.#trusted, states: [...states.values()], rates: this.#rates.toJSON() };
    await ledger.setMeta('state', JSON.stringify(state));
  }

  async #remember(ledger: LedgerQueries): Promise<void> {
    this.#holding = new Holding(await ledger.upstreamLeases());
    await this.#proxies.read(ledger);
    const text = await ledger.meta('state');
    if (text === undefined) return;
    const { trusted, states, rates } = JSON.parse(text) as Kept;
    this.#trusted = trusted;
    this.#states = new Map(states.map((state) => [state.name, state]));
    if (Value.Check(SavedRates, rates)) this.#rates = Rates.from(rates);
  }

  #wrong(text: string): void {
    this.#errors = [{ at: this.#ports.clock(), text }, ...this.#errors].slice(0, MAX_ERRORS);
    this.#ports.log.warn({ upstream: text }, 'upstream');
  }
}

interface Kept {
  trusted: string[];
  states: ContestState[];
  rates: unknown;
}

/** Whether one more link fits its proof. */
const isUsable = ({ proof }: Lease): boolean => linksIn(proof ?? '') < MAX_LINKS;

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

const clipped = <T extends { first: number; past: number }>(run: T, lease: { first: number; past: number }): T => ({
  ...run,
  first: Math.max(run.first, lease.first),
  past: Math.min(run.past, lease.past),
});
