/** What a person wants of the engine, and several engines over one browser profile: real keymaster, real cores. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WorkerHandle } from '../../src/client/crew.ts';
import { Engine } from '../../src/client/engine.ts';
import type { Conditions } from '../../src/client/limits.ts';
import { MemoryBuffers } from '../../src/client/memory-buffers.ts';
import { alone, type EnginePorts, type TabMessage, type Turn, type Turns } from '../../src/client/ports.ts';
import type { EngineSnapshot } from '../../src/client/snapshot.ts';
import { kinds } from '../../src/contests/kinds.ts';
import { countStubs } from '../../src/contests/ogr/stubs.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { BlockWorker } from '../../src/worker/block-worker.ts';
import { openKeymaster, silent, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';

/** Some seconds of work for one worker, in blocks of some tenths of a second. */
function contest(name: string): ContestManifest {
  const search = { kind: 'ogr', marks: 14, maxLength: 127, stubDepth: 2 } as const;
  return {
    version: 1,
    name,
    title: name,
    about: 'A ruler of 14 marks.',
    units: countStubs(search),
    block: { maxUnits: 16, maxLeases: 64 },
    leaseSeconds: 600,
    closes: 'exhausted',
    search,
  };
}

let server: TestKeymaster;
let folder: { path: string; remove: () => void };
const open: Engine[] = [];

beforeEach(async () => {
  folder = temporaryFolder();
  const clock = {
    get now() {
      return Date.now();
    },
  };
  server = await openKeymaster(folder.path, ['first', 'second', 'third', 'fourth'].map(contest), {
    clock,
    log: silent,
    kinds,
  });
});
afterEach(async () => {
  for (const engine of open.splice(0)) await engine.close();
  await server.close();
  folder.remove();
});

function inThread(): WorkerHandle {
  const worker = new BlockWorker();
  return {
    prepare: (kind, known) => worker.prepare(kind, known),
    work: (request, onProgress) => worker.work(structuredClone(request), onProgress),
    stop: () => worker.stop(),
    pace: (share) => worker.pace(share),
    terminate: () => worker.stop(),
    broken: new Promise(() => {}),
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

const seen = (one: Engine, likes: (snapshot: EngineSnapshot) => boolean): Promise<EngineSnapshot> =>
  expect
    .poll(() => likes(one.snapshot), { timeout: 20_000, interval: 5 })
    .toBe(true)
    .then(() => one.snapshot);

const isRunning = ({ pause, rate }: EngineSnapshot): boolean => pause === null && rate > 0;
const pausedAs = (reason: string) => (snapshot: EngineSnapshot) => snapshot.pause?.reason === reason;
const doneBy = ({ totals, outBuffer }: EngineSnapshot): number =>
  outBuffer + Object.values(totals).reduce((sum, { blocks }) => sum + blocks, 0);

describe('a person', () => {
  test('snoozes: paused at once, nothing lost, and on by itself; Start ends it sooner', async () => {
    const buffers = new MemoryBuffers();
    const one = await engine({ buffers });
    one.start();
    await seen(one, isRunning);
    const until = Date.now() + 700;
    one.snooze(until);
    expect(one.snapshot).toMatchObject({ wanted: true, pause: { reason: 'snoozed', until }, rate: 0, blocks: [] });
    await expect.poll(async () => (await buffers.load()).blocks.some((block) => block.checkpoint)).toBe(true);
    await seen(one, isRunning);
    expect(Date.now()).toBeGreaterThanOrEqual(until);
    one.snooze(Date.now() + 3_600_000);
    await seen(one, pausedAs('snoozed'));
    one.start();
    await seen(one, isRunning);
  });

  test('lets the block in hand be finished, and then stop', async () => {
    const buffers = new MemoryBuffers();
    const one = await engine({ buffers });
    one.start();
    const { blocks } = await seen(one, isRunning);
    const done = doneBy(one.snapshot);
    one.finish();
    expect(one.snapshot).toMatchObject({ finishing: true, pause: null });
    await seen(one, pausedAs('by-you'));
    expect(one.snapshot).toMatchObject({ finishing: false, wanted: false });
    expect(doneBy(one.snapshot)).toBeGreaterThan(done);
    expect((await buffers.load()).blocks.map(({ lease }) => lease.id)).not.toContain(blocks[0]?.lease);
  });

  test('wants another contest: unbegun blocks go back at once, those begun are finished', async () => {
    const one = await engine();
    one.start();
    await seen(one, (snapshot) => isRunning(snapshot) && snapshot.inBuffer > 0);
    one.configure({ choice: 'order', order: ['second'], weights: { first: 0 } });
    await seen(one, ({ blocks }) => blocks.some(({ contest }) => contest === 'second'));
    const leased = async () => (await server.keymaster.status()).contests.map(({ leased }) => leased);
    await expect.poll(async () => (await leased())[0], { timeout: 10_000 }).toBe(0);
  });

  test('has a name: it goes with the next exchange, and is kept', async () => {
    const names: (string | undefined)[] = [];
    const buffers = new MemoryBuffers();
    const keyserver = Object.assign(Object.create(server.keymaster), {
      exchange: (request: Parameters<typeof server.keymaster.exchange>[0]) => {
        names.push(request.client.name);
        return server.keymaster.exchange(request);
      },
    });
    const one = await engine({ buffers, keyserver });
    one.configure({ name: 'Ada', team: 'Analytical' });
    one.start();
    await seen(one, isRunning);
    expect(names).toContain('Ada');
    expect((await buffers.load()).facts.about).toMatchObject({ name: 'Ada', team: 'Analytical' });
    await one.close();
    expect((await engine({ buffers })).snapshot.settings).toMatchObject({ name: 'Ada', workers: 1 });
  });
});

describe('the machine', () => {
  function told(conditions: Conditions) {
    let changed = (): void => {};
    return {
      port: { now: () => conditions, listen: (hear: () => void) => (changed = hear) },
      tell: (change: Conditions): void => {
        Object.assign(conditions, change);
        changed();
      },
    };
  }

  test('is unplugged and plugged in', async () => {
    const { port, tell } = told({ onBattery: false });
    const one = await engine({ conditions: port });
    one.start();
    await seen(one, isRunning);
    tell({ onBattery: true });
    expect(one.snapshot).toMatchObject({ wanted: true, pause: { reason: 'on-battery' }, rate: 0 });
    tell({ onBattery: false });
    await seen(one, isRunning);
  });

  test('is in use: fewer workers, at their pace', async () => {
    const { port, tell } = told({ inUse: false });
    const one = await engine({ conditions: port });
    one.configure({ workers: 2, inUse: 'less', workersInUse: 1, throttleInUse: 0.2 });
    one.start();
    await seen(one, ({ blocks }) => blocks.length === 2);
    tell({ inUse: true });
    await seen(one, ({ blocks }) => blocks.length === 1);
    expect(one.snapshot).toMatchObject({ workers: 1, throttle: 0.2, settings: { workers: 2 } });
  });

  test('has a connection that is paid by volume: work goes on, reports wait', async () => {
    const { port, tell } = told({ metered: false });
    const one = await engine({ conditions: port });
    one.configure({ onMetered: 'wait' });
    one.start();
    await seen(one, ({ inBuffer }) => inBuffer > 3);
    tell({ metered: true });
    await seen(one, ({ outBuffer }) => outBuffer > 2);
    tell({ metered: false });
    expect((await seen(one, ({ outBuffer }) => outBuffer === 0)).wanted).toBe(true);
  });

  test('has such a connection, and nothing is in stock: it says so', async () => {
    const { port, tell } = told({ metered: true });
    const one = await engine({ conditions: port });
    one.configure({ onMetered: 'wait' });
    one.start();
    await seen(one, ({ pause }) => pause?.reason === 'metered');
    tell({ metered: false });
    expect((await seen(one, isRunning)).pause).toBeNull();
  });
});

test('where no open contest is wanted, it says so, and asks at once when one is', async () => {
  const one = await engine();
  const weights = { first: 0, second: 0, third: 0, fourth: 0 };
  one.configure({ choice: 'share', weights });
  one.start();
  await seen(one, ({ pause }) => pause?.reason === 'none-chosen');
  one.configure({ weights: { ...weights, second: 1 } });
  expect((await seen(one, isRunning)).blocks[0]?.contest).toBe('second');
});

describe('several tabs', () => {
  /** Buffers, lock and channel of one browser profile. */
  class Profile {
    readonly buffers = new MemoryBuffers();
    readonly #tabs = new Set<(message: TabMessage) => void>();
    #holder: { lose: () => void } | undefined;
    readonly #queue: (() => void)[] = [];

    /** @param isFrozen then it neither hears nor tells, and keeps what it has. */
    ports(isFrozen = () => false): Pick<EnginePorts, 'buffers' | 'turns' | 'others'> {
      let hearing = (_message: TabMessage): void => {};
      this.#tabs.add((message) => {
        if (!isFrozen()) hearing(message);
      });
      const own = [...this.#tabs].at(-1);
      return {
        buffers: this.buffers,
        turns: this.#turns(),
        others: {
          tell: (message) => {
            if (isFrozen()) return;
            const copy = structuredClone(message);
            for (const tab of this.#tabs) if (tab !== own) setImmediate(() => tab(copy));
          },
          listen: (hear) => (hearing = hear),
        },
      };
    }

    #turns(): Turns {
      let steal = (): void => {};
      const hold = (): Turn => {
        let lose = (): void => {};
        const lost = new Promise<void>((resolve) => (lose = resolve));
        const holder = { lose };
        this.#holder = holder;
        const giveUp = (): void => {
          if (this.#holder !== holder) return;
          this.#holder = undefined;
          this.#queue.shift()?.();
        };
        return { giveUp, lost };
      };
      return {
        take: (onWait) => {
          if (this.#holder === undefined) return Promise.resolve(hold());
          return new Promise((resolve) => {
            const served = (): void => resolve(hold());
            this.#queue.push(served);
            steal = () => {
              this.#queue.splice(this.#queue.indexOf(served), 1);
              this.#holder?.lose();
              served();
            };
            onWait();
          });
        },
        steal: () => steal(),
      };
    }
  }

  test('one runs, the others show the same; what is done in one holds for all', async () => {
    const profile = new Profile();
    const one = await engine(profile.ports());
    const two = await engine(profile.ports());
    one.start();
    await seen(one, isRunning);
    const mirrored = await seen(two, (snapshot) => snapshot.rate > 0 && snapshot.blocks.length > 0);
    expect(mirrored).toMatchObject({ wanted: true, pause: { reason: 'another-tab' } });
    two.configure({ workers: 2 });
    await seen(one, ({ blocks }) => blocks.length === 2);
    await seen(two, ({ blocks }) => blocks.length === 2);
    two.pause();
    await seen(one, pausedAs('by-you'));
    await seen(two, pausedAs('by-you'));
    expect(doneBy(two.snapshot)).toBe(doneBy(one.snapshot));
    two.start();
    await seen(two, isRunning);
    await seen(one, pausedAs('another-tab'));
  });

  test('another takes over when the one that runs is closed', async () => {
    const profile = new Profile();
    const one = await engine(profile.ports());
    const two = await engine(profile.ports());
    one.start();
    await seen(one, isRunning);
    await seen(two, pausedAs('another-tab'));
    await one.close();
    expect((await seen(two, isRunning)).wanted).toBe(true);
  });

  test('a person takes over here: nothing is lost, and a third does not come in between', async () => {
    const profile = new Profile();
    const one = await engine(profile.ports());
    const third = await engine(profile.ports());
    const two = await engine(profile.ports());
    one.start();
    await seen(one, isRunning);
    await seen(third, pausedAs('another-tab'));
    await seen(two, (snapshot) => snapshot.pause?.reason === 'another-tab' && snapshot.rate > 0);
    const before = await profile.buffers.load();
    two.takeOver();
    const first = await seen(two, isRunning);
    expect(before.blocks.map(({ lease }) => lease.id)).toContain(first.blocks[0]?.lease);
    const blocks = (snapshot: EngineSnapshot) => doneBy(snapshot) + snapshot.inBuffer + snapshot.blocks.length;
    expect(blocks(first)).toBeGreaterThanOrEqual(before.blocks.length + before.reports.length);
    await seen(one, pausedAs('another-tab'));
    expect(third.snapshot.pause).toEqual({ reason: 'another-tab' });
  });

  test('one that is frozen loses its turn within two seconds to a tab that is looked at, and finds out when it wakes', async () => {
    const profile = new Profile();
    let isFrozen = false;
    const one = await engine({ ...profile.ports(() => isFrozen) });
    const two = await engine({ ...profile.ports(), isVisible: () => true });
    const hidden = await engine({ ...profile.ports(), isVisible: () => false });
    one.start();
    await seen(one, isRunning);
    await seen(two, (snapshot) => snapshot.rate > 0);
    isFrozen = true;
    const at = Date.now();
    await seen(two, ({ pause }) => pause?.reason !== 'another-tab');
    expect(Date.now() - at).toBeLessThan(2_500);
    expect(hidden.snapshot.pause).toEqual({ reason: 'another-tab' });
    isFrozen = false;
    await seen(one, pausedAs('another-tab'));
  });
});
