/** Backup and restore, from and to both homes of the ledger, while exchanges go on. */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/domain/work.ts';
import { backUp, restore } from '../../src/server/store/backup.ts';
import { createTables } from '../../src/server/store/migrate.ts';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import {
  asking,
  client,
  type Home,
  openKeymaster,
  openStore,
  type TestKeymaster,
  temporaryFolder,
} from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { testManifest, trueReport } from '../helpers/test-contest.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

let url: string;
beforeAll(async () => {
  url = await sharedPostgres();
});
const homes: Record<string, () => Home> = {
  SQLite: () => join(folder.path, freshSchema()),
  PostgreSQL: () => ({ url, schema: freshSchema() }),
};
const freshHome = (name: string): Home => homes[name]?.() ?? '';
const ledgerHome = (home: Home) => (typeof home === 'string' ? { dataDir: home } : home);
const newFile = () => join(folder.path, `${freshSchema()}.backup`);

const MANIFESTS = [testManifest({ units: 2 ** 44, maxUnits: 5, allocation: { kind: 'random', subspaceUnits: 7 } })];

/** Clients who go on until told; what was acknowledged to them so far. */
class Load {
  readonly acknowledged: Report[] = [];
  readonly #ending = new AbortController();
  readonly #running: Promise<unknown>;

  constructor({ keymaster }: TestKeymaster) {
    const work = async (n: number): Promise<void> => {
      for (let reports: Report[] = []; !this.#ending.signal.aborted; ) {
        const { results, leases } = await keymaster.exchange(
          asking({ client: client(n), reports, blocks: 4, units: 1 + n, holding: [] }),
        );
        this.acknowledged.push(...reports.filter((_, i) => results[i]?.outcome === 'accepted'));
        // Some are never reported: they stay leased.
        reports = leases.slice(1).map((lease) => trueReport(lease));
        if (n === 0) await keymaster.sweep();
      }
    };
    this.#running = Promise.all([0, 1, 2].map(work));
  }

  async reached(reports: number): Promise<void> {
    while (this.acknowledged.length < reports) await new Promise(setImmediate);
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }
}

describe.each(['SQLite', 'PostgreSQL'])('a backup of a ledger in %s', (source) => {
  const file = newFile();
  let before: readonly Report[] = [];
  let meanwhile = 0;
  let copied: unknown;
  let keys: unknown;
  beforeAll(async () => {
    const home = freshHome(source);
    const server = await openKeymaster(home, MANIFESTS);
    const load = new Load(server);
    await load.reached(200);
    before = [...load.acknowledged];
    const { rows } = await backUp(ledgerHome(home), file);
    meanwhile = load.acknowledged.length - before.length;
    await load.reached(load.acknowledged.length + 20);
    await load.end();
    keys = await server.store.read((ledger) => ledger.signingKeys());
    copied = rows;
    await server.close();
  });

  it('is taken while exchanges go on', () => {
    expect(meanwhile).toBeGreaterThan(0);
    expect(copied).toMatchObject({ contest: 1, signing_key: 1, client: 3 });
  });

  it('is one file that nobody else can read', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path).filter((name) => /part|-wal|-shm/.test(name))).toEqual([]);
  });

  it.each(['SQLite', 'PostgreSQL'])(
    'comes back in %s with all that was acknowledged before, and serves',
    async (target) => {
      const home = freshHome(target);
      const { check, format } = await restore(file, ledgerHome(home));
      expect(format).toBe(3);
      expect(check).toMatchObject({ ok: true, contests: [{ name: 'test', units: 2 ** 44, faults: [] }] });
      const again = restore(file, ledgerHome(home));
      await expect(again).rejects.toThrow(/there is a ledger in .*--force replaces it/);
      const server = await openKeymaster(home, MANIFESTS);
      try {
        expect(await server.store.read((ledger) => ledger.signingKeys())).toEqual(keys);
        const runs = await server.store.read((ledger) => ledger.runs('test'));
        const done = runs.filter(({ state }) => state === 'done');
        const missing = before.filter(
          ({ first, evidence }) => !done.some((run) => run.first <= first && first + evidence.length <= run.past),
        );
        expect(missing).toEqual([]);
        // Told once more, by whomever, they count no more.
        const reports = before.slice(0, 60).map((report) => {
          const { proof: _, ...bare } = report;
          return bare;
        });
        const { results } = await server.keymaster.exchange(asking({ client: client(9), reports }));
        expect(results.every(({ outcome }) => outcome === 'duplicate')).toBe(true);
        const { leases } = await server.keymaster.exchange(asking({ blocks: 1 }));
        const report = await server.keymaster.exchange(asking({ reports: leases.map((lease) => trueReport(lease)) }));
        expect(report.results).toMatchObject([{ outcome: 'accepted' }]);
        // Nobody replaces a ledger under a keyserver.
        await expect(restore(file, ledgerHome(home), { force: true })).rejects.toThrow(/in use by/);
      } finally {
        await server.close();
      }
    },
  );

  it('replaces another ledger only by force, and is the same when backed up again', async () => {
    const home = freshHome(source);
    await (await openKeymaster(home, [testManifest({ name: 'other' })])).close();
    await expect(restore(file, ledgerHome(home))).rejects.toThrow(/--force/);
    const restored = await restore(file, ledgerHome(home), { force: true });
    expect(restored.check.contests.map(({ name }) => name)).toEqual(['test']);
    const next = newFile();
    const { rows } = await backUp(ledgerHome(home), next);
    expect(rows).toEqual(restored.rows);
    const dump = (path: string) => {
      const database = new Database(path);
      const tables = Object.keys(rows).map((table) =>
        database
          .prepare(`select * from ${table} order by 1, 2`)
          .all([])
          .map((row) => JSON.stringify(row))
          .toSorted(),
      );
      database.close();
      return tables;
    };
    expect(dump(next)).toEqual(dump(file));
  });
});

describe('a backup', () => {
  it('overwrites no file but by force', async () => {
    const dataDir = freshHome('SQLite') as string;
    await (await openKeymaster(dataDir, MANIFESTS)).close();
    const file = newFile();
    writeFileSync(file, 'precious', { mode: 0o644 });
    await expect(backUp({ dataDir }, file)).rejects.toThrow(`${file} is there already; --force overwrites it`);
    await backUp({ dataDir }, file, { force: true });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('says where there is no ledger, and leaves nothing behind', async () => {
    const file = newFile();
    await expect(backUp({ dataDir: '/nowhere' }, file)).rejects.toThrow('there is no ledger at /nowhere/ledger.db');
    await expect(backUp({ url, schema: freshSchema() }, file)).rejects.toThrow(/there is no ledger in/);
    const dataDir = freshHome('SQLite') as string;
    await (await openKeymaster(dataDir, MANIFESTS)).close();
    await expect(backUp({ dataDir }, '/nowhere/file')).rejects.toThrow(/cannot write \/nowhere\/file/);
    expect(existsSync(file)).toBe(false);
  });

  it.each(['SQLite', 'PostgreSQL'])(
    'that is none, or of a newer format, leaves the ledger in %s as it was',
    async (target) => {
      const home = freshHome(target);
      await (await openKeymaster(home, MANIFESTS)).close();
      const text = newFile();
      writeFileSync(text, 'not a database at all, '.repeat(100));
      const newer = newFile();
      await backUp(ledgerHome(home), newer);
      const database = new Database(newer);
      database.exec('INSERT INTO migration (version) VALUES (1000)');
      database.close();
      const broken = newFile();
      await backUp(ledgerHome(home), broken);
      const other = new Database(broken);
      other.exec('DROP TABLE credit');
      other.close();
      for (const [file, reason] of [
        [newFile(), /there is no ledger at/],
        [text, /there is no ledger in|cannot copy the ledger/],
        [newer, /written by a newer Tabherd .*1000/],
        [broken, /credit/],
      ] as const) {
        await expect(restore(file, ledgerHome(home), { force: true })).rejects.toThrow(reason);
      }
      const store = await openStore(home);
      expect(await store.read((ledger) => ledger.contests())).toHaveLength(1);
      await store.close();
    },
  );

  it.each(['SQLite', 'PostgreSQL'])('of an older format is migrated in %s', async (target) => {
    const old = newFile();
    const database = new Database(old);
    const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
    await createTables(db, 1);
    database
      .prepare(`insert into contest (name, position, manifest, done, leased) values (?, 0, ?, 8, 4)`)
      .run(['test', JSON.stringify(testManifest())]);
    database.exec(`insert into run (contest, first, count, state) values ('test', 0, 8, 'done'), ('test', 12, 88, 'free');
      insert into lease (id, contest, first, count, client, state, expires_at)
        values ('00000000-0000-4000-8000-000000000001', 'test', 8, 4, 'c', 'live', 9999999999999);
      insert into credit (client, contest, units, blocks) values ('c', 'test', 8, 1)`);
    await db.destroy();
    const home = freshHome(target);
    const { format, check } = await restore(old, ledgerHome(home));
    expect(format).toBe(1);
    expect(check).toMatchObject({ ok: true, contests: [{ free: 88, leased: 4, done: 8, credited: 8 }] });
  });
});

it('keeps a data folder to its owner', async () => {
  const dataDir = freshHome('SQLite') as string;
  const store = await openSqliteStore(dataDir);
  const modes = ['', 'ledger.db', 'ledger.db-wal', 'ledger.db-shm', 'lock'].map(
    (name) => statSync(join(dataDir, name)).mode & 0o777,
  );
  expect(modes).toEqual([0o700, 0o600, 0o600, 0o600, 0o600]);
  await store.close();
});
