/** `tabherd serve`: what `npm start` runs. Prints where it is to be found; ends well on SIGTERM and SIGINT. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Value } from 'typebox/value';
import { kinds } from '../contests/kinds.ts';
import { manifests as builtIn } from '../contests/manifests.ts';
import { ContestManifest } from '../domain/contest.ts';
import { faultOf } from '../protocol/fault.ts';
import { startServer } from '../server/serve.ts';

export interface ServeOptions {
  port: number;
  host?: string;
  data: string;
  databaseUrl?: string;
  contests?: string[];
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export async function serve(options: ServeOptions, version: string): Promise<void> {
  const manifests = options.contests === undefined ? builtIn : await Promise.all(options.contests.map(readManifest));
  const server = await startServer({
    dataDir: options.data,
    databaseUrl: options.databaseUrl,
    port: options.port,
    ...(options.host === undefined ? {} : { host: options.host }),
    // dist/server/tabherd.js serves dist/app.
    appDir: fileURLToPath(new URL('../app', import.meta.url)),
    manifests,
    kinds,
    version,
    logLevel: options.logLevel,
  });
  process.stdout.write(
    `Tabherd ${version} is at ${server.url}\n` +
      `Contests: ${manifests.map(({ name }) => name).join(', ')}. Ledger in ${options.databaseUrl === undefined ? `${options.data}/` : 'PostgreSQL'}. Ctrl-C ends it.\n`,
  );
  let closing = false;
  const close = (): void => {
    // The second Ctrl-C does not wait.
    if (closing) process.exit(130);
    closing = true;
    void server.close().then(() => process.exit(0));
  };
  process.on('SIGINT', close);
  process.on('SIGTERM', close);
}

async function readManifest(path: string): Promise<ContestManifest> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
  if (Value.Check(ContestManifest, manifest)) return manifest;
  const fault = faultOf(ContestManifest, manifest);
  throw new Error(`${path}: ${fault?.pointer} ${fault?.message}`);
}
