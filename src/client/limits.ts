/**
 * How much may be computed now, and if nothing, why: the person's settings applied to what the platform tells. Pure, but
 * for `Hysteresis`, which remembers how long the machine has been busy.
 */
import { parseSchedule } from '../domain/schedule.ts';
import type { Settings } from './settings.ts';
import type { Pause } from './snapshot.ts';

/** What the platform tells of the machine; what it does not tell is absent. */
export interface Conditions {
  /** Running on battery, not charging. */
  onBattery?: boolean;
  /** Of the processors, by the Compute Pressure API's words. */
  pressure?: 'nominal' | 'fair' | 'serious' | 'critical';
  /** Somebody is using this machine. */
  inUse?: boolean;
  /** The network connection is paid by volume, or the person asked the browser to save data. */
  metered?: boolean;
  /** A widget that nobody can see: hidden, covered, cut off, too small. */
  unseen?: boolean;
  /** What the page around a widget allows. */
  most?: { workers?: number; throttle?: number };
}

export interface Limits {
  /** Why nothing may be computed; undefined: go on. */
  pause: Hold | undefined;
  workers: number;
  /** The share of the time in which each worker computes. */
  throttle: number;
  /** Whether the gateway may be called. */
  mayTalk: boolean;
}

export type Hold = Extract<Pause, { reason: 'unseen' | 'snoozed' | 'off-schedule' | 'on-battery' | 'in-use' | 'busy' }>;

export interface Situation {
  settings: Settings;
  conditions: Conditions;
  /** Until when the person wants peace, milliseconds since 1970. */
  snoozedUntil: number;
  /** By `Hysteresis`. */
  isBusy: boolean;
  /** Milliseconds since 1970. */
  now: number;
  defaultWorkers: number;
  maxWorkers: number;
}

export function limitsOf(situation: Situation): Limits {
  const { settings, conditions, defaultWorkers, maxWorkers } = situation;
  const less = conditions.inUse === true && settings.inUse === 'less';
  const { workers: mostWorkers = maxWorkers, throttle: mostThrottle = 1 } = conditions.most ?? {};
  const workers = Math.min(maxWorkers, mostWorkers, settings.workers ?? defaultWorkers);
  return {
    pause: holdOf(situation),
    workers: less ? Math.min(workers, settings.workersInUse) : workers,
    throttle: Math.min(mostThrottle, settings.throttle, less ? settings.throttleInUse : 1),
    mayTalk: conditions.metered !== true || settings.onMetered === 'same',
  };
}

/** The one that will last longest, or that only the person can end, comes first. */
function holdOf({ settings, conditions, snoozedUntil, isBusy, now }: Situation): Hold | undefined {
  if (conditions.unseen === true) return { reason: 'unseen' };
  if (snoozedUntil > now) return { reason: 'snoozed', until: snoozedUntil };
  const schedule = parseSchedule(settings.schedule);
  if (!schedule.isOpen(new Date(now))) {
    const until = schedule.nextChange(new Date(now))?.getTime();
    return { reason: 'off-schedule', ...(until === undefined ? {} : { until }) };
  }
  if (conditions.onBattery === true && settings.onBattery === 'pause') return { reason: 'on-battery' };
  if (conditions.inUse === true && settings.inUse === 'pause') return { reason: 'in-use' };
  if (isBusy && settings.whenBusy === 'pause') return { reason: 'busy' };
  return undefined;
}

/** The machine is called busy after so long at `critical`, and no more after so long at `fair` or less. */
const BUSY_AFTER_MS = 10_000;
const CALM_AFTER_MS = 30_000;
/** Each time that it was busy again soon after a calm, the next calm must last longer: fans should not pulse. */
const LONGEST_CALM_MS = 10 * 60_000;
const SOON_MS = 5 * 60_000;
/** Chromium says `critical` from nine tenths of all cores on: where more than this is our own, that says nothing. */
const MOST_LOAD = 0.75;

/**
 * Whether the machine is busy with other things, or hot. Pressure is that of the whole machine, our own work included: so
 * `critical` is listened to only where our own is not most of it.
 */
export class Hysteresis {
  #isBusy = false;
  /** Since when the pressure has been such that the state should change. */
  #since: number | undefined;
  #calmMs = CALM_AFTER_MS;
  #calmedAt = Number.NEGATIVE_INFINITY;

  /** @param load the share of all cores that our own workers use. */
  isBusy(pressure: Conditions['pressure'], load: number, now: number): boolean {
    const high = pressure === 'critical' && (this.#isBusy || load <= MOST_LOAD);
    const low = pressure === undefined || pressure === 'nominal' || pressure === 'fair';
    if (!(this.#isBusy ? low : high)) this.#since = undefined;
    else this.#since ??= now;
    if (this.#since === undefined || now - this.#since < (this.#isBusy ? this.#calmMs : BUSY_AFTER_MS)) {
      return this.#isBusy;
    }
    this.#since = undefined;
    this.#isBusy = !this.#isBusy;
    if (!this.#isBusy) this.#calmedAt = now;
    else if (now - this.#calmedAt < SOON_MS) this.#calmMs = Math.min(LONGEST_CALM_MS, 2 * this.#calmMs);
    else this.#calmMs = CALM_AFTER_MS;
    return this.#isBusy;
  }
}
