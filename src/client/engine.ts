/**
 * The engine: everything a client does, without a face. It keeps a stock of blocks, gives each worker one, keeps
 * checkpoints, hands reports in, and says at every moment what it does or why it does nothing.
 *
 * States, changed only in `#enter`:
 *
 *   off ──start──▶ queued ──turn──▶ on ──pause──▶ stopping ──hands down──▶ off
 *                    └──pause, then turn──▶ off      └──start──▶ (off, then queued again)
 *
 * Everything that happens ends in `#pump`, which looks at the whole and does what is due; it is cheap and may be
 * called at any time. A block is in the in-buffer until its report is in the out-buffer, and a report stays there
 * until the keyserver has answered for it: no moment in between loses either. Talking to the gateway is
 * `conversation.ts`, what there is to keep `holdings.ts`, what is shown `view.ts`.
 */
import { kinds } from '../contests/kinds.ts';
import type { Contest, ContestKindName } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';
import type { Report } from '../domain/work.ts';
import { Backoff } from '../protocol/backoff.ts';
import { type ExchangeRequest, MAX_HOLDING } from '../protocol/keyserver.ts';
import type { WorkOutcome, WorkProgress } from '../protocol/worker-api.ts';
import type { StoredBlock } from './buffers.ts';
import { Conversation, type Host } from './conversation.ts';
import { Counter, isDue } from './counter.ts';
import { Crew, type Hand, stopWork, type Worker } from './crew.ts';
import { Holdings } from './holdings.ts';
import { Lottery } from './lottery.ts';
import { aboutOf, type EnginePorts } from './ports.ts';
import type { EngineControl, EngineSnapshot, Notice, RateSample } from './snapshot.ts';
import { wanted } from './stock.ts';
import { type Unusable, view } from './view.ts';

const CHECKPOINT_MS = 5_000;
/** Figures that tick are drawn once a second: four times took 5 % of the one CPU that the work should have. */
const EMIT_MS = 1000;
/** A worker asked to stop that has not by then is ended: it loses half a second. */
const STOP_MS = 1_000;
/** A machine whose workers die this often in a row cannot compute now. */
const MAX_BREAKS = 5;
const BROKEN_MS = 60_000;
const HISTORY_SAMPLES = 600;
const MAX_NOTICES = 20;
const MAX_DISMISSED = 32;
/** How often a newer version is looked for where one is needed. */
const RENEW_MS = 60_000;

type State = 'off' | 'queued' | 'on' | 'stopping';

export class Engine implements EngineControl {
  readonly #ports: EnginePorts;
  readonly #holdings: Holdings;
  readonly #counter: Counter;
  readonly #conversation: Conversation;
  readonly #crew: Crew;
  readonly #listeners = new Set<(snapshot: EngineSnapshot) => void>();
  readonly #ticker: ReturnType<typeof setInterval>;

  #state: State = 'off';
  #wanted: boolean;
  #everStarted: boolean;
  #workers: number;
  #otherRuns = false;
  #closed = false;
  #giveUpTurn: (() => void) | undefined;

  /** Kinds that cannot be computed here, for now or at all. */
  readonly #unusable = new Map<ContestKindName, Unusable>();
  readonly #loading = new Backoff();
  readonly #lottery: Lottery;
  #breaks = 0;
  #renewAt = 0;

  #notices: Notice[] = [];
  #history: RateSample[] = [];
  #snapshot: EngineSnapshot;
  #emitting: ReturnType<typeof setTimeout> | undefined;
  readonly #savedAt = new WeakMap<Hand, number>();

  private constructor(ports: EnginePorts, holdings: Holdings) {
    this.#ports = ports;
    this.#holdings = holdings;
    holdings.onStorageLost = (reason) => {
      this.#notice(`Storage failed (${messageOf(reason)}). Work goes on in memory, and is lost when this is closed.`);
    };
    this.#wanted = holdings.wanted ?? false;
    this.#everStarted = holdings.wanted !== undefined;
    this.#workers = Math.min(ports.maxWorkers, holdings.workers ?? ports.defaultWorkers);
    this.#lottery = new Lottery(ports.random);
    const about = aboutOf(ports);
    holdings.keep('about', about);
    this.#counter = new Counter(ports.keyserver, { id: holdings.clientId, ...about });
    this.#counter.waitUntil = holdings.waitUntil;
    this.#conversation = new Conversation(holdings, this.#counter, this.#host());
    this.#crew = new Crew(
      () => ports.spawn(),
      (reason) => this.#onBroken(reason),
    );
    this.#snapshot = this.#look();
    this.#ticker = setInterval(() => this.#tick(), 1000);
    ports.others?.listen((wanted, stopped) => this.#want(wanted, stopped));
  }

  /** Reads the buffers; goes on by itself where the person had it running, and sends what waits. */
  static async open(ports: EnginePorts): Promise<Engine> {
    const engine = new Engine(ports, await Holdings.open(ports.buffers));
    if (engine.#wanted) void engine.#queue();
    else engine.#pump();
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
    this.#hurry();
    this.#decide(true);
  }

  pause(): void {
    this.#decide(false);
  }

  dismiss(message: string): void {
    this.#holdings.keep('dismissed', [...this.#holdings.dismissed, message].slice(-MAX_DISMISSED));
    this.#emit();
  }

  setWorkers(count: number): void {
    this.#workers = Math.max(1, Math.min(this.#ports.maxWorkers, Math.round(count)));
    this.#holdings.keep('workers', this.#workers);
    this.#pump();
    this.#emit();
  }

  measureCores(): void {
    this.#holdings.forgetCores();
    this.#hurry();
    // A worker remembers its cores for life. Blocks in hand go on from their last progress.
    for (const worker of this.#crew.workers) this.#crew.dismiss(worker);
    this.#pump();
    this.#emit();
  }

  retry(): void {
    this.#hurry();
    this.#pump();
  }

  /** Keeps every block's last known checkpoint: before the tab may vanish. */
  async checkpoint(): Promise<void> {
    if (this.#holdings.reports.size > 0) this.#ports.onReportsWaiting?.();
    await Promise.all(this.#crew.workers.flatMap(({ hand }) => (hand === undefined ? [] : [this.#save(hand)])));
  }

  /** Stops, keeps checkpoints, frees workers and storage. Whether the person wants it to run is left as it is. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#ticker);
    clearTimeout(this.#emitting);
    this.#listeners.clear();
    await this.checkpoint();
    await this.#conversation.idle();
    for (const worker of this.#crew.workers) this.#crew.dismiss(worker);
    this.#giveUpTurn?.();
    await this.#holdings.close();
  }

  // ── running and stopping ──────────────────────────────────────────────────────────────────────────────────────

  #enter(state: State): void {
    this.#state = state;
    this.#emit();
  }

  /** A person's wish, or with `stopped` the keyserver's, for all tabs and later visits. */
  #decide(wanted: boolean, stopped?: string): void {
    // First for itself: the tab whose button was pressed is the first in the queue.
    this.#want(wanted, stopped);
    this.#ports.others?.tell(wanted, stopped);
  }

  #want(wanted: boolean, stopped?: string): void {
    this.#holdings.keep('wanted', wanted);
    this.#holdings.keep('stopped', stopped);
    this.#wanted = wanted;
    this.#everStarted = true;
    if (!wanted) this.#stop();
    else if (this.#state === 'off') void this.#queue();
    else this.#emit();
  }

  async #queue(): Promise<void> {
    this.#enter('queued');
    this.#pump();
    const giveUp = await this.#ports.takeTurn(() => {
      this.#otherRuns = true;
      this.#emit();
    });
    this.#otherRuns = false;
    // Another tab may have worked on the buffers since they were read.
    if (this.#wanted && !this.#closed) await this.#holdings.reload();
    if (!this.#wanted || this.#closed) {
      giveUp();
      this.#enter('off');
      return;
    }
    this.#giveUpTurn = giveUp;
    this.#workers = Math.min(this.#ports.maxWorkers, this.#holdings.workers ?? this.#workers);
    this.#conversation.renew();
    this.#enter('on');
    this.#pump();
  }

  #stop(): void {
    if (this.#state === 'on') this.#enter('stopping');
    else this.#emit();
    for (const worker of this.#crew.workers) {
      // One that still loads or tests its cores has nothing to lose.
      if (worker.hand !== undefined && worker.hand.progress === undefined) this.#crew.dismiss(worker);
      else stopWork(worker);
    }
    setTimeout(() => {
      if (this.#state !== 'stopping') return;
      for (const worker of this.#crew.workers) this.#crew.dismiss(worker);
      this.#pump();
    }, STOP_MS);
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
      this.#crew.resize(this.#nothingUsable() ? 0 : this.#workers);
      for (const worker of this.#crew.workers) {
        if (worker.hand !== undefined) continue;
        const block = this.#nextBlock();
        if (block === undefined) break;
        void this.#work(worker, block);
      }
    }
    this.#conversation.talk();
  }

  /** Forgets what kept it waiting. */
  #hurry(): void {
    this.#conversation.hurry();
    this.#unusable.clear();
    this.#loading.reset();
    this.#breaks = 0;
  }

  // ── blocks ────────────────────────────────────────────────────────────────────────────────────────────────────

  #likes({ manifest }: Contest): boolean {
    return this.#ports.only?.includes(manifest.name) !== false;
  }

  #usable(contest: Contest): boolean {
    const { manifest } = contest;
    if (!this.#likes(contest)) return false;
    const unusable = this.#unusable.get(manifest.search.kind);
    return unusable === undefined || isDue(unusable.until);
  }

  #nothingUsable(): boolean {
    const { contests } = this.#holdings;
    return contests.length > 0 && !contests.some((contest) => this.#usable(contest));
  }

  /** Begun blocks first, then in the order of contests and units. */
  #nextBlock(): StoredBlock | undefined {
    const inHand = new Set(this.#crew.workers.map(({ hand }) => hand?.lease.id));
    const usable = this.#holdings.contests.filter((contest) => this.#usable(contest));
    const order = new Map(this.#lottery.inOrder(usable).map(({ manifest }, place) => [manifest.name, place]));
    const rank = ({ lease, checkpoint }: StoredBlock): number =>
      (checkpoint === undefined ? 1000 : 0) + (order.get(lease.contest) ?? 999);
    return [...this.#holdings.blocks.values()]
      .filter(({ lease }) => !inHand.has(lease.id) && order.has(lease.contest))
      .toSorted((a, b) => rank(a) - rank(b) || a.lease.first - b.lease.first)[0];
  }

  #wish(): ExchangeRequest['want'] {
    const { contests, speeds, blocks, leases } = this.#holdings;
    const want = wanted({
      contests: this.#lottery.inOrder(contests.filter((contest) => this.#usable(contest))),
      speeds,
      workers: this.#workers,
      blocks: [...blocks.values()].map(({ lease }) => lease.contest),
    });
    return { ...want, holding: leases.slice(0, MAX_HOLDING) };
  }

  async #work(worker: Worker, block: StoredBlock): Promise<void> {
    const contest = this.#holdings.contest(block.lease.contest);
    if (contest === undefined) return;
    const hand: Hand = { lease: block.lease, progress: undefined, stopping: false };
    worker.hand = hand;
    this.#emit();
    const outcome = (await this.#ready(worker, hand, contest))
      ? await this.#run(worker, hand, contest, block)
      : undefined;
    if (worker.hand !== hand) return;
    try {
      if (outcome?.finished === true) await this.#finish(contest, hand, outcome);
      else if (outcome !== undefined) {
        this.#holdings.progress(hand.lease.id, outcome.checkpoint);
        await this.#holdings.save(hand.lease.id);
      }
    } finally {
      worker.hand = undefined;
      if (outcome?.finished === true) this.#renew();
      this.#pump();
      this.#emit();
    }
  }

  /** Where the keyserver wants a newer version: lets the platform bring it. */
  #renew(): void {
    const { renew } = this.#ports;
    if (renew === undefined || this.#counter.tooOld === undefined || !isDue(this.#renewAt)) return;
    this.#renewAt = Date.now() + RENEW_MS;
    void this.checkpoint().then(() => renew());
  }

  /** Whether the worker has a core for the contest; if not, why not is noted. */
  async #ready(worker: Worker, hand: Hand, { manifest }: Contest): Promise<boolean> {
    const { kind } = manifest.search;
    try {
      const { environment } = this.#ports;
      const known = this.#holdings.coresOf(kind, environment);
      const tried = await worker.handle.prepare(kind, known);
      if (worker.hand !== hand || hand.stopping) return false;
      const chosen = tried.find(({ state }) => state === 'chosen');
      // Of several workers that measured at once the first one's choice is kept; one that failed since is replaced.
      const failed = known !== undefined && chosen?.name !== known.find(({ state }) => state === 'chosen')?.name;
      if (failed || this.#holdings.coresOf(kind, environment) === undefined) this.#noteCores(kind, tried);
      if (chosen !== undefined) {
        this.#unusable.delete(kind);
        this.#loading.reset();
        this.#holdings.guessSpeed(manifest.name, kinds[kind].unitsPerSecond(chosen.stepsPerSecond));
        return true;
      }
      const detail = tried.find(({ state }) => state === 'wrong')?.detail ?? 'there is no core for it';
      this.#unusable.set(kind, { reason: 'no-core', detail, until: Number.POSITIVE_INFINITY });
    } catch (error) {
      // The kernel did not come: a network that is away, a gateway that restarts.
      const until = Date.now() + this.#loading.next();
      if (worker.hand === hand) this.#unusable.set(kind, { reason: 'unreachable', detail: messageOf(error), until });
    }
    return false;
  }

  /** Keeps what was measured, and says which core is not to be trusted here. */
  #noteCores(kind: ContestKindName, tried: CoreReport[]): void {
    const { environment } = this.#ports;
    const before = this.#holdings.coresOf(kind, environment) ?? [];
    this.#holdings.keepCores(kind, environment, tried);
    if (!tried.some(({ state }) => state === 'chosen')) return;
    for (const { name, state, detail } of tried) {
      if (state !== 'wrong' || before.some((other) => other.name === name && other.state === 'wrong')) continue;
      this.#notice(`The core ${name} gave a wrong answer on this machine (${detail}) and is not used.`);
    }
  }

  async #run(worker: Worker, hand: Hand, { manifest }: Contest, block: StoredBlock): Promise<WorkOutcome | undefined> {
    const { lease, checkpoint } = block;
    const { first, count } = lease;
    const { kind } = manifest.search;
    const done = checkpoint?.evidence.length ?? 0;
    hand.progress = {
      unit: first + done,
      fraction: done / count,
      rate: worker.last?.kind === kind ? worker.last.rate : 0,
      checkpoint: checkpoint ?? { evidence: [], seconds: 0, steps: 0 },
    };
    try {
      const request = { manifest, first, count, ...(checkpoint === undefined ? {} : { checkpoint }) };
      const outcome = await worker.handle.work(request, (progress) => {
        worker.last = { kind, rate: progress.rate };
        this.#onProgress(worker, hand, progress);
      });
      this.#breaks = 0;
      return outcome;
    } catch (error) {
      if (worker.hand !== hand) return undefined;
      if (checkpoint !== undefined) {
        this.#notice(`A block of ${lease.contest} begins anew: its checkpoint cannot be used (${messageOf(error)}).`);
        this.#holdings.progress(lease.id, undefined);
        await this.#holdings.save(lease.id);
      } else {
        await this.#giveBack(lease.id, `A block of ${lease.contest} could not be worked (${messageOf(error)})`);
      }
      return undefined;
    }
  }

  #onProgress(worker: Worker, hand: Hand, progress: WorkProgress): void {
    if (worker.hand !== hand) return;
    hand.progress = progress;
    this.#holdings.progress(hand.lease.id, progress.checkpoint);
    const savedAgo = Date.now() - (this.#savedAt.get(hand) ?? 0);
    if (savedAgo >= CHECKPOINT_MS || savedAgo < 0) void this.#save(hand);
    this.#emitSoon();
  }

  async #save(hand: Hand): Promise<void> {
    this.#savedAt.set(hand, Date.now());
    if (hand.progress !== undefined) await this.#holdings.save(hand.lease.id);
  }

  async #finish(contest: Contest, { lease }: Hand, outcome: WorkOutcome & { finished: true }): Promise<void> {
    if (!this.#holdings.blocks.has(lease.id)) return;
    const { manifest } = contest;
    const { evidence, core, seconds } = outcome;
    const { id, contest: name, first, proof } = lease;
    const done = { lease: id, contest: name, first, evidence, core, seconds };
    const report: Report = proof === undefined ? done : { ...done, proof };
    // The keyserver's own check, made here first: a machine that miscalculates should know before it is refused.
    const verdict = kinds[manifest.search.kind].verify(manifest, report);
    if (!verdict.ok) return this.#giveBack(lease.id, `This machine computed a wrong result (${verdict.detail})`);
    await this.#holdings.finish(report);
    this.#holdings.noteOwnHits(lease.contest, verdict.hits);
    if (!isDue(this.#counter.retryAt)) this.#ports.onReportsWaiting?.();
  }

  async #giveBack(lease: string, why: string): Promise<void> {
    this.#notice(`${why}. The block was given back.`);
    this.#conversation.release(lease);
    await this.#holdings.drop([lease]);
  }

  #onBroken(reason: Error): void {
    this.#breaks += 1;
    if (this.#breaks < MAX_BREAKS) {
      this.#notice(`A worker failed (${reason.message}) and was replaced; its block goes on from the checkpoint.`);
    } else {
      const broken: Unusable = {
        reason: 'no-core',
        detail: `workers keep failing: ${reason.message}`,
        until: Date.now() + BROKEN_MS,
      };
      for (const { manifest } of this.#holdings.contests) this.#unusable.set(manifest.search.kind, broken);
      this.#breaks = 0;
    }
    this.#pump();
    this.#emit();
  }

  /** This engine as its conversation with the gateway sees it. */
  #host(): Host {
    const phase = (): State => this.#state;
    return {
      get phase() {
        return phase();
      },
      likes: (contest) => this.#likes(contest),
      wish: () => this.#wish(),
      onFill: () => this.#lottery.redraw(),
      onStop: (reason) => this.#decide(false, reason),
      notice: (text) => this.#notice(text),
      onReportsWaiting: () => this.#ports.onReportsWaiting?.(),
      onDead: (leases) => {
        for (const worker of this.#crew.workers) if (leases.includes(worker.hand?.lease.id ?? '')) stopWork(worker);
      },
      onEnd: () => {
        // With nothing in hand it is always between two blocks.
        if (this.#crew.workers.every(({ hand }) => hand === undefined)) this.#renew();
        this.#pump();
        this.#emit();
      },
    };
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
    this.#emitSoon();
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

  #look(): EngineSnapshot {
    const { maxWorkers, storage, environment } = this.#ports;
    return view({
      environment,
      wanted: this.#wanted,
      everStarted: this.#everStarted,
      otherRuns: this.#otherRuns,
      told: this.#conversation.messages,
      hands: this.#crew.workers.flatMap(({ hand }) => (hand === undefined || hand.stopping ? [] : [hand])),
      unusable: this.#unusable,
      workers: this.#workers,
      maxWorkers,
      holdings: this.#holdings,
      counter: this.#counter,
      storage: this.#holdings.storageLost ? 'memory' : storage,
      notices: this.#notices,
      history: this.#history,
    });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
