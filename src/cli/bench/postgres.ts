/**
 * A PostgreSQL server of one's own, for tests and measurements: a cluster in a temporary folder, on a free loopback port,
 * behind a password, that ends with the process that started it, however that ends.
 *
 * PostgreSQL refuses to run as root, so there it runs as the user `postgres`, or `nobody`. A watchdog, a shell that reads
 * from a pipe of ours, ends the server and removes the folder when the pipe closes without a word.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The oldest that is supported. `src/setup/prepare.mjs` has the same number and looks in the same places. */
const LEAST_MAJOR = 15;

/** How long the server may take to open its port; it takes a fifth of a second. */
const READY_MS = 30_000;

/**
 * `$1`: the server's process; `$2`: its folder. A line on stdin: all is well; its end without one: our process is gone.
 * The server's last act is to remove its file of the process id.
 */
const WATCHDOG = `
read -r _ && exit 0
kill -INT "$1"
tries=0
while [ -e "$2/data/postmaster.pid" ] && [ $tries -lt 50 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
kill -KILL "$1"
rm -rf "$2"
`;

export interface Postgres {
  /** With user and password, as `DATABASE_URL` has it. */
  readonly url: string;
  /** Of the postmaster; another one after `restart`. */
  readonly pid: number;
  /** SIGKILL to all its processes, as when the machine loses its power (but for what the system has in its cache). */
  kill(): Promise<void>;
  /** Starts it again, in the same folder and on the same port. Stops it first where it runs. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** @throws Error there is no PostgreSQL, or it does not start; the message says why. */
export async function startPostgres({ fsync = true }: { fsync?: boolean } = {}): Promise<Postgres> {
  const bin = await findPostgres();
  const user = await unprivileged();
  const folder = await mkdtemp(join(tmpdir(), 'tabherd-postgres-'));
  try {
    const password = randomBytes(16).toString('hex');
    await writeFile(join(folder, 'password'), password, { mode: 0o600 });
    await chmod(folder, 0o700);
    if (user !== undefined) {
      await chown(join(folder, 'password'), user.uid, user.gid);
      await chown(folder, user.uid, user.gid);
    }
    const auth = ['--username=tabherd', '--auth=scram-sha-256', `--pwfile=${join(folder, 'password')}`];
    const form = ['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'];
    await run(join(bin, 'initdb'), ['-D', join(folder, 'data'), ...auth, ...form], { cwd: folder, ...user });
    await rm(join(folder, 'password'));
    return await Cluster.start(bin, folder, password, fsync, user);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

class Cluster implements Postgres {
  readonly url: string;
  readonly #bin: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #fsync: boolean;
  readonly #user: User | undefined;
  #server: ChildProcess | undefined;
  #watchdog: ChildProcess | undefined;

  private constructor(bin: string, folder: string, port: number, password: string, fsync: boolean, user?: User) {
    this.#bin = bin;
    this.#folder = folder;
    this.#port = port;
    this.#fsync = fsync;
    this.#user = user;
    this.url = `postgres://tabherd:${password}@127.0.0.1:${port}/postgres`;
  }

  static async start(bin: string, folder: string, password: string, fsync: boolean, user?: User): Promise<Cluster> {
    for (let tries = 1; ; tries += 1) {
      const cluster = new Cluster(bin, folder, await freePort(), password, fsync, user);
      try {
        await cluster.restart();
        return cluster;
      } catch (error) {
        // Somebody else took the port in between.
        if (tries === 3 || !String(error).includes('Address already in use')) throw error;
      }
    }
  }

  get pid(): number {
    const pid = this.#server?.pid;
    if (pid === undefined) throw new Error('PostgreSQL does not run');
    return pid;
  }

  async restart(): Promise<void> {
    await this.#end('SIGINT');
    const settings = {
      listen_addresses: '127.0.0.1',
      port: this.#port,
      unix_socket_directories: this.#folder,
      fsync: this.#fsync ? 'on' : 'off',
      max_connections: 200,
      // Its words are looked for below.
      lc_messages: 'C',
      logging_collector: 'off',
      log_destination: 'stderr',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(this.#bin, 'postgres'), ['-D', join(this.#folder, 'data'), ...flags], {
      cwd: this.#folder,
      // A session of its own: Ctrl-C is for the tests, which then end it in order.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...this.#user,
    });
    this.#server = server;
    await ready(server);
    server.unref();
    this.#watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'watchdog', `${server.pid}`, this.#folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      ...this.#user,
    });
    this.#watchdog.unref();
  }

  async kill(): Promise<void> {
    const { pid } = this;
    // Held, so that it can neither start another child nor see the first one die.
    process.kill(pid, 'SIGSTOP');
    const children = childrenOf(pid);
    await this.#end('SIGKILL', () => {
      for (const child of children) kill(child, 'SIGKILL');
    });
    // A new server refuses to start while one of the old holds the shared memory.
    for (let waits = 0; waits < 100 && children.some(isAlive); waits += 1) await sleep(20);
  }

  async stop(): Promise<void> {
    await this.#end('SIGINT');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals, also?: () => void): Promise<void> {
    const server = this.#server;
    const watchdog = this.#watchdog;
    this.#server = undefined;
    this.#watchdog = undefined;
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const ended = once(server, 'exit');
      server.ref();
      server.kill(signal);
      also?.();
      await ended;
    }
    // It may have been killed: then nobody reads.
    watchdog?.stdin?.on('error', () => {});
    watchdog?.stdin?.end('well\n');
  }
}

/** @throws Error the server ended, or says nothing; with its last words. */
async function ready(server: ChildProcess): Promise<void> {
  const { stderr } = server;
  if (stderr === null) throw new Error('PostgreSQL has no stderr');
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      server.kill('SIGKILL');
      reject(new Error(`PostgreSQL did not get ready:\n${said}`));
    }, READY_MS);
    const ended = (code: number | null, signal: string | null): void => {
      clearTimeout(late);
      reject(new Error(`PostgreSQL ended with ${code ?? signal}:\n${said}`));
    };
    server.once('error', reject);
    // `close`, not `exit`: what it said last is in by then.
    server.once('close', ended);
    stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
      if (!said.includes('ready to accept connections')) return;
      clearTimeout(late);
      server.off('close', ended);
      // Read on, so that it never waits for us, but keep nothing and nobody alive.
      stderr.removeAllListeners('data').resume();
      (stderr as unknown as { unref?: () => void }).unref?.();
      resolve();
    });
  });
}

/** The folder that has PostgreSQL's programs: TABHERD_POSTGRES_BIN, the PATH, where Debian keeps them. */
async function findPostgres(): Promise<string> {
  const told = process.env['TABHERD_POSTGRES_BIN'];
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const paths = (process.env['PATH'] ?? '').split(delimiter).filter((path) => path !== '');
  const places = told === undefined ? [...paths, ...versions.map((version) => join(debian, version, 'bin'))] : [told];
  for (const place of places) {
    if (!existsSync(join(place, 'initdb')) || !existsSync(join(place, 'postgres'))) continue;
    const { stdout } = await run(join(place, 'postgres'), ['--version']);
    if (Number(/(\d+)/.exec(stdout)?.[1]) >= LEAST_MAJOR) return place;
  }
  throw new Error(
    `there is no PostgreSQL ${LEAST_MAJOR} or newer in ${told ?? 'the PATH or /usr/lib/postgresql'}: ` +
      'install its server (Debian: the package postgresql), or name the folder with initdb and postgres in TABHERD_POSTGRES_BIN',
  );
}

interface User {
  uid: number;
  gid: number;
}

/** As whom to run it: ourselves, unless we are root. */
async function unprivileged(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such user.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody to run it as');
}

/** Where there is no /proc, they are left to notice by themselves that the postmaster is gone, which they do. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** False of a zombie, too. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone by itself.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
