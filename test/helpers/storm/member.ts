/**
 * One process of the storm, and whoever starts it again when it ends, as an operator's systemd does. It ends by our kill -9, or
 * by itself where it cannot start (its database is away, its disk is full); that it ends by itself once it served is a fault
 * of the keyserver, and kept with its last words.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const RESTART_MS = 300;
const WORDS = 4000;
/** What a proxy says whose report, acknowledged before, was refused above. */
const COMPLAINT = /the upstream refused/;

export class Member {
  readonly name: string;
  /** Starts that came to nothing. */
  vainStarts = 0;
  /** The last words of those that ended by themselves although they had served. */
  readonly crashes: string[] = [];
  /** Lines that it said and that must not be. */
  readonly complaints: string[] = [];
  /** All that it said, the latest of it. */
  words = '';
  readonly #script: string;
  readonly #order: () => unknown;
  readonly #onUp: (said: unknown) => void;
  readonly #onDown: () => void;
  readonly #onWord: (said: unknown) => void;
  readonly #restartMs: () => number;
  #child: ChildProcess | undefined;
  #isUp = false;
  #restarts = true;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: {
    name: string;
    script: string;
    /** Its argument, as it is at each start. */
    order: () => unknown;
    onUp?: (said: unknown) => void;
    onDown?: () => void;
    /** Anything that it sends after its first word, which says that it is up. */
    onWord?: (said: unknown) => void;
    /** How long it stays down. */
    restartMs?: () => number;
  }) {
    this.name = options.name;
    this.#script = options.script;
    this.#order = options.order;
    this.#onUp = options.onUp ?? (() => {});
    this.#onDown = options.onDown ?? (() => {});
    this.#onWord = options.onWord ?? (() => {});
    this.#restartMs = options.restartMs ?? (() => RESTART_MS);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  start(): void {
    const child = spawn(process.execPath, [this.#script, JSON.stringify(this.#order())], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.words = `${this.words}${line}\n`.slice(-WORDS);
        if (COMPLAINT.test(line)) this.complaints.push(line);
      });
    }
    child.once('message', (said) => {
      this.#isUp = true;
      this.#onUp(said);
      child.on('message', this.#onWord);
    });
    this.#ended = once(child, 'close').then(async () => {
      const hadServed = this.#isUp;
      this.#isUp = false;
      this.#onDown();
      if (child.signalCode !== 'SIGKILL') {
        if (!hadServed) this.vainStarts += 1;
        else if (child.exitCode !== 0) this.crashes.push(`${child.exitCode ?? child.signalCode}: ${this.words}`);
      }
      if (!this.#restarts) return;
      await sleep(this.#restartMs());
      if (this.#restarts) this.start();
    });
  }

  /** kill -9. False where there is nothing to kill at this moment. */
  kill(): boolean {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return false;
    this.#isUp = false;
    return child.kill('SIGKILL');
  }

  /** SIGSTOP, as a machine that hangs: its connections stay, and nothing answers. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  tell(word: string | number | object): void {
    if (this.#child?.connected === true) this.#child.send(word, () => {});
  }

  /** Nobody starts it again from now on. Resolves when it has ended; `kill` it, or wait. */
  async end({ kill }: { kill: boolean }): Promise<void> {
    this.#restarts = false;
    if (kill) this.#child?.kill('SIGKILL');
    // A restart may have been on its way.
    for (let ended: Promise<unknown> | undefined; ended !== this.#ended; ) {
      ended = this.#ended;
      await ended;
    }
  }
}
