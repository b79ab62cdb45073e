/** Signals sent to a real process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../helpers/keyservers.ts';

const folder = temporaryFolder();
afterAll(folder.remove);
beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: fileURLToPath(new URL('../helpers/signals-process.ts', import.meta.url)),
      outDir: folder.path,
      target: 'node20',
    },
  });
});

async function start(...args: string[]) {
  // Without a terminal, as under a service manager.
  const child: ChildProcess = spawn(process.execPath, [`${folder.path}/signals-process.js`, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  if (child.stdout === null) throw new Error('no stdout');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const said = async (): Promise<unknown> => (await lines.next()).value as unknown;
  expect(await said()).toBe('ready');
  return { child, said, finish: () => child.stdin?.write('\n'), ended: once(child, 'exit') };
}

test.each(['SIGTERM', 'SIGINT'] as const)('%s drains, and ends when that is done', async (signal) => {
  const { child, said, finish, ended } = await start();
  child.kill(signal);
  expect(await said()).toBe('drain');
  finish();
  expect(await ended).toEqual([0, null]);
});

test('a second one does not wait', async () => {
  const { child, said, ended } = await start();
  child.kill('SIGTERM');
  expect(await said()).toBe('drain');
  child.kill('SIGTERM');
  expect(await ended).toEqual([130, null]);
});

test('a drain that fails is said, and is the exit status', async () => {
  const { child, said, finish, ended } = await start('fail');
  child.kill('SIGTERM');
  expect(await said()).toBe('drain');
  finish();
  expect(await said()).toBe('Error: drain');
  expect(await ended).toEqual([1, null]);
});

test('SIGHUP reloads, one at a time, and a failure changes nothing', async () => {
  const { child, said, finish, ended } = await start('fail');
  child.kill('SIGHUP');
  expect(await said()).toBe('reload');
  child.kill('SIGHUP');
  finish();
  expect(await said()).toBe('Error: reload');
  // The second, made up for.
  expect(await said()).toBe('reload');
  child.kill('SIGTERM');
  expect(await said()).toBe('drain');
  child.kill('SIGKILL');
  expect(await ended).toEqual([null, 'SIGKILL']);
});
