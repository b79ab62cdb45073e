/**
 * Numbers as a person reads them. Everything keeps about three significant digits and a steady width, so that a
 * figure that ticks every second does not make its neighbours jump. Digits are formatted for English whatever the
 * browser's language is: the sentences around them are English too (`texts.ts`).
 */

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A figure and what it counts, so that they can be set in different sizes. */
export interface Quantity {
  value: string;
  unit: string;
}

/** Three significant digits, trailing zeros kept: 9.60, 25.1, 104. Values of 1000 and more come out whole. */
function threeDigits(value: number): string {
  if (value >= 99.95) return grouped.format(value);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];

/** 25 100 000 keys a second is { value: '25.1', unit: 'Mkeys/s' }; nothing is { value: '0', unit: 'keys/s' }. */
export function rateParts(perSecond: number, step: 'keys' | 'nodes'): Quantity {
  if (!(perSecond > 0)) return { value: '0', unit: `${step}/s` };
  let scaled = perSecond;
  let prefix = 0;
  // 999.5 and not 1000: it would be shown as "1,000".
  while (scaled >= 999.5 && prefix < prefixes.length - 1) {
    scaled /= 1000;
    prefix += 1;
  }
  const value = prefix === 0 ? grouped.format(scaled) : threeDigits(scaled);
  return { value, unit: `${prefixes[prefix] ?? ''}${step}/s` };
}

/** `25.1 Mkeys/s`. */
export function formatRate(perSecond: number, step: 'keys' | 'nodes'): string {
  const { value, unit } = rateParts(perSecond, step);
  return `${value} ${unit}`;
}

/** A rate on the axis of the plot, without its unit: `0`, `500 k`, `25 M`. */
export function formatAxis(perSecond: number): string {
  if (perSecond < 1) return '0';
  const power = Math.min(prefixes.length - 1, Math.floor(Math.log10(perSecond) / 3));
  return `${Number((perSecond / 1000 ** power).toPrecision(3))} ${prefixes[power] ?? ''}`.trim();
}

const scales = [
  { from: 1e18, word: 'quintillion' },
  { from: 1e15, word: 'quadrillion' },
  { from: 1e12, word: 'trillion' },
  { from: 1e9, word: 'billion' },
  { from: 1e6, word: 'million' },
];

/** Whole things: `16`, `12,345`, `17.6 trillion` (2^44). */
export function formatCount(count: number): string {
  for (const { from, word } of scales) {
    if (count >= from) return `${threeDigits(count / from)} ${word}`;
  }
  return grouped.format(count);
}

/** `0.1`, `8.8`, `1,234`: a few points are told to a tenth. */
export function formatPoints(points: number): string {
  if (points === 0) return '0';
  if (points < 0.05) return 'under 0.1';
  return points < 99.95 ? points.toFixed(1) : formatCount(points);
}

/** A share of one as a percentage that never claims more than is true: 0.9999 is `99.9 %`, 1e-12 `under 0.01 %`. */
export function formatShare(share: number): string {
  if (!(share > 0)) return '0 %';
  if (share >= 1) return '100 %';
  const percent = share * 100;
  if (percent < 0.01) return 'under 0.01 %';
  const digits = percent < 1 ? 2 : 1;
  const scale = 10 ** digits;
  return `${(Math.floor(percent * scale + 1e-9) / scale).toFixed(digits)} %`;
}

/** A length of time in its two largest units: `8 s`, `3 min 20 s`, `1 h 05 min`, `2 d 3 h`, `58 years`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'for ever';
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${two(minutes % 60)} min`;
  const days = Math.floor(hours / 24);
  if (days < 730) return `${grouped.format(days)} d ${hours % 24} h`;
  return `${formatCount(Math.round(days / 365.25))} years`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

const raised: Record<string, string> = {
  0: '⁰',
  1: '¹',
  2: '²',
  3: '³',
  4: '⁴',
  5: '⁵',
  6: '⁶',
  7: '⁷',
  8: '⁸',
  9: '⁹',
};

/** Manifests write powers in ASCII: `2^72` becomes `2⁷²`. */
export function formatPowers(text: string): string {
  return text.replace(/(?<=\d)\^(\d+)/g, (_, digits: string) =>
    digits.replace(/./g, (digit) => raised[digit] ?? digit),
  );
}

/** Bytes in hexadecimal, spaced in pairs: `05 9a c5 …`. */
export function formatHex(hex: string): string {
  return hex.replace(/(..)(?=.)/g, '$1 ');
}

/** The time of day of a moment in milliseconds since 1970, in the reader's own time zone: `14:05`. */
export function formatClock(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

const day = { day: 'numeric', month: 'short', year: 'numeric' } as const;
let dates: Intl.DateTimeFormat | undefined;
let utcDates: Intl.DateTimeFormat | undefined;

/** The day of a moment, where the reader is: `3 Mar 2026`. To make the first takes some 20 ms, which the first screen need not wait for. */
export function formatDate(at: number): string {
  dates ??= new Intl.DateTimeFormat('en-GB', day);
  return dates.format(at);
}

/** A day of the ledger, which is UTC's. */
export function formatUtcDate(at: number): string {
  utcDates ??= new Intl.DateTimeFormat('en-GB', { ...day, timeZone: 'UTC' });
  return utcDates.format(at);
}
