/**
 * Many whole clients in one process: the real engine in memory over a real pool user, with one real worker between them. A
 * worker's block takes seconds, of which all but a millisecond is sleep. Every answered report is in the client's journal.
 *
 * At the word `where` it says how many clients are with each gateway; at `finish` the clients hand in all they have, and it says
 * when they had nothing to do.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { spawnNodeWorker } from '../../../src/cli/spawn-node.ts';
import type { WorkerHandle } from '../../../src/client/crew.ts';
import { Engine } from '../../../src/client/engine.ts';
import { MemoryBuffers } from '../../../src/client/memory-buffers.ts';
import { PoolUser } from '../../../src/client/pool-user.ts';
import { alone, type PooledKeyserver } from '../../../src/client/ports.ts';
import type { CoreReport } from '../../../src/domain/core-report.ts';
import type { ExchangeReply, ExchangeRequest } from '../../../src/protocol/keyserver.ts';
import type { MapQuery } from '../../../src/protocol/unit-map.ts';
import type { WorkOutcome, WorkRequest } from '../../../src/protocol/worker-api.ts';
import { client } from '../keyservers.ts';
import { answeredOf, type JournalLine, lineOfFailure } from '../storm/client-journal.ts';
import { type Span, watchStalls } from './idle.ts';

export interface PoolClientOrder {
  /** Each with the gateway whose page it opened. */
  clients: readonly { number: number; journal: string; home: string }[];
  /** The built program of a worker. */
  worker: string;
  /** How long a block takes, on the average. */
  blockMs: number;
}

/** A time in which a client wanted work and had none. */
export interface Gap extends Span {
  client: number;
  /** A gateway answered in it, and had nothing. */
  wasStarved: boolean;
}

export type PoolClientWord =
  /** The first word: it works. */
  | { is: 'ready' }
  /** Clients by the gateway that they talk with, and exchanges answered since the last time that this was asked. */
  | { is: 'where'; clients: Record<string, number>; exchanges: Record<string, number> }
  /** `stalls`: when the process got no processor. */
  | { is: 'finished'; gaps: Gap[]; stalls: Span[]; moves: number };

/** Sooner is no gap, but the engine on its way to the next block. */
const GAP_MS = 500;

/** One real worker for all, a block at a time. */
class SharedWorker {
  readonly #handle: WorkerHandle;
  readonly #cores: Promise<CoreReport[]>;
  #last: Promise<unknown>;

  constructor(script: string) {
    this.#handle = spawnNodeWorker(pathToFileURL(script));
    this.#cores = this.#handle.prepare('ogr');
    this.#last = this.#cores;
  }

  prepare(): Promise<CoreReport[]> {
    return this.#cores;
  }

  work(request: WorkRequest): Promise<WorkOutcome> {
    const done = this.#last.then(() => this.#handle.work(request, () => {}));
    this.#last = done.catch(() => {});
    return done;
  }
}

class PoolClient {
  readonly number: number;
  readonly gaps: Gap[] = [];
  moves = 0;
  /** The gateway that answered last. */
  by: string;
  readonly exchanges: Record<string, number> = {};
  readonly #home: string;
  readonly #journal: string;
  readonly #pool: PoolUser;
  readonly #worker: SharedWorker;
  readonly #blockMs: number;
  #engine: Engine | undefined;
  #idleSince: number | undefined;
  #wasStarved = false;

  constructor({ number, journal, home }: PoolClientOrder['clients'][number], worker: SharedWorker, blockMs: number) {
    this.number = number;
    this.#home = home;
    this.by = home;
    this.#journal = journal;
    this.#pool = new PoolUser([home], { fetch });
    this.#worker = worker;
    this.#blockMs = blockMs;
  }

  async start(): Promise<void> {
    this.#engine = await Engine.open({
      keyserver: this.#keyserver(),
      buffers: new MemoryBuffers({ blocks: [], reports: [], facts: { clientId: client(this.number).id } }),
      storage: 'kept',
      spawn: () => this.#spawn(),
      turns: alone,
      maxWorkers: 1,
      defaultWorkers: 1,
      version: '0.0.0',
      environment: 'this test',
    });
    this.#engine.start();
  }

  /** Hands in what is done, and works no more. */
  async finish(): Promise<void> {
    this.#worksAgain();
    this.#engine?.pause();
    while (this.#engine?.snapshot.outBuffer !== 0 || this.#engine.snapshot.pause?.reason !== 'by-you') await sleep(100);
    await this.#engine.close();
  }

  #keyserver(): PooledKeyserver {
    const pool = this.#pool;
    return {
      exchange: (request) => this.#exchange(request),
      release: (request) => pool.release(request),
      contests: () => pool.contests(),
      status: () => pool.status(),
      map: (query: MapQuery) => pool.map(query),
      get through() {
        return pool.through;
      },
      get hasOthers() {
        return pool.hasOthers;
      },
    };
  }

  async #exchange(request: ExchangeRequest): Promise<ExchangeReply> {
    const before = this.by;
    try {
      const reply = await this.#pool.exchange(request);
      const by = this.#pool.through?.through ?? this.#home;
      if (by !== before) this.moves += 1;
      this.by = by;
      this.exchanges[by] = (this.exchanges[by] ?? 0) + 1;
      if (request.want.blocks > 0 && reply.leases.length === 0) this.#wasStarved = true;
      // What it got it may forget: its life is as long as the storm.
      this.#write({ got: [], answered: answeredOf(request.reports, reply.results, by) });
      return reply;
    } catch (error) {
      this.#write(lineOfFailure(error));
      throw error;
    }
  }

  #write(line: JournalLine): void {
    if (line.answered.length > 0 || line.unanswered === true)
      appendFileSync(this.#journal, `${JSON.stringify(line)}\n`);
  }

  #spawn(): WorkerHandle {
    let stop = new AbortController();
    this.#idleSince ??= Date.now();
    return {
      prepare: () => this.#worker.prepare(),
      work: async (request) => {
        this.#worksAgain();
        stop = new AbortController();
        const ms = this.#blockMs * (0.5 + Math.random());
        // Waiting for its turn with the worker is a part of the time that the block takes.
        const computed = this.#worker.work(request);
        const isStopped = await sleep(ms, false, { signal: stop.signal }).catch(() => true);
        const { checkpoint = { evidence: [], seconds: 0, steps: 0 } } = request;
        const outcome = isStopped ? { finished: false as const, checkpoint } : await computed;
        this.#idleSince = Date.now();
        // So that the engine learns how long a block takes here.
        return outcome.finished ? { ...outcome, seconds: ms / 1000 } : outcome;
      },
      stop: () => stop.abort(),
      pace: () => {},
      terminate: () => stop.abort(),
      broken: new Promise(() => {}),
    };
  }

  #worksAgain(): void {
    const to = Date.now();
    const from = this.#idleSince;
    if (from !== undefined && to - from >= GAP_MS) {
      this.gaps.push({ client: this.number, from, to, wasStarved: this.#wasStarved });
    }
    this.#idleSince = undefined;
    this.#wasStarved = false;
  }
}

async function work({ clients, worker, blockMs }: PoolClientOrder): Promise<void> {
  const stallsOf = watchStalls();
  const shared = new SharedWorker(worker);
  const all = clients.map((order) => new PoolClient(order, shared, blockMs));
  process.on('disconnect', () => process.exit(0));
  const say = (word: PoolClientWord): Promise<void> =>
    new Promise((resolve) => {
      process.send?.(word, () => resolve());
    });
  process.on('message', (told) => {
    if (told === 'where') void say(whereabouts(all));
    if (told === 'finish') void finish(all, stallsOf, say);
  });
  await shared.prepare();
  for (const one of all) {
    await one.start();
    // Two hundred people do not come in the same moment.
    await sleep(blockMs / all.length);
  }
  await say({ is: 'ready' });
}

async function finish(
  all: readonly PoolClient[],
  stallsOf: () => Span[],
  say: (word: PoolClientWord) => Promise<void>,
): Promise<void> {
  await Promise.all(all.map((one) => one.finish()));
  const moves = all.reduce((sum, one) => sum + one.moves, 0);
  await say({ is: 'finished', gaps: all.flatMap(({ gaps }) => gaps), stalls: stallsOf(), moves });
  process.exit(0);
}

function whereabouts(all: readonly PoolClient[]): PoolClientWord {
  const clients: Record<string, number> = {};
  const exchanges: Record<string, number> = {};
  for (const one of all) {
    clients[one.by] = (clients[one.by] ?? 0) + 1;
    for (const [by, times] of Object.entries(one.exchanges)) {
      exchanges[by] = (exchanges[by] ?? 0) + times;
      delete one.exchanges[by];
    }
  }
  return { is: 'where', clients, exchanges };
}

await work(JSON.parse(process.argv[2] ?? '') as PoolClientOrder);
