/**
 * What a kiosk tells the keyserver of itself, and when. Every exchange carries it; where there is none for five minutes, or
 * it began or ceased to compute, there is one for this alone.
 */
import type { KioskWord } from '../domain/kiosk.ts';
import type { EngineSnapshot } from './snapshot.ts';

const EVERY_MS = 300_000;
/** What changes twice a minute is not worth a call each time. */
const SOON_MS = 30_000;

export class KioskVoice {
  /** Whether this is a kiosk by now, and what it is called; '': nothing. */
  readonly #label: () => string | undefined;
  readonly #openedAt = performance.now();
  #saidAt = Number.NEGATIVE_INFINITY;
  #said: string | undefined;

  constructor(label: () => string | undefined) {
    this.#label = label;
  }

  isDue(snapshot: EngineSnapshot): boolean {
    if (this.#label() === undefined) return false;
    // Not by the clock, which may be set.
    const ago = performance.now() - this.#saidAt;
    return ago >= EVERY_MS || (ago >= SOON_MS && this.#said !== stateOf(snapshot));
  }

  /** Undefined where this is no kiosk. */
  word(snapshot: EngineSnapshot): KioskWord | undefined {
    const label = this.#label();
    if (label === undefined) return undefined;
    const { pause, rate, step, blocks, totals, outBuffer } = snapshot;
    const contest = blocks[0]?.contest;
    return {
      ...(label === '' ? {} : { label }),
      rate: Math.max(0, Math.min(1e18, rate)),
      step,
      ...(contest === undefined ? {} : { contest }),
      ...(pause === null ? {} : { pause: pause.reason }),
      blocks: Object.values(totals).reduce((sum, total) => sum + total.blocks, 0) + outBuffer,
      upSeconds: Math.round((performance.now() - this.#openedAt) / 1000),
    };
  }

  /** The keyserver has it. */
  said(snapshot: EngineSnapshot): void {
    this.#saidAt = performance.now();
    this.#said = stateOf(snapshot);
  }
}

/** A first rate is news, too. */
const stateOf = ({ pause, rate }: EngineSnapshot): string => pause?.reason ?? (rate > 0 ? 'at work' : '');
