/** `tabherd crunch`: the engine with a terminal for a face. */
import { availableParallelism, cpus } from 'node:os';
import { Engine } from '../client/engine.ts';
import type { EngineSnapshot, Pause } from '../client/snapshot.ts';
import { HttpKeyserver } from '../protocol/http-keyserver.ts';
import { FileBuffers } from './file-buffers.ts';
import { rateText } from './rate-text.ts';
import { spawnNodeWorker } from './spawn-node.ts';

export interface CrunchOptions {
  workers?: number;
  data: string;
  name?: string;
  blocks?: number;
  until?: string;
  contests?: string[];
}

const LINE_EVERY_MS = 10_000;

export async function crunch(url: string, options: CrunchOptions, version: string): Promise<void> {
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Error(`${url} is not the address of a gateway`);
  const cores = availableParallelism();
  const engine = await Engine.open({
    keyserver: new HttpKeyserver(url, { fetch }),
    buffers: await FileBuffers.open(options.data),
    storage: 'kept',
    spawn: spawnNodeWorker,
    takeTurn: () => Promise.resolve(() => {}),
    maxWorkers: 512,
    defaultWorkers: Math.max(1, cores - 1),
    version,
    environment: `Tabherd ${version} on Node ${process.version}, ${cpus()[0]?.model ?? process.arch}`,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.contests === undefined ? {} : { only: options.contests }),
  });
  const blocksBefore = acknowledged(engine.snapshot);
  if (options.workers !== undefined) engine.setWorkers(options.workers);
  engine.start();

  await new Promise<void>((resolve, reject) => {
    let last = '';
    let lastAt = 0;
    let told = 0;
    engine.subscribe((snapshot) => {
      const line = describe(snapshot);
      const state = `${snapshot.pause?.reason}/${snapshot.blocks[0]?.contest}/${acknowledged(snapshot)}`;
      const ago = Date.now() - lastAt;
      if ((state !== last && ago > 1000) || ago > LINE_EVERY_MS) {
        process.stdout.write(`${new Date().toISOString().slice(0, 19)}Z ${line}\n`);
        last = state;
        lastAt = Date.now();
      }
      for (const { at, text } of snapshot.notices) {
        if (at <= told) continue;
        told = at;
        process.stdout.write(`${text}\n`);
      }
      const names = snapshot.contests.map(({ manifest }) => manifest.name);
      const unknown = [...(options.contests ?? []), options.until].find(
        (name) => name !== undefined && !names.includes(name),
      );
      if (names.length > 0 && unknown !== undefined) {
        reject(new Error(`there is no contest ${unknown} at ${url}; there is ${names.join(', ')}`));
      }
      const enough = options.blocks !== undefined && acknowledged(snapshot) - blocksBefore >= options.blocks;
      const closed = snapshot.contests.some(({ state }) => state.name === options.until && state.state === 'closed');
      if (enough || closed || snapshot.pause?.reason === 'no-core') resolve();
    });
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });

  const { found, pause } = engine.snapshot;
  for (const { contest, hit } of found) {
    process.stdout.write(`${contest}: ${hit.kind === 'rc5' ? `${hit.key} ${hit.message}` : hit.marks.join(' ')}\n`);
  }
  await engine.close();
  if (pause?.reason === 'no-core') throw new Error(`no core is right on this machine: ${pause.detail}`);
  process.exit(0);
}

function acknowledged({ totals }: EngineSnapshot): number {
  return Object.values(totals).reduce((sum, { blocks }) => sum + blocks, 0);
}

function describe(snapshot: EngineSnapshot): string {
  const stock = `${acknowledged(snapshot)} blocks done, ${snapshot.inBuffer} in stock, ${snapshot.outBuffer} to report`;
  if (snapshot.pause !== null) return `${sentence(snapshot.pause, snapshot.gateway.error)}; ${stock}`;
  const blocks = snapshot.blocks.map(
    ({ contest, first, fraction }) => `${contest}/${first} ${Math.floor(fraction * 100)}%`,
  );
  return `${rateText(snapshot.rate, snapshot.step)}  ${blocks.join('  ')}; ${stock}`;
}

function sentence(pause: Pause, error: string | undefined): string {
  switch (pause.reason) {
    case 'starting':
      return 'starting';
    case 'unreachable':
      return `gateway not reached (${error ?? 'no answer'}), next try at ${new Date(pause.retryAt).toISOString().slice(11, 19)}Z`;
    case 'no-work':
      return 'no work to be had now';
    case 'no-core':
      return pause.detail;
    case 'not-started':
    case 'by-you':
    case 'another-tab':
      return 'paused';
  }
}
