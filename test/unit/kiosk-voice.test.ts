/** What a kiosk's engine says of itself, to a real keymaster. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WorkerHandle } from '../../src/client/crew.ts';
import { Engine } from '../../src/client/engine.ts';
import { MemoryBuffers } from '../../src/client/memory-buffers.ts';
import { alone, type EnginePorts } from '../../src/client/ports.ts';
import type { EngineSnapshot } from '../../src/client/snapshot.ts';
import { kinds } from '../../src/contests/kinds.ts';
import { countStubs } from '../../src/contests/ogr/stubs.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { ExchangeRequest, Keyserver } from '../../src/protocol/keyserver.ts';
import { BlockWorker } from '../../src/worker/block-worker.ts';
import { openKeymaster, silent, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';

const search = { kind: 'ogr', marks: 12, maxLength: 85, stubDepth: 2 } as const;
const proof: ContestManifest = {
  version: 1,
  name: 'proof',
  title: 'OGR-12',
  about: 'A ruler of 12 marks.',
  units: countStubs(search),
  block: { maxUnits: 8, maxLeases: 64 },
  leaseSeconds: 600,
  closes: 'exhausted',
  search,
};

let server: TestKeymaster;
let folder: { path: string; remove: () => void };
let open: Engine | undefined;
const clock = {
  get now() {
    return Date.now();
  },
};

beforeEach(async () => {
  folder = temporaryFolder();
  server = await openKeymaster(folder.path, [proof], { clock, log: silent, kinds });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await open?.close();
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

async function engine(ports: Partial<EnginePorts>): Promise<Engine> {
  open = await Engine.open({
    keyserver: server.keymaster,
    buffers: new MemoryBuffers(),
    storage: 'kept',
    spawn: inThread,
    turns: alone,
    maxWorkers: 1,
    defaultWorkers: 1,
    version: '0.0.0',
    environment: 'this test',
    ...ports,
  });
  return open;
}

const ticks = (count: number): void => {
  for (let i = 0; i < count; i++) vi.advanceTimersByTime(1000);
};
const closed = ({ contests }: EngineSnapshot): boolean => contests[0]?.state.state === 'closed';
/** In real time: what is computed and exchanged here is done in this very process. */
async function eventually(like: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !like(); await settled()) expect(Date.now()).toBeLessThan(end);
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 50));

test('a kiosk says how it goes, again when that changes, and every five minutes; others say nothing', async () => {
  const kiosk: { label?: string } = {};
  const heard: ExchangeRequest[] = [];
  const { keymaster } = server;
  const keyserver: Keyserver = {
    exchange(request) {
      heard.push(request);
      return keymaster.exchange(request);
    },
    release: (request) => keymaster.release(request),
    contests: () => keymaster.contests(),
    status: () => keymaster.status(),
    map: (query) => keymaster.map(query),
  };
  const one = await engine({ keyserver, kiosk: () => kiosk.label });
  one.start();
  await eventually(() => closed(one.snapshot) && one.snapshot.outBuffer === 0);
  expect(heard.every((request) => request.kiosk === undefined)).toBe(true);

  kiosk.label = 'Lobby';
  ticks(1);
  await eventually(() => heard.at(-1)?.kiosk !== undefined);
  expect(heard.at(-1)).toMatchObject({
    reports: [],
    want: { blocks: 0 },
    kiosk: { label: 'Lobby', rate: 0, pause: 'all-closed' },
  });
  expect(heard.at(-1)?.kiosk?.blocks).toBeGreaterThan(0);

  const real = performance.now.bind(performance);
  let passed = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => real() + passed);
  const pass = async (seconds: number) => {
    passed += seconds * 1000;
    ticks(1);
    await settled();
  };
  await settled();
  const before = heard.length;
  one.pause();
  await pass(28);
  expect(heard).toHaveLength(before);
  await pass(2);
  await eventually(() => heard.at(-1)?.kiosk?.pause === 'by-you');
  await settled();
  const changed = heard.length;
  await pass(295);
  expect(heard).toHaveLength(changed);
  await pass(5);
  await eventually(() => heard.length === changed + 1);
});
