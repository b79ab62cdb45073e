/**
 * Buffers in IndexedDB (idb), shared by the page's engine and the service worker. One transaction a step;
 * `durability: 'strict'` where a block changes hands, so that a power cut cannot undo what was acknowledged to
 * the keyserver or taken from it.
 */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { BlockCheckpoint, Lease, Report } from '../domain/work.ts';
import type { ReportResult } from '../protocol/keyserver.ts';
import { type Buffers, credit, type Facts, type Saved, type StoredBlock, withCheckpoint } from './buffers.ts';
import type { Totals } from './snapshot.ts';

interface Schema extends DBSchema {
  /** By lease id. */
  'in-buffer': { key: string; value: StoredBlock };
  'out-buffer': { key: string; value: Report };
  facts: { key: string; value: unknown };
}

/** The app's own. */
export const PROFILE = 'tabherd';
const VERSION = 1;

export class IdbBuffers implements Buffers {
  readonly #db: IDBPDatabase<Schema>;

  private constructor(db: IDBPDatabase<Schema>) {
    this.#db = db;
  }

  /** @throws DOMException storage is blocked, full or broken. */
  static async open(profile = PROFILE): Promise<IdbBuffers> {
    const db = await openDB<Schema>(profile, VERSION, {
      upgrade(fresh) {
        fresh.createObjectStore('in-buffer', { keyPath: 'lease.id' });
        fresh.createObjectStore('out-buffer', { keyPath: 'lease' });
        fresh.createObjectStore('facts');
      },
      // Another tab with a newer version wants to upgrade, or the person to delete it: let them.
      blocking: () => db.close(),
    });
    return new IdbBuffers(db);
  }

  async load(): Promise<Saved> {
    const tx = this.#db.transaction(['in-buffer', 'out-buffer', 'facts']);
    const facts = tx.objectStore('facts');
    const [blocks, reports, keys, values] = await Promise.all([
      tx.objectStore('in-buffer').getAll(),
      tx.objectStore('out-buffer').getAll(),
      facts.getAllKeys(),
      facts.getAll(),
    ]);
    return { blocks, reports, facts: Object.fromEntries(keys.map((key, i) => [key, values[i]])) };
  }

  async clientId(fresh: string): Promise<string> {
    const tx = this.#db.transaction('facts', 'readwrite');
    const kept = await tx.store.get('clientId');
    if (typeof kept !== 'string') await tx.store.put(fresh, 'clientId');
    await tx.done;
    return typeof kept === 'string' ? kept : fresh;
  }

  async addBlocks(leases: readonly Lease[]): Promise<void> {
    const tx = this.#db.transaction('in-buffer', 'readwrite', { durability: 'strict' });
    for (const lease of leases) if ((await tx.store.getKey(lease.id)) === undefined) await tx.store.put({ lease });
    await tx.done;
  }

  async saveCheckpoint(lease: string, checkpoint: BlockCheckpoint | undefined): Promise<void> {
    const tx = this.#db.transaction('in-buffer', 'readwrite');
    const block = await tx.store.get(lease);
    if (block !== undefined) await tx.store.put(withCheckpoint(block, checkpoint));
    await tx.done;
  }

  async finishBlock(report: Report): Promise<void> {
    const tx = this.#db.transaction(['in-buffer', 'out-buffer'], 'readwrite', { durability: 'strict' });
    await Promise.all([
      tx.objectStore('in-buffer').delete(report.lease),
      tx.objectStore('out-buffer').put(report),
      tx.done,
    ]);
  }

  async dropBlocks(leases: readonly string[]): Promise<void> {
    const tx = this.#db.transaction('in-buffer', 'readwrite');
    await Promise.all([...leases.map((lease) => tx.store.delete(lease)), tx.done]);
  }

  async settle(results: readonly ReportResult[]): Promise<Totals> {
    const tx = this.#db.transaction(['out-buffer', 'facts'], 'readwrite', { durability: 'strict' });
    const outBuffer = tx.objectStore('out-buffer');
    const facts = tx.objectStore('facts');
    let totals = ((await facts.get('totals')) ?? {}) as Totals;
    for (const result of results) {
      const report = await outBuffer.get(result.lease);
      if (report === undefined) continue;
      totals = credit(totals, report, result);
      await outBuffer.delete(result.lease);
    }
    await facts.put(totals, 'totals');
    await tx.done;
    return totals;
  }

  async setFact<K extends keyof Facts>(key: K, value: Facts[K]): Promise<void> {
    await this.#db.put('facts', value, key);
  }

  reports(): Promise<Report[]> {
    return this.#db.getAll('out-buffer');
  }

  async restore({ blocks, reports, facts }: Saved, mine: boolean): Promise<void> {
    const names = ['in-buffer', 'out-buffer', 'facts'] as const;
    const tx = this.#db.transaction(names, 'readwrite', { durability: 'strict' });
    const [inBuffer, outBuffer, others] = [
      tx.objectStore('in-buffer'),
      tx.objectStore('out-buffer'),
      tx.objectStore('facts'),
    ];
    const counts = await Promise.all([inBuffer.count(), outBuffer.count(), others.count()]);
    if (mine || counts.every((count) => count === 0)) {
      await Promise.all([inBuffer.clear(), outBuffer.clear(), others.clear()]);
      for (const block of blocks) void inBuffer.put(block);
      for (const report of reports) void outBuffer.put(report);
      for (const [key, value] of Object.entries(facts)) void others.put(value, key);
    }
    await tx.done;
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}
