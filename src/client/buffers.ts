/**
 * What the client keeps: in-buffer with checkpoints, out-buffer, and a few facts. Every method is one atomic step,
 * so that a crash between any two leaves a block either waiting, or reported, and never both or neither.
 *
 * Implementations: `idb-buffers.ts` (browsers), `memory-buffers.ts` (storage gone), `src/cli/file-buffers.ts` (Node).
 */
import type { ClientInfo } from '../domain/client.ts';
import type { Contest, ContestKindName } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';
import type { BlockCheckpoint, Lease, Report } from '../domain/work.ts';
import type { ReportResult } from '../protocol/keyserver.ts';
import type { KeptPool } from './pool-user.ts';
import type { KeptHistory } from './rate-history.ts';
import { withRun } from './runs.ts';
import type { Settings } from './settings.ts';
import type { Totals } from './snapshot.ts';

export interface StoredBlock {
  lease: Lease;
  checkpoint?: BlockCheckpoint;
}

/** The rest of what is kept, each under its own key. */
export interface Facts {
  /** This browser profile's random UUID, made at the first visit. */
  clientId: string;
  /** Whether the person wants it to run. */
  wanted: boolean;
  /** Why the keyserver asked it to stop; gone once the person has pressed Start or Pause since. */
  stopped: string | undefined;
  settings: Settings;
  /** The person wants peace until then, milliseconds since 1970. */
  snoozedUntil: number;
  /** As the gateway last told, for visits without a network. */
  contests: Contest[];
  /** Units a second of one worker, learnt, by contest. */
  speeds: Record<string, number>;
  /** What was acknowledged, by contest. Changed only by `settle`. */
  totals: Totals;
  /** How the cores did on this machine, and in what: measured anew in another browser version. */
  cores: Partial<Record<ContestKindName, { environment: string; tried: CoreReport[] }>>;
  /** Hits in this client's own reports, as `contest/unit`. */
  mine: string[];
  /** No exchange before then, milliseconds since 1970: the keyserver said so. */
  waitUntil: number;
  /** What this client says of itself: the service worker says the same. */
  about: Omit<ClientInfo, 'id'>;
  /** Messages of the day that the person has dismissed, the latest last. */
  dismissed: string[];
  history: KeptHistory;
  /** The pool of gateways, as last heard. */
  pool: KeptPool;
  /** The files of blocks that were brought by hand, the latest last, with the keyserver's time of each. */
  carried: { id: string; madeAt: number }[];
}

export interface Saved {
  blocks: StoredBlock[];
  reports: Report[];
  facts: Partial<Facts>;
}

export interface Buffers {
  load(): Promise<Saved>;
  /** The id kept here, or `fresh`, which is kept from now on: one step, so that two tabs agree. */
  clientId(fresh: string): Promise<string>;
  /** Those that are there already stay as they are, checkpoint included. */
  addBlocks(leases: readonly Lease[]): Promise<void>;
  /** Of a block that is there; `undefined`: the block is to begin anew. */
  saveCheckpoint(lease: string, checkpoint: BlockCheckpoint | undefined): Promise<void>;
  /** Out of the in-buffer, its checkpoint gone, and into the out-buffer. */
  finishBlock(report: Report): Promise<void>;
  /** Blocks that will not be worked: expired, released, of a closed contest. */
  dropBlocks(leases: readonly string[]): Promise<void>;
  /**
   * Takes answered reports out of the out-buffer and adds the credited ones to the totals, which it returns. A report
   * that is no longer there was settled before, perhaps by the service worker, and counts once.
   */
  settle(results: readonly ReportResult[]): Promise<Totals>;
  setFact<K extends keyof Facts>(key: K, value: Facts[K]): Promise<void>;
  /** The reports waiting now. */
  reports(): Promise<Report[]>;
  /**
   * Puts all of this in, after the storage was lost.
   * @param mine in place of whatever is there; otherwise only where nothing is.
   */
  restore(saved: Saved, mine: boolean): Promise<void>;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}

/** The totals with this report's units added: both answers mean that the keyserver has counted them. */
export function credit(totals: Totals, report: Report, result: ReportResult): Totals {
  if (result.outcome === 'refused') return totals;
  const { blocks, units, runs = [] } = totals[report.contest] ?? { blocks: 0, units: 0 };
  const count = report.evidence.length;
  const more = { blocks: blocks + 1, units: units + count, runs: withRun(runs, { first: report.first, count }) };
  return { ...totals, [report.contest]: more };
}

export function withCheckpoint({ lease }: StoredBlock, checkpoint: BlockCheckpoint | undefined): StoredBlock {
  return checkpoint === undefined ? { lease } : { lease, checkpoint };
}

/** Where a pool user keeps what it knows of its pool. */
export const poolIn = (buffers: Buffers) => ({
  load: async (): Promise<KeptPool | undefined> => (await buffers.load()).facts.pool,
  save: (pool: KeptPool): Promise<void> => buffers.setFact('pool', pool),
});
