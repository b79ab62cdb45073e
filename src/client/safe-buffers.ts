/**
 * Buffers that outlive their storage: everything is kept in memory as well, and when the storage fails (quota, a wiped
 * profile, a full disk) the work goes on from there. The person is told once, by `onLost`; `rescue` puts what is remembered
 * back where that is possible again.
 */
import type { BlockCheckpoint, Lease, Report } from '../domain/work.ts';
import type { ReportResult } from '../protocol/keyserver.ts';
import type { Buffers, Facts, Saved } from './buffers.ts';
import { MemoryBuffers } from './memory-buffers.ts';
import type { Totals } from './snapshot.ts';
import { lossOf, type StorageLoss } from './storage-loss.ts';

export class SafeBuffers implements Buffers {
  onLost: (reason: unknown) => void = () => {};
  #storage: Buffers | undefined;
  #loss: StorageLoss | undefined;
  #memory = new MemoryBuffers();
  readonly #reopen: (() => Promise<Buffers>) | undefined;
  #steps = 0;

  /** @param reopen opens the same storage once more, after it has failed. */
  constructor(storage: Buffers, reopen?: () => Promise<Buffers>) {
    this.#storage = storage;
    this.#reopen = reopen;
  }

  /** Why the storage has failed; undefined while it has not. */
  get loss(): StorageLoss | undefined {
    return this.#loss;
  }

  /**
   * Tries to keep again what is remembered.
   * @param mine nobody else works on the storage: what it has is replaced. Otherwise only one that is empty is filled.
   * @returns whether it is kept now.
   */
  async rescue(mine: boolean): Promise<boolean> {
    if (this.#reopen === undefined || this.#loss === undefined) return false;
    let storage: Buffers | undefined;
    try {
      storage = await this.#reopen();
      let seen: number;
      do {
        seen = this.#steps;
        await storage.restore(this.#memory.saved, mine);
        // What was done meanwhile is in memory only.
      } while (seen !== this.#steps);
    } catch (reason) {
      this.#loss = lossOf(reason);
      await storage?.close();
      return false;
    }
    this.#storage = storage;
    this.#loss = undefined;
    return true;
  }

  async load(): Promise<Saved> {
    const saved = await this.#both((buffers) => buffers.load());
    this.#memory = new MemoryBuffers(saved);
    return saved;
  }

  clientId(fresh: string): Promise<string> {
    return this.#both((buffers) => buffers.clientId(fresh));
  }

  addBlocks(leases: readonly Lease[]): Promise<void> {
    return this.#both((buffers) => buffers.addBlocks(leases));
  }

  saveCheckpoint(lease: string, checkpoint: BlockCheckpoint | undefined): Promise<void> {
    return this.#both((buffers) => buffers.saveCheckpoint(lease, checkpoint));
  }

  finishBlock(report: Report): Promise<void> {
    return this.#both((buffers) => buffers.finishBlock(report));
  }

  dropBlocks(leases: readonly string[]): Promise<void> {
    return this.#both((buffers) => buffers.dropBlocks(leases));
  }

  settle(results: readonly ReportResult[]): Promise<Totals> {
    return this.#both((buffers) => buffers.settle(results));
  }

  setFact<K extends keyof Facts>(key: K, value: Facts[K]): Promise<void> {
    return this.#both((buffers) => buffers.setFact(key, value));
  }

  reports(): Promise<Report[]> {
    return this.#both((buffers) => buffers.reports());
  }

  restore(saved: Saved, mine: boolean): Promise<void> {
    return this.#both((buffers) => buffers.restore(saved, mine));
  }

  async close(): Promise<void> {
    await this.#storage?.close();
  }

  /** The storage's answer while it has one: the service worker may have changed it since. */
  async #both<T>(step: (buffers: Buffers) => Promise<T>): Promise<T> {
    this.#steps += 1;
    const remembered = await step(this.#memory);
    const storage = this.#storage;
    if (storage === undefined) return remembered;
    try {
      return await step(storage);
    } catch (reason) {
      // Several steps may fail at once, and the storage be rescued before the last of them.
      if (storage === this.#storage) {
        this.#storage = undefined;
        this.#loss = lossOf(reason);
        void storage.close().catch(() => undefined);
        this.onLost(reason);
      }
      return remembered;
    }
  }
}
