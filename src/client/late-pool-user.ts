/**
 * Home, until it names a pool or one is remembered; then a `PoolUser`, which with its cryptography is no part of the first
 * page. Where it cannot be loaded, home is talked to as before.
 */
import type { Contest } from '../domain/contest.ts';
import { HttpKeyserver } from '../protocol/http-keyserver.ts';
import type { ExchangeReply, ExchangeRequest, Keyserver, ReleaseRequest } from '../protocol/keyserver.ts';
import type { MapQuery } from '../protocol/unit-map.ts';
import type { KeptPool, PoolUser, PoolUserOptions } from './pool-user.ts';
import type { PooledKeyserver } from './ports.ts';
import type { Through } from './snapshot.ts';

export class LatePoolUser implements PooledKeyserver {
  readonly #home: string;
  readonly #options: PoolUserOptions;
  readonly #gateway: HttpKeyserver;
  readonly #opened: Promise<void>;
  #pins: string[] = [];
  #user: PoolUser | undefined;

  /** @param home as of `HttpKeyserver`. */
  constructor(home: string, options: PoolUserOptions) {
    this.#home = home;
    this.#options = options;
    this.#gateway = new HttpKeyserver(home, options);
    this.#opened = this.#open();
  }

  get through(): Through | undefined {
    return this.#user?.through;
  }

  get hasOthers(): boolean {
    return this.#user?.hasOthers === true;
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeReply> {
    const keyserver = await this.#keyserver();
    const reply = await keyserver.exchange(request);
    if (keyserver === this.#gateway && reply.pool !== undefined) {
      // In the background: what this reply brings does not wait for it.
      void this.#load({ handle: reply.pool, pins: this.#pins, distances: {} });
    }
    return reply;
  }

  async contests(): Promise<Contest[]> {
    const contests = await (await this.#keyserver()).contests();
    this.#pins = [...new Set(contests.flatMap(({ keymasters = [] }) => keymasters))];
    return contests;
  }

  async release(request: ReleaseRequest) {
    return (await this.#keyserver()).release(request);
  }

  async status() {
    return (await this.#keyserver()).status();
  }

  async map(query: MapQuery) {
    return (await this.#keyserver()).map(query);
  }

  async #keyserver(): Promise<Keyserver> {
    await this.#opened;
    return this.#user ?? this.#gateway;
  }

  async #open(): Promise<void> {
    const kept = await this.#options.kept?.load().catch(() => undefined);
    if (kept !== undefined) await this.#load(kept);
  }

  async #load(kept: KeptPool): Promise<void> {
    const { PoolUser } = await import('./pool-user.ts').catch(() => ({ PoolUser: undefined }));
    if (PoolUser === undefined) return;
    const save = async (pool: KeptPool): Promise<void> => this.#options.kept?.save(pool);
    this.#user ??= new PoolUser([this.#home], { ...this.#options, kept: { load: async () => kept, save } });
  }
}
