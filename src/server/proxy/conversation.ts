/**
 * A proxy's conversation with its upstream: when there is something to say, what, and what becomes of the answer. One at
 * a time; it ends when its answer is in the ledger, so that a kill at any moment loses no report, and one that is sent
 * twice is a duplicate up there.
 */
import type { ClientInfo } from '../../domain/client.ts';
import type { Lease } from '../../domain/work.ts';
import { Backoff } from '../../protocol/backoff.ts';
import { RefusedError, UnreachableError } from '../../protocol/errors.ts';
import {
  type ExchangeReply,
  type ExchangeRequest,
  MAX_HOLDING,
  MAX_PROXY_UNITS,
  type ReleaseRequest,
  type Stock,
  type UpstreamState,
} from '../../protocol/keyserver.ts';
import type { MapQuery, UnitMap } from '../../protocol/unit-map.ts';
import type { Books } from '../ledger/books.ts';
import type { Desk } from '../ledger/desk.ts';
import type { Kiosks } from '../ledger/kiosks.ts';
import { clipped } from '../ledger/line.ts';
import { makeAssertion } from '../proof/assertion.ts';
import { linksIn, MAX_LINKS } from '../proof/chain.ts';
import type { KeyPair } from '../proof/key.ts';
import { enterContests, noteStates, takeLease, takeVerdicts } from './answers.ts';
import { type Parcel, waitingParcels } from './coalesce.ts';
import { Holding } from './holding.ts';
import type { Known } from './known.ts';
import type { ProxyPorts } from './proxy.ts';
import { selfOf } from './self.ts';
import { UpstreamMaps } from './upstream-maps.ts';
import { Upstreams } from './upstreams.ts';

const REPORT_BATCH = 256;
const REPORT_AGE_SECONDS = 120;
/** Reports of one conversation, and about how long its body may be. */
const MAX_ROWS = 1024;
const MAX_REPORT_BYTES = 3_000_000;
/** A client that finds the stock empty waits this long for the upstream's answer. */
const PATIENCE_MS = 5_000;
/** What a kiosk says of itself waits no longer for something else to go up. */
const KIOSK_AGE_MS = 30_000;
const CONTESTS_EVERY_MS = 600_000;
const NEWS_EVERY_MS = 60_000;

export class Conversation {
  readonly #ports: ProxyPorts;
  readonly #desk: Desk;
  readonly #key: KeyPair;
  readonly #known: Known;
  readonly #kiosks: Kiosks;
  readonly #upstreams: Upstreams;
  readonly #maps: UpstreamMaps;
  readonly #backoff: Backoff;
  #talking: Promise<void> | undefined;
  /** No call before this time, milliseconds since 1970. */
  #nextAt = 0;
  #contestsAt = 0;
  /** When the upstream last told its keys. */
  #keysAt = Number.NEGATIVE_INFINITY;
  /** No asking for work of a contest before this time. */
  readonly #askAt = new Map<string, number>();
  /** Blocks that clients wanted and that were not here, by contest. */
  readonly #wanted = new Map<string, number>();
  #lookedAt = 0;

  constructor(ports: ProxyPorts, desk: Desk, key: KeyPair, known: Known, kiosks: Kiosks) {
    this.#ports = ports;
    this.#desk = desk;
    this.#key = key;
    this.#known = known;
    this.#kiosks = kiosks;
    const { fallback = true } = ports.settings;
    this.#upstreams = new Upstreams(ports.upstreams, { fallback, clock: ports.clock });
    this.#maps = new UpstreamMaps(this.#upstreams, ports.clock);
    this.#backoff = new Backoff(ports.random);
  }

  get upstreams(): UpstreamState[] {
    return this.#upstreams.states;
  }

  map(query: MapQuery): Promise<UnitMap | undefined> {
    return this.patiently(this.#maps.map(query, this.mayTalk));
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
    return this.isAllowed && this.#nextAt <= this.#ports.clock();
  }

  /** Whether this is a time, and there is a network, to speak with an upstream at all. */
  get isAllowed(): boolean {
    const { settings, schedule, isOnline, clock } = this.#ports;
    const { mode = 'normal' } = settings;
    const isOn = mode === 'normal' || (mode === 'only-when-online' && (isOnline?.() ?? true));
    return isOn && (schedule?.(new Date(clock())) ?? true);
  }

  #mayAsk(contest: string): boolean {
    return this.#isOpen(contest) && (this.#askAt.get(contest) ?? 0) <= this.#ports.clock();
  }

  /** Notes what a client wants and the stock lacks; whether there is anything that may be asked for. */
  order(from: ExchangeRequest['want']['from'], blocks: number): boolean {
    let left = blocks;
    let isShort = false;
    for (const { contest } of from) {
      const free = this.#known.stock.find((stock) => stock.contest === contest)?.free ?? 0;
      left -= Math.floor(free / this.#known.blockUnits(contest));
      if (left <= 0) break;
      if (!this.#mayAsk(contest)) continue;
      this.#wanted.set(contest, (this.#wanted.get(contest) ?? 0) + left);
      isShort = true;
    }
    return isShort;
  }

  /** @throws UnreachableError it has never heard of any: to say that there are none would make clients drop their work. */
  async knowContests(asked: readonly string[] = []): Promise<void> {
    if (!this.#known.isAcquainted) await this.patiently(this.talk());
    if (asked.some((contest) => !this.#known.states.has(contest))) await this.hearNews();
    if (!this.#known.isAcquainted) throw new UnreachableError('this proxy has not reached its upstream yet');
  }

  /** The upstream has news: asks for contests and keys as soon as it may. */
  calledBack(): Promise<void> {
    this.#contestsAt = 0;
    return this.talk();
  }

  /** Asks for contests and keys out of turn, but once a minute at most: anyone can name what does not exist. */
  async hearNews(): Promise<void> {
    const areNew = this.#contestsAt - this.#ports.clock() > CONTESTS_EVERY_MS - NEWS_EVERY_MS;
    if (areNew && this.#areKeysNew) return;
    this.#contestsAt = 0;
    await this.patiently(this.talk());
  }

  /** @throws UnreachableError it cannot tell whether there are new keys: a report that it refused now would be lost. */
  async learnKeys(): Promise<void> {
    await this.hearNews();
    if (this.#areKeysNew) return;
    throw new UnreachableError('a proof begins with a key that this proxy cannot ask its upstream about now');
  }

  get #areKeysNew(): boolean {
    return this.#keysAt > this.#ports.clock() - NEWS_EVERY_MS;
  }

  /** Waits for the upstream's answer, but not for ever. */
  async patiently<T>(work: Promise<T>): Promise<T | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
    });
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  /** Looks at stock and out-buffer. */
  async look(): Promise<void> {
    const now = this.#ports.clock();
    // After a clock was set back by a month nobody should wait for a month.
    if (now < this.#lookedAt) {
      this.#nextAt = 0;
      this.#contestsAt = 0;
      this.#keysAt = Number.NEGATIVE_INFINITY;
      this.#askAt.clear();
    }
    this.#lookedAt = now;
    await this.#known.look();
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
    if (this.#contestsAt <= now || this.#areKiosksDue) return true;
    return this.#known.stock.some(({ contest, free, low }) => free < low && this.#mayAsk(contest));
  }

  get #areKiosksDue(): boolean {
    const since = this.#kiosks.waitingSince;
    return since !== undefined && Math.abs(this.#ports.clock() - since) >= KIOSK_AGE_MS;
  }

  async #converse(): Promise<void> {
    const { clock, settings } = this.#ports;
    try {
      const isNews = this.#contestsAt <= clock();
      if (isNews) await this.#fetchContests();
      // Each round hands up a body of reports and fills one contest; there are few of either. With the contests come
      // the keys that are trusted, even if there is nothing to say.
      for (let round = 0; round < 64; round++)
        if (!(await this.#round((isNews && round === 0) || this.#areKiosksDue))) break;
      this.#backoff.reset();
      this.#nextAt = clock() + (settings.connectPeriodSeconds ?? 0) * 1000;
    } catch (error) {
      this.#wanted.clear();
      const retryAfter = error instanceof UnreachableError ? (error.retryAfterSeconds ?? 0) : 0;
      this.#nextAt = clock() + this.#backoff.next(retryAfter);
      if (error instanceof RefusedError && error.code === 'contest_unknown') this.#contestsAt = 0;
      this.#known.wrong(error instanceof Error ? error.message : String(error));
      if (!(error instanceof RefusedError || error instanceof UnreachableError)) {
        this.#ports.log.error({ err: error }, 'the conversation with the upstream failed');
      }
    }
    await this.look();
  }

  /** One exchange; whether another is due at once. */
  async #round(evenIdle: boolean): Promise<boolean> {
    const { clock } = this.#ports;
    const { parcels, more } = await this.#parcels();
    const want = this.#want();
    if (parcels.length === 0 && want.blocks === 0 && !evenIdle) return false;
    // What clients want from here on is another round's.
    for (const { contest } of want.from) this.#wanted.delete(contest);
    const reply = await this.#exchange(parcels, want);
    const isTooDeep = reply.leases.length > 0 && !reply.leases.some(isUsable);
    if (isTooDeep) {
      this.#known.wrong(`there are ${MAX_LINKS} tiers above already: what comes from there cannot be handed on`);
    }
    for (const { contest } of want.from) {
      if (reply.leases.length === 0 || isTooDeep)
        this.#askAt.set(contest, clock() + Math.max(5, reply.retryAfterSeconds) * 1000);
    }
    await this.look();
    // What came meanwhile waits for the next batch: at a busy proxy something always has.
    return more || this.#want().blocks > 0;
  }

  /** What goes up next, and whether that leaves something of what waits now. */
  #parcels(): Promise<{ parcels: Parcel[]; more: boolean }> {
    return this.#ports.store.read((ledger) => waitingParcels(ledger, MAX_ROWS, MAX_REPORT_BYTES));
  }

  /** Fills the first contest that is below its low watermark, or of which clients want more. */
  #want(): ExchangeRequest['want'] {
    const holding = this.#known.holding.all().map(({ id }) => id);
    const some = holding.length > MAX_HOLDING ? {} : { holding: [...new Set(holding)] };
    const isShort = ({ contest, free, low }: Stock): boolean => free < low || this.#wanted.has(contest);
    const short = this.#known.stock.find((stock) => isShort(stock) && this.#mayAsk(stock.contest));
    if (short === undefined) return { blocks: 0, from: [] };
    const { contest, free, high } = short;
    const blockUnits = this.#known.blockUnits(contest);
    const missing = Math.max(high - free, (this.#wanted.get(contest) ?? 0) * blockUnits);
    // In few pieces, that cut no client's block.
    const units = Math.min(MAX_PROXY_UNITS, Math.ceil(missing / 4 / blockUnits) * blockUnits);
    const blocks = Math.min(64, Math.ceil(missing / units));
    return { blocks, from: [{ contest, units }], ...some };
  }

  async #exchange(parcels: readonly Parcel[], want: ExchangeRequest['want']): Promise<ExchangeReply> {
    const { words, passed } = this.#kiosks.pass(this.#ports.clock());
    const card = this.#ports.card?.();
    try {
      const reply = await this.#upstreams.call((keyserver) =>
        keyserver.exchange({
          protocols: ['keyserver<-proxy/1'],
          client: selfOf(this.#ports, this.#key),
          assertion: makeAssertion(this.#key, this.#ports.clock()),
          reports: parcels.map(({ report }) => report),
          want,
          ...(words.length === 0 ? {} : { kiosks: words }),
          ...(card === undefined ? {} : { card }),
        }),
      );
      passed();
      await this.#record(parcels, reply);
      return reply;
    } catch (error) {
      const blamed = blamedIn(error, parcels);
      if (blamed === undefined) throw error;
      // As it stands it will never be taken, and all others would wait behind it.
      const { code, message: detail } = error as RefusedError;
      const result = { outcome: 'refused', code, detail } as const;
      await this.#desk.run((books) => takeVerdicts(this.#known, books, [{ ids: blamed.ids, result }]));
      return this.#exchange(
        parcels.filter((parcel) => parcel !== blamed),
        want,
      );
    }
  }

  async #record(parcels: readonly Parcel[], reply: ExchangeReply): Promise<void> {
    try {
      await this.#desk.run((books) => this.#apply(books, parcels, reply));
      for (const state of reply.contests) this.#known.states.set(state.name, state);
      this.#keysAt = this.#ports.clock();
    } catch (error) {
      // Not written: the upstream hands them out again to a proxy that does not know of them.
      this.#known.holding = new Holding(await this.#ports.store.read((ledger) => ledger.upstream.upstreamLeases()));
      throw error;
    }
  }

  /** Writes the upstream's answer down. */
  async #apply(books: Books, parcels: readonly Parcel[], reply: ExchangeReply): Promise<void> {
    const { ledger } = books;
    const verdicts = parcels.flatMap(({ ids }, i) => {
      const result = reply.results[i];
      return result === undefined ? [] : [{ ids, result }];
    });
    await takeVerdicts(this.#known, books, verdicts);
    // As the table has it: this may be the second try of a commit.
    this.#known.holding = new Holding(await ledger.upstream.upstreamLeases());
    for (const lease of reply.leases.filter(isUsable)) await takeLease(this.#known, books, lease);
    if (reply.trusted !== undefined) this.#known.trusted = reply.trusted;
    this.#known.messages = reply.messages ?? [];
    this.#known.toldAt = reply.now;
    noteStates(books, reply.contests);
    if (reply.contests.some(({ name }) => books.get(name) === undefined)) this.#contestsAt = 0;
    await this.#known.keep(ledger);
  }

  async #fetchContests(): Promise<void> {
    const contests = await this.#upstreams.call((keyserver) => keyserver.contests());
    const states = new Map(contests.map(({ state }) => [state.name, state]));
    await this.#desk.run(async (books) => {
      await enterContests(books, contests);
      await this.#known.keep(books.ledger, states);
    });
    this.#known.states = states;
    this.#contestsAt = this.#ports.clock() + CONTESTS_EVERY_MS;
    await this.look();
  }

  /** Hands up what waits, and gives the stock back; what the upstream does not take in time stays. Never throws. */
  async giveBack(): Promise<void> {
    const returned: Returned = { parts: [], isLate: false };
    await this.patiently(this.#tryGivingBack(returned));
    returned.isLate = true;
    await this.#desk.run(async (books) => {
      // At worst the upstream gives them to others too.
      for (const part of returned.parts) {
        const book = books.get(part.contest);
        await book?.line.load([part]);
        if (book !== undefined) books.stock(book, part);
      }
    });
  }

  /** Passes on that a person takes name and team back. @throws UnreachableError no upstream answers. */
  async forget(client: ClientInfo): Promise<void> {
    await this.#upstreams.call((keyserver) => keyserver.release({ client, leases: [], forget: true }));
  }

  async #tryGivingBack(returned: Returned): Promise<void> {
    try {
      for (let round = 0; round < 64; round++) {
        const { parcels } = await this.#parcels();
        if (parcels.length === 0) break;
        await this.#exchange(parcels, { blocks: 0, from: [] });
      }
      await this.#unstock(returned);
      const { parts } = returned;
      while (parts.length > 0) {
        const some = parts.slice(0, 1000);
        const assertion = makeAssertion(this.#key, this.#ports.clock());
        const request = { client: selfOf(this.#ports, this.#key), assertion, leases: [], parts: some };
        await this.#upstreams.call((keyserver) => keyserver.release(request));
        parts.splice(0, some.length);
      }
    } catch (error) {
      // The reports are sent at the next start.
      this.#known.wrong(`the stock was not given back: ${(error as Error).message}`);
    }
  }

  /** Takes all that is free off the line, so that nobody gets it meanwhile. */
  async #unstock(returned: Returned): Promise<void> {
    const { parts } = returned;
    await this.#desk.run(async (books) => {
      parts.length = 0;
      if (returned.isLate) return;
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
  }
}

interface Returned {
  /** Off the line, and not yet answered for. */
  parts: NonNullable<ReleaseRequest['parts']>;
  /** Nobody waits for the upstream's answer any more. */
  isLate: boolean;
}

/** Whether one more link fits its proof. */
const isUsable = ({ proof }: Lease): boolean => linksIn(proof ?? '') < MAX_LINKS;

/** The parcel for whose form the upstream refused to read the request at all. */
function blamedIn(error: unknown, parcels: readonly Parcel[]): Parcel | undefined {
  if (!(error instanceof RefusedError) || error.code !== 'body_malformed') return undefined;
  const [, index] = /^\/reports\/(\d+)/.exec(error.field ?? '') ?? [];
  return index === undefined ? undefined : parcels[Number(index)];
}
