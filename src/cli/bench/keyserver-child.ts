/** A keyserver for the bench's tab: a process of its own on the loopback interface, with a ledger that is thrown away. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ContestManifest } from '../../domain/contest.ts';

export interface KeyserverChild {
  url: string;
  close(): Promise<void>;
}

/** `folder`: an empty one, for manifest and ledger. */
export async function startKeyserver(folder: string, manifest: ContestManifest): Promise<KeyserverChild> {
  const file = join(folder, `${manifest.name}.json`);
  await writeFile(file, JSON.stringify(manifest));
  const program = fileURLToPath(new URL('./tabherd.js', import.meta.url));
  const where = ['--port', '0', '--host', '127.0.0.1', '--data', join(folder, 'ledger')];
  const child = spawn(process.execPath, [program, 'serve', ...where, '--contests', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
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
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
