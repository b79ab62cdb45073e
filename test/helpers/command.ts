/** The built command line, as a person types it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';

const PROGRAM = 'dist/server/tabherd.js';

/** @returns what it said; throws what it complained of. */
export function tabherd(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [PROGRAM, ...args], { env }, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(err));
    });
  });
}

export interface StartedKeyserver {
  url: string;
  /** What it printed until it listened. */
  said: string;
  stop: () => Promise<void>;
  kill: () => void;
}

/** A keyserver (`serve …` or `proxy …`) in a process of its own, on a free port unless one is told. */
export async function startKeyserver(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<StartedKeyserver> {
  const child = spawn(process.execPath, [PROGRAM, ...args, ...(args.includes('--port') ? [] : ['--port', '0'])], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Ctrl-C ends it.')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
  const [url = ''] = /http:\S+/.exec(said) ?? [];
  return {
    url,
    said,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
    kill: () => child.kill('SIGKILL'),
  };
}
