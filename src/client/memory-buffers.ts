/** Buffers that are lost with the tab: where the browser keeps nothing, and the base of the file buffers in Node. */
import type { BlockCheckpoint, Lease, Report } from '../domain/work.ts';
import type { ReportResult } from '../protocol/keyserver.ts';
import { type Buffers, credit, type Facts, type Saved, type StoredBlock, withCheckpoint } from './buffers.ts';
import type { Totals } from './snapshot.ts';

export class MemoryBuffers implements Buffers {
  #blocks = new Map<string, StoredBlock>();
  #reports = new Map<string, Report>();
  #facts: Partial<Facts> = {};

  constructor(saved: Saved = { blocks: [], reports: [], facts: {} }) {
    this.#take(saved);
  }

  #take({ blocks, reports, facts }: Saved): void {
    this.#blocks = new Map(blocks.map((block) => [block.lease.id, block]));
    this.#reports = new Map(reports.map((report) => [report.lease, report]));
    this.#facts = facts;
  }

  /** All of it, as plain data. */
  get saved(): Saved {
    return { blocks: [...this.#blocks.values()], reports: [...this.#reports.values()], facts: this.#facts };
  }

  /** Called after every change; here there is nothing to do. */
  protected async changed(): Promise<void> {}

  async load(): Promise<Saved> {
    return this.saved;
  }

  async clientId(fresh: string): Promise<string> {
    if (this.#facts.clientId === undefined) await this.setFact('clientId', fresh);
    return this.#facts.clientId ?? fresh;
  }

  async addBlocks(leases: readonly Lease[]): Promise<void> {
    for (const lease of leases) if (!this.#blocks.has(lease.id)) this.#blocks.set(lease.id, { lease });
    await this.changed();
  }

  async saveCheckpoint(lease: string, checkpoint: BlockCheckpoint | undefined): Promise<void> {
    const block = this.#blocks.get(lease);
    if (block === undefined) return;
    this.#blocks.set(lease, withCheckpoint(block, checkpoint));
    await this.changed();
  }

  async finishBlock(report: Report): Promise<void> {
    this.#blocks.delete(report.lease);
    this.#reports.set(report.lease, report);
    await this.changed();
  }

  async dropBlocks(leases: readonly string[]): Promise<void> {
    for (const lease of leases) this.#blocks.delete(lease);
    await this.changed();
  }

  async settle(results: readonly ReportResult[]): Promise<Totals> {
    let totals = this.#facts.totals ?? {};
    for (const result of results) {
      const report = this.#reports.get(result.lease);
      if (report === undefined) continue;
      totals = credit(totals, report, result);
      this.#reports.delete(result.lease);
    }
    this.#facts = { ...this.#facts, totals };
    await this.changed();
    return totals;
  }

  async setFact<K extends keyof Facts>(key: K, value: Facts[K]): Promise<void> {
    this.#facts = { ...this.#facts, [key]: value };
    await this.changed();
  }

  async reports(): Promise<Report[]> {
    return [...this.#reports.values()];
  }

  async restore(saved: Saved, mine: boolean): Promise<void> {
    if (!mine && this.#blocks.size + this.#reports.size + Object.keys(this.#facts).length > 0) return;
    this.#take(saved);
    await this.changed();
  }

  async close(): Promise<void> {}
}
