/**
 * The slice loop. A slice lasts about 15 ms, so that a stop acts soon; its budget follows the speed measured.
 * Between two slices the worker yields through a MessageChannel (a nested setTimeout would wait 4 ms each time), so
 * that a stop can arrive. The same class runs in browser workers and in Node's worker threads.
 */
import { chooseCore } from '../cores/choose.ts';
import type { Core } from '../cores/core.ts';
import type { ContestKindName } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';
import type { BlockCheckpoint, UnitEvidence } from '../domain/work.ts';
import type { WorkerApi, WorkOutcome, WorkProgress, WorkRequest } from '../protocol/worker-api.ts';

const SLICE_MS = 15;
const PROGRESS_MS = 500;
const FIRST_BUDGET = 2 ** 14;
/** Left in the worker's performance timeline after the first slice of its life: how long a start takes can be read there. */
const FIRST_SLICE = 'tabherd:first-slice';

export class BlockWorker implements WorkerApi {
  readonly #cores = new Map<ContestKindName, ReturnType<typeof chooseCore>>();
  #stopped = false;
  #begun = false;
  #share = 1;
  #rest: Rest | undefined;
  /** How long it has computed in slices since `#sinceAt`, in milliseconds. */
  #computedMs = 0;
  #sinceAt = 0;

  async prepare(kind: ContestKindName, known?: readonly CoreReport[]): Promise<CoreReport[]> {
    return (await this.#choice(kind, known)).tried;
  }

  async work(request: WorkRequest, onProgress: (progress: WorkProgress) => void): Promise<WorkOutcome> {
    this.#stopped = false;
    this.#beginPace();
    const { core } = await this.#choice(request.manifest.search.kind);
    if (core === undefined) throw new Error(`no core of kind ${request.manifest.search.kind} is right on this machine`);
    const breath = new Breath();
    try {
      return await this.#run(core, request, onProgress, breath);
    } finally {
      breath.close();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#rest?.end();
  }

  pace(share: number): void {
    this.#share = share;
    this.#beginPace();
    this.#rest?.end();
  }

  #beginPace(): void {
    this.#computedMs = 0;
    this.#sinceAt = performance.now();
  }

  async #choice(kind: ContestKindName, known?: readonly CoreReport[]): ReturnType<typeof chooseCore> {
    let choice = this.#cores.get(kind);
    const name = known?.find(({ state }) => state === 'chosen')?.name;
    // Workers that measured at the same time may have come to different choices: the one that was kept holds for all.
    if (choice === undefined || (name !== undefined && (await choice).core?.name !== name)) {
      choice = chooseCore(kind, known);
      this.#cores.set(kind, choice);
      // A fetch that failed is not remembered.
      choice.catch(() => this.#cores.delete(kind));
    }
    return choice;
  }

  /** Rests so long that computing takes `#share` of the time: of all the time, whatever else it was spent on. */
  async #restAfter(computedMs: number): Promise<void> {
    if (this.#share >= 1) return;
    this.#computedMs += computedMs;
    const now = performance.now();
    const dueAt = Math.max(this.#sinceAt + this.#computedMs / this.#share, now - MOST_LATE_MS);
    this.#sinceAt = dueAt - this.#computedMs / this.#share;
    if (dueAt - now < LEAST_REST_MS || this.#stopped) return;
    this.#rest = new Rest(dueAt - now);
    await this.#rest.over;
    this.#rest = undefined;
  }

  async #run(
    core: Core,
    request: WorkRequest,
    onProgress: (progress: WorkProgress) => void,
    breath: Breath,
  ): Promise<WorkOutcome> {
    const { manifest, first, count, checkpoint } = request;
    const evidence: UnitEvidence[] = [...(checkpoint?.evidence ?? [])];
    let resume = checkpoint?.unit;
    let seconds = checkpoint?.seconds ?? 0;
    /** Steps of the finished units. */
    let behind = (checkpoint?.steps ?? 0) - stepsOf(resume);
    let budget = FIRST_BUDGET;
    let reportedAt = performance.now();
    let reportedSteps = checkpoint?.steps ?? 0;

    while (evidence.length < count) {
      const unit = first + evidence.length;
      const search = core.open(manifest, unit, resume);
      resume = undefined;
      for (let finished = false; !finished; ) {
        const start = performance.now();
        finished = search.run(budget);
        const now = performance.now();
        if (!this.#begun) performance.mark(FIRST_SLICE);
        this.#begun = true;
        seconds += (now - start) / 1000;
        budget = nextBudget(budget, now - start);
        const steps = behind + search.steps;
        const here = (): BlockCheckpoint => ({
          evidence: [...evidence],
          seconds,
          steps,
          ...(finished ? {} : { unit: search.checkpoint() }),
        });
        if (finished) {
          evidence.push(search.evidence());
          behind = steps;
        }
        if (now - reportedAt >= PROGRESS_MS) {
          const fraction = Math.min(1, (evidence.length + (finished ? 0 : search.fraction)) / count);
          const rate = ((steps - reportedSteps) * 1000) / (now - reportedAt);
          onProgress({ unit, fraction, rate, checkpoint: here() });
          reportedAt = now;
          reportedSteps = steps;
        }
        await breath.take();
        await this.#restAfter(now - start);
        if (this.#stopped && evidence.length < count) return { finished: false, checkpoint: here() };
      }
    }
    return { finished: true, core: core.name, evidence, seconds, steps: behind };
  }
}

/** So short a rest is not worth a timer, which is a few milliseconds late: it is added to the next. */
const LEAST_REST_MS = 20;
/** So much of too long a rest is made good again; a machine that slept for a night does not compute through the day. */
const MOST_LATE_MS = 500;

/** A sleep that can be ended. */
class Rest {
  end: () => void = () => {};
  readonly over: Promise<void>;

  constructor(ms: number) {
    this.over = new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Steers the slice towards SLICE_MS, by at most a factor of two at a time. */
function nextBudget(budget: number, elapsedMs: number): number {
  const factor = Math.min(2, Math.max(0.5, SLICE_MS / Math.max(elapsedMs, 0.1)));
  return Math.max(64, Math.round(budget * factor));
}

function stepsOf(checkpoint: BlockCheckpoint['unit']): number {
  if (checkpoint === undefined) return 0;
  return checkpoint.format === 'rc5-1' ? checkpoint.keysDone : checkpoint.nodes;
}

/** Lets waiting messages in between two slices, at the cost of one task. */
class Breath {
  readonly #channel = new MessageChannel();

  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#channel.port1.onmessage = () => resolve();
      this.#channel.port2.postMessage(null);
    });
  }

  close(): void {
    this.#channel.port1.close();
  }
}
