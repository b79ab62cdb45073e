/**
 * kill -9, a hundred times, of a real server under load. The clients are honest and stubborn: they send what was
 * not answered again, as the engine does. Afterwards the ledger must hold every acknowledged report once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import Database from 'libsql';
import { build } from 'vite';
import { expect, it } from 'vitest';
import type { Report } from '../../src/domain/work.ts';
import { UnreachableError } from '../../src/protocol/errors.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import { fold } from '../../src/server/ledger/fold.ts';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import { asking, client, temporaryFolder } from '../helpers/keyservers.ts';
import { trueReport } from '../helpers/test-contest.ts';

const KILLS = 100;
const CLIENTS = 6;
/** The server lives this long after it first answers; random, so that the kill meets every phase of a commit. */
const MIN_LIFE_MS = 20;
const MAX_LIFE_MS = 220;

/** Bundles the server's process into one file, which starts twice as fast as fifty. */
async function bundle(folder: string): Promise<string> {
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, external: ['libsql'] },
    build: {
      ssr: resolve('test/helpers/keyserver-process.ts'),
      outDir: folder,
      target: 'node20',
      emptyOutDir: true,
      copyPublicDir: false,
    },
  });
  return join(folder, 'keyserver-process.js');
}

/** A server process that has loaded its code and waits for the word. */
class Standby {
  readonly process: ChildProcess & { stdin: Writable; stdout: Readable };
  /** The signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>;

  constructor(script: string, dataDir: string) {
    this.process = spawn('node', [script, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = once(this.process, 'exit').then(() => this.process.signalCode);
  }

  /** Its address, once it serves. */
  async start(): Promise<string> {
    const line = once(createInterface({ input: this.process.stdout }), 'line').then(([line]) => String(line));
    const exit = this.ended.then(() => Promise.reject(new Error('the server did not start')));
    this.process.stdin.write('\n');
    return Promise.race([line, exit]);
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }
}

/** One honest client. Its out-buffer holds what was not acknowledged. */
class Worker {
  readonly #who: ReturnType<typeof client>;
  outBuffer: Report[] = [];
  /** Runs of units whose report was acknowledged: accepted, or a duplicate after an answer that was cut. */
  readonly acknowledged: Report[] = [];
  /** Reports that a server refused: there must be none, for all were true and in time. */
  readonly refused: unknown[] = [];
  duplicates = 0;
  cuts = 0;

  constructor(n: number) {
    this.#who = client(n);
  }

  async exchange(keyserver: HttpKeyserver, blocks: number): Promise<boolean> {
    const reports = this.outBuffer;
    try {
      const { results, leases } = await keyserver.exchange(asking({ client: this.#who, reports, blocks }));
      for (const [i, result] of results.entries()) {
        const report = reports[i];
        if (result.outcome === 'refused' || report === undefined) this.refused.push(result);
        else this.acknowledged.push(report);
        if (result.outcome === 'duplicate') this.duplicates += 1;
      }
      this.outBuffer = leases.map((lease) => trueReport(lease));
      return true;
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      this.cuts += 1;
      return false;
    }
  }
}

it('loses nothing and counts nothing twice', async () => {
  // Inside the repository, where libsql is found; of this run alone, for two may run at once.
  mkdirSync('.cache', { recursive: true });
  const folder = mkdtempSync(resolve('.cache/kill-test-'));
  const script = await bundle(folder);
  const data = temporaryFolder();
  const workers = Array.from({ length: CLIENTS }, (_, n) => new Worker(n));
  const began = Date.now();
  let kills = 0;
  let next = new Standby(script, data.path);
  try {
    while (kills < KILLS) {
      const server = next;
      const keyserver = new HttpKeyserver(await server.start(), { fetch, timeoutMs: 5000 });
      next = new Standby(script, data.path);
      const life = MIN_LIFE_MS + Math.random() * (MAX_LIFE_MS - MIN_LIFE_MS);
      const timer = setTimeout(() => server.kill(), life);
      await Promise.all(
        workers.map(async (worker, n) => {
          while (await worker.exchange(keyserver, 1 + (n % 3)));
        }),
      );
      expect(await server.ended).toBe('SIGKILL');
      clearTimeout(timer);
      kills += 1;
    }
    // The last answers: whatever is still unanswered is sent once more.
    const keyserver = new HttpKeyserver(await next.start(), { fetch, timeoutMs: 5000 });
    for (const worker of workers) expect(await worker.exchange(keyserver, 0)).toBe(true);
    next.kill();
    await next.ended;

    const seconds = (Date.now() - began) / 1000;
    const { lost, twice, acknowledged, credited } = await audit(data.path, workers);
    const sum = (of: (worker: Worker) => number) => workers.reduce((total, worker) => total + of(worker), 0);
    console.log(
      `kill -9: ${kills}, acknowledged ${acknowledged}, lost ${lost}, twice ${twice}` +
        ` (${credited} units, ${sum((w) => w.cuts)} answers cut, ${sum((w) => w.duplicates)} sent again and known,` +
        ` ${seconds.toFixed(0)} s)`,
    );
    expect({ lost, twice }).toEqual({ lost: 0, twice: 0 });
    expect(workers.flatMap((worker) => worker.refused)).toEqual([]);
    expect(acknowledged).toBeGreaterThan(KILLS);
  } finally {
    next.kill();
    data.remove();
    rmSync(folder, { recursive: true });
  }
}, 480_000);

async function audit(dataDir: string, workers: readonly Worker[]) {
  const raw = new Database(join(dataDir, 'ledger.db'));
  expect(raw.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
  raw.close();
  const store = await openSqliteStore(dataDir);
  try {
    const reports = workers.flatMap((worker) => worker.acknowledged);
    const units = new Map<number, number>();
    for (const { first, evidence } of reports) {
      for (const i of evidence.keys()) units.set(first + i, (units.get(first + i) ?? 0) + 1);
    }
    const done = (await store.read((ledger) => ledger.runs('test'))).filter((run) => run.state === 'done');
    const isDone = (unit: number) => done.some(({ first, past }) => unit >= first && unit < past);
    // What the last of them has not counted any more.
    while (await store.transaction((ledger) => fold(ledger, new Map())));
    const credited = (await store.read((ledger) => ledger.counting.credits())).reduce(
      (sum, { units }) => sum + units,
      0,
    );
    const [contest] = await store.read((ledger) => ledger.contests());
    const doneUnits = done.reduce((sum, { first, past }) => sum + past - first, 0);
    // Every answer arrived in the end, so these are four ways to count the same thing.
    expect({ credited, contest: contest?.done, runs: doneUnits }).toEqual({
      credited: units.size,
      contest: units.size,
      runs: units.size,
    });
    return {
      acknowledged: reports.length,
      credited,
      lost: [...units.keys()].filter((unit) => !isDone(unit)).length,
      twice: [...units.values()].filter((times) => times > 1).length,
    };
  } finally {
    await store.close();
  }
}
