/**
 * What the engine shows of itself: one plain, immutable value, made anew at every change (figures that tick:
 * once a second). The faces (PWA, command line, widget) draw this and call `EngineControl`; they know nothing else.
 */
import type { Announcement, Contest } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';
import type { Buffers } from './buffers.ts';
import type { Conditions } from './limits.ts';
import type { RateHistory } from './rate-history.ts';
import type { Settings } from './settings.ts';
import type { StorageLoss } from './storage-loss.ts';

/** Why nothing is being computed, and so what would end it. `null` while workers are at work. */
export type Pause =
  /** Nobody has pressed Start in this browser profile, or it was paused by the person. */
  | { reason: 'not-started' | 'by-you' }
  /** The keyserver asked this client to stop, and said why. Start goes on all the same. */
  | { reason: 'stopped'; detail: string }
  /** The person wants peace until then. */
  | { reason: 'snoozed'; until: number }
  /** Outside the hours in which the person lets it work; open again at `until`, if ever. */
  | { reason: 'off-schedule'; until?: number }
  /** As the person's settings say: on battery, while somebody uses the machine, while it is busy or hot. */
  | { reason: 'on-battery' | 'in-use' | 'busy' }
  /** A widget works only where it can be seen. */
  | { reason: 'unseen' }
  /** Every block in hand is done, and a newer version of the page is about to take over. */
  | { reason: 'updating' }
  /** Another tab of this browser runs the engine. */
  | { reason: 'another-tab' }
  /** Start was pressed; cores are being loaded and tested, or the first blocks fetched. */
  | { reason: 'starting' }
  /** The in-buffer is empty and the gateway does not answer; tried again at `retryAt`. */
  | { reason: 'unreachable'; retryAt: number }
  /** The gateway has no block to give now, or no open contest at all; asked again at `retryAt`. */
  | { reason: 'no-work' | 'all-closed'; retryAt: number }
  /** The stock is used up, and what the person chose keeps more from coming: the connection is metered, or no open contest is wanted. */
  | { reason: 'metered' | 'none-chosen' }
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
  /** RC5: the near matches so far, counted in keys from the block's first key; the latest of them. */
  nearMatches?: number[];
  /** OGR: where the marks stand that are placed now, 0 first. */
  marks?: number[];
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
  [contest: string]: {
    blocks: number;
    units: number;
    /** Which units: `runs.ts`. Absent of what was counted before they were kept. */
    runs?: number[];
  };
}

export interface Found {
  contest: string;
  hit: Announcement;
  /** True when this client's own report held it. */
  mine: boolean;
}

export interface Notice {
  at: number;
  /** A whole sentence for the person. */
  text: string;
}

/** Where the gateway in use is not the one that the client was given. */
export interface Through {
  /** Its address. */
  through: string;
  /** The one that it stands in for, which did not answer; absent where the pool chose it. */
  because?: string;
}

export interface EngineSnapshot {
  /** The person wants it to run (kept over reloads). */
  wanted: boolean;
  pause: Pause | null;
  /** It will pause when the blocks in hand are done. */
  finishing: boolean;
  /** A newer version of the page waits for the blocks in hand to be done. */
  updateWaits: boolean;
  /** With the number of workers that stands for none chosen. */
  settings: Settings & { workers: number };
  /** What the machine is known to do or have now. */
  conditions: Conditions;
  /** How many workers there may be now: by the settings, or fewer while the machine is in use. */
  workers: number;
  maxWorkers: number;
  /** The share of the time in which each computes now. */
  throttle: number;
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
  /** Of those: begun, and kept where they stopped. */
  begun: number;
  inBuffer: number;
  /** Reports waiting to be acknowledged. */
  outBuffer: number;
  totals: Totals;
  /** The units finished here, acknowledged or not, by contest: `runs.ts`. */
  own?: Record<string, number[]>;
  found: Found[];
  gateway: {
    /** Whether the last exchange was answered; `unknown` before the first. */
    state: 'unknown' | 'reached' | 'unreachable';
    /** When it last answered, milliseconds since 1970. */
    reachedAt?: number;
    /** The last error, as a sentence. */
    error?: string;
  } & Partial<Through>;
  /** Why nothing is kept now, and closing the tab would lose the blocks in hand; `kept` where it is. */
  storage: 'kept' | StorageLoss;
  /** Messages of the day from the keyserver, without those that the person has dismissed. */
  messages: string[];
  /** The keyserver gives new work to newer versions only, whatever is in stock here; null while it does not. */
  tooOld: { version?: string } | null;
  /** The newest last; at most 20. */
  notices: Notice[];
}

/** What a person may tell the engine, in whichever tab: it holds for all of this browser profile. */
export interface EngineCommands {
  /** Also ends a snooze, and what `finish` asked for. */
  start(): void;
  /** Stops computing after the slices in hand, about 15 ms; no work is lost. */
  pause(): void;
  /** Takes no new block, and pauses when those in hand are done. */
  finish(): void;
  /** Pauses until then, milliseconds since 1970, and goes on by itself. */
  snooze(until: number): void;
  /** Takes effect at once, and is remembered; what cannot be (10,000 workers) is as near to it as can be. */
  configure(change: Partial<Settings>): void;
  /** Forgets how the cores did, and puts them to their known answers and times them again. */
  measureCores(): void;
  /** Asks the gateway now instead of at `retryAt`. */
  retry(): void;
  /** Shows a message of the day no more. */
  dismiss(message: string): void;
}

/** One of them, as it is told to the other tabs. */
export type EngineCommand = {
  [Name in keyof EngineCommands]: { name: Name; args: Parameters<EngineCommands[Name]> };
}[keyof EngineCommands];

export interface EngineControl extends EngineCommands {
  readonly snapshot: EngineSnapshot;
  /** Calls back after every change; returns the way to stop it. */
  subscribe(listener: (snapshot: EngineSnapshot) => void): () => void;
  /** How fast it was, in this browser profile; not in the snapshot, because it is much and changes little. */
  readonly history: Pick<RateHistory, 'of'>;
  /**
   * Lets something be done with the buffers while nobody works on them, and goes on with what they hold then.
   * @throws Error another tab runs the engine.
   */
  carry<T>(use: (buffers: Buffers) => Promise<T>): Promise<T>;
  /**
   * Gives blocks back and stops, here and in all tabs, so that `destroy` can delete what is kept; the page is then to be
   * loaded anew.
   */
  erase(destroy: () => Promise<void>): Promise<void>;
  /** Where another tab runs the engine: it stops, and this one goes on. */
  takeOver(): void;
}
