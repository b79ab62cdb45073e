/** One proxy of the simulation: it can be killed and started again over its ledger, or lose it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ContestKind } from '../../../contests/kind.ts';
import type { ContestKindName } from '../../../domain/contest.ts';
import type { Keyserver } from '../../../protocol/keyserver.ts';
import type { Log } from '../../../server/log.ts';
import { Proxy, type ProxySettings } from '../../../server/proxy/proxy.ts';
import { openSqliteStore } from '../../../server/store/sqlite.ts';
import type { Store } from '../../../server/store/store.ts';
import type { Random } from '../random.ts';
import type { Link } from './link.ts';

const IDLE_MS = 60_000;

export interface StationPorts {
  name: string;
  /** Where its data folder is made. */
  folder: string;
  link: Link;
  clock: () => number;
  random: Random;
  kinds: Readonly<Record<ContestKindName, ContestKind>>;
  log: Log;
  settings: ProxySettings;
}

export class Station {
  readonly link: Link;
  readonly #ports: StationPorts;
  #home: string;
  #touched = true;
  #tickedAt = 0;
  #open: { proxy: Proxy; store: Store } | undefined;

  constructor(ports: StationPorts) {
    this.#ports = ports;
    this.link = ports.link;
    this.#home = this.#newHome();
  }

  get running(): Proxy | undefined {
    return this.#open?.proxy;
  }

  /** For those who speak to it. */
  get keyserver(): Keyserver | undefined {
    this.#touched = true;
    return this.#open?.proxy;
  }

  async start(): Promise<Proxy> {
    if (this.#open !== undefined) return this.#open.proxy;
    const { name, link, clock, random, kinds, log, settings } = this.#ports;
    const store = await openSqliteStore(this.#home, { durable: false });
    const upstreams = [{ url: 'above', keyserver: link }];
    const proxy = await Proxy.open({ store, kinds, clock, log, random, upstreams, settings, name, version: '0.0.0' });
    this.#open = { proxy, store };
    return proxy;
  }

  /** What its timer does, where something can be due: it was spoken to, or a minute has passed. */
  async tick(): Promise<void> {
    const now = this.#ports.clock();
    if (!this.#touched && now - this.#tickedAt < IDLE_MS) return;
    this.#touched = false;
    this.#tickedAt = now;
    await this.#open?.proxy.tick();
  }

  /** No goodbye: only its ledger goes on. */
  async kill(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.store.close();
  }

  /** The disk is gone, and with it the key that was its name. @returns units it had in stock, reports it had not sent. */
  async loseDisk(): Promise<{ free: number; waiting: number }> {
    const lost = await this.#open?.store.read(async (ledger) => ({
      free: [...(await ledger.freeUnits()).values()].reduce((sum, units) => sum + units, 0),
      waiting: (await ledger.upstream.countOutbox()).reduce((sum, { count }) => sum + count, 0),
    }));
    await this.kill();
    rmSync(this.#home, { recursive: true, force: true });
    this.#home = this.#newHome();
    return lost ?? { free: 0, waiting: 0 };
  }

  /** Reports that wait for the upstream. */
  async waiting(): Promise<number> {
    const counts = await this.#open?.store.read((ledger) => ledger.upstream.countOutbox());
    return (counts ?? []).reduce((sum, { count }) => sum + count, 0);
  }

  #newHome(): string {
    return mkdtempSync(join(this.#ports.folder, `${this.#ports.name}-`));
  }
}
