/**
 * The engine: everything a client does, without a face. It keeps a stock of blocks, gives each worker one, keeps
 * checkpoints, hands reports in, and says at every moment what it does or why it does nothing.
 *
 * States, changed only in `#enter`:
 *
 *   off ──start──▶ queued ──turn──▶ on ──pause──▶ stopping ──hands down──▶ off
 *                    └──pause──▶ off                 └──start──▶ (off, then queued again)
 *
 * Everything that happens ends in `#pump`, which looks at the whole and does what is due; it is cheap and may be
 * called at any time. A block is in the in-buffer until its report is in the out-buffer, and a report stays there
 * until the keyserver has answered for it: no moment in between loses either.
 */
import { kinds } from '../contests/kinds.ts';
import type { Contest, ContestState, Hit } from '../domain/contest.ts';
import type { Report } from '../domain/work.ts';
import { type ExchangeReply, type Keyserver, MAX_HOLDING } from '../protocol/keyserver.ts';
import { reportBatch } from '../protocol/report-batch.ts';
import type { WorkOutcome, WorkProgress } from '../protocol/worker-api.ts';
import type { Buffers, Facts, Saved, StoredBlock } from './buffers.ts';
import { Counter } from './counter.ts';
import { Crew, type Hand, stopWork, type Worker, type WorkerHandle } from './crew.ts';
import { SafeBuffers } from './safe-buffers.ts';
import type { EngineControl, EngineSnapshot, Notice, Pause, RateSample, Totals } from './snapshot.ts';
import { learn, wanted } from './stock.ts';

const CHECKPOINT_MS = 5_000;
const EMIT_MS = 250;
/** With every contest closed, how often to look for new ones. */
const NEW_CONTESTS_MS = 300_000;
const HISTORY_SAMPLES = 600;
const MAX_NOTICES = 20;
/** A machine whose workers die this often in a row cannot compute. */
const MAX_BREAKS = 5;

export interface EnginePorts {
  keyserver: Keyserver;
  buffers: Buffers;
  /** Whether the buffers outlive this process. */
  storage: EngineSnapshot['storage'];
  spawn(): WorkerHandle;
  /**
   * Resolves when this engine alone may run over these buffers, with the way to give that up; calls `onWait` when
   * another runs now.
   */
  takeTurn(onWait: () => void): Promise<() => void>;
  /** Start and pause, told to and heard from the other engines over the same buffers: the wish is the profile's. */
  others?: { tell(wanted: boolean): void; listen(hear: (wanted: boolean) => void): void };
  maxWorkers: number;
  /** Used until the person chooses. */
  defaultWorkers: number;
  version: string;
  /** Shown in the keyserver's statistics. */
  name?: string;
  /** Called when reports wait and could not be sent: the place to register a Background Sync. */
  onReportsWaiting?(): void;
}

type State = 'off' | 'queued' | 'on' | 'stopping';

export class Engine implements EngineControl {
  readonly #ports: EnginePorts;
  readonly #buffers: SafeBuffers;
  readonly #counter: Counter;
  readonly #crew: Crew;
  readonly #listeners = new Set<(snapshot: EngineSnapshot) => void>();
  readonly #ticker: ReturnType<typeof setInterval>;

  #state: State = 'off';
  #wanted: boolean;
  #everStarted: boolean;
  #otherRuns = false;
  #closed = false;
  #giveUpTurn: (() => void) | undefined;
  #workers: number;
  #noCore: string | undefined;
  #breaks = 0;

  #blocks = new Map<string, StoredBlock>();
  #reports = new Map<string, Report>();
  #contests: Contest[];
  #speeds: Record<string, number>;
  #totals: Totals;
  #mine: Set<string>;

  #notices: Notice[] = [];
  #history: RateSample[] = [];
  #snapshot: EngineSnapshot;
  #emitting: ReturnType<typeof setTimeout> | undefined;
  readonly #savedAt = new WeakMap<Hand, number>();

  private constructor(ports: EnginePorts, buffers: SafeBuffers, { blocks, reports, facts }: Saved, clientId: string) {
    this.#ports = ports;
    this.#buffers = buffers;
    buffers.onLost = (reason) => this.#onStorageLost(reason);
    for (const block of blocks) this.#blocks.set(block.lease.id, block);
    for (const report of reports) this.#reports.set(report.lease, report);
    this.#wanted = facts.wanted ?? false;
    this.#everStarted = facts.wanted !== undefined;
    this.#workers = Math.min(ports.maxWorkers, facts.workers ?? ports.defaultWorkers);
    this.#contests = facts.contests ?? [];
    this.#speeds = facts.speeds ?? {};
    this.#totals = facts.totals ?? {};
    this.#mine = new Set(facts.mine);
    const { version, name } = ports;
    this.#counter = new Counter(ports.keyserver, { id: clientId, version, ...(name === undefined ? {} : { name }) });
    this.#crew = new Crew(
      () => ports.spawn(),
      (worker, reason) => this.#onBroken(worker, reason),
    );
    this.#snapshot = this.#look();
    this.#ticker = setInterval(() => this.#tick(), 1000);
    ports.others?.listen((wanted) => this.#want(wanted));
  }

  /** Reads the buffers; goes on by itself where the person had it running, and sends what waits. */
  static async open(ports: EnginePorts): Promise<Engine> {
    const buffers = new SafeBuffers(ports.buffers);
    const saved = await buffers.load();
    const clientId = saved.facts.clientId ?? newClientId();
    if (saved.facts.clientId === undefined) await buffers.setFact('clientId', clientId);
    const engine = new Engine(ports, buffers, saved, clientId);
    if (engine.#wanted) void engine.#queue();
    else void engine.#refreshContests().then(() => engine.#pump());
    engine.#emit();
    return engine;
  }

  get snapshot(): EngineSnapshot {
    return this.#snapshot;
  }

  subscribe(listener: (snapshot: EngineSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#noCore = undefined;
    this.#breaks = 0;
    this.#counter.hurry();
    this.#keep('wanted', true);
    // First for itself: the tab whose button was pressed is the first in the queue.
    this.#want(true);
    this.#ports.others?.tell(true);
  }

  pause(): void {
    this.#keep('wanted', false);
    this.#want(false);
    this.#ports.others?.tell(false);
  }

  setWorkers(count: number): void {
    this.#workers = Math.max(1, Math.min(this.#ports.maxWorkers, Math.round(count)));
    this.#keep('workers', this.#workers);
    this.#pump();
    this.#emit();
  }

  retry(): void {
    this.#counter.hurry();
    this.#pump();
  }

  /** Keeps every block's last known checkpoint: before the tab may vanish. */
  async checkpoint(): Promise<void> {
    await Promise.all(this.#crew.workers.flatMap(({ hand }) => (hand === undefined ? [] : [this.#save(hand)])));
  }

  /** Stops, keeps checkpoints, frees workers and storage. Whether the person wants it to run is left as it is. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#emitting);
    this.#listeners.clear();
    await this.checkpoint();
    await this.#counter.idle();
    for (const worker of this.#crew.workers) this.#crew.dismiss(worker);
    this.#giveUpTurn?.();
    this.#buffers.close();
  }

  // ── running and stopping ──────────────────────────────────────────────────────────────────────────────────────

  #want(wanted: boolean): void {
    this.#wanted = wanted;
    this.#everStarted = true;
    if (!wanted) this.#stop();
    else if (this.#state === 'off') void this.#queue();
    else this.#emit();
  }

  #enter(state: State): void {
    this.#state = state;
    this.#emit();
  }

  async #queue(): Promise<void> {
    this.#enter('queued');
    const giveUp = await this.#ports.takeTurn(() => {
      this.#otherRuns = true;
      this.#emit();
    });
    this.#otherRuns = false;
    if (!this.#wanted) {
      giveUp();
      this.#enter('off');
      return;
    }
    this.#giveUpTurn = giveUp;
    // Another tab may have worked on the buffers since they were read.
    const { blocks, reports, facts } = await this.#buffers.load();
    this.#blocks = new Map(blocks.map((block) => [block.lease.id, block]));
    this.#reports = new Map(reports.map((report) => [report.lease, report]));
    this.#totals = facts.totals ?? {};
    this.#speeds = facts.speeds ?? this.#speeds;
    this.#mine = new Set(facts.mine);
    this.#enter(this.#wanted ? 'on' : 'stopping');
    this.#pump();
  }

  #stop(): void {
    if (this.#state === 'on') this.#enter('stopping');
    else this.#emit();
    for (const worker of this.#crew.workers) stopWork(worker);
    this.#pump();
  }

  /** Once stopped and every hand is down: workers go, the turn goes. */
  #afterStop(): void {
    if (this.#crew.workers.some(({ hand }) => hand !== undefined)) return;
    this.#crew.resize(0);
    this.#giveUpTurn?.();
    this.#giveUpTurn = undefined;
    this.#enter('off');
    if (this.#wanted) void this.#queue();
  }

  /** Does whatever is due. */
  #pump(): void {
    if (this.#closed) return;
    if (this.#state === 'stopping') this.#afterStop();
    if (this.#state === 'on') {
      this.#crew.resize(this.#workers);
      for (const worker of this.#crew.workers) {
        if (worker.hand !== undefined || this.#noCore !== undefined) continue;
        const block = this.#nextBlock();
        if (block === undefined) break;
        void this.#work(worker, block);
      }
    }
    void this.#exchange();
  }

  // ── blocks ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Begun blocks first, then in the order of contests and units. */
  #nextBlock(): StoredBlock | undefined {
    const inHand = new Set(this.#crew.workers.map(({ hand }) => hand?.lease.id));
    const order = new Map(this.#contests.map(({ manifest }, i) => [manifest.name, i]));
    const rank = ({ lease, checkpoint }: StoredBlock): number =>
      (checkpoint === undefined ? 1000 : 0) + (order.get(lease.contest) ?? 999);
    return [...this.#blocks.values()]
      .filter(({ lease }) => !inHand.has(lease.id) && this.#contest(lease.contest) !== undefined)
      .toSorted((a, b) => rank(a) - rank(b) || a.lease.first - b.lease.first)[0];
  }

  async #work(worker: Worker, { lease, checkpoint }: StoredBlock): Promise<void> {
    const contest = this.#contest(lease.contest);
    if (contest === undefined) return;
    const { manifest } = contest;
    const hand: Hand = { lease, progress: undefined, stopping: false };
    worker.hand = hand;
    this.#emit();
    let outcome: WorkOutcome;
    try {
      const tried = await worker.handle.prepare(manifest.search.kind);
      if (worker.hand !== hand) return;
      const best = Math.max(0, ...tried.map(({ stepsPerSecond }) => stepsPerSecond));
      if (best === 0) return this.#giveUp(worker, tried.flatMap(({ differences }) => differences)[0] ?? 'no core');
      const guess = kinds[manifest.search.kind].unitsPerSecond(best);
      if (guess !== undefined) this.#speeds[manifest.name] ??= guess;
      const { first, count } = lease;
      if (hand.stopping) return this.#lay(worker);
      outcome = await worker.handle.work(
        { manifest, first, count, ...(checkpoint === undefined ? {} : { checkpoint }) },
        (progress) => this.#onProgress(worker, hand, progress),
      );
    } catch (error) {
      if (worker.hand !== hand) return;
      this.#crew.dismiss(worker);
      this.#onBroken(worker, error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (worker.hand !== hand) return;
    this.#breaks = 0;
    if (outcome.finished) await this.#finish(contest, hand, outcome);
    else if (this.#blocks.has(lease.id)) {
      this.#blocks.set(lease.id, { lease, checkpoint: outcome.checkpoint });
      await this.#buffers.saveCheckpoint(lease.id, outcome.checkpoint);
    }
    this.#lay(worker);
  }

  #lay(worker: Worker): void {
    worker.hand = undefined;
    this.#pump();
    this.#emit();
  }

  #giveUp(worker: Worker, detail: string): void {
    this.#noCore = detail;
    this.#lay(worker);
  }

  #onProgress(worker: Worker, hand: Hand, progress: WorkProgress): void {
    if (worker.hand !== hand || !this.#blocks.has(hand.lease.id)) return;
    hand.progress = progress;
    this.#blocks.set(hand.lease.id, { lease: hand.lease, checkpoint: progress.checkpoint });
    if (Date.now() - (this.#savedAt.get(hand) ?? 0) >= CHECKPOINT_MS) void this.#save(hand);
    this.#emitSoon();
  }

  async #save(hand: Hand): Promise<void> {
    if (hand.progress === undefined || !this.#blocks.has(hand.lease.id)) return;
    this.#savedAt.set(hand, Date.now());
    await this.#buffers.saveCheckpoint(hand.lease.id, hand.progress.checkpoint);
  }

  async #finish(contest: Contest, { lease }: Hand, outcome: WorkOutcome & { finished: true }): Promise<void> {
    if (!this.#blocks.has(lease.id)) return;
    const { manifest } = contest;
    const { evidence, core, seconds } = outcome;
    const report: Report = { lease: lease.id, contest: lease.contest, first: lease.first, evidence, core, seconds };
    // The keyserver's own check, made here first: a machine that miscalculates should know before it is refused.
    const verdict = kinds[manifest.search.kind].verify(manifest, report);
    this.#blocks.delete(lease.id);
    if (!verdict.ok) {
      this.#notice(`This machine computed a wrong result (${verdict.detail}). The block was given back.`);
      await this.#buffers.dropBlocks([lease.id]);
      await this.#counter.call((keyserver, client) => keyserver.release({ client, leases: [lease.id] }));
      return;
    }
    this.#reports.set(report.lease, report);
    await this.#buffers.finishBlock(report);
    if (verdict.hits.length > 0) {
      for (const hit of verdict.hits) this.#mine.add(mark(lease.contest, hit));
      this.#noteHits(contest, verdict.hits);
      this.#keep('mine', [...this.#mine]);
    }
    this.#speeds = {
      ...this.#speeds,
      [manifest.name]: learn(this.#speeds[manifest.name], evidence.length, seconds),
    };
    this.#keep('speeds', this.#speeds);
  }

  #onBroken(_worker: Worker, reason: Error): void {
    this.#breaks += 1;
    if (this.#breaks >= MAX_BREAKS) this.#noCore = `workers keep failing: ${reason.message}`;
    else this.#notice(`A worker failed (${reason.message}) and was replaced; its block goes on from the checkpoint.`);
    this.#pump();
    this.#emit();
  }

  // ── the gateway ───────────────────────────────────────────────────────────────────────────────────────────────

  async #exchange(): Promise<void> {
    const counter = this.#counter;
    if (counter.busy || Date.now() < counter.retryAt) return;
    if (this.#state === 'on' && this.#nothingOpen() && Date.now() >= counter.askAt) {
      counter.askAt = Date.now() + NEW_CONTESTS_MS;
      return this.#refreshContests();
    }
    const reports = reportBatch([...this.#reports.values()]);
    const workers = this.#workers;
    const blocks = [...this.#blocks.values()].map(({ lease }) => lease.contest);
    const mayAsk = this.#state === 'on' && this.#noCore === undefined && Date.now() >= counter.askAt;
    const want = mayAsk
      ? {
          ...wanted({ contests: this.#contests, speeds: this.#speeds, workers, blocks }),
          holding: [...this.#blocks.keys(), ...this.#reports.keys()].slice(0, MAX_HOLDING),
        }
      : { blocks: 0, from: [] };
    if (reports.length === 0 && want.blocks === 0) return;
    const reply = await counter.exchange({ reports, want });
    if (reply !== undefined) await this.#apply(reply);
    else if (reports.length > 0) this.#ports.onReportsWaiting?.();
    if (reply !== undefined) this.#pump();
    this.#emit();
  }

  /** True as well before the first contests were heard of. */
  #nothingOpen(): boolean {
    return this.#contests.every(({ state }) => state.state === 'closed');
  }

  async #apply(reply: ExchangeReply): Promise<void> {
    for (const { lease, outcome, detail } of reply.results) {
      const report = this.#reports.get(lease);
      if (report !== undefined && outcome === 'refused') {
        this.#notice(`The keyserver refused a block of ${report.contest}: ${detail ?? 'no reason given'}.`);
      }
      this.#reports.delete(lease);
    }
    // What was handed in makes room for more of the same.
    if (reply.results.some(({ outcome }) => outcome === 'accepted')) this.#counter.askAt = 0;
    if (reply.results.length > 0) this.#totals = await this.#buffers.settle(reply.results);
    if (reply.leases.length > 0) {
      await this.#buffers.addBlocks(reply.leases);
      for (const lease of reply.leases) this.#blocks.set(lease.id, { lease });
    }
    this.#noteStates(reply.contests);
    await this.#dropDead();
  }

  #noteStates(states: readonly ContestState[]): void {
    const known = new Set(this.#contests.map(({ manifest }) => manifest.name));
    this.#contests = this.#contests.map((contest) => {
      const state = states.find(({ name }) => name === contest.manifest.name);
      return state === undefined ? contest : { ...contest, state };
    });
    this.#keep('contests', this.#contests);
    if (states.some(({ name }) => !known.has(name))) void this.#refreshContests();
  }

  /** Shown at once, before the keyserver has confirmed it. */
  #noteHits({ manifest, state }: Contest, hits: readonly Hit[]): void {
    const fresh = hits.filter((hit) => !state.hits.some((other) => other.unit === hit.unit));
    this.#noteStates([{ ...state, name: manifest.name, hits: [...state.hits, ...fresh] }]);
  }

  async #refreshContests(): Promise<void> {
    if (this.#counter.busy) return;
    const contests = await this.#counter.call((keyserver) => keyserver.contests());
    if (contests !== undefined) {
      this.#contests = contests;
      this.#keep('contests', contests);
      if (!this.#nothingOpen()) this.#counter.askAt = 0;
      await this.#dropDead();
    }
    this.#emit();
    if (contests !== undefined) this.#pump();
  }

  /** Blocks of closed contests, and those whose lease has run out by the keyserver's clock. */
  async #dropDead(): Promise<void> {
    const { skewMs } = this.#counter;
    const dead = [...this.#blocks.values()].filter(
      ({ lease }) =>
        this.#contest(lease.contest)?.state.state === 'closed' ||
        (skewMs !== undefined && lease.expiresAt < Date.now() + skewMs),
    );
    if (dead.length === 0) return;
    const ids = dead.map(({ lease }) => lease.id);
    for (const id of ids) this.#blocks.delete(id);
    for (const worker of this.#crew.workers) if (ids.includes(worker.hand?.lease.id ?? '')) stopWork(worker);
    await this.#buffers.dropBlocks(ids);
  }

  // ── what it shows ─────────────────────────────────────────────────────────────────────────────────────────────

  #tick(): void {
    const { rate, step } = this.#snapshot;
    if (this.#state === 'on') {
      this.#history = [...this.#history, { at: Date.now(), rate, step }].slice(-HISTORY_SAMPLES);
      this.#emitSoon();
    }
    this.#pump();
  }

  #notice(text: string): void {
    this.#notices = [...this.#notices, { at: Date.now(), text }].slice(-MAX_NOTICES);
  }

  #contest(name: string): Contest | undefined {
    return this.#contests.find(({ manifest }) => manifest.name === name);
  }

  #keep<K extends keyof Facts>(key: K, value: Facts[K]): void {
    void this.#buffers.setFact(key, value);
  }

  #onStorageLost(reason: unknown): void {
    const why = reason instanceof Error ? reason.message : String(reason);
    this.#notice(`Storage failed (${why}). Work goes on in memory, and is lost when this is closed.`);
    this.#emit();
  }

  #emitSoon(): void {
    if (!this.#closed) this.#emitting ??= setTimeout(() => this.#emit(), EMIT_MS);
  }

  #emit(): void {
    clearTimeout(this.#emitting);
    this.#emitting = undefined;
    this.#snapshot = this.#look();
    for (const listener of this.#listeners) listener(this.#snapshot);
  }

  #pauseReason(busy: boolean): Pause | null {
    if (!this.#wanted) return { reason: this.#everStarted ? 'by-you' : 'not-started' };
    if (this.#noCore !== undefined) return { reason: 'no-core', detail: this.#noCore };
    if (this.#otherRuns) return { reason: 'another-tab' };
    if (busy) return null;
    const { retryAt, askAt } = this.#counter;
    if (this.#blocks.size > 0) return { reason: 'starting' };
    if (Date.now() < retryAt) return { reason: 'unreachable', retryAt };
    if (Date.now() < askAt) return { reason: 'no-work', retryAt: askAt };
    return { reason: 'starting' };
  }

  #look(): EngineSnapshot {
    const hands = this.#crew.workers.flatMap(({ hand }) => (hand === undefined || hand.stopping ? [] : [hand]));
    const blocks = hands.flatMap(({ lease, progress }) => {
      if (progress === undefined) return [];
      const { unit, fraction, rate, checkpoint } = progress;
      const secondsLeft = checkpoint.seconds > 1 ? (checkpoint.seconds * (1 - fraction)) / fraction : undefined;
      const { id, contest, first, count } = lease;
      const left = secondsLeft === undefined || !Number.isFinite(secondsLeft) ? {} : { secondsLeft };
      return [{ lease: id, contest, first, count, unit, fraction, rate, steps: checkpoint.steps, ...left }];
    });
    const pause = this.#pauseReason(blocks.length > 0);
    const working =
      this.#contest(blocks[0]?.contest ?? '') ?? this.#contests.find(({ state }) => state.state === 'open');
    return {
      wanted: this.#wanted,
      pause,
      workers: this.#workers,
      maxWorkers: this.#ports.maxWorkers,
      rate: pause === null ? blocks.reduce((sum, { rate }) => sum + rate, 0) : 0,
      step: kinds[working?.manifest.search.kind ?? 'rc5'].step,
      blocks: this.#wanted ? blocks : [],
      contests: this.#contests,
      inBuffer: this.#blocks.size - (this.#wanted ? blocks.length : 0),
      outBuffer: this.#reports.size,
      totals: this.#totals,
      found: this.#contests.flatMap(({ manifest: { name }, state }) =>
        state.hits.map((hit) => ({ contest: name, hit, mine: this.#mine.has(mark(name, hit)) })),
      ),
      gateway: this.#counter.gateway,
      storage: this.#buffers.lost ? 'memory' : this.#ports.storage,
      notices: this.#notices,
      history: this.#history,
    };
  }
}

/** A random UUID, or as many random digits where a page without TLS has no `randomUUID`. */
function newClientId(): string {
  if ('randomUUID' in crypto) return crypto.randomUUID();
  return Array.from((crypto as Crypto).getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

const mark = (contest: string, hit: Hit): string => `${contest}/${hit.unit}`;
