/**
 * vitest's global setup: behind a socket waits a PostgreSQL that starts when the first test asks for it, so that a run
 * without such a test pays nothing. It ends with the run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Postgres, startPostgres } from '../../src/cli/bench/postgres.ts';

export type Answer = { url: string } | { error: string };

declare module 'vitest' {
  interface ProvidedContext {
    /** The path of the socket. */
    postgresDoor: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<Postgres> | undefined;
  const folder = await mkdtemp(join(tmpdir(), 'tabherd-door-'));
  const door = createServer((socket) => {
    starting ??= startPostgres();
    starting
      .then(
        ({ url }): Answer => ({ url }),
        (error: Error): Answer => ({ error: error.message }),
      )
      .then((answer) => socket.end(JSON.stringify(answer)))
      .catch(() => socket.destroy());
  });
  const path = join(folder, 'door');
  await new Promise<void>((resolve) => door.listen(path, resolve));
  project.provide('postgresDoor', path);
  return async () => {
    door.close();
    await starting?.then(
      (postgres) => postgres.stop(),
      () => undefined,
    );
    await rm(folder, { recursive: true, force: true });
  };
}
