/**
 * The engines of one browser profile among themselves: one has its turn and runs; the others show how it goes, pass on
 * what a person does in them, and take over when it gives up its turn, is gone, is frozen, or a person wants so.
 */
import type { EnginePorts, TabMessage, Turn } from './ports.ts';
import type { EngineSnapshot } from './snapshot.ts';

/** The tab that runs tells how it goes once a second; one that is silent for so long is frozen. */
const SILENT_MS = 1_700;
/** … where nobody looks at the tab that notices it, which may be as sleepy itself. */
const SILENT_HIDDEN_MS = 30_000;
/** How long the tab that runs may take to keep everything before another takes its turn. */
const HAND_OVER_MS = 1_000;

/** The engine, as its tabs need it. */
export interface TabHost {
  /** Something was done in another tab, or the keyserver told another to stop. */
  onTold(message: Exclude<TabMessage, { snapshot: unknown } | { turn: unknown }>): void;
  /** How it goes elsewhere, or whether it does at all, has changed. */
  onOthers(): void;
  /** It should stop, keep everything, and then give up its turn: another tab wants it, or has taken it already. */
  onTurnWanted(): void;
}

export class Tabs {
  /** Another tab runs, and this one waits for its turn. */
  isWaiting = false;
  /** What that tab tells. */
  mirrored: EngineSnapshot | undefined;

  readonly #ports: Pick<EnginePorts, 'turns' | 'others' | 'isVisible'>;
  readonly #host: TabHost;
  #turn: Turn | undefined;
  /** Another tab wants the turn that this one has. */
  #isYielding = false;
  /** Until then it waits for the tab that runs to keep everything, and takes its turn. */
  #takingUntil = 0;
  #stealing: ReturnType<typeof setTimeout> | undefined;

  constructor(ports: Pick<EnginePorts, 'turns' | 'others' | 'isVisible'>, host: TabHost) {
    this.#ports = ports;
    this.#host = host;
    ports.others?.listen((message) => this.#hear(message));
  }

  get hasTurn(): boolean {
    return this.#turn !== undefined;
  }

  tell(message: TabMessage): void {
    this.#ports.others?.tell(message);
  }

  /** Resolves when it is this engine's turn. */
  async take(): Promise<void> {
    const turn = await this.#ports.turns.take(() => {
      this.isWaiting = true;
      this.#listenForSilence();
      this.#host.onOthers();
    });
    clearTimeout(this.#stealing);
    this.isWaiting = false;
    this.mirrored = undefined;
    this.#turn = turn;
    void turn.lost.then(() => {
      if (this.#turn === turn) this.#host.onTurnWanted();
    });
  }

  giveUp(): void {
    const turn = this.#turn;
    this.#turn = undefined;
    if (this.#isYielding) {
      // The tab that wants it takes it; were it given up, a third might be the next in the queue.
      this.tell({ turn: 'free' });
      setTimeout(() => turn?.giveUp(), HAND_OVER_MS);
    } else {
      turn?.giveUp();
    }
    this.#isYielding = false;
  }

  /** A person wants it to run here. */
  takeOver(): void {
    if (!this.isWaiting) return;
    this.tell({ turn: 'wanted' });
    this.#stealAfter(HAND_OVER_MS);
  }

  close(): void {
    clearTimeout(this.#stealing);
    this.#turn?.giveUp();
  }

  #hear(message: TabMessage): void {
    if ('snapshot' in message) this.#mirror(message.snapshot);
    else if (!('turn' in message)) this.#host.onTold(message);
    else if (message.turn === 'free' && this.#isTaking) this.#stealAfter(0);
    else if (message.turn === 'wanted' && this.hasTurn) {
      this.#isYielding = true;
      this.#host.onTurnWanted();
    }
  }

  #mirror(snapshot: EngineSnapshot): void {
    if (!this.isWaiting) return;
    const { pause } = snapshot;
    const isWorking = pause === null || pause.reason === 'starting';
    this.mirrored = { ...snapshot, pause: isWorking ? { reason: 'another-tab' } : pause };
    if (!this.#isTaking) this.#listenForSilence();
    this.#host.onOthers();
  }

  /** A tab that crashed or was closed has given up its turn; one that is frozen has not. */
  #listenForSilence(): void {
    clearTimeout(this.#stealing);
    const isVisible = this.#ports.isVisible?.() ?? true;
    this.#stealing = setTimeout(() => this.#ports.turns.steal(), isVisible ? SILENT_MS : SILENT_HIDDEN_MS);
  }

  get #isTaking(): boolean {
    return this.#takingUntil > Date.now();
  }

  #stealAfter(ms: number): void {
    this.#takingUntil = Date.now() + ms;
    clearTimeout(this.#stealing);
    this.#stealing = setTimeout(() => this.#ports.turns.steal(), ms);
  }
}
