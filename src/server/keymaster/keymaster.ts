/**
 * The keymaster: the top of every pyramid and the only writer of the ledger of what is free, leased and done.
 *
 * Invariants: free + leased + done units = N of each contest, at every commit; a unit is credited at most once, and only
 * after its evidence was verified; whatever was answered is on the disk. It knows units, never keys or marks: those
 * belong to the contest kinds. Several keymasters may stand over one PostgreSQL.
 */
import { randomInt } from 'node:crypto';
import type { ClientInfo } from '../../domain/client.ts';
import type { Contest, ContestManifest } from '../../domain/contest.ts';
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
import type { MapQuery, UnitMap } from '../../protocol/unit-map.ts';
import { Desk, type DeskPorts } from '../ledger/desk.ts';
import { leaseSeconds } from '../ledger/grant.ts';
import { Kiosks } from '../ledger/kiosks.ts';
import { Proxies, type ProxyPolicy } from '../ledger/proxies.ts';
import type { Role, Source } from '../ledger/role.ts';
import { Sites } from '../ledger/sites.ts';
import { statusOf } from '../ledger/status.ts';
import type { KeyPair } from '../proof/key.ts';
import { Keyring } from '../proof/keyring.ts';
import { StoreError } from '../store/store.ts';
import type { Checker } from '../trust/checks.ts';
import { forget } from '../trust/forget.ts';
import { goneOffline } from '../trust/presence.ts';
import { Trust } from '../trust/trust.ts';
import { enterContests } from './opening.ts';

export interface KeymasterPorts extends DeskPorts {
  /** In the order in which the contests are shown. */
  manifests: readonly ContestManifest[];
  /** Shown in `status`. */
  version: string;
  proxies?: ProxyPolicy | undefined;
  /** Messages of the day, beside those that were set at run time. */
  messages?: () => readonly string[];
  directives?: (client: ClientInfo) => readonly Directive[];
  /** Does small parts of reports again; without one there are no spot checks. */
  checker?: Checker | undefined;
  /** How many times as often as usual blocks are done again by somebody else; 0: never. */
  secondRuns?: number | undefined;
}

export class Keymaster implements Keyserver {
  readonly desk: Desk;
  readonly #ports: KeymasterPorts;
  readonly #startedAt: number;
  readonly #proxies: Proxies;
  readonly #kiosks = new Kiosks();
  readonly #sites = new Sites();
  readonly trust: Trust;
  #keyring = new Keyring([]);
  #refreshedAt = 0;
  #lookedForOfflineAt = 0;
  #key: KeyPair | undefined;
  #messages: string[] = [];

  private constructor(ports: KeymasterPorts) {
    this.#ports = ports;
    this.#startedAt = ports.clock();
    this.#proxies = new Proxies(ports.proxies);
    this.trust = new Trust({ ...ports, random: ports.random ?? secretRandom });
    this.desk = new Desk(ports, this.#role());
    this.trust.attach(this.desk);
  }

  /**
   * Enters new contests in the ledger, and makes the first signing key.
   * @throws TypeError a manifest contradicts itself.
   * @throws StoreError a manifest contradicts the ledger, or the ledger is a proxy's.
   */
  static async open(ports: KeymasterPorts): Promise<Keymaster> {
    const keymaster = new Keymaster(ports);
    await ports.store.transaction(async (ledger) => {
      if ((await ledger.meta('role')) === 'proxy') {
        throw new StoreError("this ledger is a proxy's: a keymaster needs a data folder, or a schema, of its own");
      }
      await enterContests(ledger, ports.manifests, ports.kinds);
      const keyring = new Keyring(await ledger.signingKeys());
      if (keyring.current() === undefined) {
        for (const row of keyring.rotate(ports.clock())) await ledger.putSigningKey(row);
      }
    });
    await keymaster.refresh();
    return keymaster;
  }

  exchange(request: ExchangeRequest, origin?: Origin): Promise<ExchangeReply> {
    return this.desk.exchange(request, origin);
  }

  async release(request: ReleaseRequest): Promise<ReleaseReply> {
    const reply = await this.desk.release(request);
    if (request.forget === true) {
      await this.desk.counting.count();
      await this.desk.run((books) => forget(books, request.client.id));
      await this.desk.counting.count();
    }
    return reply;
  }

  contests(): Promise<Contest[]> {
    const keymasters = [...this.desk.role.trusted()];
    return this.desk.read(async (books) => books.contests().map((contest) => ({ ...contest, keymasters })));
  }

  async status(): Promise<Status> {
    await this.desk.counting.count();
    const { version, clock } = this.#ports;
    return this.desk.read(async (books) => ({
      role: 'keymaster',
      ...(await statusOf(books, { version, startedAt: this.#startedAt, now: clock() })),
    }));
  }

  map(query: MapQuery): Promise<UnitMap> {
    return this.desk.maps.map(query);
  }

  /** Frees what is overdue, counts, and hears what other processes changed. For a timer. */
  async sweep(): Promise<void> {
    const forget = await this.desk.run(async (books, now) => {
      const { ledger } = books;
      await this.trust.seconds.prune(books, now);
      return [await this.#proxies.write(ledger), await this.#kiosks.write(ledger, now)];
    });
    for (const each of forget) each();
    await this.trust.write();
    await this.desk.sweep();
    await this.#lookForOffline();
    await this.refresh();
  }

  async #lookForOffline(): Promise<void> {
    const now = this.#ports.clock();
    if (Math.abs(now - this.#lookedForOfflineAt) < OFFLINE_LOOK_MS) return;
    const { count, clients } = await this.desk.run(({ ledger }) => goneOffline(ledger, now));
    this.#lookedForOfflineAt = now;
    if (count > 0) this.#ports.observer?.wentOffline?.(count, clients);
  }

  /** Reads keys, proxies, sites and messages anew. */
  async refresh(): Promise<void> {
    this.#refreshedAt = this.#ports.clock();
    await this.#ports.store.read(async (ledger) => {
      this.#keyring = new Keyring(await ledger.signingKeys());
      this.#key = this.#keyring.current();
      await this.#proxies.read(ledger);
      await this.#sites.read(ledger);
      await this.trust.read(ledger);
      this.#messages = JSON.parse((await ledger.meta('messages')) ?? '[]') as string[];
    });
  }

  /** Those it was started with. */
  configuredMessages(): readonly string[] {
    return this.#ports.messages?.() ?? [];
  }

  /** Answers what waits and takes no more. The store stays open: it belongs to whoever opened it. */
  async close(): Promise<void> {
    await this.trust.close();
    await this.desk.close();
  }

  #role(): Role {
    return {
      isProxy: false,
      bound: (client) => this.#sites.bound(client),
      key: () => {
        if (this.#key === undefined) throw new Error('the keymaster has no key yet');
        return this.#key;
      },
      isTrusted: (key) => this.#keyring.isTrusted(key),
      // Another process over the same database may have made one.
      learnKeys: async () => {
        const now = this.#ports.clock();
        // Anyone can name a key that there is not.
        if (Math.abs(now - this.#refreshedAt) >= REFRESH_MS) await this.refresh();
      },
      isRevoked: (key) => this.#proxies.isRevoked(key),
      admitProxy: (request, now, origin) => this.#proxies.admit(request, now, origin),
      hear: (request, sender, now) => this.#kiosks.hear(request, sender, now),
      source: () => EVERYTHING,
      know: (clients) => this.trust.know(clients),
      distrusts: (client, contest) => this.trust.distrusts(client.id, contest),
      mayWork: (client, contest) => this.trust.mayWork(client.id, contest),
      again: (commit, sender, want) =>
        this.trust.seconds.offer(commit, sender, want, (book) => leaseSeconds(book, sender)),
      doneAgain: (commit, book, sender, report) => this.trust.seconds.settle(commit, book, sender, report),
      hidden: (contest) => this.trust.seconds.hidden(contest),
      reported: (client, manifest, report, result, sender) => {
        this.trust.seconds.applied(report, this.#ports.clock());
        this.trust.reported(client, manifest, report, result, sender);
      },
      accepted: (books, { sender, client, report, at }) => this.trust.seconds.draw(books, sender, client, report, at),
      messages: (client) => {
        const own = this.trust.sentenceFor(client.id);
        return [...(own === undefined ? [] : [own]), ...this.configuredMessages(), ...this.#messages];
      },
      directives: (client) => {
        const reason = this.trust.stopped(client.id);
        const others = this.#ports.directives?.(client) ?? [];
        return reason === undefined ? others : [{ do: 'stop', code: 463, reason }, ...others];
      },
      trusted: () => this.#keyring.trusted(),
      shown: (state) => state,
    };
  }
}

/** Whom to check is drawn by it: nobody may guess it from what is drawn in the open. */
const secretRandom = (): number => randomInt(2 ** 47) / 2 ** 47;

/** Keys of other processes are looked for no oftener. */
const REFRESH_MS = 1000;

const OFFLINE_LOOK_MS = 3_600_000;

const EVERYTHING: Source = { past: Number.MAX_SAFE_INTEGER, expiresAt: Number.MAX_SAFE_INTEGER };
