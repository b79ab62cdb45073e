/**
 * Spot checks: a small part of a report, chosen in secret, is done again by the keymaster's own core. One after the other, beside
 * everything else; where more are wanted than it can do, the oldest wait in vain, and that is counted.
 */
import type { SpotCheck } from '../../contests/kind.ts';
import type { ClientInfo } from '../../domain/client.ts';
import type { ContestManifest } from '../../domain/contest.ts';
import type { Report } from '../../domain/work.ts';
import type { Observer } from '../ledger/desk.ts';
import type { Log } from '../log.ts';

/** A core that does a part of a unit again. */
export interface Checker {
  /**
   * What is wrong with it, as half a sentence; undefined where it agrees.
   * @throws Error it could not be done: no core, or the thread died. Nobody is to blame.
   */
  check(manifest: ContestManifest, spot: SpotCheck): Promise<Checked>;
  close(): Promise<void>;
}

/** `undecided`: it would have taken too long, as where somebody claims more work than there is. */
export type Checked = 'agrees' | 'undecided' | { fault: string };

/** What became of a spot check; `broken`: it could not be done. */
export type SpotResult = 'agreed' | 'failed' | 'undecided' | 'broken' | 'dropped';

/** What of a report matters here. */
export type DoneWork = Pick<Report, 'contest' | 'first' | 'core' | 'evidence'>;

export interface Suspect {
  client: Pick<ClientInfo, 'id' | 'name' | 'team'>;
  manifest: ContestManifest;
  spot: SpotCheck;
  /** What is checked. */
  done: DoneWork;
  /** Somebody did it again already, and went another way. */
  isContradicted?: boolean;
  /** For the case, if there is one. */
  evidence: unknown;
}

export interface ChecksPorts {
  log: Log;
  checker?: Checker | undefined;
  observer?: Observer | undefined;
  onResult: (suspect: Suspect, checked: Checked) => void;
}

const MOST_WAITING = 1000;
/** In their reports: one of 256 may take more than a megabyte. */
const MOST_UNITS_WAITING = 32_768;

/** Half of a CPU at most: while many are new there is always something to check, and exchanges go first. */
class Rest {
  #end = (): void => {};

  take(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  end(): void {
    this.#end();
  }
}

export class Checks {
  readonly #ports: ChecksPorts;
  readonly #waiting: Suspect[] = [];
  #units = 0;
  #working: Promise<void> | undefined;
  readonly #rest = new Rest();
  #isClosed = false;
  /** Those that were done, and those that nobody had time for. */
  done = 0;
  dropped = 0;

  constructor(ports: ChecksPorts) {
    this.#ports = ports;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  take(suspect: Suspect): void {
    if (this.#ports.checker === undefined || this.#isClosed) return;
    this.#waiting.push(suspect);
    this.#units += suspect.done.evidence.length;
    while (this.#waiting.length > MOST_WAITING || this.#units > MOST_UNITS_WAITING) {
      this.#next();
      this.dropped += 1;
      this.#ports.observer?.spotChecked?.('dropped', 0);
    }
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Resolves when none waits. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#units = 0;
    this.#rest.end();
    await this.#ports.checker?.close();
    await this.#working;
  }

  #next(): Suspect | undefined {
    const suspect = this.#waiting.shift();
    this.#units -= suspect?.done.evidence.length ?? 0;
    return suspect;
  }

  async #work(): Promise<void> {
    const { checker, log, observer, onResult } = this.#ports;
    for (let suspect = this.#next(); suspect !== undefined; suspect = this.#next()) {
      const { manifest, spot } = suspect;
      const began = performance.now();
      try {
        const checked = await checker?.check(manifest, spot);
        if (checked === undefined) continue;
        this.done += 1;
        observer?.spotChecked?.(resultOf(checked), secondsSince(began));
        onResult(suspect, checked);
      } catch (err) {
        if (this.#isClosed) continue;
        observer?.spotChecked?.('broken', secondsSince(began));
        log.error({ err, contest: manifest.name }, 'a spot check could not be done');
      }
      if (this.#waiting.length > 0) await this.#rest.take(performance.now() - began);
    }
  }
}

function resultOf(checked: Checked): SpotResult {
  if (checked === 'agrees') return 'agreed';
  return checked === 'undecided' ? checked : 'failed';
}

const secondsSince = (began: number): number => (performance.now() - began) / 1000;
