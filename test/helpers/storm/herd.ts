/**
 * What the storm rages over: keymasters, proxies and clients, each a process, and a faulty wire wherever two of them talk.
 *
 *   pyramid    PostgreSQL ← gateway 1, gateway 2 ← proxy A, proxy B ← personal proxy; clients over all five
 *   embedded   a keymaster over SQLite on a small disk ← proxy A on another; clients over both
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Postgres, startPostgres } from '../postgres.ts';
import { testManifest } from '../test-contest.ts';
import type { ClientOrder } from './client-process.ts';
import { FaultyLink } from './faulty-link.ts';
import type { KeyserverOrder } from './keyserver-process.ts';
import { Member } from './member.ts';
import { SmallDisk } from './small-disk.ts';
import { type Station, stationOf } from './station.ts';

export interface Scripts {
  keyserver: string;
  client: string;
}

/** Endless work; and lines that come to their end in the storm, whose last units are handed out twice. */
const MANIFESTS = [
  testManifest({ name: 'endless', units: 2 ** 44, maxUnits: 4, leaseSeconds: 20, recycleSeconds: 3 }),
  testManifest({ name: 'short', units: 1500, maxUnits: 8, leaseSeconds: 5, recycleSeconds: 5 }),
  testManifest({ name: 'middling', units: 20_000, maxUnits: 8, leaseSeconds: 10, recycleSeconds: 20 }),
];
const STOCK = 200;

const CLIENT_PROCESSES = 4;
const CLIENTS_OF_EACH = 3;

export class Herd {
  readonly stations: Station[] = [];
  readonly clients: Member[] = [];
  readonly journals: { number: number; path: string }[] = [];
  readonly disks: SmallDisk[] = [];
  /** Wires to PostgreSQL. */
  readonly databaseLinks: { from: string; link: FaultyLink }[] = [];
  postgres: Postgres | undefined;
  /** Exchanges of clients that were answered. */
  answered = 0;
  readonly #folder: string;
  readonly #scripts: Scripts;

  private constructor(folder: string, scripts: Scripts) {
    this.#folder = folder;
    this.#scripts = scripts;
  }

  /** @param folder of this herd alone, and there after it. */
  static async pyramid(folder: string, scripts: Scripts): Promise<Herd> {
    const herd = new Herd(folder, scripts);
    const postgres = await startPostgres();
    herd.postgres = postgres;
    const gateways = [];
    for (const name of ['gateway 1', 'gateway 2']) {
      const link = await FaultyLink.open(Number(new URL(postgres.url).port));
      herd.databaseLinks.push({ from: name, link });
      const url = new URL(postgres.url);
      url.port = `${link.port}`;
      gateways.push(herd.#station(name, { databaseUrl: url.href }));
    }
    const proxies = [];
    for (const name of ['proxy A', 'proxy B']) {
      const disk = name === 'proxy A' ? await herd.#disk() : undefined;
      proxies.push(herd.#station(name, { upstreams: await herd.#wires(name, gateways) }, disk));
    }
    const personal = herd.#station('personal proxy', { upstreams: await herd.#wires('personal proxy', proxies) });
    await herd.#populate([personal, ...proxies, ...gateways]);
    return herd;
  }

  static async embedded(folder: string, scripts: Scripts): Promise<Herd> {
    const herd = new Herd(folder, scripts);
    const keymaster = herd.#station('keymaster', {}, await herd.#disk());
    const upstreams = await herd.#wires('proxy A', [keymaster]);
    const proxy = herd.#station('proxy A', { upstreams }, await herd.#disk());
    await herd.#populate([proxy, keymaster]);
    return herd;
  }

  get members(): Member[] {
    return [...this.stations.map(({ member }) => member), ...this.clients];
  }

  get links(): { name: string; link: FaultyLink }[] {
    return [
      ...this.stations.flatMap(({ member, links }) =>
        links.map(({ from, link }) => ({ name: `${from} to ${member.name}`, link })),
      ),
      ...this.databaseLinks.map(({ from, link }) => ({ name: `${from} to PostgreSQL`, link })),
    ];
  }

  start(): void {
    for (const member of this.members) member.start();
  }

  step(station: Station, offsetMs: number): void {
    station.clockOffsetMs = offsetMs;
    station.member.tell(offsetMs);
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.end({ kill: true })));
    await Promise.all(this.links.map(({ link }) => link.close()));
    await this.postgres?.stop();
    for (const disk of this.disks) await disk.remove();
  }

  #station(name: string, order: Pick<KeyserverOrder, 'upstreams' | 'databaseUrl'>, disk?: SmallDisk): Station {
    const station = stationOf({
      name,
      script: this.#scripts.keyserver,
      folder: disk?.path ?? this.#folder,
      order: { ...order, manifests: MANIFESTS, work: 'tests', stock: STOCK },
    });
    if (disk !== undefined) station.disk = disk;
    this.stations.push(station);
    return station;
  }

  async #disk(): Promise<SmallDisk> {
    const disk = await SmallDisk.make();
    this.disks.push(disk);
    return disk;
  }

  /** Wires of one's own to each of these. */
  async #wires(from: string, to: readonly Station[]): Promise<string[]> {
    const urls: string[] = [];
    for (const { links } of to) {
      const link = await FaultyLink.open();
      links.push({ from, link });
      urls.push(link.url);
    }
    return urls;
  }

  /** Clients whose first choice is each of these in turn; where it does not answer they go on to the next. */
  async #populate(stations: readonly Station[]): Promise<void> {
    const urls = await this.#wires('clients', stations);
    mkdirSync(this.#folder, { recursive: true });
    for (let process = 0; process < CLIENT_PROCESSES; process++) {
      const orders: ClientOrder['clients'][number][] = [];
      for (let i = 0; i < CLIENTS_OF_EACH; i++) {
        const number = process * CLIENTS_OF_EACH + i + 1;
        const home = number % urls.length;
        const journal = join(this.#folder, `client-${number}.journal`);
        this.journals.push({ number, path: journal });
        orders.push({ number, journal, servers: [...urls.slice(home), ...urls.slice(0, home)] });
      }
      const order: ClientOrder = { clients: orders };
      this.clients.push(
        new Member({
          name: `clients ${process + 1}`,
          script: this.#scripts.client,
          order: () => order,
          onWord: () => {
            this.answered += 1;
          },
        }),
      );
    }
  }
}
