/**
 * What a worker offers the engine, over comlink. A worker runs one core over one block at a time, in slices, and
 * can be stopped after any slice. It keeps nothing: all it knows of a block comes with the request and goes
 * back with the outcome.
 */
import type { ContestKindName, ContestManifest } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';
import type { BlockCheckpoint, UnitEvidence } from '../domain/work.ts';

export interface WorkRequest {
  manifest: ContestManifest;
  first: number;
  count: number;
  checkpoint?: BlockCheckpoint;
}

export interface WorkProgress {
  unit: number;
  /** 0…1 of the whole block. */
  fraction: number;
  /** Keys or nodes a second, since the progress before. */
  rate: number;
  checkpoint: BlockCheckpoint;
}

/** `finished`: evidence of every unit. Otherwise it was stopped, and goes on from the checkpoint. */
export type WorkOutcome =
  | { finished: true; core: string; evidence: UnitEvidence[]; seconds: number; steps: number }
  | { finished: false; checkpoint: BlockCheckpoint };

export interface WorkerApi {
  /**
   * Loads every core of the kind, puts the known answers to them, and times them briefly; the fastest right one gets
   * this worker's blocks. Remembered within the worker. With `known`, the outcome of an earlier time, only the core
   * chosen then is loaded and put to its known answers, unless it fails them now.
   * @throws Error a kernel could not be fetched: later it may be.
   */
  prepare(kind: ContestKindName, known?: readonly CoreReport[]): Promise<CoreReport[]>;
  /**
   * Works a block until it is finished or `stop` is called.
   * @throws Error no core of that kind gave the known answers.
   */
  work(request: WorkRequest, onProgress: (progress: WorkProgress) => void): Promise<WorkOutcome>;
  /** Ends the running `work` after the slice in hand, in about 15 ms. */
  stop(): void;
  /** From now on it computes in this share of the time, 0.1…1, and rests in between. */
  pace(share: number): void;
}
