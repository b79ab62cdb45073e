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
 *
 * It is long because one look at the whole decides: what is due depends on all its states at once, and two halves would share them.
 */
import { steps } from '../contests/steps.ts';
import type { Contest, ContestKindName } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';
import type { Report } from '../domain/work.ts';
import { Backoff } from '../protocol/backoff.ts';
import { type ExchangeRequest, MAX_HOLDING } from '../protocol/keyserver.ts';
import type { WorkOutcome, WorkProgress } from '../protocol/worker-api.ts';
import type { Buffers, StoredBlock } from './buffers.ts';
import { Conversation, type Host } from './conversation.ts';
import { Counter, isDue } from './counter.ts';
import { Crew, type Hand, stopWork, type Worker } from './crew.ts';
import { Holdings } from './holdings.ts';
import { KioskVoice } from './kiosk.ts';
import { Hysteresis, type Limits, limitsOf } from './limits.ts';
import { Lottery } from './lottery.ts';
import { loadOwnCheck, ownCheck } from './own-check.ts';
import { aboutOf, type EnginePorts } from './ports.ts';
import { isWanted, preferred } from './preference.ts';
import { RateHistory } from './rate-history.ts';
import { type Settings, settingsOf } from './settings.ts';
import type { EngineCommand, EngineControl, EngineSnapshot, Notice } from './snapshot.ts';
import { wanted } from './stock.ts';
import { Tabs } from './tabs.ts';
import { type Unusable, view } from './view.ts';
import { Watchdog } from './watchdog.ts';

const CHECKPOINT_MS = 5_000;
/** Figures that tick are drawn once a second: four times took 5 % of the one CPU that the work should have. */
const EMIT_MS = 1000;
/** A worker asked to stop that has not by then is ended: it loses half a second. */
const STOP_MS = 1_000;
/** A machine whose workers die this often in a row cannot compute now. */
const MAX_BREAKS = 5;
const BROKEN_MS = 60_000;
/** As much of the plot is lost where the tab is killed. */
const KEEP_HISTORY_MS = 300_000;
const MAX_NOTICES = 20;
/** In one call; the keyserver takes no more. */
const MAX_RELEASED = 256;
const FAREWELL_MS = 3_000;
const ERASURE_MS = 10_000;
const MAX_DISMISSED = 32;
/** How often a newer version is looked for where one is needed. */
const RENEW_MS = 60_000;
/** How soon after it was lost, and how often then, it is tried to keep everything again. */
const FIRST_RESCUE_MS = 1_000;
const RESCUE_MS = 60_000;

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
  #settings: Settings;
  #finishing = false;
  readonly #busy = new Hysteresis();
  readonly #tabs: Tabs;
  #closed = false;
  /** Somebody else has the buffers: nothing is begun, and nobody talked to. */
  #isCarrying = false;
  #rescueAt = 0;
  readonly #watchdog = new Watchdog();

  /** Kinds that cannot be computed here, for now or at all. */
  readonly #unusable = new Map<ContestKindName, Unusable>();
  readonly #loading = new Backoff();
  readonly #lottery: Lottery;
  #breaks = 0;
  #renewAt = 0;
  #updateWaits = false;
  #isBringing = false;

  #notices: Notice[] = [];
  #history: RateHistory;
  #historyKeptAt = Date.now();
  #snapshot: EngineSnapshot;
  #emitting: ReturnType<typeof setTimeout> | undefined;
  #emittedAt = 0;
  readonly #savedAt = new WeakMap<Hand, number>();

  private constructor(ports: EnginePorts, holdings: Holdings) {
    this.#ports = ports;
    this.#holdings = holdings;
    holdings.onStorageLost = (reason) => {
      this.#notice(`Storage failed (${messageOf(reason)}). Work goes on in memory, and is lost when this is closed.`);
      this.#rescueAt = Date.now() + FIRST_RESCUE_MS;
    };
    this.#wanted = holdings.wanted ?? false;
    this.#everStarted = holdings.wanted !== undefined;
    this.#settings = holdings.settings;
    this.#history = new RateHistory(holdings.history);
    this.#lottery = new Lottery(ports.random);
    this.#counter = new Counter(ports.keyserver, { id: holdings.clientId, ...aboutOf(ports, this.#settings) });
    this.#introduce();
    this.#counter.waitUntil = holdings.waitUntil;
    this.#conversation = new Conversation(holdings, this.#counter, this.#host());
    this.#crew = new Crew(
      () => ports.spawn(),
      (reason) => this.#onBroken(reason),
    );
    this.#tabs = new Tabs(ports, {
      onTold: (message) => {
        if (this.#closed) return;
        if ('command' in message) this.#obey(message.command);
        else if ('stopped' in message) this.#want(false, message.stopped);
        else this.#onErasure(message.erasure);
      },
      onOthers: () => this.#onOthers(),
      onTurnWanted: () => {
        if (!this.#closed) this.#stop();
      },
    });
    this.#snapshot = this.#look();
    this.#ticker = setInterval(() => this.#tick(), 1000);
    ports.conditions?.listen(() => {
      this.#pump();
      this.#emit();
    });
  }

  /** Reads the buffers; goes on by itself where the person had it running, and sends what waits. */
  static async open(ports: EnginePorts): Promise<Engine> {
    const engine = new Engine(ports, await Holdings.open(ports.buffers, ports.reopen));
    if (engine.#wanted) void engine.#queue();
    else engine.#pump();
    engine.#emit();
    return engine;
  }

  get snapshot(): EngineSnapshot {
    return this.#snapshot;
  }

  get history(): RateHistory {
    return this.#history;
  }

  subscribe(listener: (snapshot: EngineSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#command({ name: 'start', args: [] });
  }

  pause(): void {
    this.#command({ name: 'pause', args: [] });
  }

  finish(): void {
    this.#command({ name: 'finish', args: [] });
  }

  snooze(until: number): void {
    this.#command({ name: 'snooze', args: [until] });
  }

  configure(change: Partial<Settings>): void {
    this.#command({ name: 'configure', args: [change] });
  }

  measureCores(): void {
    this.#command({ name: 'measureCores', args: [] });
  }

  retry(): void {
    this.#command({ name: 'retry', args: [] });
  }

  dismiss(message: string): void {
    this.#command({ name: 'dismiss', args: [message] });
  }

  async carry<T>(use: (buffers: Buffers) => Promise<T>): Promise<T> {
    if (this.#tabs.isWaiting) throw new Error('another tab runs the engine');
    await this.#layDown();
    try {
      return await use(this.#holdings.buffers);
    } finally {
      await this.#holdings.reload();
      this.#isCarrying = false;
      this.#pump();
      this.#emit();
    }
  }

  async erase(destroy: () => Promise<void>): Promise<void> {
    this.#tabs.tell({ erasure: 'begun' });
    await this.#layDown();
    const { keyserver } = this.#ports;
    const leases = [...this.#holdings.blocks.keys()].slice(0, MAX_RELEASED);
    // As a courtesy: unless they are given back, others get them only when their time is over. Name and team go too.
    const given = keyserver.release({ client: this.#counter.client, leases, forget: true }).catch(() => undefined);
    await Promise.race([given, new Promise((resolve) => setTimeout(resolve, FAREWELL_MS))]);
    this.#closed = true;
    clearInterval(this.#ticker);
    await this.#holdings.close();
    await destroy();
    this.#tabs.tell({ erasure: 'done' });
  }

  /** Stops every worker where it is, its checkpoint kept, and ends the conversation. */
  async #layDown(): Promise<void> {
    this.#isCarrying = true;
    for (const worker of this.#crew.workers) stopWork(worker);
    const patience = Date.now() + STOP_MS;
    while (this.#crew.workers.some(({ hand }) => hand !== undefined) && Date.now() < patience) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    for (const worker of this.#crew.workers) if (worker.hand !== undefined) this.#crew.dismiss(worker);
    await this.#conversation.idle();
    if (this.#state !== 'on') await this.#holdings.reload();
  }

  #onErasure(erasure: 'begun' | 'done'): void {
    const { onErased } = this.#ports;
    if (erasure === 'done') return onErased?.();
    this.#closed = true;
    clearInterval(this.#ticker);
    for (const worker of this.#crew.workers) this.#crew.dismiss(worker);
    void this.#holdings.close();
    // The tab that began it may be gone.
    setTimeout(() => onErased?.(), ERASURE_MS);
  }

  takeOver(): void {
    this.#tabs.takeOver();
  }

  /** A newer version of the page is here. It is brought when the blocks in hand are done. */
  updateWaits(): void {
    this.#updateWaits = true;
    this.#pump();
    this.#emit();
  }

  /** Keeps every block's last known checkpoint: before the tab may vanish. */
  async checkpoint(): Promise<void> {
    if (this.#tabs.hasTurn) this.#keepHistory();
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
    this.#tabs.close();
    await this.#holdings.close();
  }

  // ── all tabs ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** For all tabs; first for itself: the tab whose button was pressed is the first in the queue. */
  #command(command: EngineCommand): void {
    this.#obey(command);
    this.#tabs.tell({ command });
  }

  #obey(command: EngineCommand): void {
    switch (command.name) {
      case 'start':
        this.#hurry();
        this.#holdings.keep('snoozedUntil', 0);
        this.#want(true);
        break;
      case 'pause':
        this.#want(false);
        break;
      case 'finish':
        this.#finishing = this.#wanted;
        break;
      case 'snooze':
        this.#holdings.keep('snoozedUntil', command.args[0]);
        break;
      case 'configure':
        this.#configure(command.args[0]);
        break;
      case 'measureCores':
        this.#holdings.forgetCores();
        this.#hurry();
        // A worker remembers its cores for life. Blocks in hand go on from their last progress.
        for (const worker of this.#crew.workers) this.#crew.dismiss(worker);
        break;
      case 'retry':
        this.#hurry();
        break;
      case 'dismiss':
        this.#holdings.keep('dismissed', [...this.#holdings.dismissed, command.args[0]].slice(-MAX_DISMISSED));
        break;
    }
    this.#pump();
    this.#emit();
  }

  #configure(change: Partial<Settings>): void {
    const { maxWorkers } = this.#ports;
    const clamped = (count: number): number => Math.max(1, Math.min(maxWorkers, Math.round(count)));
    const { workers, workersInUse } = change;
    this.#settings = settingsOf({
      ...this.#settings,
      ...change,
      ...(workers === undefined ? {} : { workers: clamped(workers) }),
      ...(workersInUse === undefined ? {} : { workersInUse: clamped(workersInUse) }),
    });
    this.#holdings.keep('settings', this.#settings);
    this.#introduce();
    this.#lottery.redraw();
    // There may be work for the new wishes.
    this.#counter.askAt = 0;
    this.#giveBackUnwanted();
  }

  /** Says who works, with the next call and by the service worker. */
  #introduce(): void {
    const about = aboutOf(this.#ports, this.#settings);
    this.#holdings.keep('about', about);
    this.#counter.client = { id: this.#holdings.clientId, ...about };
  }

  #onOthers(): void {
    if (this.#closed || this.#state !== 'queued') return;
    this.#emit();
  }

  // ── running and stopping ──────────────────────────────────────────────────────────────────────────────────────

  #enter(state: State): void {
    this.#state = state;
    this.#emit();
  }

  #want(wanted: boolean, stopped?: string): void {
    this.#holdings.keep('wanted', wanted);
    this.#holdings.keep('stopped', stopped);
    this.#wanted = wanted;
    this.#everStarted = true;
    this.#finishing = false;
    if (!wanted) this.#stop();
    else if (this.#state === 'off') void this.#queue();
    else this.#emit();
  }

  async #queue(): Promise<void> {
    this.#enter('queued');
    this.#pump();
    await this.#tabs.take();
    // Another tab may have worked on the buffers since they were read.
    if (!this.#closed) await this.#holdings.reload();
    if (!this.#wanted || this.#closed) {
      this.#tabs.giveUp();
      this.#enter('off');
      return;
    }
    this.#settings = this.#holdings.settings;
    this.#history = new RateHistory(this.#holdings.history);
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
    this.#keepHistory();
    this.#tabs.giveUp();
    this.#enter('off');
    if (this.#wanted) void this.#queue();
  }

  /** Does whatever is due. */
  #pump(): void {
    if (this.#closed || this.#isCarrying) return;
    if (this.#state === 'stopping') this.#afterStop();
    if (this.#state === 'on') {
      const limits = this.#limits();
      this.#crew.pace(limits.throttle);
      this.#crew.resize(limits.pause !== undefined || this.#nothingUsable() ? 0 : limits.workers);
      if (this.#finishing && this.#crew.workers.every(({ hand }) => hand === undefined)) return this.pause();
      for (const worker of this.#crew.workers) {
        if (worker.hand !== undefined) continue;
        const block = this.#nextBlock();
        if (block === undefined) break;
        void this.#work(worker, block);
      }
    }
    this.#conversation.talk();
    this.#bringUpdate();
  }

  #limits(): Limits {
    const { conditions, defaultWorkers, maxWorkers } = this.#ports;
    const told = conditions?.now() ?? {};
    const now = Date.now();
    const snoozedUntil = this.#holdings.snoozedUntil;
    const settings = this.#settings;
    const at = { settings, conditions: told, snoozedUntil, now, defaultWorkers, maxWorkers };
    const { workers, throttle } = limitsOf({ ...at, isBusy: false });
    return limitsOf({ ...at, isBusy: this.#busy.isBusy(told.pressure, (workers * throttle) / maxWorkers, now) });
  }

  /** Forgets what kept it waiting. */
  #hurry(): void {
    this.#rescueAt = 0;
    this.#conversation.hurry();
    this.#unusable.clear();
    this.#loading.reset();
    this.#breaks = 0;
  }

  // ── blocks ────────────────────────────────────────────────────────────────────────────────────────────────────

  #likes(contest: Contest): boolean {
    const { manifest } = contest;
    return this.#ports.only?.includes(manifest.name) !== false && isWanted(this.#settings)(contest);
  }

  #usable(contest: Contest): boolean {
    return this.#likes(contest) && this.#isComputable(contest);
  }

  #isComputable({ manifest }: Contest): boolean {
    const unusable = this.#unusable.get(manifest.search.kind);
    return unusable === undefined || isDue(unusable.until);
  }

  #nothingUsable(): boolean {
    const { contests } = this.#holdings;
    return contests.length > 0 && !contests.some((contest) => this.#usable(contest));
  }

  /** Begun blocks first, then in the order of contests and units. */
  #nextBlock(): StoredBlock | undefined {
    if (this.#finishing || this.#updateWaits) return undefined;
    const inHand = new Set(this.#crew.workers.map(({ hand }) => hand?.lease.id));
    const order = new Map(this.#inOrder().map(({ manifest }, place) => [manifest.name, place]));
    const rank = ({ lease, checkpoint }: StoredBlock): number =>
      (checkpoint === undefined ? 1000 : 0) + (order.get(lease.contest) ?? 999);
    return [...this.#holdings.blocks.values()]
      .filter((block) => !inHand.has(block.lease.id) && (order.has(block.lease.contest) || this.#isToBeFinished(block)))
      .toSorted((a, b) => rank(a) - rank(b) || a.lease.first - b.lease.first)[0];
  }

  /** Begun, of a contest that the person wants no more. */
  #isToBeFinished({ lease, checkpoint }: StoredBlock): boolean {
    const contest = this.#holdings.contest(lease.contest);
    return checkpoint !== undefined && contest !== undefined && this.#isComputable(contest);
  }

  #wish(): ExchangeRequest['want'] {
    const { speeds, blocks, leases } = this.#holdings;
    const { pause, workers, throttle } = this.#limits();
    const holding = leases.slice(0, MAX_HOLDING);
    if (pause !== undefined || this.#finishing) return { blocks: 0, from: [], holding };
    const want = wanted({
      contests: this.#inOrder(),
      speeds: Object.fromEntries(Object.entries(speeds).map(([contest, speed]) => [contest, speed * throttle])),
      workers,
      seconds: this.#settings.stockHours * 3600,
      blocks: [...blocks.values()].map(({ lease }) => lease.contest),
    });
    return { ...want, holding };
  }

  /** The contests it can and may work on, in the order in which work is wanted. */
  #inOrder(): Contest[] {
    const usable = this.#holdings.contests.filter((contest) => this.#usable(contest));
    return this.#lottery.inOrder(preferred(usable, this.#settings));
  }

  async #work(worker: Worker, block: StoredBlock): Promise<void> {
    const contest = this.#holdings.contest(block.lease.contest);
    if (contest === undefined) return;
    const hand: Hand = { lease: block.lease, progress: undefined, stopping: false };
    worker.hand = hand;
    this.#emitSoon();
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
      // Where the next block is in hand already, it is shown once its work has begun.
      if (worker.hand === undefined) this.#emit();
    }
  }

  /** Between two blocks, or where nothing runs and nobody looks. */
  #bringUpdate(): void {
    const { renew } = this.#ports;
    const isIdle = this.#state === 'on' || (this.#state === 'off' && this.#ports.isVisible?.() === false);
    if (!this.#updateWaits || renew === undefined || !isIdle || !isDue(this.#renewAt)) return;
    if (this.#crew.workers.some(({ hand }) => hand !== undefined)) return;
    if (this.#isBringing) {
      // It did not come: work does not wait for it.
      this.#isBringing = false;
      this.#updateWaits = false;
      return this.#pump();
    }
    this.#isBringing = true;
    this.#renewAt = Date.now() + RENEW_MS;
    void this.checkpoint().then(() => renew());
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
    void loadOwnCheck();
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
        this.#holdings.guessSpeed(manifest.name, steps[kind].unitsPerSecond(chosen.stepsPerSecond));
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
    this.#emit();
    try {
      const request = { manifest, first, count, ...(checkpoint === undefined ? {} : { checkpoint }) };
      const began = performance.now();
      let isHeard = false;
      const outcome = await worker.handle.work(request, (progress) => {
        isHeard = true;
        worker.last = { kind, rate: progress.rate };
        this.#onProgress(worker, hand, progress);
      });
      // Of a block that was done sooner than its first progress.
      if (outcome.finished && !isHeard) {
        const rate = (1000 * (outcome.steps - (checkpoint?.steps ?? 0))) / Math.max(1, performance.now() - began);
        worker.last = { kind, rate };
      }
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
    const verdict = await ownCheck(manifest, report);
    if (!this.#holdings.blocks.has(lease.id)) return;
    if (!verdict.ok) return this.#giveBack(lease.id, `This machine computed a wrong result (${verdict.detail})`);
    await this.#holdings.finish(report);
    this.#holdings.noteOwnHits(lease.contest, verdict.hits);
    if (!isDue(this.#counter.retryAt)) this.#ports.onReportsWaiting?.();
  }

  /** Blocks of contests that the person wants no more; those begun are finished. */
  #giveBackUnwanted(): void {
    if (!this.#tabs.hasTurn || this.#settings.choice === 'keyserver') return;
    const inHand = new Set(this.#crew.workers.map(({ hand }) => hand?.lease.id));
    const unwanted = [...this.#holdings.blocks.values()].filter(({ lease, checkpoint }) => {
      const contest = this.#holdings.contest(lease.contest);
      const isBegun = checkpoint !== undefined || inHand.has(lease.id);
      return !isBegun && contest !== undefined && !isWanted(this.#settings)(contest);
    });
    for (const { lease } of unwanted) this.#conversation.release(lease.id);
    void this.#holdings.drop(unwanted.map(({ lease }) => lease.id));
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
    const voice = new KioskVoice(() => this.#ports.kiosk?.());
    return {
      kiosk: {
        isDue: () => voice.isDue(this.#snapshot),
        word: () => voice.word(this.#snapshot),
        said: () => voice.said(this.#snapshot),
      },
      get phase() {
        return phase();
      },
      likes: (contest) => this.#likes(contest),
      wish: () => this.#wish(),
      onFill: () => this.#lottery.redraw(),
      mayTalk: () => this.#limits().mayTalk,
      onStop: (reason) => {
        this.#want(false, reason);
        this.#tabs.tell({ stopped: reason });
      },
      notice: (text) => this.#notice(text),
      onReportsWaiting: () => this.#ports.onReportsWaiting?.(),
      onDead: (leases) => {
        for (const worker of this.#crew.workers) if (leases.includes(worker.hand?.lease.id ?? '')) stopWork(worker);
      },
      onEnd: () => {
        // With nothing in hand it is always between two blocks.
        if (this.#crew.workers.every(({ hand }) => hand === undefined)) this.#renew();
        this.#giveBackUnwanted();
        this.#pump();
        this.#emit();
      },
    };
  }

  // ── what it shows ─────────────────────────────────────────────────────────────────────────────────────────────

  #tick(): void {
    const { rate, step, pause } = this.#snapshot;
    if (pause === null || (pause.reason === 'another-tab' && rate > 0)) {
      this.#history.add({ at: Date.now(), rate, step });
      if (this.#tabs.hasTurn && Date.now() - this.#historyKeptAt >= KEEP_HISTORY_MS) this.#keepHistory();
    }
    for (const worker of this.#watchdog.tick(this.#crew.workers, Date.now())) {
      this.#crew.dismiss(worker);
      this.#onBroken(new Error('it was silent for a minute'));
    }
    if (this.#state === 'on') this.#emitSoon();
    if (this.#holdings.storageLoss !== undefined && isDue(this.#rescueAt)) void this.#rescue();
    this.#pump();
  }

  async #rescue(): Promise<void> {
    this.#rescueAt = Date.now() + RESCUE_MS;
    if (!(await this.#holdings.rescue(this.#tabs.hasTurn))) return;
    this.#notice('Storage is there again, and everything is kept as before.');
    this.#emit();
  }

  #keepHistory(): void {
    this.#historyKeptAt = Date.now();
    this.#holdings.keep('history', this.#history.kept);
  }

  #notice(text: string): void {
    this.#notices = [...this.#notices, { at: Date.now(), text }].slice(-MAX_NOTICES);
    this.#emitSoon();
  }

  /** Timers of a hidden tab are late; what its workers say is not. */
  #emitSoon(): void {
    if (this.#closed) return;
    if (Date.now() - this.#emittedAt > 1.5 * EMIT_MS) this.#emit();
    else this.#emitting ??= setTimeout(() => this.#emit(), EMIT_MS);
  }

  #emit(): void {
    clearTimeout(this.#emitting);
    this.#emitting = undefined;
    this.#emittedAt = Date.now();
    this.#snapshot = this.#look();
    if (this.#tabs.hasTurn) this.#tabs.tell({ snapshot: this.#snapshot });
    for (const listener of this.#listeners) listener(this.#snapshot);
  }

  #look(): EngineSnapshot {
    const { isWaiting, mirrored } = this.#tabs;
    if (this.#state === 'queued' && isWaiting && mirrored !== undefined) return mirrored;
    const { maxWorkers, defaultWorkers, storage, environment, conditions } = this.#ports;
    return view({
      environment,
      wanted: this.#wanted,
      everStarted: this.#everStarted,
      otherRuns: isWaiting,
      told: this.#conversation.messages,
      hands: this.#crew.workers.flatMap(({ hand }) => (hand === undefined || hand.stopping ? [] : [hand])),
      unusable: this.#unusable,
      finishing: this.#finishing,
      updateWaits: this.#updateWaits,
      settings: { ...this.#settings, workers: this.#settings.workers ?? defaultWorkers },
      conditions: conditions?.now() ?? {},
      limits: this.#limits(),
      maxWorkers,
      holdings: this.#holdings,
      counter: this.#counter,
      storage: this.#holdings.storageLoss ?? storage,
      notices: this.#notices,
    });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
