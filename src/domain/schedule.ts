/**
 * When a client may work, or a proxy speak with its upstream: windows of the week in the machine's local time, such as
 * `mon-fri 22:00-06:00`. A window whose end is not after its beginning goes on into the next day, and belongs to the day it
 * began on. No days: all of them. No windows: always.
 */

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

export interface Window {
  /** By number as `Date` has them: 0 is Sunday. */
  days: ReadonlySet<number>;
  /** Minutes of the day, 0…1440. */
  from: number;
  to: number;
}

export interface Schedule {
  isOpen(at: Date): boolean;
  /** When it opens if it is closed then, and closes if it is open; undefined where it never does. */
  nextChange(at: Date): Date | undefined;
}

/** @throws TypeError a window is in no known form; the message names it. */
export function parseSchedule(texts: readonly string[]): Schedule {
  const windows = texts.map(parseWindow);
  const isOpen = (at: Date): boolean =>
    windows.length === 0 ||
    windows.some((window) => isWithin(window, at.getDay(), at.getHours() * 60 + at.getMinutes()));
  return { isOpen, nextChange: (at) => edgesAfter(windows, at).find((edge) => isOpen(edge) !== isOpen(at)) };
}

/** Every time of the next eight days at which a window begins or ends, the earliest first. */
function edgesAfter(windows: readonly Window[], at: Date): Date[] {
  const edges = windows.flatMap(({ from, to }) =>
    Array.from({ length: 9 }, (_, day) =>
      [from, to].map((minute) => new Date(at.getFullYear(), at.getMonth(), at.getDate() + day, 0, minute)),
    ).flat(),
  );
  return edges.filter((edge) => edge > at).toSorted((a, b) => a.getTime() - b.getTime());
}

function isWithin({ days, from, to }: Window, day: number, minute: number): boolean {
  if (from < to) return days.has(day) && minute >= from && minute < to;
  return (days.has(day) && minute >= from) || (days.has((day + 6) % 7) && minute < to);
}

/** @throws TypeError it is in no known form; the message says so. */
export function parseWindow(text: string): Window {
  const [, days, fromHour, fromMinute, toHour, toMinute] =
    /^(?:([a-z,-]+)\s+)?(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)$/.exec(text.trim().toLowerCase()) ?? [];
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const to = Number(toHour) * 60 + Number(toMinute);
  const inDay = Number(fromMinute) < 60 && Number(toMinute) < 60 && from < 1440 && to <= 1440;
  const named = days === undefined ? new Set(DAYS.keys()) : daysOf(days);
  if (!inDay || named === undefined) {
    throw new TypeError(`"${text}" is no window like "mon-fri 22:00-06:00", "sat,sun 00:00-24:00" or "22:00-06:00"`);
  }
  return { days: named, from, to };
}

function daysOf(text: string): Set<number> | undefined {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first = '', last = first, ...more] = part.split('-');
    const from = DAYS.indexOf(first);
    const to = DAYS.indexOf(last);
    if (from < 0 || to < 0 || more.length > 0) return undefined;
    // Over the end of the week, too: `fri-mon`.
    for (let day = from; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === to) break;
    }
  }
  return days;
}
