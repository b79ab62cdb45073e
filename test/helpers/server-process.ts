/** The built keyserver as its operator runs it: a process of its own on a port and a data folder that outlive it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { Status } from '../../src/protocol/keyserver.ts';

/** A PostgreSQL's address, and where in it. */
export interface Database {
  url: string;
  schema: string;
}

export class ServerProcess {
  readonly url: string;
  readonly #folder: string;
  readonly #args: string[];
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number, contests: string[], database: Database | undefined, dist: string) {
    this.#folder = folder;
    this.url = `http://localhost:${port}`;
    const flags = contests.length === 0 ? [] : ['--contests', ...contests];
    const { url, schema } = database ?? {};
    // By the environment, as what is secret should be.
    // Which blocks are done again is drawn: a test that tells what becomes of each would fail now and then.
    this.#env = {
      TABHERD_SECOND_RUNS: '0',
      ...process.env,
      ...(url && schema && { DATABASE_URL: url, TABHERD_DATABASE_SCHEMA: schema }),
    };
    this.#args = [`${dist}/server/tabherd.js`, 'serve', '--port', `${port}`, '--data', join(folder, 'data'), ...flags];
  }

  /**
   * Starts one with these contests, the built-in ones where none are given; over SQLite where no database is.
   * @param dist what was built, or a copy of it.
   */
  static async start(
    manifests: readonly ContestManifest[] = [],
    database?: Database,
    dist = 'dist',
  ): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'tabherd-'));
    const contests = manifests.map(({ name }) => join(folder, `${name}.json`));
    await Promise.all(manifests.map((manifest, i) => writeFile(contests[i] ?? '', JSON.stringify(manifest))));
    const server = new ServerProcess(folder, await freePort(), contests, database, dist);
    await server.restart();
    return server;
  }

  async restart(): Promise<void> {
    const child = spawn(process.execPath, this.#args, { stdio: ['ignore', 'pipe', 'inherit'], env: this.#env });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes(' is at http://')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
    });
  }

  /** Ends it without a chance to tidy up. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async status(): Promise<Status> {
    const response = await fetch(`${this.url}/api/v1/status`);
    return (await response.json()) as Status;
  }

  async close(): Promise<void> {
    await this.#end('SIGTERM');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
