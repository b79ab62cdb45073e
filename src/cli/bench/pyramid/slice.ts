/**
 * A slice of the pyramid under virtual time: the real keymaster over the real proxies over theirs, each with a ledger of its
 * own, and modelled clients. Time goes in steps; what falls into one step at one keyserver is handed to it at once, as
 * requests that arrive during a commit are. Nothing takes time but work, waits and troubles.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientInfo } from '../../../domain/client.ts';
import type { Keyserver } from '../../../protocol/keyserver.ts';
import { Keymaster } from '../../../server/keymaster/keymaster.ts';
import type { Log } from '../../../server/log.ts';
import type { ProxySettings } from '../../../server/proxy/proxy.ts';
import { openSqliteStore } from '../../../server/store/sqlite.ts';
import type { Store } from '../../../server/store/store.ts';
import { randomOf } from '../random.ts';
import { Audit } from './audit.ts';
import { SimulatedClient } from './client.ts';
import { simulatedKinds, simulatedManifest } from './contest.ts';
import { contradictions } from './contradictions.ts';
import { habitsOf, keysPerSecondOf, workersOf } from './habits.ts';
import { Link, Traffic } from './link.ts';
import { Station } from './station.ts';
import { troublesOf } from './troubles.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Monday, 5 January 2026. */
export const MONDAY = Date.UTC(2026, 0, 5);

export interface SliceOptions {
  seed: number;
  uppers: number;
  leavesPerUpper: number;
  clientsPerLeaf: number;
  /** After MONDAY. */
  fromHours: number;
  hours: number;
  /** What happens before is not counted. */
  countFromHours?: number;
  leaseSeconds: number;
  troubles: boolean;
  /** Steps of virtual time, and the interval of the proxies' timers. */
  stepSeconds: number;
  sweepMinutes: number;
  upperSettings?: ProxySettings;
  onHour?(hour: number): void;
}

export interface SliceResult {
  clients: number;
  hours: number;
  traffic: { leaf: Traffic; upper: Traffic; keymaster: Traffic };
  audit: Audit;
  /** Every hour: units in stock of each leaf and upper, and clients' seconds; clients at work, and those of them idle. */
  stock: { leaf: number[][]; upper: number[][]; client: number[]; working: number; idle: number };
  /** Units credited to the clients of each leaf. */
  creditOfLeaf: number[];
  /** Of the first leaf. */
  diskLost: { free: number; waiting: number } | undefined;
  /** Finished units whose report a client still has, or took with it for good. */
  unsent: number;
  /** Contradictions between ledgers and what was observed: there must be none. */
  faults: string[];
  /** Exceptions that a keyserver had to log: there must be none. */
  errors: string[];
}

export async function runSlice(options: SliceOptions): Promise<SliceResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tabherd-pyramid-'));
  try {
    return await new Slice(options, folder).run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class Slice {
  readonly #options: SliceOptions;
  readonly #folder: string;
  readonly #start: number;
  readonly #end: number;
  #now: number;
  readonly #audit = new Audit();
  readonly #traffic = { leaf: new Traffic(), upper: new Traffic(), keymaster: new Traffic() };
  readonly #uppers: Station[] = [];
  readonly #leaves: Station[] = [];
  readonly #clientLinks: Link[] = [];
  readonly #clients: { client: SimulatedClient; id: string; leaf: number }[] = [];
  readonly #errors: string[] = [];
  #keymaster: Keymaster | undefined;

  constructor(options: SliceOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    this.#start = MONDAY + options.fromHours * HOUR_MS;
    this.#end = this.#start + options.hours * HOUR_MS;
    this.#now = this.#start;
    this.#build();
  }

  async run(): Promise<SliceResult> {
    const { hours, leaseSeconds, countFromHours = 0 } = this.#options;
    const store = await openSqliteStore(join(this.#folder, 'keymaster'), { durable: false });
    const keymaster = await Keymaster.open({
      store,
      manifests: [simulatedManifest(leaseSeconds)],
      kinds: simulatedKinds,
      clock: () => this.#now,
      log: this.#log,
      version: '0.0.0',
      // What they cost is `bench trust`'s.
      secondRuns: 0,
      observer: {
        reported: (client, _manifest, report, result) => this.#audit.settled(client, report, result, this.#now),
      },
    });
    this.#keymaster = keymaster;
    for (const station of [...this.#uppers, ...this.#leaves]) await station.start();
    const stock: SliceResult['stock'] = { leaf: [], upper: [], client: [], working: 0, idle: 0 };
    let diskLost: SliceResult['diskLost'];
    const troubles = this.#options.troubles
      ? troublesOf(randomOf(this.#options.seed, 'troubles'), {
          start: this.#start,
          end: this.#end,
          uppers: this.#uppers,
          leaves: this.#leaves,
          clientLinks: this.#clientLinks,
          onDiskLost: (lost) => {
            diskLost = lost;
          },
        })
      : [];
    const stepMs = this.#options.stepSeconds * 1000;
    const sweepMs = this.#options.sweepMinutes * MINUTE_MS;
    const due = new Map<number, SimulatedClient[]>();
    const enter = (client: SimulatedClient, earliest: number): void => {
      const at = client.next(this.#now);
      if (at >= this.#end) return;
      const step = Math.max(earliest, Math.ceil((at - this.#start) / stepMs));
      const some = due.get(step);
      if (some === undefined) due.set(step, [client]);
      else some.push(client);
    };
    for (const { client } of this.#clients) enter(client, 1);
    let counting = countFromHours === 0;
    const finishedBefore: number[] = [];
    const steps = Math.round((this.#end - this.#start) / stepMs);
    for (let step = 1; step <= steps; step++) {
      this.#now = this.#start + step * stepMs;
      const since = this.#now - this.#start;
      while ((troubles[0]?.at ?? Number.POSITIVE_INFINITY) <= this.#now) await troubles.shift()?.happen();
      const some = due.get(step) ?? [];
      due.delete(step);
      await Promise.all(some.map((client) => client.act(this.#now)));
      for (const client of some) enter(client, step + 1);
      for (const station of [...this.#leaves, ...this.#uppers]) await station.tick();
      if (since % sweepMs < stepMs) await this.#sweep();
      if (since % HOUR_MS < stepMs) {
        await this.#sample(stock);
        this.#options.onHour?.(Math.round(since / HOUR_MS));
      }
      if (!counting && since >= countFromHours * HOUR_MS) {
        counting = true;
        for (const traffic of Object.values(this.#traffic)) traffic.clear();
        this.#audit.waits.length = 0;
        finishedBefore.push(this.#audit.finishedBlocks, this.#audit.finishedUnits);
      }
    }
    const faults = countFromHours === 0 ? await this.#drain(store) : [];
    const [blocks = 0, units = 0] = finishedBefore;
    this.#audit.finishedBlocks -= blocks;
    this.#audit.finishedUnits -= units;
    const result = {
      clients: this.#clients.length,
      hours: hours - countFromHours,
      traffic: this.#traffic,
      audit: this.#audit,
      stock,
      creditOfLeaf: this.#leaves.map((_, leaf) =>
        this.#clients
          .filter((client) => client.leaf === leaf)
          .reduce((sum, { id }) => sum + (this.#audit.creditOf.get(id) ?? 0), 0),
      ),
      diskLost,
      unsent: this.#clients.reduce((sum, { client }) => sum + client.unsentUnits, 0),
      faults,
      errors: this.#errors,
    };
    for (const station of [...this.#leaves, ...this.#uppers]) await station.kill();
    await keymaster.close();
    await store.close();
    return result;
  }

  #build(): void {
    const { seed, uppers, leavesPerUpper, clientsPerLeaf } = this.#options;
    const ports = (name: string, above: () => Keyserver | undefined, traffic: Traffic, settings: ProxySettings) => ({
      name,
      folder: this.#folder,
      link: new Link(above, traffic),
      clock: () => this.#now,
      random: randomOf(seed, name),
      kinds: simulatedKinds,
      log: this.#log,
      settings,
    });
    for (let u = 0; u < uppers; u++) {
      const top = (): Keyserver | undefined => this.#keymaster;
      const upper = new Station(ports(`upper-${u}`, top, this.#traffic.keymaster, this.#options.upperSettings ?? {}));
      this.#uppers.push(upper);
      for (let l = 0; l < leavesPerUpper; l++) {
        const n = this.#leaves.length;
        const leaf = new Station(ports(`leaf-${n}`, () => upper.keyserver, this.#traffic.upper, {}));
        this.#leaves.push(leaf);
        const link = new Link(() => leaf.keyserver, this.#traffic.leaf);
        this.#clientLinks.push(link);
        for (let c = 0; c < clientsPerLeaf; c++) this.#clients.push({ ...this.#client(n, c, link), leaf: n });
      }
    }
  }

  #client(leaf: number, n: number, keyserver: Keyserver): { client: SimulatedClient; id: string } {
    const { seed, fromHours, hours } = this.#options;
    const random = randomOf(seed, 'client', leaf, n);
    const days = Math.max(7, Math.ceil((fromHours + hours) / 24));
    const whole = habitsOf(random, MONDAY, days);
    const sessions = whole.sessions
      .filter(({ from, to }) => to > this.#start && from < this.#end)
      .map((session) => ({ ...session, from: Math.max(session.from, this.#start + random() * 5 * MINUTE_MS) }))
      .filter(({ from, to }) => to > from);
    const habits = { ...whole, sessions, leaves: whole.leaves && (whole.sessions.at(-1)?.to ?? 0) < this.#end };
    const number = leaf * 100_000 + n;
    const info: ClientInfo = {
      id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
      name: `client ${number}`,
      version: '0.0.0',
      class: whole.kind === 'always' ? 'terminal' : 'tab',
      os: 'Linux',
      cpu: 'x86_64',
    };
    const workers = workersOf(random);
    const unitsPerSecond = keysPerSecondOf(random) / 2 ** 28;
    const audit = this.#audit;
    const client = new SimulatedClient({ info, keyserver, habits, workers, unitsPerSecond, random, audit });
    return { client, id: info.id };
  }

  readonly #log: Log = {
    info: () => {},
    warn: () => {},
    error: (fields) => {
      const { err } = fields as { err?: unknown };
      this.#errors.push(err instanceof Error ? (err.stack ?? err.message) : JSON.stringify(fields));
    },
  };

  async #sweep(): Promise<void> {
    for (const station of [...this.#leaves, ...this.#uppers]) await station.running?.sweep();
    await this.#keymaster?.sweep();
  }

  async #sample(stock: SliceResult['stock']): Promise<void> {
    stock.leaf.push(await this.#freeOf(this.#leaves));
    stock.upper.push(await this.#freeOf(this.#uppers));
    for (const { client } of this.#clients) {
      const seconds = client.stockSeconds;
      if (seconds === undefined) continue;
      stock.client.push(seconds);
      stock.working += 1;
      if (client.isIdle) stock.idle += 1;
    }
  }

  async #freeOf(stations: readonly Station[]): Promise<number[]> {
    const units: number[] = [];
    for (const station of stations) {
      const status = await station.running?.status();
      units.push(status?.stock?.[0]?.free ?? Number.NaN);
    }
    return units;
  }

  /** Everything that waits goes up; then the ledgers are compared with what was observed. */
  async #drain(store: Store): Promise<string[]> {
    for (const link of [...this.#clientLinks, ...this.#leaves.map(linkOf), ...this.#uppers.map(linkOf)]) {
      link.cuts = 0;
      link.losesAnswers = false;
    }
    for (const station of [...this.#uppers, ...this.#leaves]) await station.start();
    for (let round = 0; round < 100; round++) {
      this.#now += 10 * MINUTE_MS;
      for (const station of this.#leaves) await station.running?.tick();
      for (const station of this.#uppers) await station.running?.tick();
      const waiting = await Promise.all([...this.#leaves, ...this.#uppers].map((station) => station.waiting()));
      if (waiting.every((count) => count === 0)) break;
    }
    await this.#sweep();
    const keymaster = this.#keymaster;
    const found = keymaster === undefined ? [] : await contradictions(store, keymaster, this.#audit);
    return [...found, ...this.#errors];
  }
}

const linkOf = (station: Station): Link => station.link;
