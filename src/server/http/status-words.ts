/** The status page's words and figures: those of the PWA (`app/texts.ts`, `app/format.ts`), which the server cannot import. */
import type { Announcement, ContestState } from '../../domain/contest.ts';
import type { Status, UpstreamState } from '../../protocol/keyserver.ts';

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const long = new Intl.NumberFormat('en', {
  notation: 'compact',
  compactDisplay: 'long',
  minimumSignificantDigits: 3,
  maximumSignificantDigits: 3,
});

/** `12,345`, `17.6 trillion`. */
export const count = (n: number): string => (n >= 1e6 ? long.format(n) : grouped.format(n));

const plural = (n: number, one: string, many: string): string => `${count(n)} ${n === 1 ? one : many}`;

/** Never more than is true: 0.9999 is `99.9 %`. */
export function share(part: number, whole: number): string {
  const percent = whole > 0 ? (100 * part) / whole : 0;
  if (percent <= 0) return '0 %';
  if (percent >= 100) return '100 %';
  if (percent < 0.01) return 'under 0.01 %';
  const scale = percent < 1 ? 100 : 10;
  return `${(Math.floor(percent * scale + 1e-9) / scale).toFixed(percent < 1 ? 2 : 1)} %`;
}

/** In its two largest units: `8 s`, `3 min 20 s`, `1 h 05 min`, `2 d 3 h`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${two((seconds % 3600) / 60)} min`;
  return `${grouped.format(Math.floor(seconds / 86_400))} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

const clock = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** `25 Nov 2026, 14:05:09`, in UTC: the server does not know where its reader is. */
export const moment = (at: number): string => clock.format(at);

const UPSTREAMS: Record<UpstreamState['state'], string> = {
  unknown: 'Not asked yet',
  reached: 'Reached',
  unreachable: 'Does not answer',
};

export const words = {
  brand: 'Tabherd',
  keymaster: 'Keymaster',
  proxy: 'Proxy',
  summary: { open: 'Handing out work', closed: 'No contest is open', empty: 'No contest is offered' },
  upstreamsAway: 'No upstream answers',
  lead: ({ version, startedAt }: Status, now: number) => `Version ${version}, up for ${duration(now - startedAt)}.`,
  asOf: 'As of',
  refresh: 'Refresh every 30 seconds',
  stopRefreshing: 'Refreshed every 30 seconds: stop',

  contests: 'Contests',
  contestsNone: 'This keyserver offers no contest.',
  open: 'Open',
  closedBy: {
    hit: 'Closed: answer found',
    exhausted: 'Closed: searched to the end',
    operator: 'Closed for now by its operator',
  },
  contestProgress: (title: string) => `Progress of ${title}`,
  done: ({ done, units }: ContestState) => `${count(done)} of ${count(units)} units done`,
  enough: ({ done, units }: ContestState) => `The answer came after ${count(done)} of ${count(units)} units`,
  leased: (units: number) => `${plural(units, 'unit', 'units')} being searched`,
  rate: (hour: string, day: string) => `${hour} over the last hour, ${day} over the last day`,
  answer: 'Answer',
  answerOf: (hit: Announcement) => {
    if (hit.kind === 'found')
      return `Found on ${new Date(hit.at).toISOString().slice(0, 10)}${hit.by === undefined ? '' : ` by ${hit.by}`}; whoever set this contest keeps it`;
    return hit.kind === 'rc5' ? hit.message : `Ruler of ${hit.marks.length} marks, ${hit.marks.at(-1) ?? 0} long`;
  },

  stock: 'In stock',
  stockNone: 'Nothing is kept in stock yet.',
  stockBar: (contest: string, free: number, low: number, high: number) =>
    `${contest}: ${count(free)} units in stock; asks for more under ${count(low)}, up to ${count(high)}`,
  inStock: (free: number, high: number) => `${count(free)} of ${count(high)} units`,
  lowMark: (low: number) => `asks for more under ${count(low)}`,
  under: 'Under the low watermark',
  handedOut: (units: number) => `${plural(units, 'unit', 'units')} handed out`,
  waiting: (reports: number) => `${plural(reports, 'report', 'reports')} waiting`,

  upstreams: 'Upstreams',
  upstream: (state: UpstreamState['state']) => UPSTREAMS[state],
  lastAnswered: (ago: number) => `last answered ${duration(ago)} ago`,
  never: 'has not answered since the start',

  reports: 'Reports and clients',
  accepted: 'Accepted',
  duplicate: 'Duplicate',
  refused: 'Refused',
  clientsHour: 'Clients in the last hour',
  clientsKnown: 'Clients ever seen',

  errors: 'Last errors',
  errorsNone: 'None since the start.',

  json: 'The same as JSON',
  pools: 'Pools of gateways',
  footer: 'All times are UTC.',
} as const;
