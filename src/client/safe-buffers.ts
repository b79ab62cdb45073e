/**
 * Buffers that outlive their storage: everything is kept in memory as well, and when the storage fails (quota, a wiped
 * profile, a full disk) the work goes on from there. The person is told once, by `onLost`.
 */
import type { BlockCheckpoint, Lease, Report } from '../domain/work.ts';
import type { ReportResult } from '../protocol/keyserver.ts';
import type { Buffers, Facts, Saved } from './buffers.ts';
import { MemoryBuffers } from './memory-buffers.ts';
import type { Totals } from './snapshot.ts';

export class SafeBuffers implements Buffers {
  onLost: (reason: unknown) => void = () => {};
  #storage: Buffers | undefined;
  #memory = new MemoryBuffers();

  constructor(storage: Buffers) {
    this.#storage = storage;
  }

  /** True once the storage has failed. */
  get lost(): boolean {
    return this.#storage === undefined;
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

  async close(): Promise<void> {
    await this.#storage?.close();
  }

  /** The storage's answer while it has one: the service worker may have changed it since. */
  async #both<T>(step: (buffers: Buffers) => Promise<T>): Promise<T> {
    const remembered = await step(this.#memory);
    if (this.#storage === undefined) return remembered;
    try {
      return await step(this.#storage);
    } catch (reason) {
      // Two steps may fail at once; the second finds it lost already.
      const first = !this.lost;
      this.#storage = undefined;
      if (first) this.onLost(reason);
      return remembered;
    }
  }
}
