/** What the page of the pools says, loaded with it. Elements are called gateways here: that is what they are to a visitor. */
import type { PolicyName, PoolEvent } from '../protocol/pools.ts';
import { formatClock, formatCount, formatDate, formatDuration } from './format.ts';
import { plural } from './texts.ts';

export const gateways = (count: number) => plural(count, 'gateway', 'gateways');
export const registrars = (count: number) => plural(count, 'registrar', 'registrars');

/** The names of RFC 5356, but for the last; and what each means, of a browser that asks where to go. */
const policies: Record<PolicyName, { name: string; means: string }> = {
  'round-robin': { name: 'Round Robin', means: 'Browsers go to each in turn.' },
  'weighted-round-robin': {
    name: 'Weighted Round Robin',
    means: 'Browsers go to each in turn, and the oftener to one the more weight it has.',
  },
  random: { name: 'Random', means: 'Browsers go to any, all alike.' },
  'weighted-random': {
    name: 'Weighted Random',
    means: 'Browsers go to any, and the oftener to one the more weight it has.',
  },
  priority: {
    name: 'Priority',
    means: 'Browsers go to the one of the highest priority, and to the others only while that is away.',
  },
  'least-used': { name: 'Least Used', means: 'Browsers go to the one with the least load.' },
  'least-used-degradation': {
    name: 'Least Used with Degradation',
    means: 'Browsers go to the one with the least load; each that was just sent there counts as some load already.',
  },
  'priority-least-used': {
    name: 'Priority Least Used',
    means: 'Browsers go to where the load would be least with one more of them.',
  },
  'randomized-least-used': {
    name: 'Randomized Least Used',
    means: 'Browsers go to any, and the oftener to one the less load it has.',
  },
  nearest: {
    name: 'Nearest',
    means: 'Browsers go to the one with the least load, where every millisecond on the way counts as load.',
  },
};

/** Who an event is about, as a person would call them. */
export interface Names {
  gateway: string;
  registrar: string;
  home: string;
}

const events: Record<PoolEvent['what'], (pool: string, names: Names) => string> = {
  joined: (pool, { gateway }) => `${gateway} joined ${pool}.`,
  left: (pool, { gateway }) => `${gateway} left ${pool}, as it was told to.`,
  silent: (pool, { gateway }) => `${gateway} fell silent, did not answer when it was asked, and is out of ${pool}.`,
  unreachable: (pool, { gateway }) =>
    `${gateway} could not be reached, by its clients nor by its registrar, and is out of ${pool}.`,
  moved: (pool, { gateway, home }) => `${gateway} of ${pool} has another home now: ${home}.`,
  takeover: (_pool, { registrar, home }) => `${home} took over the gateways of ${registrar}, which fell silent.`,
  'registrar-joined': (_pool, { registrar }) => `The registrar ${registrar} joined.`,
};

const gone: Record<'left' | 'silent' | 'unreachable' | 'gone', string> = {
  left: 'Left',
  silent: 'Fell silent',
  unreachable: 'Could not be reached',
  gone: 'Gone',
};

const SHOWN_DAY_MS = 12 * 3_600_000;

const seconds = (at: number): string => `${formatClock(at)}:${String(new Date(at).getSeconds()).padStart(2, '0')}`;

export const poolsTexts = {
  documentTitle: 'Pools · Tabherd',
  title: 'Pools',
  lead: 'The gateways of a pool stand in for each other: where one fails, browsers go on at the next. Registrars know who is in which pool, and look after them.',
  summary: (pools: number, all: number, registering: number) =>
    `${plural(pools, 'pool', 'pools')}, ${gateways(all)}, ${registrars(registering)}.`,
  live: (clock: string) => `As of ${clock}, asked for every 2 seconds.`,
  held: (clock: string) => `Held as of ${clock}.`,
  hold: 'Hold still',
  goOn: 'Go on',
  loading: 'Asking the gateway.',
  away: 'The gateway, or the registrar that it asks, does not answer.',
  keptSince: (clock: string) => `What is shown is of ${clock},`,
  ago: (age: number) => (age < 1 ? 'just now' : `${formatDuration(age)} ago`),

  noPools: 'This gateway has to do with no pool.',
  noPoolsWhat:
    'A pool is several gateways under one name. Browsers are told of all of them and turn to another where theirs fails, in the middle of a block if need be.',
  noPoolsHow:
    'Whoever runs this gateway makes one by these settings; the section “Pools” of the README tells the rest.',
  command: 'tabherd serve --registrar --pool-handle eu --pool-addresses https://keys.example',
  empty: 'No gateway is in a pool yet. It is shown here within seconds after it has registered.',

  registrars: 'Registrars',
  mode: (mode: 'peers' | 'shared', count: number) =>
    mode === 'shared'
      ? 'What they know is in a database that all of them share, so none needs to tell another.'
      : count === 1
        ? 'There is one, and nobody takes over from it. While it is away gateways go on, and register again when it is back.'
        : 'They tell each other what changes, and one takes over where another falls silent.',
  answers: 'answers here',
  heard: (age: string) => `heard of ${age}`,
  homeOf: (count: number) => (count === 0 ? 'home of no gateway' : `home of ${gateways(count)}`),
  number: (id: number) => `no. ${id}`,
  /** Of one whose address is not known (any more). */
  registrarNumber: (id: number) => `registrar no. ${id}`,

  policy: (kind: PolicyName) => policies[kind],
  rfc: (number: number) => `RFC 5356, 0x${number.toString(16).padStart(8, '0')}`,
  ownPolicy: (number: number) => `Tabherd’s own, 0x${number.toString(16).padStart(8, '0')}`,
  weight: (weight: number) => `weight ${weight}`,
  priority: (priority: number) => `priority ${priority}`,
  shown: (shown: number, of: number) =>
    shown < of ? `${formatCount(shown)} of ${gateways(of)} are shown.` : `${gateways(of)}.`,
  caption: (handle: string) => `Gateways of ${handle}`,

  gateway: 'Gateway',
  load: 'Load',
  home: 'Home',
  since: 'In the pool for',
  seen: 'Last heard of',
  selected: 'Selected',
  missed: 'Reported away',
  notes:
    'Load is how busy a gateway’s answers and processor are. Home is the registrar that looks after it. Selected counts how often the registrar that answers here named it first since it started; Reported away counts the browsers that could not reach it since it was last looked at, and three make the registrar look.',
  percent: (share: number) => `${Math.round(share * 100)} %`,
  for: (age: number) => formatDuration(age),
  gone: (why: keyof typeof gone, age: string) => `${gone[why]} ${age}`,

  events: 'Lately',
  eventsLead: 'As the registrar saw it that answers here.',
  eventsNone: 'Nothing has happened since the registrar that answers here was started.',
  older: (count: number) => plural(count, 'older event', 'older events'),
  event: ({ what, handle = '' }: PoolEvent, names: Names) => events[what](handle, names),
  /** With the day where it was another. */
  moment: (at: number, now: number) => (now - at < SHOWN_DAY_MS ? seconds(at) : `${formatDate(at)}, ${seconds(at)}`),
  clock: seconds,
  andMore: (count: number) => `And ${plural(count, 'more event', 'more events')}.`,
  answersNow: (registrar: string) => `Now the registrar ${registrar} answers.`,
} as const;
