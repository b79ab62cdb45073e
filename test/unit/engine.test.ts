/**
 * The engine over a real keymaster and real cores in this process, with everything around it failing: requests and
 * answers lost on the wire, workers that die, storage that fails, restarts at any moment. Whatever happens, every unit
 * is reported, none is counted twice, and a whole proof comes out.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { randomOf } from '../../src/cli/bench/random.ts';
import type { WorkerHandle } from '../../src/client/crew.ts';
import { Engine } from '../../src/client/engine.ts';
import { MemoryBuffers } from '../../src/client/memory-buffers.ts';
import { alone, type EnginePorts, type TabMessage, type Turns } from '../../src/client/ports.ts';
import type { EngineSnapshot } from '../../src/client/snapshot.ts';
import { kinds } from '../../src/contests/kinds.ts';
import { countStubs } from '../../src/contests/ogr/stubs.ts';
import type { ContestKindName, ContestManifest } from '../../src/domain/contest.ts';
import type { CoreReport } from '../../src/domain/core-report.ts';
import { RefusedError, UnreachableError } from '../../src/protocol/errors.ts';
import type { Directive, ExchangeReply, ExchangeRequest, Keyserver } from '../../src/protocol/keyserver.ts';
import { BlockWorker } from '../../src/worker/block-worker.ts';
import { openKeymaster, silent, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';

/** A whole proof: of 12 marks in a quarter of a second, of 14 in some seconds. */
function proofOf(marks: number, maxLength: number): ContestManifest {
  const search = { kind: 'ogr', marks, maxLength, stubDepth: 2 } as const;
  return {
    version: 1,
    name: 'proof',
    title: `OGR-${marks}`,
    about: `A ruler of ${marks} marks.`,
    units: countStubs(search),
    block: { maxUnits: 8, maxLeases: 64 },
    leaseSeconds: 600,
    closes: 'exhausted',
    search,
  };
}
const proof = proofOf(12, 85);

let server: TestKeymaster;
let folder: { path: string; remove: () => void };
const open: Engine[] = [];

beforeEach(async () => {
  folder = temporaryFolder();
  server = await openKeymaster(folder.path, [proof], { clock: clockOfNow, log: silent, kinds });
});
afterEach(async () => {
  for (const engine of open.splice(0)) await engine.close();
  await server.close();
  folder.remove();
});

/** The machine's own clock, as the engine has no other. */
const clockOfNow = {
  get now() {
    return Date.now();
  },
};

/** A worker in this very thread: the same slice loop, without a thread to kill. */
function inThread(): WorkerHandle & { die: (reason: Error) => void } {
  const worker = new BlockWorker();
  let die: (reason: Error) => void = () => {};
  const broken = new Promise<Error>((resolve) => {
    die = resolve;
  });
  return {
    prepare: (kind, known) => worker.prepare(kind, known),
    work: (request, onProgress) => worker.work(structuredClone(request), onProgress),
    stop: () => worker.stop(),
    pace: (share) => worker.pace(share),
    terminate: () => worker.stop(),
    broken,
    die: (reason) => die(reason),
  };
}

async function engine(ports: Partial<EnginePorts> = {}): Promise<Engine> {
  const made = await Engine.open({
    keyserver: server.keymaster,
    buffers: new MemoryBuffers(),
    storage: 'kept',
    spawn: inThread,
    turns: alone,
    maxWorkers: 2,
    defaultWorkers: 1,
    version: '0.0.0',
    environment: 'this test',
    ...ports,
  });
  open.push(made);
  return made;
}

/** Alone, and says when it takes its turn and when it gives it up. */
function counted(change: (by: number) => void): Turns {
  return {
    async take() {
      change(1);
      return { giveUp: () => change(-1), lost: new Promise(() => {}) };
    },
    steal() {},
  };
}

function until(one: Engine, likes: (snapshot: EngineSnapshot) => boolean): Promise<EngineSnapshot> {
  return new Promise((resolve) => {
    if (likes(one.snapshot)) return resolve(one.snapshot);
    const stop = one.subscribe((snapshot) => {
      if (!likes(snapshot)) return;
      stop();
      resolve(snapshot);
    });
  });
}

const closed = ({ contests }: EngineSnapshot): boolean => contests[0]?.state.state === 'closed';

async function expectWholeProof(one: Engine, { units, search } = proof): Promise<void> {
  const bestLength = search.kind === 'ogr' ? search.maxLength : 0;
  const { contests, reports } = await server.keymaster.status();
  expect(contests[0]).toMatchObject({ closedBy: 'exhausted', done: units, leased: 0 });
  expect(contests[0]?.hits[0]).toMatchObject({
    marks: expect.toSatisfy((marks: number[]) => marks.at(-1) === bestLength) as unknown,
  });
  expect(reports.refused).toBe(0);
  const settled = await until(one, ({ outBuffer }) => outBuffer === 0);
  expect(settled.totals['proof']?.units).toBe(units);
  expect(settled.own?.['proof']).toEqual([0, units]);
}

test('a whole proof, from Start to closed', async () => {
  const one = await engine();
  expect(one.snapshot.pause).toEqual({ reason: 'not-started' });
  one.start();
  await until(one, closed);
  await expectWholeProof(one);
  expect((await until(one, ({ pause }) => pause?.reason === 'all-closed')).rate).toBe(0);
});

test('requests and answers lost at random: nothing is lost, nothing counts twice', async () => {
  const random = randomOf(7);
  let lost = 0;
  const flaky = async <T>(ask: () => Promise<T>): Promise<T> => {
    const lose = (): void => {
      lost += 1;
      throw new UnreachableError('lost on the wire');
    };
    if (random() < 0.25) lose();
    const answer = await ask();
    if (random() < 0.25) lose();
    return answer;
  };
  const wire: Keyserver = {
    exchange: (request) => flaky(() => server.keymaster.exchange(structuredClone(request))),
    release: (request) => flaky(() => server.keymaster.release(request)),
    contests: () => flaky(() => server.keymaster.contests()),
    status: () => flaky(() => server.keymaster.status()),
    map: (query) => server.keymaster.map(query),
  };
  const one = await engine({ keyserver: wire });
  // Nobody waits for the back-off here: as if the person pressed Retry.
  const retry = setInterval(() => one.retry(), 20);
  one.start();
  await until(one, closed);
  await expectWholeProof(one);
  clearInterval(retry);
  expect(lost).toBeGreaterThan(3);
});

test('restarts at any moment over the same buffers: it goes on from what was kept', async () => {
  const longer = proofOf(14, 127);
  await server.close();
  server = await openKeymaster(`${folder.path}/longer`, [longer], { clock: clockOfNow, log: silent, kinds });
  const random = randomOf(3);
  const buffers = new MemoryBuffers();
  let restarts = 0;
  for (let done = false; !done; restarts++) {
    const one = await engine({ buffers });
    one.start();
    await Promise.race([until(one, closed), new Promise((resolve) => setTimeout(resolve, 200 + random() * 300))]);
    done = closed(one.snapshot) && one.snapshot.outBuffer === 0;
    if (done) await expectWholeProof(one, longer);
    await one.close();
  }
  expect(restarts).toBeGreaterThan(1);
}, 60_000);

describe('pause', () => {
  test('keeps the block and its checkpoint, frees the workers, and gives up the turn', async () => {
    let turns = 0;
    const buffers = new MemoryBuffers();
    const one = await engine({
      buffers,
      turns: counted((change) => {
        turns += change;
      }),
    });
    one.start();
    await until(one, ({ totals }) => (totals['proof']?.blocks ?? 0) > 2);
    expect(turns).toBe(1);
    one.pause();
    expect(one.snapshot).toMatchObject({ wanted: false, pause: { reason: 'by-you' }, rate: 0 });
    await expect.poll(() => turns).toBe(0);
    const { blocks, facts } = await buffers.load();
    expect(blocks.length).toBeGreaterThan(0);
    expect(facts.wanted).toBe(false);
    one.start();
    await until(one, closed);
    await expectWholeProof(one);
  });

  test('more workers and fewer, within what the machine has', async () => {
    const one = await engine();
    one.configure({ workers: 99 });
    expect(one.snapshot.workers).toBe(2);
    one.configure({ workers: 0 });
    expect(one.snapshot.workers).toBe(1);
  });
});

test('a worker that dies is replaced, and its block goes on', async () => {
  const handles: ReturnType<typeof inThread>[] = [];
  const one = await engine({
    spawn: () => {
      const handle = inThread();
      handles.push(handle);
      return handle;
    },
  });
  one.start();
  await until(one, ({ totals }) => (totals['proof']?.blocks ?? 0) > 0);
  handles[0]?.die(new Error('out of memory'));
  await until(one, ({ notices }) => notices.some(({ text }) => text.includes('out of memory')));
  await until(one, closed);
  await expectWholeProof(one);
  expect(handles).toHaveLength(2);
});

test('storage that fails: it says so, goes on in memory, and loses nothing', async () => {
  let steps = 0;
  class Full extends MemoryBuffers {
    protected override async changed(): Promise<void> {
      steps += 1;
      if (steps > 8) throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    }
  }
  const one = await engine({ buffers: new Full() });
  one.start();
  const told = await until(one, ({ storage }) => storage === 'full');
  expect(told.notices.map(({ text }) => text).join()).toContain('The quota has been exceeded.');
  await until(one, closed);
  await expectWholeProof(one);
});

test('a worker that answers no more is replaced within a minute or so; its block goes on', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  try {
    let hung = 0;
    const spawn = () => {
      const right = inThread();
      return {
        ...right,
        work: (...args: Parameters<WorkerHandle['work']>) => {
          hung += 1;
          return hung > 1 ? right.work(...args) : new Promise<never>(() => {});
        },
      };
    };
    const one = await engine({ spawn });
    one.start();
    const { blocks } = await until(one, (snapshot) => snapshot.blocks.length > 0);
    // A night in which the machine slept is no silence.
    vi.setSystemTime(Date.now() + 36_000_000);
    vi.advanceTimersByTime(50_000);
    expect(one.snapshot.blocks).toEqual(blocks);
    vi.advanceTimersByTime(20_000);
    const { notices } = await until(one, closed);
    expect(notices.map(({ text }) => text).join()).toContain('A worker failed (it was silent for a minute)');
    await expectWholeProof(one);
  } finally {
    vi.useRealTimers();
  }
});

test('storage that was lost and can be had again: everything of it is there', async () => {
  class Deleted extends MemoryBuffers {
    isGone = false;
    protected override async changed(): Promise<void> {
      if (this.isGone) throw new DOMException('The database connection is closing.', 'InvalidStateError');
    }
  }
  const deleted = new Deleted();
  const fresh = new MemoryBuffers();
  const one = await engine({ buffers: deleted, reopen: async () => fresh });
  one.start();
  await until(one, ({ blocks }) => blocks.length > 0);
  deleted.isGone = true;
  await until(one, ({ notices }) => notices.some(({ text }) => text.startsWith('Storage is there again')));
  expect(one.snapshot.storage).toBe('kept');
  await until(one, closed);
  await expectWholeProof(one);
  expect(fresh.saved.facts.totals).toMatchObject(one.snapshot.totals);
});

test('no core that is right: it says which answer was wrong, and computes nothing', async () => {
  const one = await engine({
    spawn: () => ({
      ...inThread(),
      prepare: async () => [{ name: 'a', state: 'wrong', detail: 'row 1: 5 nodes instead of 4', stepsPerSecond: 0 }],
    }),
  });
  one.start();
  const { pause, rate } = await until(one, (snapshot) => snapshot.pause?.reason === 'no-core');
  expect({ pause, rate }).toEqual({ pause: { reason: 'no-core', detail: 'row 1: 5 nodes instead of 4' }, rate: 0 });
  expect((await server.keymaster.status()).reports).toEqual({ accepted: 0, duplicate: 0, refused: 0 });
});

test('how the cores did is shown, remembered for this environment, and measured anew where the person asks', async () => {
  const buffers = new MemoryBuffers();
  let measured = 0;
  let remembered: readonly CoreReport[] = [];
  const bad: CoreReport = { name: 'ogr-bad', state: 'wrong', detail: 'row 2: no ruler was found', stepsPerSecond: 0 };
  const spawn = () => {
    const right = inThread();
    return {
      ...right,
      async prepare(kind: ContestKindName, known?: readonly CoreReport[]) {
        if (known !== undefined) {
          remembered = known;
          return [...known];
        }
        measured += 1;
        return [...(await right.prepare(kind)), bad];
      },
    };
  };
  const one = await engine({ buffers, spawn });
  one.start();
  const { cores } = await until(one, (snapshot) => snapshot.cores.length > 0);
  expect(cores).toMatchObject([{ state: 'chosen', step: 'nodes' }, bad]);
  expect(measured).toBe(1);
  const said = () => one.snapshot.notices.map(({ text }) => text).join();
  await until(one, () => said().includes('The core ogr-bad gave a wrong answer'));
  expect(said()).toContain('row 2: no ruler was found');
  one.measureCores();
  await until(one, () => measured === 2);
  await until(one, closed);
  await one.close();

  const again = await engine({ buffers, spawn });
  expect(again.snapshot.cores).toHaveLength(2);
  expect(remembered).toMatchObject([{ state: 'chosen' }, bad]);
  expect(measured).toBe(2);
  await again.close();

  const elsewhere = await engine({ buffers, spawn, environment: 'a newer browser' });
  expect(elsewhere.snapshot.cores).toEqual([]);
});

test('a machine that miscalculates gives the block back and reports nothing', async () => {
  let wrong = 0;
  const one = await engine({
    spawn: () => {
      const right = inThread();
      return {
        ...right,
        async work(request, onProgress) {
          const outcome = await right.work(request, onProgress);
          if (!outcome.finished || wrong > 0) return outcome;
          wrong += 1;
          return { ...outcome, evidence: outcome.evidence.map((one) => ({ ...one, ruler: [0, 1, 2] })) };
        },
      };
    },
  });
  one.start();
  const { notices } = await until(one, (snapshot) => snapshot.notices.length > 0);
  expect(notices[0]?.text).toMatch(/computed a wrong result .*given back/);
  await until(one, closed);
  await expectWholeProof(one);
});

test('another engine has the turn: it waits, says so, and takes over', async () => {
  let free: () => void = () => {};
  const one = await engine({
    turns: {
      take(onWait) {
        onWait();
        return new Promise((resolve) => {
          free = () => resolve(alone.take(onWait));
        });
      },
      steal() {},
    },
  });
  one.start();
  expect((await until(one, ({ pause }) => pause?.reason === 'another-tab')).blocks).toEqual([]);
  free();
  await until(one, closed);
  await expectWholeProof(one);
});

describe('the gateway', () => {
  test('is spoken to once at a time: no lease is handed out or worked twice, however slow storage and network are', async () => {
    const slowly = <T>(ms: number, ask: () => Promise<T>) => delay(ms).then(ask);
    class Slow extends MemoryBuffers {
      protected override changed(): Promise<void> {
        return delay(15);
      }
    }
    const given: string[] = [];
    const worked: string[] = [];
    let speaking = 0;
    const one = await engine({
      buffers: new Slow(),
      keyserver: {
        ...delegate(),
        async exchange(request) {
          speaking += 1;
          expect(speaking).toBe(1);
          const reply = await slowly(30, () => server.keymaster.exchange(request)).finally(() => (speaking -= 1));
          given.push(...reply.leases.map(({ id }) => id));
          return reply;
        },
      },
      spawn: () => {
        const right = inThread();
        return {
          ...right,
          work(request, onProgress) {
            worked.push(`${request.first}`);
            return right.work(request, onProgress);
          },
        };
      },
    });
    const hurry = setInterval(() => one.retry(), 5);
    one.start();
    await until(one, closed);
    clearInterval(hurry);
    await expectWholeProof(one);
    expect(new Set(given).size).toBe(given.length);
    expect(new Set(worked).size).toBe(worked.length);
  });

  test('away at the first Start: it begins as soon as it answers', async () => {
    let away = true;
    const one = await engine({ keyserver: awayWhile(() => away) });
    one.start();
    expect((await until(one, ({ pause }) => pause?.reason === 'unreachable')).contests).toEqual([]);
    away = false;
    await until(one, closed);
    await expectWholeProof(one);
  });

  test('away when the page is opened: Try again shows the contests without a Start', async () => {
    let away = true;
    const one = await engine({ keyserver: awayWhile(() => away) });
    await until(one, ({ gateway }) => gateway.state === 'unreachable');
    away = false;
    one.retry();
    const { contests, pause } = await until(one, (snapshot) => snapshot.contests.length > 0);
    expect(contests[0]?.manifest.name).toBe('proof');
    expect(pause).toEqual({ reason: 'not-started' });
  });

  test('no longer offers a contest remembered here: its blocks are dropped, and work goes on', async () => {
    const buffers = new MemoryBuffers();
    const gone = { ...proofOf(11, 72), name: 'gone' };
    const state = { name: 'gone', state: 'open', units: gone.units, done: 0, leased: 0, hits: [] } as const;
    await buffers.setFact('contests', [{ manifest: gone, state: { ...state, hits: [] } }]);
    const lease = { id: '00000000-0000-4000-8000-000000000000', contest: 'gone', first: 0, count: 1, expiresAt: 9e15 };
    await buffers.addBlocks([lease]);
    const one = await engine({ buffers });
    one.start();
    await until(one, closed);
    await expectWholeProof(one);
    expect((await buffers.load()).blocks).toEqual([]);
  });

  test('refuses a report as malformed: that one goes, the others arrive', async () => {
    let bad: string | undefined;
    const one = await engine({
      keyserver: {
        ...delegate(),
        async exchange(request) {
          bad ??= request.reports[0]?.lease;
          if (request.reports.some(({ lease }) => lease === bad)) {
            throw new RefusedError('body_malformed', '/reports/0/core is too long', { field: '/reports/0/core' });
          }
          return server.keymaster.exchange(request);
        },
      },
    });
    const hurry = setInterval(() => one.retry(), 20);
    one.start();
    const { notices } = await until(one, ({ totals }) => (totals['proof']?.blocks ?? 0) > 3);
    clearInterval(hurry);
    expect(notices.map(({ text }) => text).join()).toContain('too long');
  });

  test('goes away: a report that waits is announced, so that it can leave without the tab', async () => {
    let away = false;
    let announced = 0;
    const one = await engine({
      keyserver: awayWhile(() => away),
      onReportsWaiting: () => {
        announced += 1;
      },
    });
    one.start();
    await until(one, ({ totals }) => (totals['proof']?.blocks ?? 0) > 0);
    away = true;
    await until(one, ({ outBuffer }) => outBuffer > 1);
    expect(announced).toBeGreaterThan(0);
  });
});

describe('workers', () => {
  test('that cannot start are not tried for ever', async () => {
    let spawned = 0;
    const one = await engine({
      spawn: () => {
        spawned += 1;
        return { ...inThread(), prepare: () => new Promise(() => {}), broken: Promise.resolve(new Error('404')) };
      },
    });
    one.start();
    const { pause } = await until(one, (snapshot) => snapshot.pause?.reason === 'no-core');
    expect(pause).toMatchObject({ detail: expect.stringContaining('404') as unknown });
    const before = spawned;
    await delay(1200);
    expect(spawned).toBe(before);
  });

  test('whose kernel cannot be fetched: it says so, and goes on when it can', async () => {
    let fails = 1;
    const one = await engine({
      spawn: () => {
        const right = inThread();
        return {
          ...right,
          prepare: (kind) => (fails-- > 0 ? Promise.reject(new TypeError('Failed to fetch')) : right.prepare(kind)),
        };
      },
    });
    one.start();
    const { rate } = await until(one, ({ pause }) => pause?.reason === 'unreachable');
    expect(rate).toBe(0);
    one.retry();
    await until(one, closed);
    await expectWholeProof(one);
  });

  test('that refuse a checkpoint: the block begins anew', async () => {
    const buffers = new MemoryBuffers();
    const first = await engine({ buffers });
    first.start();
    await until(first, ({ inBuffer }) => inBuffer > 0);
    await first.close();
    const { blocks } = await buffers.load();
    const unit = { format: 'ogr-3' as const, unit: 99_999, nodes: 5, diffs: [1, 2] };
    for (const { lease } of blocks)
      await buffers.saveCheckpoint(lease.id, { evidence: [], unit, seconds: 1, steps: 5 });
    const one = await engine({ buffers });
    one.start();
    await until(one, closed);
    await expectWholeProof(one);
    expect(one.snapshot.notices[0]?.text).toMatch(/begins anew/);
  });

  test('that hang while they load: Pause ends them and gives up the turn', async () => {
    let turns = 0;
    const one = await engine({
      turns: counted((change) => {
        turns += change;
      }),
      spawn: () => ({ ...inThread(), prepare: () => new Promise(() => {}) }),
    });
    one.start();
    await until(one, ({ inBuffer }) => inBuffer > 0);
    one.pause();
    expect(turns).toBe(0);
  });
});

test('every exchange names the protocols and the client; a proof goes back with the report, also after a restart', async () => {
  const requests: ExchangeRequest[] = [];
  const proofs = new Map<string, string | undefined>();
  const keyserver = replying((reply, request) => {
    requests.push(request);
    // Half of them as an older keyserver gives them.
    const leases = reply.leases.map(({ proof, ...bare }, i) =>
      i % 2 === 0 && proof !== undefined ? { ...bare, proof } : bare,
    );
    for (const lease of leases) proofs.set(lease.id, 'proof' in lease ? lease.proof : undefined);
    return { ...reply, leases };
  });
  const buffers = new MemoryBuffers();
  const ports = { keyserver, buffers, team: 'cows', platform: { class: 'terminal', os: 'Linux' } } as const;
  const first = await engine(ports);
  first.start();
  await until(first, ({ inBuffer }) => inBuffer > 1);
  await first.close();
  const one = await engine(ports);
  await until(one, closed);
  await expectWholeProof(one);
  for (const { protocols, client, reports } of requests) {
    expect(protocols).toEqual(['keyserver<-client/2', 'keyserver<-client/1']);
    expect(client).toEqual({ id: client.id, version: '0.0.0', team: 'cows', class: 'terminal', os: 'Linux' });
    for (const report of reports) {
      const proof = proofs.get(report.lease);
      expect(report).toEqual(expect.objectContaining(proof === undefined ? {} : { proof }));
      expect('proof' in report).toBe(proof !== undefined);
    }
  }
  expect(requests.flatMap(({ reports }) => reports).some(({ proof }) => proof !== undefined)).toBe(true);
  expect(requests.flatMap(({ reports }) => reports).some(({ proof }) => proof === undefined)).toBe(true);
});

describe('what the keyserver tells it to do', () => {
  test('wait: no call at all meanwhile, whoever wants one, also over a restart; and no longer than ten minutes', async () => {
    let seconds = 1;
    const calls: number[] = [];
    const count = <T>(answer: Promise<T>): Promise<T> => {
      calls.push(Date.now());
      return answer;
    };
    const there = replying((reply) => ({ ...reply, leases: [], directives: [{ do: 'wait', code: 302, seconds }] }));
    const keyserver: Keyserver = {
      exchange: (request) => count(there.exchange(request)),
      release: (request) => count(there.release(request)),
      contests: () => count(there.contests()),
      status: () => count(there.status()),
      map: (query) => there.map(query),
    };
    const buffers = new MemoryBuffers();
    const one = await engine({ keyserver, buffers });
    const hurry = setInterval(() => one.retry(), 5);
    one.start();
    const { pause } = await until(one, (snapshot) => snapshot.pause?.reason === 'told-to-wait');
    const before = calls.length;
    const waitUntil = pause?.reason === 'told-to-wait' ? pause.until : 0;
    seconds = 1e9;
    await until(one, (snapshot) => snapshot.pause?.reason === 'told-to-wait' && snapshot.pause.until > waitUntil);
    expect(calls[before]).toBeGreaterThanOrEqual(waitUntil);
    clearInterval(hurry);
    await one.close();

    const told = calls.length;
    const again = await engine({ keyserver, buffers });
    again.start();
    const last = (await until(again, (snapshot) => snapshot.pause?.reason === 'told-to-wait')).pause;
    expect(last?.reason === 'told-to-wait' ? last.until - Date.now() : 0).toBeLessThanOrEqual(600_000);
    expect(calls.length).toBe(told);
  });

  test('discard: the blocks go, workers stop, what is finished is still sent; it says why', async () => {
    let discarded = 0;
    const one = await engine({
      keyserver: replying((reply, request) => {
        if (discarded > 0 || request.reports.length === 0) return reply;
        discarded += 1;
        return { ...reply, directives: [{ do: 'discard', code: 100, contest: 'proof', reason: 'a wrong manifest.' }] };
      }),
    });
    one.start();
    const { notices } = await until(one, (snapshot) => snapshot.notices.length > 0);
    expect(notices[0]?.text).toBe('The keyserver takes the blocks of proof back: a wrong manifest.');
    await until(one, closed);
    await expectWholeProof(one);
  });

  test('update: no new work, the stock is worked and reported, the newer version fetched; not where ours fits', async () => {
    let least: string | undefined = '0.0.0';
    let renewals = 0;
    const wishes: number[] = [];
    const one = await engine({
      keyserver: replying((reply, { want }) => {
        wishes.push(want.blocks);
        if (reply.contests[0] !== undefined && reply.contests[0].done > 0 && least === '0.0.0') least = '0.0.1';
        return least === undefined ? reply : { ...reply, directives: [{ do: 'update', code: 452, version: least }] };
      }),
      renew: () => {
        renewals += 1;
      },
    });
    one.start();
    const before = await until(one, ({ tooOld }) => tooOld !== null);
    expect(before.tooOld).toEqual({ version: '0.0.1' });
    const asked = wishes.length;
    const dry = await until(one, ({ pause }) => pause?.reason === 'too-old');
    expect(dry.pause).toEqual({ reason: 'too-old', version: '0.0.1' });
    await until(one, ({ outBuffer }) => outBuffer === 0);
    expect(wishes.slice(asked).filter((blocks) => blocks > 0)).toEqual([]);
    expect(renewals).toBe(1);
    least = undefined;
    one.retry();
    await until(one, closed);
    await expectWholeProof(one);
    expect(one.snapshot.tooOld).toBeNull();
  });

  test('stop: it stops and keeps the reason over a restart; what is finished is sent; Start goes on', async () => {
    let reason: string | undefined;
    const buffers = new MemoryBuffers();
    const told: TabMessage[] = [];
    const keyserver = replying((reply) =>
      reason === undefined ? reply : { ...reply, directives: [{ do: 'stop', code: 463, reason }] },
    );
    const others = { tell: (message: TabMessage) => void told.push(message), listen() {} };
    const one = await engine({ keyserver, buffers, others });
    one.start();
    await until(one, ({ totals }) => (totals['proof']?.blocks ?? 0) > 0);
    reason = 'too many wrong blocks';
    const stopped = await until(one, ({ pause }) => pause?.reason === 'stopped');
    expect(stopped).toMatchObject({ wanted: false, rate: 0, pause: { reason: 'stopped', detail: reason } });
    await until(one, ({ outBuffer }) => outBuffer === 0);
    expect(told).toContainEqual({ stopped: reason });
    await one.close();

    const again = await engine({ keyserver, buffers });
    expect(again.snapshot.pause).toEqual({ reason: 'stopped', detail: reason });
    reason = undefined;
    again.start();
    await until(again, closed);
    await expectWholeProof(again);
    again.pause();
    expect(again.snapshot.pause).toEqual({ reason: 'by-you' });
  });

  test('that it speaks no protocol of ours: no report is lost, and it goes on when one is spoken', async () => {
    let unknown = false;
    const one = await engine({
      keyserver: {
        ...delegate(),
        exchange(request) {
          if (unknown) throw new RefusedError('protocol_unknown', 'keyserver<-client/9 only');
          return server.keymaster.exchange(request);
        },
      },
    });
    one.start();
    await until(one, ({ totals }) => (totals['proof']?.blocks ?? 0) > 0);
    unknown = true;
    const hurry = setInterval(() => one.retry(), 20);
    const { outBuffer } = await until(one, ({ pause }) => pause?.reason === 'too-old');
    expect(outBuffer).toBeGreaterThan(1);
    unknown = false;
    await until(one, closed);
    clearInterval(hurry);
    await expectWholeProof(one);
  });
});

test('messages of the day are shown until they are dismissed, each by its text, also over a restart', async () => {
  const buffers = new MemoryBuffers();
  const keyserver = replying((reply) => ({ ...reply, messages: ['Down on Sunday.', 'Thank you.'] }));
  const one = await engine({ keyserver, buffers });
  one.start();
  expect((await until(one, ({ messages }) => messages.length > 0)).messages).toEqual(['Down on Sunday.', 'Thank you.']);
  one.dismiss('Thank you.');
  expect(one.snapshot.messages).toEqual(['Down on Sunday.']);
  await one.close();
  const again = await engine({ keyserver, buffers });
  expect((await until(again, ({ messages }) => messages.length > 0)).messages).toEqual(['Down on Sunday.']);
});

test('a contest closed by its operator, the only one it works on: it is asked for again, and opens', async () => {
  let shut = true;
  const asOperated = <T extends { state: string }>(state: T): T =>
    shut ? { ...state, state: 'closed', closedBy: 'operator' } : state;
  const other = { ...proofOf(11, 72), name: 'other' };
  const state = { name: 'other', state: 'open', units: other.units, done: 0, leased: 0, hits: [] } as const;
  const one = await engine({
    only: ['proof'],
    keyserver: {
      ...replying((reply) => ({ ...reply, contests: reply.contests.map(asOperated) })),
      contests: async () => [
        ...(await server.keymaster.contests()).map((contest) => ({ ...contest, state: asOperated(contest.state) })),
        { manifest: other, state: { ...state, hits: [] } },
      ],
    },
  });
  one.start();
  const waiting = await until(one, ({ pause }) => pause?.reason === 'no-work');
  expect(waiting.contests[0]?.state.closedBy).toBe('operator');
  shut = false;
  one.retry();
  await until(one, ({ contests }) => contests[0]?.state.closedBy === 'exhausted');
  await expectWholeProof(one);
});

test('two engines that open the same fresh buffers at once are one client', async () => {
  const ids = new Set<string>();
  const buffers = new MemoryBuffers();
  const keyserver: Keyserver = {
    ...delegate(),
    exchange(request) {
      ids.add(request.client.id);
      return server.keymaster.exchange(request);
    },
  };
  const both = await Promise.all([engine({ buffers, keyserver }), engine({ buffers, keyserver })]);
  for (const one of both) one.start();
  await Promise.all(both.map((one) => until(one, closed)));
  expect(ids.size).toBe(1);
});

function delegate(): Keyserver {
  return {
    exchange: (request) => server.keymaster.exchange(request),
    release: (request) => server.keymaster.release(request),
    contests: () => server.keymaster.contests(),
    status: () => server.keymaster.status(),
    map: (query) => server.keymaster.map(query),
  };
}

/** The keymaster, its answers to exchanges changed on the way. */
function replying(
  change: (
    reply: ExchangeReply,
    request: ExchangeRequest,
  ) => Omit<ExchangeReply, 'directives'> & { directives?: Directive[] },
): Keyserver {
  return {
    ...delegate(),
    exchange: async (request) => change(await server.keymaster.exchange(structuredClone(request)), request),
  };
}

function awayWhile(away: () => boolean): Keyserver {
  const ask = async <T>(call: () => Promise<T>): Promise<T> => {
    if (away()) throw new UnreachableError('no answer');
    return call();
  };
  const there = delegate();
  return {
    exchange: (request) => ask(() => there.exchange(request)),
    release: (request) => ask(() => there.release(request)),
    contests: () => ask(() => there.contests()),
    status: () => ask(() => there.status()),
    map: (query) => ask(() => there.map(query)),
  };
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
