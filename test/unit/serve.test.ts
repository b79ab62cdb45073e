/** A whole server in one process: what it needs to start, and that nothing stays behind when it ends. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { UnreachableError } from '../../src/protocol/errors.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import { HttpStandings } from '../../src/protocol/http-standings.ts';
import { startProxy, startServer } from '../../src/server/serve.ts';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import { asking, temporaryFolder } from '../helpers/keyservers.ts';
import { testKinds, testManifest, trueReport } from '../helpers/test-contest.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe('a whole server', () => {
  const options = (dataDir: string) => ({
    dataDir: join(folder.path, dataDir),
    host: '127.0.0.1',
    port: 0,
    manifests: [testManifest()],
    kinds: testKinds,
    version: '0.0.0',
    logLevel: 'silent' as const,
  });

  it('starts, serves, ends, and starts again on the same data', async () => {
    for (const done of [8, 16]) {
      const server = await startServer(options('again'));
      const keyserver = new HttpKeyserver(server.url, { fetch });
      const { leases } = await keyserver.exchange(asking({ blocks: 1 }));
      const { contests } = await keyserver.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
      expect(contests).toMatchObject([{ done, leased: 0 }]);
      await server.close();
      await expect(keyserver.status()).rejects.toBeInstanceOf(UnreachableError);
    }
  });

  it('shows the standing, which a proxy passes on with what was done through it', async () => {
    const server = await startServer(options('top'));
    const settings = { reportBatch: 1, reportAgeSeconds: 0 };
    const proxy = await startProxy({ ...options('proxy'), upstreams: [server.url], settings });
    const keyserver = new HttpKeyserver(proxy.url, { fetch });
    const { leases } = await keyserver.exchange(asking({ blocks: 1 }));
    await keyserver.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
    await proxy.talk();
    const standing = await new HttpStandings(proxy.url, { fetch }).standing({ of: 'people', span: 'today' });
    expect(standing).toMatchObject({ ranked: 1, entries: [{ rank: 1, name: 'client 1', blocks: 1, points: 8 }] });
    // Where it may not speak with its upstream, it says what is so.
    await proxy.close();
    const offline = await startProxy({
      ...options('proxy'),
      upstreams: [server.url],
      settings: { mode: 'offline' },
    });
    const reply = await fetch(`${offline.url}api/v1/standing/teams`);
    expect([reply.status, await reply.json()]).toMatchObject([
      503,
      { detail: expect.stringContaining('may not ask now') },
    ]);
    await offline.close();
    await server.close();
  });

  it('refuses a data folder that another has open, a port that another has, and a contest that changed', async () => {
    const server = await startServer(options('one'));
    await expect(startServer(options('one'))).rejects.toThrow(/in use by another keyserver/);
    const port = Number(new URL(server.url).port);
    const clash = startServer({ ...options('two'), port });
    await expect(clash).rejects.toThrow(`port ${port} is in use; choose another with --port`);
    await server.close();
    // The failed start gave its folder back.
    await (await startServer(options('two'))).close();
    const changed = startServer({ ...options('one'), manifests: [testManifest({ units: 101 })] });
    await expect(changed).rejects.toThrow(/contest test has another `units`/);
    const other = startServer({ ...options('one'), manifests: [testManifest({ winners: [1] })] });
    await expect(other).rejects.toThrow(/contest test has another `search`/);
  });

  it('does not wait for a socket that never spoke', async () => {
    const server = await startServer(options('silent'));
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(socket, 'connect');
    const began = Date.now();
    await Promise.all([server.close(), once(socket, 'close')]);
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it('locks its data folder against other processes too', async () => {
    const dataDir = join(folder.path, 'locked');
    const store = await openSqliteStore(dataDir);
    const script = `new (require('libsql'))(process.argv[1], { timeout: 0 }).exec('BEGIN EXCLUSIVE')`;
    const other = () => spawnSync('node', ['-e', script, join(dataDir, 'lock')], { encoding: 'utf8' });
    expect(other().stderr).toContain('database is locked');
    await store.close();
    expect(other().stderr).toBe('');
  });

  it('refuses a ledger that a newer Tabherd wrote', async () => {
    const dataDir = join(folder.path, 'newer');
    await (await openSqliteStore(dataDir)).close();
    const raw = new Database(join(dataDir, 'ledger.db'));
    raw.exec('INSERT INTO migration (version) VALUES (1000)');
    raw.close();
    await expect(openSqliteStore(dataDir)).rejects.toThrow(/written by a newer Tabherd .*1000/);
  });

  it('refuses a ledger that is no database, and says where it is', async () => {
    const dataDir = join(folder.path, 'spoilt');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'ledger.db'), 'x'.repeat(5000));
    await expect(openSqliteStore(dataDir)).rejects.toThrow(`cannot open the ledger in ${dataDir}`);
  });
});
