/** The PostgreSQL that the tests bring along: new enough, back after a crash with all it acknowledged, gone at the end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { build } from 'vite';
import { expect, test } from 'vitest';
import { openPostgresStore } from '../../src/server/store/postgres.ts';
import { temporaryFolder } from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres, startPostgres } from '../helpers/postgres.ts';
import { FaultyLink } from '../helpers/storm/faulty-link.ts';

async function ask<Row>(url: string, query: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  // A server that is killed is no reason for an uncaught error.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query(query);
    return rows as Row[];
  } finally {
    await client.end();
  }
}

test('is 15 or newer, and the same one for all who ask', async () => {
  const url = await sharedPostgres();
  expect(await sharedPostgres()).toBe(url);
  const [row] = await ask<{ version: number }>(url, "select current_setting('server_version_num')::int as version");
  expect(row?.version).toBeGreaterThanOrEqual(150_000);
});

test('keeps through SIGKILL what it acknowledged, at the same address', async () => {
  const postgres = await startPostgres();
  try {
    await ask(postgres.url, 'create table kept as select 42 as n');
    const { pid } = postgres;
    await postgres.kill();
    await expect(ask(postgres.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
    await postgres.restart();
    expect(postgres.pid).not.toBe(pid);
    expect(await ask(postgres.url, 'select n from kept')).toEqual([{ n: 42 }]);
  } finally {
    await postgres.stop();
  }
});

test('is given up when it says nothing any more, and asked again over another connection', async () => {
  const url = new URL(await sharedPostgres());
  const link = await FaultyLink.open(Number(url.port));
  url.port = `${link.port}`;
  const store = await openPostgresStore({ url: url.href, schema: freshSchema(), silenceMs: 500 });
  try {
    const contests = () => store.transaction((ledger) => ledger.contests());
    await contests();
    link.weather = 'half-open';
    await expect(contests()).rejects.toThrow(/said nothing|connection/i);
    link.weather = 'fair';
    expect(await contests()).toEqual([]);
  } finally {
    await store.close();
    await link.close();
  }
});

test('waits two seconds for whoever is frozen in the middle of a transaction', async () => {
  const options = { url: await sharedPostgres(), schema: freshSchema() };
  const [frozen, other] = [await openPostgresStore(options), await openPostgresStore(options)];
  try {
    let holds: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      holds = resolve;
    });
    const work = frozen.transaction(async (ledger) => {
      await ledger.setMeta('state', 'by the frozen one');
      holds();
      await sleep(4000);
    });
    work.catch(() => {});
    await held;
    const began = Date.now();
    expect(await other.transaction((ledger) => ledger.meta('state'))).toBeUndefined();
    expect(Date.now() - began).toBeLessThan(3500);
    await expect(work).rejects.toThrow(/terminat|connection/i);
    // Over another connection it goes on.
    await frozen.transaction((ledger) => ledger.setMeta('state', 'later'));
    expect(await other.read((ledger) => ledger.meta('state'))).toBe('later');
  } finally {
    await frozen.close();
    await other.close();
  }
});

test('a snapshot may take its time', async () => {
  const store = await openPostgresStore({ url: await sharedPostgres(), schema: freshSchema() });
  try {
    const contests = await store.snapshot(async (ledger) => {
      await ledger.contests();
      await sleep(2500);
      return ledger.contests();
    });
    expect(contests).toEqual([]);
  } finally {
    await store.close();
  }
});

test('does not outlive a process that is killed', async () => {
  const folder = temporaryFolder();
  try {
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: fileURLToPath(new URL('../helpers/postgres-process.ts', import.meta.url)),
        outDir: folder.path,
        target: 'node20',
      },
    });
    const child = spawn(process.execPath, [`${folder.path}/postgres-process.js`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    const url = said.toString();
    const [row] = await ask<{ data: string }>(url, "select current_setting('data_directory') as data");
    const data = row?.data ?? '';
    expect(existsSync(data)).toBe(true);
    child.kill('SIGKILL');
    while (existsSync(data)) await sleep(50);
    await expect(ask(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  } finally {
    folder.remove();
  }
});

test('is claimed by one at a time, and goes on being so over a broken connection', async () => {
  const home = { url: await sharedPostgres(), schema: freshSchema() };
  const [one, other] = await Promise.all([openPostgresStore(home), openPostgresStore(home)]);
  try {
    await one.claim();
    await expect(other.claim()).rejects.toThrow('another proxy works on the schema');
    const whose = `application_name = 'tabherd ${home.schema}'`;
    const claims = (): Promise<{ pid: number }[]> =>
      ask(
        home.url,
        `select pid from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and granted and ${whose}`,
      );
    const [first] = await claims();
    await ask(home.url, `select pg_terminate_backend(pid) from pg_stat_activity where ${whose}`);
    const isNew = async (): Promise<boolean> => (await claims()).some(({ pid }) => pid !== first?.pid);
    await expect.poll(isNew, { timeout: 5000 }).toBe(true);
    await one.close();
    await other.claim();
  } finally {
    await one.close();
    await other.close();
  }
}, 30_000);
