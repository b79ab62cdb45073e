/**
 * The keymaster: the top of every pyramid and the only writer of the ledger of what is free, leased and done.
 *
 * Invariants: free + leased + done units = N of each contest, at every commit; a unit is credited at most once, and only
 * after its evidence was verified; whatever was answered is on the disk. It knows units, never keys or marks: those
 * belong to the contest kinds. Several keymasters may stand over one PostgreSQL.
 */
import type { ClientInfo } from '../../domain/client.ts';
import type { Contest, ContestManifest } from '../../domain/contest.ts';
import { RefusedError } from '../../protocol/errors.ts';
import type {
  Directive,
  ExchangeReply,
  ExchangeRequest,
  Keyserver,
  ReleaseReply,
  ReleaseRequest,
  Status,
} from '../../protocol/keyserver.ts';
import type { Books } from '../ledger/books.ts';
import { Desk, type DeskPorts } from '../ledger/desk.ts';
import type { Role, Source } from '../ledger/role.ts';
import { statusOf } from '../ledger/status.ts';
import { checkAssertion } from '../proof/assertion.ts';
import type { KeyPair } from '../proof/key.ts';
import { Keyring } from '../proof/keyring.ts';
import type { ProxyRow } from '../store/schema.ts';
import { enterContests } from './opening.ts';

/** `any`: a proxy is served from its first request on, until it is revoked. `listed`: once an operator listed it. */
export type ProxyPolicy = 'any' | 'listed' | 'none';

export interface KeymasterPorts extends DeskPorts {
  /** In the order in which the contests are shown. */
  manifests: readonly ContestManifest[];
  /** Shown in `status`. */
  version: string;
  proxies?: ProxyPolicy;
  /** Messages of the day, beside those that were set at run time. */
  messages?: readonly string[];
  directives?(client: ClientInfo): readonly Directive[];
}

export class Keymaster implements Keyserver {
  readonly desk: Desk;
  readonly #ports: KeymasterPorts;
  readonly #startedAt: number;
  #keyring = new Keyring([]);
  #key: KeyPair | undefined;
  #revoked = new Set<string>();
  #listed = new Set<string>();
  #messages: string[] = [];
  /** Proxies that were here since the last sweep. */
  #seen = new Map<string, Omit<ProxyRow, 'revoked_at'>>();

  private constructor(ports: KeymasterPorts) {
    this.#ports = ports;
    this.#startedAt = ports.clock();
    this.desk = new Desk(ports, this.#role());
  }

  /**
   * Enters new contests in the ledger, and makes the first signing key.
   * @throws TypeError a manifest contradicts itself.
   * @throws StoreError a manifest contradicts the ledger.
   */
  static async open(ports: KeymasterPorts): Promise<Keymaster> {
    const keymaster = new Keymaster(ports);
    await ports.store.transaction(async (ledger) => {
      await enterContests(ledger, ports.manifests, ports.kinds);
      const keyring = new Keyring(await ledger.signingKeys());
      if (keyring.current() === undefined) {
        for (const row of keyring.rotate(ports.clock())) await ledger.putSigningKey(row);
      }
    });
    await keymaster.refresh();
    return keymaster;
  }

  exchange(request: ExchangeRequest): Promise<ExchangeReply> {
    return this.desk.exchange(request);
  }

  release(request: ReleaseRequest): Promise<ReleaseReply> {
    return this.desk.release(request);
  }

  contests(): Promise<Contest[]> {
    return this.desk.read(async (books) => books.contests());
  }

  async status(): Promise<Status> {
    await this.desk.count();
    const { version, clock } = this.#ports;
    return this.desk.read(async (books) => ({
      role: 'keymaster',
      ...(await statusOf(books, { version, startedAt: this.#startedAt, now: clock() })),
    }));
  }

  /** Frees what is overdue, counts, and hears what other processes changed. For a timer. */
  async sweep(): Promise<void> {
    await this.desk.sweep();
    const seen = this.#seen;
    this.#seen = new Map();
    if (seen.size > 0) {
      await this.desk.run(async ({ ledger }) => {
        for (const row of seen.values()) await ledger.seeProxy(row);
      });
    }
    await this.refresh();
  }

  /** Reads keys, proxies and messages anew. */
  async refresh(): Promise<void> {
    await this.#ports.store.read(async (ledger) => {
      this.#keyring = new Keyring(await ledger.signingKeys());
      this.#key = this.#keyring.current();
      const proxies = await ledger.proxies();
      this.#listed = new Set(proxies.filter((row) => row.revoked_at === null).map(({ id }) => id));
      this.#revoked = new Set(proxies.filter((row) => row.revoked_at !== null).map(({ id }) => id));
      this.#messages = JSON.parse((await ledger.meta('messages')) ?? '[]') as string[];
    });
  }

  /** Answers what waits and takes no more. The store stays open: it belongs to whoever opened it. */
  close(): Promise<void> {
    return this.desk.close();
  }

  #role(): Role {
    return {
      key: () => {
        if (this.#key === undefined) throw new Error('the keymaster has no key yet');
        return this.#key;
      },
      isTrusted: (key) => this.#keyring.isTrusted(key),
      isRevoked: (key) => this.#revoked.has(key),
      admitProxy: (request, now) => this.#admit(request, now),
      source: () => EVERYTHING,
      accepted: async (_books: Books) => {},
      messages: () => [...(this.#ports.messages ?? []), ...this.#messages],
      directives: (client) => this.#ports.directives?.(client) ?? [],
      trusted: () => this.#keyring.trusted(),
    };
  }

  #admit({ client, assertion }: ExchangeRequest | ReleaseRequest, now: number): void {
    const { proxies = 'any' } = this.#ports;
    const refuse = (detail: string): never => {
      throw new RefusedError('proxy_refused', detail, { status: 403, field: '/client/id' });
    };
    if (proxies === 'none') refuse('this keyserver serves no proxies');
    if (this.#revoked.has(client.id)) refuse('this proxy was revoked by the operator');
    if (proxies === 'listed' && !this.#listed.has(client.id)) refuse(`the operator has not listed proxy ${client.id}`);
    const checked = checkAssertion(assertion ?? '', { id: client.id, now });
    if (!checked.ok) throw new RefusedError('proxy_refused', checked.detail, { status: 403, field: '/assertion' });
    const { id, name = null, version } = client;
    this.#seen.set(id, { id, name, version, first_seen: now, last_seen: now });
  }
}

const EVERYTHING: Source = { past: Number.MAX_SAFE_INTEGER, expiresAt: Number.MAX_SAFE_INTEGER };
