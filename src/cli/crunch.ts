/** `tabherd crunch`: the engine with a terminal for a face. */
import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { Machine } from '../client/browser-platform.ts';
import { poolIn } from '../client/buffers.ts';
import { Engine } from '../client/engine.ts';
import { PoolUser } from '../client/pool-user.ts';
import { alone } from '../client/ports.ts';
import type { EngineSnapshot, Pause } from '../client/snapshot.ts';
import { UnreachableError } from '../protocol/errors.ts';
import type { Keyserver } from '../protocol/keyserver.ts';
import { answerText } from './answer-text.ts';
import { counted } from './carry/words.ts';
import { FileBuffers } from './file-buffers.ts';
import { rateText } from './rate-text.ts';
import { spawnNodeWorker } from './spawn-node.ts';

export interface CrunchOptions {
  workers?: number;
  data: string;
  name?: string;
  team?: string;
  blocks?: number;
  until?: string;
  contests?: string[];
  /** There is no keyserver: blocks come and go in files. */
  offline?: boolean;
}

const LINE_EVERY_MS = 10_000;

export async function crunch(urls: readonly string[], options: CrunchOptions, version: string): Promise<void> {
  const { offline = false } = options;
  const homes = offline ? undefined : homesOf(urls);
  const buffers = await FileBuffers.open(options.data);
  const cores = availableParallelism();
  const engine = await Engine.open({
    keyserver: homes === undefined ? nobody : new PoolUser(homes, { fetch, kept: poolIn(buffers) }),
    buffers,
    storage: 'kept',
    spawn: spawnNodeWorker,
    turns: alone,
    maxWorkers: 512,
    defaultWorkers: Math.max(1, cores - 1),
    version,
    environment: `Tabherd ${version} on Node ${process.version}, ${cpus()[0]?.model ?? process.arch}`,
    platform: { class: 'terminal', ...machineOfNode() },
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.team === undefined ? {} : { team: options.team }),
    ...(options.contests === undefined ? {} : { only: options.contests }),
  });
  const blocksBefore = acknowledged(engine.snapshot);
  if (options.workers !== undefined) engine.configure({ workers: options.workers });
  engine.start();

  await new Promise<void>((resolve, reject) => {
    let last = '';
    let lastAt = 0;
    let told = 0;
    const said = new Set<string>();
    const sayOnce = (text: string): void => {
      if (!said.has(text)) process.stdout.write(`${printable(text)}\n`);
      said.add(text);
    };
    engine.subscribe((snapshot) => {
      const line = describe(snapshot);
      const state = `${snapshot.pause?.reason}/${snapshot.blocks[0]?.contest}/${acknowledged(snapshot)}`;
      const ago = Date.now() - lastAt;
      if ((state !== last && ago > 1000) || ago > LINE_EVERY_MS) {
        process.stdout.write(`${new Date().toISOString().slice(0, 19)}Z ${printable(line)}\n`);
        last = state;
        lastAt = Date.now();
      }
      for (const { at, text } of snapshot.notices) {
        if (at <= told) continue;
        told = at;
        process.stdout.write(`${printable(text)}\n`);
      }
      const { through } = snapshot.gateway;
      if (through !== undefined) sayOnce(`Through ${through}${because(snapshot.gateway)}`);
      for (const message of snapshot.messages) sayOnce(`Message from the keyserver: ${message}`);
      if (snapshot.tooOld !== null)
        sayOnce(`${tooOld(snapshot.tooOld.version, version)}; the stock is still worked off.`);
      const names = snapshot.contests.map(({ manifest }) => manifest.name);
      const unknown = [...(options.contests ?? []), options.until].find(
        (name) => name !== undefined && !names.includes(name),
      );
      if (names.length > 0 && unknown !== undefined) {
        reject(
          new Error(
            `there is no contest ${unknown} ${offline ? 'here' : `at ${urls.join(', ')}`}; there is ${names.join(', ')}`,
          ),
        );
      }
      const enough = options.blocks !== undefined && acknowledged(snapshot) - blocksBefore >= options.blocks;
      const closed = snapshot.contests.some(({ state }) => state.name === options.until && state.state === 'closed');
      if (enough || closed || hasEnded(snapshot) || (offline && isIdle(snapshot))) resolve();
    });
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });

  const { found, pause, outBuffer } = engine.snapshot;
  if (offline) {
    const hint = outBuffer === 0 ? 'tabherd import brings blocks' : 'tabherd export hands them in';
    process.stdout.write(
      `${counted(outBuffer, 'block')} to report in ${options.data}: ${hint} (--data ${options.data})\n`,
    );
  }
  for (const { contest, hit } of found) {
    process.stdout.write(`${contest}: ${printable(answerText(hit))}\n`);
  }
  await engine.close();
  if (pause?.reason === 'no-core') throw new Error(`no core is right on this machine: ${pause.detail}`);
  if (pause?.reason === 'stopped') throw new Error(printable(`the keyserver asked to stop: ${pause.detail}`));
  if (pause?.reason === 'too-old') throw new Error(printable(tooOld(pause.version, version)));
  process.exit(0);
}

function homesOf(urls: readonly string[]): readonly [string, ...string[]] {
  const [first, ...others] = urls;
  if (first === undefined) throw new Error('the address of a gateway is missing; without a network: --offline');
  for (const url of urls) {
    if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Error(`${url} is not the address of a gateway`);
  }
  return [first, ...others];
}

const because = ({ because }: EngineSnapshot['gateway']): string =>
  because === undefined ? '' : `, because ${because} does not answer`;

const away = () => Promise.reject(new UnreachableError('there is none: blocks are carried by hand'));
const nobody: Keyserver = { exchange: away, release: away, contests: away, status: away, map: away };

/** Offline: whether all blocks are worked off. */
function isIdle({ pause, blocks, inBuffer }: EngineSnapshot): boolean {
  return pause?.reason === 'unreachable' && blocks.length === 0 && inBuffer === 0;
}

/** Whether nothing more can come of it without a person; reports that can be sent are sent first. */
function hasEnded({ pause, outBuffer, gateway }: EngineSnapshot): boolean {
  if (pause?.reason === 'no-core') return true;
  const nothingToSend = outBuffer === 0 || gateway.error !== undefined;
  return (pause?.reason === 'stopped' || pause?.reason === 'too-old') && nothingToSend;
}

function tooOld(least: string | undefined, version: string): string {
  const needed = least === undefined ? 'a newer version of Tabherd' : `Tabherd ${least} or newer`;
  return `the keyserver gives new work only to ${needed}, and this is ${version}`;
}

/** What comes from elsewhere must not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** In the words that a browser has for them. */
function machineOfNode(): Machine {
  const systems: Record<string, string> = { linux: 'Linux', darwin: 'macOS', win32: 'Windows', android: 'Android' };
  const processors: Record<string, string> = { x64: 'x86_64', ia32: 'x86' };
  return { os: systems[platform()] ?? platform(), cpu: processors[arch()] ?? arch() };
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
      return `gateway not reached (${error ?? 'no answer'}), next try at ${clock(pause.retryAt)}`;
    case 'told-to-wait':
      return `the gateway asked to wait until ${clock(pause.until)}`;
    case 'too-old':
      return 'no new work for this version';
    case 'stopped':
      return `stopped by the keyserver (${pause.detail})`;
    case 'no-work':
    case 'all-closed':
      return 'no work to be had now';
    case 'no-core':
      return pause.detail;
    case 'not-started':
    case 'by-you':
    case 'another-tab':
    case 'snoozed':
    case 'off-schedule':
    case 'on-battery':
    case 'in-use':
    case 'unseen':
    case 'busy':
    case 'updating':
    case 'metered':
    case 'none-chosen':
      return 'paused';
  }
}

const clock = (at: number): string => `${new Date(at).toISOString().slice(11, 19)}Z`;
