/** The embedded store on a disk that is full: nothing happens, the reason is named, and it goes on once there is room. */
import { type Kysely, sql } from 'kysely';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import type { Store } from '../../src/server/store/store.ts';
import { temporaryFolder } from '../helpers/keyservers.ts';
import { SmallDisk } from '../helpers/storm/small-disk.ts';

const write = (store: Store): Promise<void> =>
  // More than what is left of a page that was begun.
  store.transaction((ledger) => ledger.setMeta('messages', 'x'.repeat(100_000)));

test('says that its disk is full, and writes again when it is not', async () => {
  const disk = await SmallDisk.make();
  const store = await openSqliteStore(`${disk.path}/data`);
  try {
    await disk.fill(process.pid);
    await expect(write(store)).rejects.toThrow(/full|I\/O error/);
    await disk.empty(process.pid);
    await write(store);
    expect(await store.read((ledger) => ledger.meta('messages'))).toHaveLength(100_000);
  } finally {
    await disk.empty(process.pid);
    await store.close();
    await disk.remove();
  }
});

test('commits nothing of a transaction that has ended by itself', async () => {
  const folder = temporaryFolder();
  const store = await openSqliteStore(folder.path);
  try {
    await store.read(async (ledger) => {
      const { db } = ledger as unknown as { db: Kysely<unknown> };
      const { rows } = await sql<{ page_count: number }>`PRAGMA page_count`.execute(db);
      await sql`PRAGMA max_page_count = ${sql.lit((rows[0]?.page_count ?? 0) + 4)}`.execute(db);
    });
    const both = store.transaction((ledger) =>
      Promise.all([ledger.setMeta('messages', 'x'.repeat(100_000)), ledger.setMeta('state', 'alone')]),
    );
    await expect(both).rejects.toThrow(/full/);
    expect(await store.read((ledger) => ledger.meta('state'))).toBeUndefined();
    await store.transaction((ledger) => ledger.setMeta('state', 'whole'));
    expect(await store.read((ledger) => ledger.meta('state'))).toBe('whole');
  } finally {
    await store.close();
    folder.remove();
  }
});
