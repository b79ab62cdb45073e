/**
 * The plain-C reference, test/bench/rc5.c, built by gcc at two levels into a folder of the bench's. Where there is no
 * gcc there is no reference.
 */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CReference {
  /** `gcc -O2`. */
  name: string;
  /** Keys a second of processor time, after it has found a known key. */
  measure(seconds: number): Promise<number>;
}

export function gccVersion(): string | undefined {
  const { status, stdout } = spawnSync('gcc', ['-dumpfullversion'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** @throws Error it does not compile, or does not find its key. */
export async function buildCReferences(folder: string): Promise<CReference[]> {
  // dist/server/tabherd.js is two below the root.
  const source = fileURLToPath(new URL('../../test/bench/rc5.c', import.meta.url));
  const references: CReference[] = [];
  for (const level of ['-O2', '-O3']) {
    const program = join(folder, `rc5${level}`);
    await run('gcc', [level, '-o', program, source]);
    references.push({
      name: `gcc ${level}`,
      async measure(seconds) {
        const { stdout } = await run(program, [`${seconds}`]);
        const rate = Number.parseFloat(stdout);
        if (!(rate > 0)) throw new Error(`${program} printed ${stdout}`);
        return rate;
      },
    });
  }
  return references;
}
