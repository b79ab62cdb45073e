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
  map: Keyserver['map'] = (query) => this.#call((keyserver) => keyserver.map(query));

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

/** A store whose transactions fail at their end when a test says so, as on a full disk: nothing of them is written. */
export class FragileStore implements Store {
  /** So many of the next transactions fail. */
  failing = 0;
  readonly #inner: Store;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  transaction: Store['transaction'] = (work) =>
    this.#inner.transaction(async (ledger) => {
      const result = await work(ledger);
      if (this.failing === 0) return result;
      this.failing -= 1;
      throw new Error('the disk is full');
    });
  claim = (): Promise<void> => this.#inner.claim();
  counting: Store['counting'] = (work) => this.#inner.counting(work);
  read: Store['read'] = (work) => this.#inner.read(work);
  snapshot: Store['snapshot'] = (work) => this.#inner.snapshot(work);
  tidy = (): Promise<void> => this.#inner.tidy();
  close = (): Promise<void> => this.#inner.close();
}

export interface TestProxyOptions {
  clock: { readonly now: number };
  settings?: ProxySettings;
  random?: () => number;
}

/** One proxy that can be killed and started again over its ledger. */
export class TestProxy {
  readonly link: Link;
  readonly #home: Home;
  readonly #clock: { readonly now: number };
  readonly #settings: ProxySettings;
  readonly #random: () => number;
  #open: { proxy: Proxy; store: FragileStore } | undefined;

  constructor(home: Home, above: () => Keyserver | undefined, { clock, settings = {}, random }: TestProxyOptions) {
    this.#home = home;
    this.#clock = clock;
    this.#settings = settings;
    this.#random = random ?? Math.random;
    this.link = new Link(above);
  }

  get running(): Proxy | undefined {
    return this.#open?.proxy;
  }

  get store(): FragileStore | undefined {
    return this.#open?.store;
  }

  async start(): Promise<Proxy> {
    if (this.#open !== undefined) return this.#open.proxy;
    const store = new FragileStore(await openStore(this.#home));
    const proxy = await Proxy.open({
      store,
      kinds: testKinds,
      clock: () => this.#clock.now,
      log: silent,
      random: this.#random,
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

/** A keymaster with a proxy under it, and a proxy under that; and one beside: keymaster ← upper ← lower, keymaster ← other. */
export class Pyramid {
  readonly clock = { now: START };
  /** How far the clock of each is from that, milliseconds. */
  readonly skews = { top: 0, upper: 0, lower: 0, other: 0 };
  readonly upper: TestProxy;
  readonly lower: TestProxy;
  readonly other: TestProxy;
  readonly #folders = [temporaryFolder(), temporaryFolder(), temporaryFolder(), temporaryFolder()] as const;
  #keymaster: TestKeymaster | undefined;
  readonly #manifests: readonly ContestManifest[];
  readonly #random: () => number;

  constructor(manifests: readonly ContestManifest[], settings: ProxySettings = {}, random = Math.random) {
    this.#manifests = manifests;
    this.#random = random;
    const [, upper, lower, other] = this.#folders;
    const options = (tier: keyof Pyramid['skews']) => ({ clock: this.#clockOf(tier), settings, random });
    this.upper = new TestProxy(upper.path, () => this.#keymaster?.keymaster, options('upper'));
    this.lower = new TestProxy(lower.path, () => this.upper.running, options('lower'));
    this.other = new TestProxy(other.path, () => this.#keymaster?.keymaster, options('other'));
  }

  #clockOf(tier: keyof Pyramid['skews']): { readonly now: number } {
    const now = (): number => this.clock.now + this.skews[tier];
    return {
      get now() {
        return now();
      },
    };
  }

  /** The keymaster, while it runs. */
  get running(): TestKeymaster | undefined {
    return this.#keymaster;
  }

  async top(): Promise<TestKeymaster> {
    this.#keymaster ??= await openKeymaster(this.#folders[0].path, this.#manifests, {
      clock: this.#clockOf('top'),
      random: this.#random,
    });
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
    await this.other.kill();
    await this.#keymaster?.close();
    for (const folder of this.#folders) folder.remove();
  }
}
