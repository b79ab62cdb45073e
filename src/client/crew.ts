/**
 * The workers as the engine sees them: a fixed number of hands, each idle or holding one block. A worker that dies is
 * replaced; its block goes on from the last checkpoint it reported.
 */

import type { ContestKindName } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';
import type { Lease } from '../domain/work.ts';
import type { WorkOutcome, WorkProgress, WorkRequest } from '../protocol/worker-api.ts';

/** A running worker, whatever the platform: `spawn-browser.ts`, `src/cli/spawn-node.ts`. */
export interface WorkerHandle {
  prepare(kind: ContestKindName, known?: readonly CoreReport[]): Promise<CoreReport[]>;
  work(request: WorkRequest, onProgress: (progress: WorkProgress) => void): Promise<WorkOutcome>;
  stop(): void;
  /** The share of the time in which it computes. */
  pace(share: number): void;
  terminate(): void;
  /** Settles only when the worker itself broke, with the reason. */
  readonly broken: Promise<Error>;
}

export interface Hand {
  readonly lease: Lease;
  /** Undefined until its core is ready. */
  progress: WorkProgress | undefined;
  /** Set once a stop was asked for. */
  stopping: boolean;
}

export interface Worker {
  readonly handle: WorkerHandle;
  /** What it works on; undefined: idle. */
  hand: Hand | undefined;
  /** Its rate when last heard of, and of what: shown until the next block's first progress. */
  last?: { kind: ContestKindName; rate: number };
}

export class Crew {
  readonly #spawn: () => WorkerHandle;
  readonly #onBroken: (reason: Error) => void;
  #workers: Worker[] = [];
  #share = 1;

  constructor(spawn: () => WorkerHandle, onBroken: (reason: Error) => void) {
    this.#spawn = spawn;
    this.#onBroken = onBroken;
  }

  get workers(): readonly Worker[] {
    return this.#workers;
  }

  /** Spawns or dismisses until there are `count`; idle ones are dismissed first, busy ones are asked to stop. */
  resize(count: number): void {
    while (this.#workers.length < count) this.#add();
    let tooMany = this.#workers.length - count;
    for (const worker of this.#workers.filter(({ hand }) => hand === undefined)) {
      if (tooMany <= 0) break;
      this.dismiss(worker);
      tooMany -= 1;
    }
    if (tooMany > 0) this.#workers.slice(-tooMany).forEach(stopWork);
  }

  /** @param share of the time in which each worker computes, those to come included. */
  pace(share: number): void {
    if (share === this.#share) return;
    this.#share = share;
    for (const { handle } of this.#workers) handle.pace(share);
  }

  /** Ends the worker; whatever it had in hand is nobody's. */
  dismiss(worker: Worker): void {
    worker.hand = undefined;
    worker.handle.terminate();
    this.#workers = this.#workers.filter((other) => other !== worker);
  }

  #add(): void {
    const worker: Worker = { handle: this.#spawn(), hand: undefined };
    this.#workers.push(worker);
    if (this.#share !== 1) worker.handle.pace(this.#share);
    void worker.handle.broken.then((reason) => {
      if (!this.#workers.includes(worker)) return;
      this.dismiss(worker);
      this.#onBroken(reason);
    });
  }
}

export function stopWork(worker: Worker): void {
  if (worker.hand === undefined || worker.hand.stopping) return;
  worker.hand.stopping = true;
  worker.handle.stop();
}
