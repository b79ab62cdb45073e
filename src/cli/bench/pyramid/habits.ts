/**
 * When a client's person lets it work. The shares are assumptions, not measurements: a tenth of the machines are never
 * switched off, three in ten belong to an office, half to somebody's evening, and a tenth come by now and then. Half of
 * them live in Europe, three in ten in America, two in ten in East Asia, which is what makes an hour of the day a peak.
 */
import { drawn, exponential, normal, type Random } from '../random.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** `connected` false: the person is travelling; blocks are worked and reports kept. */
export interface Session {
  from: number;
  to: number;
  connected: boolean;
}

export interface Habits {
  kind: 'always' | 'office' | 'evening' | 'casual';
  sessions: Session[];
  /** After its last session it never comes back, whatever it holds: its browser profile is gone. */
  leaves: boolean;
}

/** One client in ten is given up each week, and one session in fifty has no network. */
const LEAVES_A_WEEK = 0.1;
const OFFLINE_SESSIONS = 0.02;
/** Breaks of a machine that always runs: updates, power cuts. */
const ALWAYS_HOURS = 60;

/** @param start a Monday, 0:00 UTC, milliseconds since 1970. */
export function habitsOf(random: Random, start: number, days: number): Habits {
  const zoneHours = drawn(random, [
    [5, 1],
    [3, -6],
    [2, 8],
  ]);
  const kind = drawn(random, [
    [1, 'always'],
    [3, 'office'],
    [5, 'evening'],
    [1, 'casual'],
  ] as const);
  const end = start + days * DAY_MS;
  const sessions: Session[] = [];
  const add = (from: number, hours: number): void => {
    const to = Math.min(end, from + hours * HOUR_MS);
    const earliest = Math.max(start, (sessions.at(-1)?.to ?? 0) + 60_000);
    const connected = random() >= OFFLINE_SESSIONS;
    if (to - Math.max(from, earliest) > 60_000) sessions.push({ from: Math.max(from, earliest), to, connected });
  };
  if (kind === 'always') {
    for (let at = start - random() * ALWAYS_HOURS * HOUR_MS; at < end; ) {
      const hours = exponential(random, ALWAYS_HOURS);
      add(at, hours);
      at += hours * HOUR_MS + exponential(random, HOUR_MS / 3);
    }
  } else {
    for (let day = -1; day <= days; day++) {
      const midnight = start + day * DAY_MS - zoneHours * HOUR_MS;
      const isWorkday = (day + 7) % 7 < 5;
      if (kind === 'office' && isWorkday && random() < 0.9) {
        add(midnight + (9 + 0.7 * normal(random)) * HOUR_MS, 8 + 0.8 * normal(random));
      } else if (kind === 'evening' && random() < (isWorkday ? 0.75 : 0.9)) {
        const hour = isWorkday ? 18.5 + 1.2 * normal(random) : 11 + 3 * normal(random);
        add(midnight + hour * HOUR_MS, Math.max(0.3, (isWorkday ? 3.5 : 6) + 1.5 * normal(random)));
      } else if (kind === 'casual' && random() < 0.35) {
        add(midnight + (9 + 13 * random()) * HOUR_MS, 0.1 + exponential(random, 0.7));
      }
    }
  }
  const leaves = random() < 1 - (1 - LEAVES_A_WEEK) ** (days / 7);
  if (leaves && sessions.length > 0) sessions.length = Math.ceil(random() * sessions.length);
  return { kind, sessions, leaves };
}

/** Threads: one less than the processor has, as the page does. */
export const workersOf = (random: Random): number =>
  drawn(random, [
    [45, 1],
    [40, 3],
    [15, 7],
  ]);

/** Keys a second of one worker: a median of 20 million, nine in ten between 9 and 45. */
export const keysPerSecondOf = (random: Random): number => 20e6 * Math.exp(0.5 * normal(random));
