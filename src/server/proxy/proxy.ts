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
import type { ClientInfo } from '../../domain/client.ts';
import type { Contest } from '../../domain/contest.ts';
import type {
  Directive,
  ExchangeReply,
  ExchangeRequest,
  Keyserver,
  Origin,
  ReleaseReply,
  ReleaseRequest,
  Status,
} from '../../protocol/keyserver.ts';
import type { BusinessCard } from '../../protocol/pools.ts';
import type { MapQuery, UnitMap } from '../../protocol/unit-map.ts';
import type { Books } from '../ledger/books.ts';
import { Desk, type DeskPorts } from '../ledger/desk.ts';
import { Kiosks } from '../ledger/kiosks.ts';
import { Proxies, type ProxyPolicy } from '../ledger/proxies.ts';
import type { Accepted, Role } from '../ledger/role.ts';
import { statusOf } from '../ledger/status.ts';
import { generateKey, KeyPair } from '../proof/key.ts';
import { StoreError } from '../store/store.ts';
import { Carrying } from './carrying.ts';
import { Conversation } from './conversation.ts';
import { Known } from './known.ts';
import type { Upstream } from './upstreams.ts';

/** `only-when-online`: speaks with the upstream while `isOnline` says so. */
export type ProxyMode = 'normal' | 'offline' | 'only-when-online';

export interface ProxySettings {
  /** Units, by contest. */
  minStock?: Readonly<Record<string, number>> | undefined;
  maxStock?: Readonly<Record<string, number>> | undefined;
  maxBufferDays?: number | undefined;
  mode?: ProxyMode | undefined;
  /** Reports that make it speak up, and the age of one that does. */
  reportBatch?: number | undefined;
  reportAgeSeconds?: number | undefined;
  /** The least time between two conversations that nothing urgent asks for. */
  connectPeriodSeconds?: number | undefined;
  /** False: only the first upstream, whatever happens. */
  fallback?: boolean | undefined;
  proxies?: ProxyPolicy | undefined;
}

export interface ProxyPorts extends DeskPorts {
  upstreams: readonly Upstream[];
  /** As they are now: some change at a reload. */
  settings: ProxySettings;
  /** Shown to the upstream. */
  name?: string | undefined;
  version: string;
  /** Where the upstream can call this proxy back, if it is in a pool. */
  card?: (() => BusinessCard | undefined) | undefined;
  /** When it may speak with the upstream; always unless told. */
  schedule?: (at: Date) => boolean;
  isOnline?: () => boolean;
  messages?: () => readonly string[];
  directives?: (client: ClientInfo) => readonly Directive[];
}

export class Proxy implements Keyserver {
  readonly desk: Desk;
  /** What it does with files, where it never meets its upstream. */
  readonly carrying: Carrying;
  readonly #ports: ProxyPorts;
  readonly #startedAt: number;
  readonly #key: KeyPair;
  readonly #known: Known;
  readonly #proxies: Proxies;
  readonly #kiosks = new Kiosks();
  readonly #conversation: Conversation;

  private constructor(ports: ProxyPorts, key: KeyPair) {
    this.#ports = ports;
    this.#key = key;
    this.#startedAt = ports.clock();
    this.#known = new Known(ports);
    this.#proxies = new Proxies(ports.settings.proxies);
    this.desk = new Desk(ports, this.#role());
    this.#conversation = new Conversation(ports, this.desk, key, this.#known, this.#kiosks);
    this.carrying = new Carrying(ports, this.desk, key, this.#known);
  }

  /** @throws StoreError the ledger is a keymaster's, or another proxy works on it. */
  static async open(ports: ProxyPorts): Promise<Proxy> {
    await ports.store.claim();
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
    await ports.store.read(async (ledger) => {
      await proxy.#known.remember(ledger);
      await proxy.#proxies.read(ledger);
    });
    await proxy.#known.look();
    return proxy;
  }

  /** Its name at its upstream: what an operator up there lists or revokes. */
  get id(): string {
    return this.#key.id;
  }

  /** Whether it may ask its upstream now for what is no work. */
  get mayAsk(): boolean {
    return this.#conversation.isAllowed;
  }

  async exchange(request: ExchangeRequest, origin?: Origin): Promise<ExchangeReply> {
    const talk = this.#conversation;
    await talk.knowContests([...request.reports, ...request.want.from].map(({ contest }) => contest));
    // So that work comes from the contests that the client named first, and not from those that happen to be here.
    if (talk.mayTalk && talk.order(request.want.from, request.want.blocks)) await talk.patiently(talk.talk());
    const reply = await this.desk.exchange(request, origin);
    for (const [i, { credited }] of reply.results.entries()) {
      if (credited > 0) this.#known.rates.add(request.reports[i]?.contest ?? '', credited, reply.now);
    }
    if (reply.results.some(({ hits }) => hits.length > 0)) this.#speakSoon();
    const missing = request.want.blocks - reply.leases.length;
    if (missing <= 0 || !talk.mayTalk) return reply;
    await talk.look();
    if (!talk.order(request.want.from, missing)) return reply;
    await talk.patiently(talk.talk());
    const { leases } = reply;
    const holding = [...(request.want.holding ?? []), ...leases.map(({ id }) => id)];
    const want = { ...request.want, blocks: missing, ...(request.want.holding === undefined ? {} : { holding }) };
    const more = await this.desk.exchange({ ...request, reports: [], want }, origin);
    return { ...more, results: reply.results, leases: [...leases, ...more.leases] };
  }

  async release(request: ReleaseRequest): Promise<ReleaseReply> {
    const reply = await this.desk.release(request);
    if (request.forget === true) await this.#conversation.forget(request.client);
    return reply;
  }

  async contests(): Promise<Contest[]> {
    await this.#conversation.knowContests();
    const keymasters = this.#known.trusted;
    return this.desk.read(async (books) =>
      books.contests().map(({ manifest, state }) => ({ manifest, state: this.#known.shown(state), keymasters })),
    );
  }

  async status(): Promise<Status> {
    await this.desk.counting.count();
    await this.#known.look();
    const { version, clock } = this.#ports;
    return this.desk.read(async (books) => {
      const own = await statusOf(books, { version, startedAt: this.#startedAt, now: clock() });
      return {
        ...own,
        role: 'proxy',
        contests: own.contests.map((state) => this.#known.shown(state)),
        stock: this.#known.stock,
        upstreams: this.#conversation.upstreams,
        errors: [...this.#known.errors],
      };
    });
  }

  /** As the upstream has it, or as far as this ledger goes: `upstream-maps.ts`. */
  async map(query: MapQuery): Promise<UnitMap> {
    await this.#conversation.knowContests();
    // First of its own ledger: whatever there is not is refused here, and no upstream hears of it.
    const own = await this.desk.maps.map(query);
    return (await this.#conversation.map(query)) ?? own;
  }

  /** Frees what is overdue, counts, forgets upstream leases that are done with. For a timer. */
  async sweep(): Promise<void> {
    await this.desk.run(({ ledger }) => this.#proxies.write(ledger));
    await this.desk.sweep();
    const over = await this.desk.run((books, now) => this.#known.forget(books, now));
    for (const lease of over) this.#known.holding.remove(lease);
    await this.#ports.store.transaction((ledger) => this.#known.keep(ledger));
    await this.#ports.store.read((ledger) => this.#proxies.read(ledger));
  }

  /** Speaks with the upstream if there is something to say. For a timer of a second. */
  async tick(): Promise<void> {
    await this.#conversation.look();
    if (this.#conversation.isDue) await this.talk();
  }

  /** Speaks with the upstream now, if it may. Never throws: what goes wrong is in the status. */
  talk(): Promise<void> {
    return this.#conversation.talk();
  }

  /** The upstream has news. Never throws. */
  calledBack(): Promise<void> {
    return this.#conversation.calledBack();
  }

  /**
   * Answers what waits and takes no more. Hands up what it can and gives the stock back, unless it is to be kept for the
   * next start.
   */
  async close({ keepStock = false } = {}): Promise<void> {
    await this.#conversation.idle();
    if (!keepStock && this.#conversation.mayTalk) await this.#conversation.giveBack();
    await this.desk.close();
    await this.#ports.store.transaction((ledger) => this.#known.keep(ledger));
  }

  #role(): Role {
    return {
      isProxy: true,
      // The keymaster knows the sites.
      bound: (client) => client,
      key: () => this.#key,
      isTrusted: (key) => this.#known.trusted.includes(key),
      learnKeys: () => this.#conversation.learnKeys(),
      isRevoked: (key) => this.#proxies.isRevoked(key),
      admitProxy: (request, now, origin) => this.#proxies.admit(request, now, origin),
      hear: (request, sender, now) => this.#kiosks.hear(request, sender, now),
      source: (contest, unit) => {
        const lease = this.#known.holding.at(contest, unit);
        if (lease === undefined) return { past: unit + 1, expiresAt: 0 };
        const { past, expires_at: expiresAt, proof } = lease;
        return { past, expiresAt, proof: proof ?? undefined };
      },
      // Trust is the keymaster's.
      know: async () => {},
      distrusts: () => undefined,
      mayWork: () => true,
      again: async () => [],
      doneAgain: async () => undefined,
      hidden: () => [],
      reported: () => {},
      accepted: (books, accepted) => this.#accepted(books, accepted),
      messages: () => [...(this.#ports.messages?.() ?? []), ...this.#known.messages],
      directives: (client) => this.#ports.directives?.(client) ?? [],
      trusted: () => this.#known.trusted,
      shown: (state) => this.#known.shown(state),
    };
  }

  /** Puts a verified report into the out-buffer, under the lease that the upstream knows. */
  async #accepted({ ledger }: Books, { report, client, hits, at }: Accepted): Promise<void> {
    const { contest, first } = report;
    const lease = this.#known.holding.at(contest, first);
    const isOurs = lease !== undefined && first + report.evidence.length <= lease.past;
    const up = isOurs ? { lease: lease.id, ...(lease.proof === null ? {} : { proof: lease.proof }) } : {};
    const body = JSON.stringify({ ...report, ...up, client, finishedAt: report.finishedAt ?? at });
    const urgent = hits.length > 0 ? 1 : 0;
    await ledger.upstream.putOutbox([{ id: randomUUID(), contest, first, at, urgent, body }]);
  }

  #speakSoon(): void {
    this.talk().catch(() => {});
  }
}
