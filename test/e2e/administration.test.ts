/** The operator's commands as they are typed, against a keymaster in a process of its own that clients keep busy. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KnownProxy, LedgerCheck, OfferedContest, UnitHistory } from '../../src/protocol/administration.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import { asking, client, temporaryFolder } from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { testManifest, trueReport } from '../helpers/test-contest.ts';

const TOKEN = 'a-token-for-one-test';

const folder = temporaryFolder();
const data = join(folder.path, 'data');
let child: ChildProcess;
let url: string;

interface Ended {
  code: number;
  out: string;
  err: string;
}

function tabherd(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((done) => {
    const options = { env: { ...process.env, ...env } };
    execFile(process.execPath, ['dist/server/tabherd.js', ...args], options, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

const admin = (...args: string[]): Promise<Ended> =>
  tabherd(['admin', ...args], { TABHERD_ADMIN_TOKEN: TOKEN, TABHERD_AT: url });

async function told<T>(...args: string[]): Promise<T> {
  const { code, out, err } = await admin(...args, '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as T;
}

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, external: ['libsql', 'pg'] },
    build: {
      ssr: resolve('test/helpers/administered-process.ts'),
      outDir: join(resolve('.cache'), 'administered'),
      target: 'node20',
      copyPublicDir: false,
    },
  });
  const process_ = spawn('node', ['.cache/administered/administered-process.js', data, TOKEN], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child = process_;
  const line = once(createInterface({ input: process_.stdout }), 'line');
  const exit = once(process_, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`)));
  url = String((await Promise.race([line, exit]))[0]);
});
afterAll(async () => {
  const ended = once(child, 'exit');
  child.stdin?.end();
  await ended;
  folder.remove();
});

test('an operator adds, orders, closes and opens contests', async () => {
  const file = join(folder.path, 'added.json');
  writeFileSync(file, JSON.stringify(testManifest({ name: 'added', units: 50 })));
  expect((await admin('contests', 'add', file)).out).toMatch(/^added +open +yes +- +1 +first to last +0 +0 +50$/m);
  await admin('contests', 'weight', 'added', '2.5');
  expect(await told<OfferedContest>('contests', 'priority', 'added', '1')).toMatchObject({
    priority: 1,
    weight: 2.5,
  });
  await admin('contests', 'close', 'added');
  const [, added] = await told<OfferedContest[]>('contests');
  expect(added).toMatchObject({ name: 'added', closedBy: 'operator', offered: true });
  expect((await admin('contests', 'open', 'added')).out).toMatch(/^added +open +yes/m);
  const ranges = await told<OfferedContest>('contests', 'order', 'added', '40+10', '0+5');
  expect(ranges.allocation).toEqual({
    kind: 'priority',
    ranges: [
      { first: 40, count: 10 },
      { first: 0, count: 5 },
    ],
  });
});

test('an operator lists, revokes and restores proxies, rotates keys, and leaves messages', async () => {
  const id = 'b'.repeat(64);
  await admin('proxies', 'add', id, 'the office');
  expect((await admin('proxies', 'revoke', id)).out).toMatch(/0 units that it held are free again/);
  expect(await told<KnownProxy[]>('proxies', 'list')).toMatchObject([{ id, name: 'the office' }]);
  expect((await admin('keys', 'rotate')).out).toMatch(/^[0-9a-f]{64} +signing/m);
  expect((await admin('messages', 'Back at noon.', 'Thank you.')).out).toBe('Back at noon.\nThank you.\n');
  const { messages } = await new HttpKeyserver(url, { fetch }).exchange(asking());
  expect(messages).toEqual(['Back at noon.', 'Thank you.']);
  expect((await admin('messages', '--none')).out).toBe('there are no messages\n');
});

test('a backup while clients work, restored in both homes', async () => {
  const keyserver = new HttpKeyserver(url, { fetch });
  const acknowledged: number[] = [];
  const ending = new AbortController();
  const work = async (n: number): Promise<void> => {
    while (!ending.signal.aborted) {
      const { leases } = await keyserver.exchange(asking({ client: client(n), blocks: 3 }));
      const reports = leases.map((lease) => trueReport(lease));
      const { results } = await keyserver.exchange(asking({ client: client(n), reports }));
      for (const [i, { outcome }] of results.entries()) {
        if (outcome === 'accepted') acknowledged.push(reports[i]?.first ?? -1);
      }
    }
  };
  const workers = [1, 2].map(work);
  while (acknowledged.length < 50) await new Promise(setImmediate);
  const before = [...acknowledged];
  const file = join(folder.path, 'backup');
  const backup = await tabherd(['backup', file, '--data', data]);
  ending.abort();
  await Promise.all(workers);
  expect(backup).toMatchObject({ code: 0, err: '' });
  expect(backup.out).toMatch(/2 contests.*\nIt holds the signing keys/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(acknowledged.length).toBeGreaterThan(before.length);

  const other = join(folder.path, 'other');
  const postgres = ['--database-url', await sharedPostgres(), '--database-schema', freshSchema()];
  for (const home of [['--data', other], postgres]) {
    const { code, out, err } = await tabherd(['restore', file, ...home]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/the ledger agrees with itself\n$/);
  }
  expect(await tabherd(['restore', file, ...postgres])).toMatchObject({ code: 1, out: '' });
  const again = join(folder.path, 'again');
  expect((await tabherd(['backup', again, ...postgres])).code).toBe(0);
  expect(await tabherd(['restore', again, '--data', other, '--force'])).toMatchObject({ code: 0 });
  const store = await openSqliteStore(other);
  const runs = await store.read((ledger) => ledger.runs('test'));
  await store.close();
  const isDone = (unit: number) => runs.some((run) => run.state === 'done' && run.first <= unit && unit < run.past);
  expect(before.filter((first) => !isDone(first))).toEqual([]);

  // The one that ran goes on, with all its own.
  expect(await told<LedgerCheck>('check')).toMatchObject({ ok: true });
  expect((await admin('top', 'test')).out).toMatch(/^client [12] +[\d,]+ +\d+$/m);
  expect((await admin('rates', 'test')).out).toMatch(/^20\d\d-.*Z +[\d,]+/m);
  expect((await admin('facts')).out).toMatch(/\d clients; \d+ commits to be counted/);
  const { finished } = await told<UnitHistory>('who', 'test', String(before[0]));
  expect(finished).toMatchObject([{ count: 4 }]);
});

describe('what goes wrong is said in a sentence', () => {
  test.each([
    [['contests', 'close', 'absent'], 1, /there is no contest absent/],
    [['contests', 'priority', 'test', 'high'], 1, /high is neither a number nor "none"/],
    [['contests', 'order', 'test', 'backwards'], 1, /the order is first-to-last, random UNITS/],
    [['contests', 'add', '/nowhere.json'], 1, /\/nowhere\.json/],
    [['contests', 'add', 'package.json'], 1, /\/title is missing/],
    [['check', '--token', 'not-the-right-one'], 1, /this is not the administration token/],
    [['check', '--token', 'short'], 1, /at least 16 characters/],
    [['check', '--at', 'http://localhost:9'], 2, /does not answer/],
    [['check', '--at', 'nowhere'], 1, /nowhere is not the address/],
  ] as const)('%j', async (args, exit, sentence) => {
    const { code, err } = await admin(...args);
    expect(err).toMatch(sentence);
    expect(code).toBe(exit);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test('no token, a token in a file, a server without administration', async () => {
    const { code, err } = await tabherd(['admin', 'check', '--at', url]);
    expect([code, err]).toEqual([1, expect.stringContaining('the administration token is missing')]);
    const file = join(folder.path, 'token');
    writeFileSync(file, `${TOKEN}\n`);
    expect((await tabherd(['admin', 'check', '--at', url, '--token-file', file])).code).toBe(0);
  });

  test('a backup that is there, a ledger that is served, a home that is none', async () => {
    const file = join(folder.path, 'twice');
    expect((await tabherd(['backup', file, '--data', data])).code).toBe(0);
    expect((await tabherd(['backup', file, '--data', data])).err).toMatch(/is there already; --force overwrites it/);
    expect((await tabherd(['restore', file, '--data', data, '--force'])).err).toMatch(/in use by another keyserver/);
    expect((await tabherd(['backup', `${file}2`, '--data', '/nowhere'])).err).toMatch(/there is no ledger at/);
    const away = ['--database-url', 'postgresql://localhost:9/x'];
    expect((await tabherd(['backup', `${file}3`, ...away])).err).toMatch(
      /cannot copy the ledger in localhost:9.*REFUSED/,
    );
  });
});
