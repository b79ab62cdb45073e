/**
 * One kind of animal among honest clients, before a keymaster of its own: the real one over SQLite, with its desk, trust and
 * take-back, in virtual time. A minute is a round: each client hands in its block and takes the next, all of them at once. Then
 * checks are done and consequences drawn, as the timer would. Whoever is caught comes no more,
 * but for those who take another identity: they go on to the end, under a name that some of the honest use too.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientInfo } from '../../../domain/client.ts';
import type { Lease, Report } from '../../../domain/work.ts';
import type { ReportResult } from '../../../protocol/keyserver.ts';
import { Keymaster } from '../../../server/keymaster/keymaster.ts';
import { checkLedger } from '../../../server/ledger/check.ts';
import type { Log } from '../../../server/log.ts';
import { openSqliteStore } from '../../../server/store/sqlite.ts';
import type { Store } from '../../../server/store/store.ts';
import { bodyOf } from '../../../server/trust/cases.ts';
import { type How, isBarred } from '../../../server/trust/conduct.ts';
import { type Random, randomOf } from '../random.ts';
import type { Model } from './model.ts';
import { type Animal, BLOCK_UNITS, honest, type Kept } from './zoo.ts';

const MINUTE_MS = 60_000;
/** Rounds between two counts of what is finished: what is taken back must have been counted. */
const COUNT_EVERY = 20;
const START = Date.UTC(2026, 0, 5);

export interface EnclosureOptions {
  seed: number;
  animal: Animal;
  model: Model;
  runs: number;
  /** Clients that do honest work beside them. */
  honest: number;
  /** Blocks after which one that was not caught is let go. */
  most: number;
  /** Units of a block, unless as many as the kind's blocks have. */
  blockUnits?: number;
  /** Blocks after which it is counted what is done again. */
  countFrom?: number;
}

export interface Watched {
  /** Blocks handed in before each was caught for the first time, ascending. */
  caughtAfter: number[];
  ways: Partial<Record<How, number>>;
  clients: number;
  blocks: number;
  /** Units that were credited to them and not truly done: at first, and in the end. */
  wronglyCredited: number;
  wrongInTheEnd: number;
  /** … and those that others had done before: of a second run the line knows nothing, the points do. */
  wrongAgain: number;
  /** Credited for reports of somebody else's: there must be none. */
  stolen: number;
  honest: { clients: number; blocks: number; accused: string[] };
  /** From `countFrom` on: blocks of all, spot checks, and blocks that had been done before. */
  again: { blocks: number; spots: number; blocksAgain: number };
  /** Spot checks that nobody had time for. */
  dropped: number;
  faults: string[];
}

interface Client {
  /** Its present identity, and the ids of all that it has had. */
  info: ClientInfo;
  ids: string[];
  address: string;
  animal: Animal;
  n: number;
  random: Random;
  /** In hand. */
  work: { report: Report; wrong: number[]; isAgain: boolean; dueAt: number } | undefined;
  blocks: number;
  caughtAfter: number | undefined;
  /** Units credited to it that were not truly done, and to which of its identities. */
  wrong: { id: string; unit: number }[];
  wrongAgain: string[];
  last: Report | undefined;
}

export async function watch(options: EnclosureOptions): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), 'tabherd-zoo-'));
  try {
    return await new Enclosure(options, folder).run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const AT_ONCE: Kept = { minutes: 1, seconds: 60 };

class Enclosure {
  readonly #options: EnclosureOptions;
  readonly #folder: string;
  readonly #clients: Client[];
  readonly #faults: string[] = [];
  #now = START;
  #stolen = 0;
  #identities: number;
  #counted = { blocks: 0, spots: 0, blocksAgain: 0 };
  /** Where new work begins. */
  #fresh = 0;

  constructor(options: EnclosureOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    const { animal, runs } = options;
    this.#identities = runs + options.honest;
    const named = (n: number): Pick<ClientInfo, 'name'> => (animal.renews === undefined ? {} : { name: `name ${n}` });
    const team = animal.renews === undefined ? {} : { team: 'team' };
    this.#clients = [
      ...Array.from({ length: runs }, (_, n) => this.#client(animal, n, n, { ...named(n), ...team })),
      ...Array.from({ length: options.honest }, (_, n) => this.#client(honest(animal.kind), n, runs + n, named(n))),
    ];
  }

  async run(): Promise<Watched> {
    const { animal, model, most, seed, countFrom = 0 } = this.#options;
    const { manifest, kinds, checker } = model;
    const store = await openSqliteStore(this.#folder, { durable: false });
    const keymaster = await Keymaster.open({
      store,
      manifests: [manifest],
      kinds,
      clock: () => this.#now,
      log: this.#log,
      random: randomOf(seed, 'keymaster', animal.name),
      version: '0.0.0',
      checker,
    });
    const animals = this.#clients.filter((client) => client.animal === animal);
    for (let round = 0; round <= most; round++) {
      this.#now += MINUTE_MS;
      if (round === countFrom) this.#counted = { blocks: 0, spots: -keymaster.trust.checks.done, blocksAgain: 0 };
      const here = this.#clients.filter(
        ({ animal, caughtAfter }) => caughtAfter === undefined || animal.renews !== undefined,
      );
      if (!here.some((client) => client.animal === animal)) break;
      await Promise.all(here.map((client) => this.#turn(keymaster, client, round < most)));
      await keymaster.trust.settled();
      for (const client of here) {
        const isCaught = (id: string): boolean => isBarred(keymaster.trust.conductOf(id, manifest.name));
        if (client.caughtAfter === undefined && client.ids.some(isCaught)) client.caughtAfter = client.blocks;
        if (client.animal.renews !== undefined && isCaught(client.info.id)) this.#renew(client);
      }
      if (round % COUNT_EVERY === 0) await keymaster.desk.counting.count();
    }
    await keymaster.trust.settled();
    await keymaster.desk.counting.count();
    const watched = await this.#result(store, animals, keymaster);
    await keymaster.close();
    await store.close();
    return watched;
  }

  /** Hands in what is due, and takes a block where it has none. */
  async #turn(keymaster: Keymaster, client: Client, goesOn: boolean): Promise<void> {
    const { model, animal, blockUnits = BLOCK_UNITS[animal.kind] } = this.#options;
    const { info, work } = client;
    const isDue = work !== undefined && work.dueAt <= this.#now;
    if (work !== undefined && !isDue) return;
    const isLast = work !== undefined && (client.blocks + 1) % (client.animal.renews ?? Number.POSITIVE_INFINITY) === 0;
    const reports = work === undefined ? [] : [work.report];
    const other = this.#clients.find((one) => one.animal !== animal)?.last;
    if (client.animal.replays && other !== undefined) reports.push(other);
    const contest = model.manifest.name;
    const reply = await keymaster.exchange(
      {
        protocols: ['keyserver<-client/2'],
        client: info,
        reports,
        want: { blocks: goesOn && !isLast ? 1 : 0, from: [{ contest, units: blockUnits }] },
      },
      { address: client.address },
    );
    if (work !== undefined) this.#settled(client, work, reply.results[0]);
    this.#stolen += reply.results.slice(1).reduce((sum, { credited }) => sum + credited, 0);
    const [lease] = reply.leases;
    client.work = lease === undefined ? undefined : this.#do(client, lease, this.#isAgain(keymaster, lease));
    if (isLast) this.#renew(client);
  }

  /** What it has in hand stays with who it was. */
  #renew(client: Client): void {
    const id = idOf(this.#identities++);
    client.info = { ...client.info, id };
    client.ids.push(id);
    client.work = undefined;
  }

  /** Whether somebody did the block before: as the keymaster knows, and nobody else. */
  #isAgain({ trust }: Keymaster, { contest, first, count }: Lease): boolean {
    const isFresh = first >= this.#fresh;
    this.#fresh = Math.max(this.#fresh, first + count);
    const isAgain = !isFresh && trust.seconds.hidden(contest).some((range) => range.first === first);
    if (isAgain) this.#counted.blocksAgain += 1;
    return isAgain;
  }

  #settled(client: Client, work: NonNullable<Client['work']>, result: ReportResult | undefined): void {
    client.blocks += 1;
    this.#counted.blocks += 1;
    client.last = work.report;
    if (result === undefined || result.credited === 0) return;
    if (work.isAgain) client.wrongAgain.push(...work.wrong.map(() => client.info.id));
    else client.wrong.push(...work.wrong.map((unit) => ({ id: client.info.id, unit })));
  }

  #do(client: Client, { id, contest, first, count, proof }: Lease, isAgain: boolean): Client['work'] {
    const { animal, n, random, blocks } = client;
    const made = Array.from({ length: count }, (_, i) =>
      animal.unit(this.#options.model, first + i, { n, random, blocks }),
    );
    const { minutes, seconds } = animal.keeps?.(random) ?? AT_ONCE;
    const report: Report = {
      lease: id,
      contest,
      first,
      evidence: made.map(({ evidence }) => evidence),
      core: `${animal.kind}-simulated`,
      seconds,
      ...(proof === undefined ? {} : { proof }),
    };
    const wrong = made.flatMap((one, i) => (one.wrong ? [first + i] : []));
    return { report, wrong, isAgain, dueAt: this.#now + minutes * MINUTE_MS };
  }

  async #result(store: Store, animals: readonly Client[], keymaster: Keymaster): Promise<Watched> {
    const rows = await store.read((ledger) => ledger.trust.cases(1_000_000));
    const cases = rows.toReversed().map((row) => ({ client: row.client, ...bodyOf(row) }));
    const ledger = await store.snapshot(checkLedger);
    if (!ledger.ok) this.#faults.push(`the ledger contradicts itself: ${JSON.stringify(ledger)}`);
    const ways: Watched['ways'] = {};
    let [wronglyCredited, wrongInTheEnd] = [0, 0];
    for (const { ids, wrong } of animals) {
      const own = cases.filter(({ client }) => ids.includes(client));
      const [first] = own;
      if (first !== undefined) ways[first.how] = (ways[first.how] ?? 0) + 1;
      wronglyCredited += wrong.length;
      wrongInTheEnd += wrong.filter(
        ({ id, unit }) =>
          !own.some(
            ({ client, ranges }) =>
              client === id && ranges.some(({ first, count }) => unit >= first && unit < first + count),
          ),
      ).length;
    }
    const beside = this.#clients.filter((client) => client.animal.honest);
    const caught = new Set(cases.map(({ client }) => client));
    const names = new Set(beside.map(({ info }) => info.id));
    return {
      caughtAfter: animals.flatMap(({ caughtAfter }) => caughtAfter ?? []).toSorted((a, b) => a - b),
      ways,
      clients: animals.length,
      blocks: animals.reduce((sum, { blocks }) => sum + blocks, 0),
      wronglyCredited,
      wrongInTheEnd,
      wrongAgain: animals.reduce((sum, one) => sum + one.wrongAgain.filter((id) => !caught.has(id)).length, 0),
      stolen: this.#stolen,
      honest: {
        clients: beside.length,
        blocks: beside.reduce((sum, { blocks }) => sum + blocks, 0),
        accused: cases.filter(({ client }) => names.has(client)).map(({ how, detail }) => `${how}: ${detail}`),
      },
      again: { ...this.#counted, spots: this.#counted.spots + keymaster.trust.checks.done },
      dropped: keymaster.trust.checks.dropped,
      faults: this.#faults,
    };
  }

  #client(animal: Animal, n: number, number: number, named: Pick<ClientInfo, 'name' | 'team'>): Client {
    const { seed } = this.#options;
    const id = idOf(number);
    return {
      info: { id, version: '0.0.0', ...named },
      ids: [id],
      address: id,
      animal,
      n,
      random: randomOf(seed, animal.name, n),
      work: undefined,
      blocks: 0,
      caughtAfter: undefined,
      wrong: [],
      wrongAgain: [],
      last: undefined,
    };
  }

  readonly #log: Log = {
    info: () => {},
    warn: () => {},
    error: (fields) => {
      const { err } = fields as { err?: unknown };
      this.#faults.push(err instanceof Error ? (err.stack ?? err.message) : JSON.stringify(fields));
    },
  };
}
