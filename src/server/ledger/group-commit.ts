/**
 * Many exchanges, one fsync. Work that arrives while a commit is running waits and shares the next transaction;
 * work that arrives in one turn of the event loop shares one too. Each answer leaves only after its commit.
 *
 * Every piece says beforehand which units it will look at, so that one query loads them for all.
 *
 * A transaction that fails is tried again piece by piece, so that one bad piece of work fails alone. Work must
 * therefore touch nothing but the books it is given.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UnitRange } from '../../domain/units.ts';
import { RefusedError, UnreachableError } from '../../protocol/errors.ts';
import type { Log } from '../log.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { Store } from '../store/store.ts';
import { Books, type Kinds } from './books.ts';
import { FREE_AT_ONCE, pastOf, pointsOf } from './line.ts';

export interface Work<T> {
  /** The units of reports, by contest. */
  units?: readonly (UnitRange & { contest: string })[];
  /** A client whose leases will be asked for. */
  holder?: string;
  /** Contests of which free units will be. */
  wants?: readonly string[];
  run(commit: Commit): Promise<T>;
}

/** One transaction, as the work in it sees it. */
export interface Commit {
  books: Books;
  now: number;
  /** What the holders of the group's work held when it began. */
  held: ReadonlyMap<string, readonly { contest: string; lease: string }[]>;
}

export interface GroupCommitPorts {
  store: Store;
  kinds: Kinds;
  clock: () => number;
  log: Log;
  /** Told of the contests as each transaction finds them. */
  onOpen?(books: Books): void;
  /** Told after each commit. */
  onCommit?(size: number, seconds: number): void;
}

interface Waiting {
  work: Work<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Keeps a transaction, and with it everyone's answer, in the low milliseconds. */
const MAX_SHARED = 256;

/** Between two commits, unless so many wait. */
const REST_MS = 5;
const ENOUGH = 64;

/** A server that was away for long finds thousands overdue: it works them off over several transactions. */
const MAX_FREED_AT_ONCE = 500;

export class GroupCommit {
  readonly #ports: GroupCommitPorts;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  /** Whether the last commit was of several pieces of work, and when it ended. */
  #isBusy = false;
  #endedAt = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** The contests that there were last: of others nothing is read beforehand. */
  #known: ReadonlySet<string> = new Set();

  constructor(ports: GroupCommitPorts) {
    this.#ports = ports;
  }

  /** @throws UnreachableError the store failed, or the keyserver is closing: nothing of the work happened. */
  run<T>(work: Work<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new UnreachableError('the keyserver is closing'));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Finishes what waits, takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Most of a commit costs the same for one as for many: where they come from all sides, wait for some to come aboard.
      const rest = this.#isBusy ? this.#endedAt + REST_MS - performance.now() : 0;
      if (rest > 0 && this.#waiting.length < ENOUGH) await sleep(rest);
      // The embedded store never yields: the requests that are in the sockets by now come too.
      await new Promise(setImmediate);
      const group = this.#waiting.splice(0, MAX_SHARED);
      if (!(await this.#commit(group))) for (const one of group) await this.#commit([one]);
      this.#endedAt = performance.now();
      this.#isBusy = group.length > 1;
    }
    this.#running = undefined;
  }

  /** False if the group should be tried one by one. */
  async #commit(group: readonly Waiting[]): Promise<boolean> {
    const began = performance.now();
    try {
      const results = await this.#ports.store.transaction(async (ledger) => {
        const now = this.#ports.clock();
        const { books, due, held } = await this.#read(ledger, group, now);
        await books.freeDue(due);
        await books.load(unitsOf(group));
        const commit: Commit = { books, now, held: byHolder(held) };
        const values: unknown[] = [];
        for (const { work } of group) values.push(await work.run(commit).catch(refusal));
        await books.write(now);
        return values;
      });
      for (const [i, one] of group.entries()) {
        const result = results[i];
        if (result instanceof RefusedError) one.reject(result);
        else one.resolve(result);
      }
    } catch (cause) {
      if (group.length > 1) return false;
      // Whatever it was, nothing of it was written: the same request may succeed later.
      this.#ports.log.error({ err: cause }, 'an exchange was not written');
      for (const one of group) one.reject(new UnreachableError('the ledger could not be written', { cause }));
      return true;
    }
    this.#ports.onCommit?.(group.length, (performance.now() - began) / 1000);
    return true;
  }

  /** All that is known to be needed, at once: over PostgreSQL it is one round trip. */
  async #read(ledger: LedgerQueries, group: readonly Waiting[], now: number) {
    const holders = [...new Set(group.flatMap(({ work }) => work.holder ?? []))];
    const wanted = [...new Set(group.flatMap(({ work }) => work.wants ?? []))].filter((name) => this.#known.has(name));
    const units = [...unitsOf(group)].filter(([name]) => this.#known.has(name));
    const lines = units.map(async ([contest, ranges]) => {
      const points = pointsOf(ranges);
      return { contest, points, rows: await ledger.runsAt(contest, points) };
    });
    const lowest = wanted.map(async (contest) => {
      const rows = await ledger.freeRuns(contest, 0, Number.MAX_SAFE_INTEGER, FREE_AT_ONCE);
      return { contest, rows };
    });
    const [books, due, held, ...read] = await Promise.all([
      Books.open(ledger, this.#ports.kinds),
      ledger.dueRuns(now, MAX_FREED_AT_ONCE),
      holders.length === 0 ? [] : ledger.leasesOf(holders),
      Promise.all(lines),
      Promise.all(lowest),
    ]);
    this.#known = new Set(Array.from(books.all(), ({ row }) => row.name));
    this.#ports.onOpen?.(books);
    for (const { contest, points, rows } of read[0]) books.take(contest, (line) => line.takeAt(points, rows));
    for (const { contest, rows } of read[1]) {
      books.take(contest, (line) => line.takeLowest(rows, pastOf(rows, Number.MAX_SAFE_INTEGER)));
    }
    return { books, due, held };
  }
}

/** Work that refuses its request has changed nothing, and stops no other. */
function refusal(error: unknown): RefusedError {
  if (error instanceof RefusedError) return error;
  throw error;
}

function unitsOf(group: readonly Waiting[]): Map<string, UnitRange[]> {
  const ranges = new Map<string, UnitRange[]>();
  for (const { work } of group) {
    for (const { contest, first, count } of work.units ?? []) {
      const some = ranges.get(contest);
      if (some === undefined) ranges.set(contest, [{ first, count }]);
      else some.push({ first, count });
    }
  }
  return ranges;
}

function byHolder(
  rows: readonly { holder: string | null; contest: string; lease: string | null }[],
): Map<string, { contest: string; lease: string }[]> {
  const held = new Map<string, { contest: string; lease: string }[]>();
  for (const { holder, contest, lease } of rows) {
    if (holder === null || lease === null) continue;
    const some = held.get(holder);
    if (some === undefined) held.set(holder, [{ contest, lease }]);
    else some.push({ contest, lease });
  }
  return held;
}
