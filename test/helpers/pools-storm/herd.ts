/**
 * A pool of eight gateways, three of them its registrars, and two hundred clients, all in processes of their own:
 *
 *   proxies     keymaster over SQLite, which nothing befalls ← eight proxies; registrars tell each other (ENRP)
 *   keymasters  eight keymasters over one PostgreSQL, which has the handlespace too
 *
 * In front of each gateway is a wire; where that ends is the address that the keymaster vouches for.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MadeVoucher } from '../../../src/protocol/administration.ts';
import type { Policy, PoolsOverview } from '../../../src/protocol/pools.ts';
import type { PoolsOptions } from '../../../src/server/pools/pools.ts';
import { generateKey } from '../../../src/server/proof/key.ts';
import { openSqliteStore } from '../../../src/server/store/sqlite.ts';
import { type Postgres, startPostgres } from '../postgres.ts';
import { FaultyLink } from '../storm/faulty-link.ts';
import type { Scripts } from '../storm/herd.ts';
import type { CutOff, KeyserverOrder } from '../storm/keyserver-process.ts';
import { Member } from '../storm/member.ts';
import { askStation, type Station, stationOf } from '../storm/station.ts';
import { until } from '../storm/storm.ts';
import type { Gap, PoolClientOrder, PoolClientWord } from './client-process.ts';
import type { Span } from './idle.ts';
import { ENDLESS } from './work.ts';

export const GATEWAYS = 8;
export const REGISTRARS = 3;
export const CLIENTS = 200;
export const HANDLE = 'test';

const CLIENT_PROCESSES = 2;
const BLOCK_MS = 4000;
const STOCK = 2000;
const TOKEN = 'a-token-of-this-test';
const MINUTE = 60_000;

export interface HerdOptions {
  behind: 'proxies' | 'keymasters';
  /** Of each gateway, by its number. */
  policy: (gateway: number) => Policy;
  clients?: number;
  /** How long a gateway that was killed stays down. */
  restartMs?: () => number;
}

export interface Gateway {
  station: Station;
  link: FaultyLink;
  isRegistrar: boolean;
}

export interface Whereabouts {
  clients: Record<string, number>;
  exchanges: Record<string, number>;
}

export class PoolHerd {
  readonly gateways: Gateway[] = [];
  readonly clients: Member[] = [];
  readonly journals: { number: number; path: string }[] = [];
  /** Each with the times in which its process was not run. */
  readonly gaps: (Gap & { stalls: Span[] })[] = [];
  /** Times that a client went from one gateway to another. */
  moves = 0;
  keymaster: Station | undefined;
  postgres: Postgres | undefined;
  readonly #folder: string;
  readonly #scripts: Scripts;
  readonly #options: HerdOptions;
  /** Those who wait for an answer to `where`. */
  readonly #asking: ((answer: Whereabouts) => void)[] = [];

  /** @param folder of this herd alone, and there after it. */
  constructor(folder: string, scripts: Scripts, options: HerdOptions) {
    this.#folder = folder;
    this.#scripts = scripts;
    this.#options = options;
  }

  get stations(): Station[] {
    return [...(this.keymaster === undefined ? [] : [this.keymaster]), ...this.gateways.map(({ station }) => station)];
  }

  get members(): Member[] {
    return [...this.stations.map(({ member }) => member), ...this.clients];
  }

  /** Brings all up, in order: nobody is to begin with a fault that the storm has not made. */
  async start(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const links = await Promise.all(Array.from({ length: GATEWAYS }, () => FaultyLink.open()));
    if (this.#options.behind === 'keymasters') this.postgres = await startPostgres();
    else await this.#startKeymaster();
    for (const [i, link] of links.entries()) await this.#addGateway(i, link, links);
    for (const { station } of this.gateways) station.member.start();
    await until('all gateways are up', MINUTE, async () => this.gateways.every(({ station }) => station.member.isUp));
    await until('all registrars know all gateways', MINUTE, async () =>
      (await this.overviews()).every((one) => one?.pools[0]?.count === GATEWAYS),
    );
    this.#addClients();
    for (const member of this.clients) member.start();
    await until('all clients are up', MINUTE, async () => this.clients.every(({ isUp }) => isUp));
  }

  /** What each registrar knows; undefined of one that does not answer. */
  overviews(): Promise<(PoolsOverview | undefined)[]> {
    const registrars = this.gateways.filter(({ isRegistrar }) => isRegistrar);
    return Promise.all(registrars.map(({ station }) => askStation<PoolsOverview>(station, 'pools')));
  }

  /** With which gateways the clients are, by address, and how many exchanges those answered since this was asked last. */
  async where(): Promise<Whereabouts> {
    const answers = this.clients.map(
      (member) =>
        new Promise<Whereabouts>((resolve) => {
          this.#asking.push(resolve);
          member.tell('where');
        }),
    );
    const sum: Whereabouts = { clients: {}, exchanges: {} };
    for (const answer of await Promise.all(answers)) {
      for (const of of ['clients', 'exchanges'] as const) {
        for (const [by, times] of Object.entries(answer[of])) sum[of][by] = (sum[of][by] ?? 0) + times;
      }
    }
    return sum;
  }

  async close(): Promise<void> {
    for (const { station } of this.gateways) station.member.thaw();
    await Promise.all(this.members.map((member) => member.end({ kill: true })));
    await Promise.all(this.stations.flatMap(({ links }) => links.map(({ link }) => link.close())));
    await this.postgres?.stop();
  }

  async #startKeymaster(): Promise<void> {
    const keymaster = this.#station('keymaster', { adminToken: TOKEN });
    keymaster.links.push({ from: 'all', link: await FaultyLink.open() });
    this.keymaster = keymaster;
    keymaster.member.start();
    await until('the keymaster is up', MINUTE, async () => keymaster.member.isUp);
  }

  async #addGateway(i: number, link: FaultyLink, links: readonly FaultyLink[]): Promise<void> {
    const name = `gateway ${i + 1}`;
    const isRegistrar = i < REGISTRARS;
    const pools: PoolsOptions = {
      registrar: isRegistrar,
      registrars: links.slice(0, REGISTRARS).map(({ url }) => url),
      addresses: [link.url],
      handle: HANDLE,
      policy: this.#options.policy(i),
      successors: [],
      origins: [],
    };
    const upstream = this.keymaster?.links[0]?.link.url;
    if (upstream !== undefined)
      pools.voucher = await this.#vouch(await keyOf(join(this.#folder, folderOf(name))), pools);
    const station = this.#station(name, {
      pools,
      ...(upstream === undefined ? {} : { upstreams: [upstream] }),
      ...(this.postgres === undefined ? {} : { databaseUrl: this.postgres.url }),
    });
    station.links.push({ from: 'all', link });
    this.gateways.push({ station, link, isRegistrar });
  }

  #station(name: string, order: Pick<KeyserverOrder, 'pools' | 'upstreams' | 'databaseUrl' | 'adminToken'>): Station {
    const { restartMs } = this.#options;
    return stationOf({
      name,
      script: this.#scripts.keyserver,
      folder: this.#folder,
      order: { ...order, manifests: [ENDLESS], work: 'real', stock: STOCK },
      ...(restartMs && { restartMs }),
    });
  }

  /** As the keymaster's operator does it. */
  async #vouch(key: string, { handle, addresses, registrar }: PoolsOptions): Promise<string> {
    const url = `${this.keymaster?.links[0]?.link.url}/admin/v1/vouchers`;
    const claims = { sub: key, handle, addresses, ...(registrar ? { registrar } : {}), days: 1 };
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(claims) });
    if (!response.ok) throw new Error(`no voucher: ${await response.text()}`);
    return ((await response.json()) as MadeVoucher).voucher;
  }

  #addClients(): void {
    const { clients = CLIENTS } = this.#options;
    const orders = Array.from({ length: CLIENT_PROCESSES }, (): PoolClientOrder['clients'][number][] => []);
    for (let number = 1; number <= clients; number++) {
      const journal = join(this.#folder, `client-${number}.journal`);
      this.journals.push({ number, path: journal });
      const home = this.gateways[number % GATEWAYS]?.link.url ?? '';
      orders[number % CLIENT_PROCESSES]?.push({ number, journal, home });
    }
    for (const [i, clients] of orders.entries()) {
      const order: PoolClientOrder = { clients, worker: resolve('dist/server/node-worker.js'), blockMs: BLOCK_MS };
      this.clients.push(
        new Member({
          name: `clients ${i + 1}`,
          script: this.#scripts.client,
          order: () => order,
          onWord: (said) => this.#hear(said as PoolClientWord),
        }),
      );
    }
  }

  #hear(word: PoolClientWord): void {
    if (word.is === 'where') this.#asking.shift()?.(word);
    if (word.is !== 'finished') return;
    this.gaps.push(...word.gaps.map((gap) => ({ ...gap, stalls: word.stalls })));
    this.moves += word.moves;
  }
}

/** Cuts what a gateway sends, or lets it pass again. */
export const cutOff = ({ station }: Gateway, isCutOff: boolean): void => {
  const told: CutOff = { isCutOff };
  station.member.tell(told);
};

const folderOf = (name: string): string => name.replaceAll(' ', '-');

/** The key of a proxy that has never run: its keymaster must know it before. @returns its public half. */
async function keyOf(dataDir: string): Promise<string> {
  const store = await openSqliteStore(dataDir);
  try {
    const key = generateKey();
    await store.transaction((ledger) => ledger.setMeta('proxy-key', key.secret()));
    return key.id;
  } finally {
    await store.close();
  }
}
