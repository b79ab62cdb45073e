/** A keyserver for the bench: a process of its own on the loopback interface, with a ledger that is thrown away. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ContestManifest } from '../../domain/contest.ts';

const OWN_PROGRAM = fileURLToPath(new URL('./tabherd.js', import.meta.url));

export interface KeyserverChild {
  url: string;
  pid: number;
  close(): Promise<void>;
}

export interface KeyserverChildOptions {
  /** Its ledger; without one it is SQLite, in the folder. */
  databaseUrl?: string | undefined;
  /** A folder for a CPU profile of the whole run, as `node --cpu-prof` makes it. */
  profile?: string | undefined;
  /** Another build's `tabherd.js`. */
  program?: string | undefined;
}

/** Evidence is handed in again and again here, and who does that is soon caught. As variables: an older program passes them over. */
export const UNCHECKED = { TABHERD_SPOT_CHECKS: 'false', TABHERD_SECOND_RUNS: '0' };

/** `folder`: an empty one, for manifests and ledger. */
export async function startKeyserver(
  folder: string,
  manifests: readonly ContestManifest[],
  { databaseUrl, profile, program }: KeyserverChildOptions = {},
): Promise<KeyserverChild> {
  const files = manifests.map(({ name }) => join(folder, `${name}.json`));
  for (const [i, manifest] of manifests.entries()) await writeFile(files[i] ?? '', JSON.stringify(manifest));
  return startProgram(['serve', '--data', join(folder, 'ledger'), '--contests', ...files], {
    profile,
    program,
    environment: { ...UNCHECKED, ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }) },
  });
}

/** `serve` or `proxy`; resolves when it says where it is. */
export async function startProgram(
  command: readonly string[],
  {
    profile,
    program = OWN_PROGRAM,
    environment,
    port = 0,
  }: Pick<KeyserverChildOptions, 'profile' | 'program'> & { environment: Record<string, string>; port?: number },
): Promise<KeyserverChild> {
  const flags = profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profile];
  const { DATABASE_URL: _, ...inherited } = process.env;
  const where = ['--port', `${port}`, '--host', '127.0.0.1'];
  const child = spawn(process.execPath, [...flags, program, ...command, ...where], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...inherited, ...environment },
  });
  const ended = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = / is at (http:\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the keyserver ended with ${code}: ${said}`)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
