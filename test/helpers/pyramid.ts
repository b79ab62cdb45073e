/**
 * Keyservers stacked in one process: a keymaster, proxies over it, proxies over those. Between two tiers is a link that a
 * test can cut, or make lose answers.
 */
import type { ContestManifest } from '../../src/domain/contest.ts';
import { UnreachableError } from '../../src/protocol/errors.ts';
import type { Keyserver } from '../../src/protocol/keyserver.ts';
import { Proxy, type ProxySettings } from '../../src/server/proxy/proxy.ts';
import type { Store } from '../../src/server/store/store.ts';
import {
  type Home,
  openKeymaster,
  openStore,
  START,
  silent,
  type TestKeymaster,
  temporaryFolder,
} from './keyservers.ts';
import { testKinds } from './test-contest.ts';

/** What a link does to the next call. */
export type Weather = 'fair' | 'cut' | 'answer-lost';

export class Link implements Keyserver {
  weather: Weather = 'fair';
  /** Exchanges that came through. */
  exchanges = 0;
  readonly #to: () => Keyserver | undefined;

  constructor(to: () => Keyserver | undefined) {
    this.#to = to;
  }

  exchange: Keyserver['exchange'] = (request) => {
    this.exchanges += 1;
    return this.#call((keyserver) => keyserver.exchange(request));
  };
  release: Keyserver['release'] = (request) => this.#call((keyserver) => keyserver.release(request));
  contests: Keyserver['contests'] = () => this.#call((keyserver) => keyserver.contests());
  status: Keyserver['status'] = () => this.#call((keyserver) => keyserver.status());

  async #call<T>(ask: (keyserver: Keyserver) => Promise<T>): Promise<T> {
    const { weather } = this;
    const keyserver = this.#to();
    if (weather === 'cut' || keyserver === undefined) throw new UnreachableError('the link is cut');
    // Over a wire everything is text.
    const answer = JSON.parse(JSON.stringify(await ask(keyserver))) as T;
    if (weather === 'answer-lost') throw new UnreachableError('the answer was lost');
    return answer;
  }
}

/** One proxy that can be killed and started again over its ledger. */
export class TestProxy {
  readonly link: Link;
  readonly #home: Home;
  readonly #clock: { now: number };
  readonly #settings: ProxySettings;
  #open: { proxy: Proxy; store: Store } | undefined;

  constructor(home: Home, above: () => Keyserver | undefined, clock: { now: number }, settings: ProxySettings = {}) {
    this.#home = home;
    this.#clock = clock;
    this.#settings = settings;
    this.link = new Link(above);
  }

  get running(): Proxy | undefined {
    return this.#open?.proxy;
  }

  async start(): Promise<Proxy> {
    if (this.#open !== undefined) return this.#open.proxy;
    const store = await openStore(this.#home);
    const proxy = await Proxy.open({
      store,
      kinds: testKinds,
      clock: () => this.#clock.now,
      log: silent,
      version: '0.0.0',
      upstreams: [{ url: 'above', keyserver: this.link }],
      settings: this.#settings,
    });
    this.#open = { proxy, store };
    return proxy;
  }

  /** No goodbye: only its ledger goes on. */
  async kill(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.store.close();
  }

  async stop(options: { keepStock?: boolean } = {}): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.proxy.close(options);
    await open?.store.close();
  }
}

/** A keymaster with a proxy over it, and a proxy over that: keymaster ← upper ← lower. */
export class Pyramid {
  readonly clock = { now: START };
  readonly upper: TestProxy;
  readonly lower: TestProxy;
  readonly #folders = [temporaryFolder(), temporaryFolder(), temporaryFolder()] as const;
  #keymaster: TestKeymaster | undefined;
  readonly #manifests: readonly ContestManifest[];

  constructor(manifests: readonly ContestManifest[], settings: ProxySettings = {}) {
    this.#manifests = manifests;
    const [, upper, lower] = this.#folders;
    this.upper = new TestProxy(upper.path, () => this.#keymaster?.keymaster, this.clock, settings);
    this.lower = new TestProxy(lower.path, () => this.upper.running, this.clock, settings);
  }

  async top(): Promise<TestKeymaster> {
    this.#keymaster ??= await openKeymaster(this.#folders[0].path, this.#manifests, { clock: this.clock });
    return this.#keymaster;
  }

  async killTop(): Promise<void> {
    const top = this.#keymaster;
    this.#keymaster = undefined;
    await top?.store.close();
  }

  async close(): Promise<void> {
    await this.lower.kill();
    await this.upper.kill();
    await this.#keymaster?.close();
    for (const folder of this.#folders) folder.remove();
  }
}
