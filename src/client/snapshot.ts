/**
 * What the engine shows of itself: one plain, immutable value, made anew at every change (figures that tick:
 * once a second). The faces (PWA, command line, widget) draw this and call `EngineControl`; they know nothing else.
 */
import type { Contest, Hit } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';

/** Why nothing is being computed, and so what would end it. `null` while workers are at work. */
export type Pause =
  /** Nobody has pressed Start in this browser profile, or it was paused by the person. */
  | { reason: 'not-started' | 'by-you' }
  /** The keyserver asked this client to stop, and said why. Start goes on all the same. */
  | { reason: 'stopped'; detail: string }
  /** Another tab of this browser runs the engine. */
  | { reason: 'another-tab' }
  /** Start was pressed; cores are being loaded and tested, or the first blocks fetched. */
  | { reason: 'starting' }
  /** The in-buffer is empty and the gateway does not answer; tried again at `retryAt`. */
  | { reason: 'unreachable'; retryAt: number }
  /** The gateway has no block to give now (all leased, or all contests closed); asked again at `retryAt`. */
  | { reason: 'no-work'; retryAt: number }
  /** The stock is used up, and the keyserver asked not to be called before `until`. */
  | { reason: 'told-to-wait'; until: number }
  /** The stock is used up, and the keyserver gives new work to newer versions only: `version` or later, where it said. */
  | { reason: 'too-old'; version?: string }
  /** No core gave the known answers on this machine, or none could be loaded. */
  | { reason: 'no-core'; detail: string };

/** A block that a worker has in hand. */
export interface BlockProgress {
  lease: string;
  contest: string;
  first: number;
  count: number;
  /** The unit being searched, as the contest numbers it. */
  unit: number;
  /** 0…1 of the whole block. */
  fraction: number;
  /** Keys or nodes a second, lately. */
  rate: number;
  /** Keys or nodes done in this block, checkpoints of earlier visits included. */
  steps: number;
  /** Seconds until the block is done at this rate; absent while unknown. */
  secondsLeft?: number;
}

/** A point of the rate plot. */
export interface RateSample {
  /** Milliseconds since 1970. */
  at: number;
  /** Keys or nodes a second, all workers together. */
  rate: number;
  step: 'keys' | 'nodes';
}

/** What this client has had acknowledged, by contest. */
export interface Totals {
  [contest: string]: { blocks: number; units: number };
}

export interface Found {
  contest: string;
  hit: Hit;
  /** True when this client's own report held it. */
  mine: boolean;
}

export interface Notice {
  at: number;
  /** A whole sentence for the person. */
  text: string;
}

export interface EngineSnapshot {
  /** The person wants it to run (kept over reloads). */
  wanted: boolean;
  pause: Pause | null;
  workers: number;
  maxWorkers: number;
  /** Keys or nodes a second, all workers together; 0 while paused. */
  rate: number;
  /** What `rate` counts: of the contest being worked. */
  step: 'keys' | 'nodes';
  blocks: BlockProgress[];
  /** How each core did on this machine, those of a kind together; empty until one was needed. */
  cores: (CoreReport & { step: 'keys' | 'nodes' })[];
  /** Empty until the gateway was reached once. */
  contests: Contest[];
  /** Blocks waiting to be worked, those in hand not counted. */
  inBuffer: number;
  /** Reports waiting to be acknowledged. */
  outBuffer: number;
  totals: Totals;
  found: Found[];
  gateway: {
    /** Whether the last exchange was answered; `unknown` before the first. */
    state: 'unknown' | 'reached' | 'unreachable';
    /** When it last answered, milliseconds since 1970. */
    reachedAt?: number;
    /** The last error, as a sentence. */
    error?: string;
  };
  /** `memory`: this browser keeps nothing; closing the tab loses the block in hand. */
  storage: 'kept' | 'memory';
  /** Messages of the day from the keyserver, without those that the person has dismissed. */
  messages: string[];
  /** The keyserver gives new work to newer versions only, whatever is in stock here; null while it does not. */
  tooOld: { version?: string } | null;
  /** The newest last; at most 20. */
  notices: Notice[];
  /** The last ten minutes, oldest first, a sample a second. */
  history: RateSample[];
}

export interface EngineControl {
  readonly snapshot: EngineSnapshot;
  /** Calls back after every change; returns the way to stop it. */
  subscribe(listener: (snapshot: EngineSnapshot) => void): () => void;
  start(): void;
  /** Stops computing after the slices in hand, about 40 ms; no work is lost. */
  pause(): void;
  /** 1…maxWorkers; takes effect at once, and is remembered. */
  setWorkers(count: number): void;
  /** Forgets how the cores did, and puts them to their known answers and times them again. */
  measureCores(): void;
  /** Asks the gateway now instead of at `retryAt`. */
  retry(): void;
  /** Shows a message of the day no more, in this browser profile. */
  dismiss(message: string): void;
}
