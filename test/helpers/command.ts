/** The built command line, as a person types it. */
import { execFile } from 'node:child_process';

/** @returns what it said; throws what it complained of. */
export function tabherd(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['dist/server/tabherd.js', ...args], { env }, (error, out, err) => {
      if (error === null) resolve(out);
      else reject(new Error(err));
    });
  });
}
