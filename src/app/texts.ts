/**
 * Every sentence the page shows, in one place, so that a second language is a second object of this shape.
 * Sentences say what is so and, where something is missing, what would change it. Contest titles and descriptions
 * are not here: they come with the contest's manifest.
 */
import type { Span } from '../client/rate-history.ts';
import type { Pause } from '../client/snapshot.ts';
import type { CoreReport } from '../domain/core-report.ts';
import { formatCount, formatDate, formatDuration, formatPoints, formatShare } from './format.ts';

export const plural = (count: number, one: string, many: string) => `${formatCount(count)} ${count === 1 ? one : many}`;
export const blocks = (count: number) => plural(count, 'block', 'blocks');
export const reports = (count: number) => plural(count, 'report', 'reports');

type Reason = Pause['reason'];

/** The word above the title. */
const states: Record<Reason | 'running', string> = {
  running: 'Running',
  'not-started': 'Not started',
  'by-you': 'Paused by you',
  stopped: 'Told to stop',
  'another-tab': 'Running in another tab',
  snoozed: 'Snoozed',
  'off-schedule': 'Outside your hours',
  'on-battery': 'Paused on battery',
  'in-use': 'Paused while you work',
  unseen: 'Paused: not in sight',
  busy: 'Paused, the machine is busy',
  starting: 'Starting',
  unreachable: 'Waiting for the gateway',
  'no-work': 'Waiting for work',
  'all-closed': 'Every contest is closed',
  updating: 'Updating',
  metered: 'Waiting for another network',
  'none-chosen': 'No contest is chosen',
  'told-to-wait': 'Told to wait',
  'too-old': 'Update needed',
  'no-core': 'Cannot run here',
};

const coreStates: Record<CoreReport['state'], string> = {
  chosen: 'In use',
  slower: 'Right, slower here',
  wrong: 'Wrong here, never used',
  unsupported: 'Not in this browser',
};

interface PauseFacts {
  workers: number;
  cores: number;
  /** Seconds until the gateway is asked again. */
  seconds: number;
  /** The least version that the keyserver gives work to, where it said. */
  version: string | undefined;
}

const again = (seconds: number) =>
  seconds > 0 ? `It is asked again in ${formatDuration(seconds)}` : 'It is being asked';

const needed = (version: string | undefined) =>
  version === undefined ? 'newer versions of Tabherd' : `Tabherd ${version} or newer`;

/** Why nothing is being computed, and what would end it. */
const pauses: Record<Reason, (facts: PauseFacts) => string> = {
  'not-started': ({ workers, cores }) =>
    `Press Start and ${workers} of your ${plural(cores, 'core', 'cores')} will search, here in this tab, until you say stop. Nothing runs before you press it.`,
  'by-you': () => 'Nothing is being computed. Press Start and it goes on exactly where it stopped.',
  stopped: () =>
    'The keyserver asked this browser to stop, so nothing is being computed. What is begun is kept; press Start to go on all the same.',
  'another-tab': () =>
    'Another tab of this browser does the work; this one shows how it goes, and takes over when that one is closed.',
  snoozed: ({ seconds }) => `Nothing is being computed. Work goes on by itself in ${formatDuration(seconds)}.`,
  'off-schedule': ({ seconds }) =>
    seconds > 0
      ? `Your schedule leaves this time to others. Work goes on by itself in ${formatDuration(seconds)}.`
      : 'Your schedule has no hours left in which to work. Change it in the settings and work goes on.',
  'on-battery': () => 'This machine runs on battery. Work goes on by itself when it is plugged in.',
  unseen: () => 'It works where it can be seen, and goes on by itself.',
  'in-use': () => 'Somebody is using this machine. Work goes on by itself a minute after the last key or touch.',
  busy: () =>
    'Something else needs this machine’s processor, or it is hot. Work goes on by itself when it has been calm for a while.',
  starting: () => 'Testing this machine against known answers and fetching the first blocks. That takes a few seconds.',
  unreachable: ({ seconds }) =>
    `The stock of blocks is used up and the gateway does not answer. ${again(seconds)}, and work goes on when it answers.`,
  'no-work': ({ seconds }) =>
    `The gateway has no block to give at the moment. ${again(seconds)}, and work goes on when it has one.`,
  'all-closed': ({ seconds }) =>
    `Every contest of this keyserver is closed. ${again(seconds)}, and work goes on when one opens.`,
  updating: () => 'A newer version of this page takes over, and work goes on by itself in a few seconds.',
  metered: () =>
    'The stock of blocks is used up, and this connection is metered, over which nothing is fetched. Work goes on over another one, or when the settings allow this one.',
  'none-chosen': () =>
    'You want to work on none of the contests that are open. Choose one in the settings and work goes on.',
  'told-to-wait': ({ seconds }) =>
    `The stock of blocks is used up, and the gateway asked not to be called for a while. ${again(seconds)}.`,
  'too-old': ({ version }) =>
    `The keyserver gives new blocks only to ${needed(version)}. Finished blocks are still reported; update this page and work goes on.`,
  'no-core': () =>
    'This machine does not compute what it should, so it gets no work: wrong answers would help nobody. Another browser, or a newer version of this one, may do better.',
};

export const texts = {
  brand: 'Tabherd',
  cannotStart: (why: string) => `Tabherd cannot start in this browser: ${why}`,
  /** What the browser's own tab says. */
  documentTitle: (state: string) => `${state} · Tabherd`,
  welcome: 'Lend a browser tab to a long search.',
  notFound: 'There is nothing at this address.',
  toTheSearch: 'Go to the search',
  nothingToSearch: 'Nothing to search yet',
  state: (pause: Pause | null) => states[pause?.reason ?? 'running'],
  pause: (reason: Reason, facts: PauseFacts) => pauses[reason](facts),
  /** The same without the countdown, for the live region: it must not speak every second. */
  announce: (pause: Pause | null, title: string, { offline, tooOld }: { offline: boolean; tooOld: boolean }) =>
    [
      `${states[pause?.reason ?? 'running']}.`,
      pause === null && `${title}.`,
      offline && 'The gateway does not answer.',
      tooOld && pause?.reason !== 'too-old' && `${states['too-old']}.`,
    ]
      .filter(Boolean)
      .join(' '),
  start: 'Start',
  pauseButton: 'Pause',
  goOn: 'Go on now',
  takeOver: 'Run it here',
  snooze: 'Snooze',
  snoozeHours: (hours: number) => `For ${plural(hours, 'hour', 'hours')}`,
  snoozeTomorrow: (clock: string) => `Until tomorrow, ${clock}`,
  finish: 'Finish, then pause',
  finishing: 'It takes no new block, and pauses when those in hand are done.',
  keepGoing: 'Keep going',
  askNow: 'Ask now',
  tryAgain: 'Try again',
  reload: 'Reload and test again',
  loadAgain: 'Load again',
  updateNow: 'Update now',
  detail: 'What went wrong',
  reason: 'Its reason',

  gateway: {
    unknown: 'Gateway not asked yet',
    reached: 'Gateway reached',
    unreachable: 'Gateway does not answer',
    lastReached: (ago: number) => `last answered ${formatDuration(ago)} ago`,
    through: (through: string, because: string | undefined) =>
      `through ${hostOf(through)}${because === undefined ? '' : `, because ${hostOf(because)} does not answer`}`,
  },
  offline: (inBuffer: number, outBuffer: number) =>
    `You are offline, or the gateway is. ${
      inBuffer > 0 ? `Work goes on with the ${blocks(inBuffer)} in stock` : 'Work goes on with the last blocks in hand'
    }${outBuffer > 0 ? `; the ${reports(outBuffer)} waiting will be sent when it answers again.` : '; reports will be sent when it answers again.'}`,
  tooOld: (version: string | undefined) =>
    `The keyserver gives new blocks only to ${needed(version)}. Those in stock are still worked and reported.`,
  updateWaits:
    'A newer version of this page is here. It takes over when the blocks in hand are done; nothing is lost if it does so now.',
  storage: {
    full: 'There is no room left to keep anything. Work goes on, but until some room is made closing the tab loses the blocks in hand and the reports that wait.',
    gone: 'What this page had stored was deleted. Work goes on from memory, and it is tried to store everything again.',
    newer:
      'A newer version of this page has used this browser, and its storage is not for this one. Load the page again; until then closing the tab loses its work.',
    blocked:
      'Another tab of this page holds the storage. Close the other tabs and load this one again; until then closing it loses its work.',
    refused:
      'This browser lets the page keep nothing. It works all the same, but closing the tab loses the blocks in hand and the reports that wait.',
  },

  messages: 'Messages from the keyserver',
  moreMessages: (count: number) => plural(count, 'more message', 'more messages'),
  dismiss: (message: string) => `Dismiss this message: ${message}`,
  dismissShort: 'Dismiss',

  rate: 'Rate',
  rateNow: 'now, all workers together',
  history: 'Rate over time',
  historySpans: { minute: 'Minute', hour: 'Hour', day: 'Day', month: 'Month' },
  historyEmpty: (span: Span) => `The last ${span} will be drawn here.`,
  historyNone: (span: Span) => `Nothing was computed here in the last ${span}.`,
  historyOther: (step: 'keys' | 'nodes') => `grey: ${step}/s, not to this scale`,
  historySummary: (span: Span, now: string, highest: string) =>
    `Rate over the last ${span}: now ${now}, at most ${highest}.`,
  /** Of the oldest and the middle of the plot. */
  historyAgo: {
    minute: ['1 min ago', '30 s'],
    hour: ['1 h ago', '30 min'],
    day: ['24 h ago', '12 h'],
    month: ['31 days ago', '15 days'],
  },
  now: 'now',

  inHand: 'In hand',
  inHandNone: 'No block in hand.',
  inHandBegun: (count: number) =>
    count === 1
      ? 'One block was begun. It goes on from where it stopped.'
      : `${count} blocks were begun. They go on from where they stopped.`,
  worker: (number: number) => `Worker ${number}`,
  waitingForBlock: 'waits for a block',
  unit: (unit: string, nth: number, count: number) => `unit ${unit}${count > 1 ? ` (${nth} of ${count})` : ''}`,
  blockProgress: (worker: number, contest: string) => `Worker ${worker}: progress of its ${contest} block`,
  left: (seconds: number) => `${formatDuration(seconds)} left`,
  leftUnknown: 'time left unknown',

  picture: {
    title: 'The search',
    keysInSight: 'keys in sight',
    sight: 'What is in sight',
    whole: 'Whole key space',
    unit: 'My unit',
    closer: 'Closer',
    farther: 'Farther',
    none: '–',
    unitNow: 'Unit being searched',
    searched: 'Searched so far',
    nearMatches: 'Near matches in hand',
    own: 'Done by this browser',
    done: 'Done by all',
    units: (count: number) => plural(count, 'unit', 'units'),
    of: (count: number, all: number) => `${formatCount(count)} of ${formatCount(all)} units`,
    legend: 'What the inks mean',
    keys: {
      hand: 'in hand',
      own: 'done by this browser',
      done: 'done by all',
      leased: 'handed out',
      near: 'near match',
      fixed: 'marks of the stub',
      trying: 'marks being tried',
      distances: 'distances measured, no two alike',
      best: 'best ruler found, below',
    },
    placed: 'Marks placed',
    depth: (count: number, all: number) => `${count} of ${all}`,
    lengthNow: 'Length so far',
    best: 'Best ruler found',
    noBest: (most: number) => `none up to ${most} yet`,
    long: (length: number) => `${length} long`,
    /** In words, for those who do not see it. */
    map: (contest: string, units: number, done: number, own: number) =>
      `Map of the keys of ${contest}. ${formatCount(done)} of ${formatCount(units)} units are done, ${formatCount(own)} of them by this browser.`,
    mapHand: (unit: number, share: string, near: number) =>
      `Unit ${unit.toLocaleString('en')} is being searched here: ${share}, with ${plural(near, 'near match', 'near matches')} in the block.`,
    ruler: (contest: string) => `The ruler being tried for ${contest}.`,
    rulerHand: (count: number, all: number, length: number) => `${count} of ${all} marks stand, the last at ${length}.`,
    rulerNone: (most: number) => `Sought is one no longer than ${most}.`,
    rulerBest: (length: number) => `The best ruler found is ${length} long.`,
  },

  thisBrowser: 'This browser',
  blocksDone: 'Blocks done',
  reportsWaiting: 'Reports waiting',
  inStock: 'Blocks in stock',
  workers: 'Workers',
  workersOf: (count: number, most: number) => `${count} of ${most}`,
  fewer: 'One worker fewer',
  more: 'One worker more',

  notLoaded: (why: string) => `This part of the page could not be loaded: ${why}. Load the page again.`,

  settings: {
    title: 'Settings',
    open: 'Change how much, when and what is computed',
  },

  nav: 'Pages',
  search: 'Search',
  standing: {
    title: 'Standing',
    broken: 'This page could not be loaded. It needs the network once.',
    mine: {
      points: (points: number) => `${formatPoints(points)} points`,
      share: (share: number) => `${formatShare(share)} of all done here`,
      rank: (rank: number, of: number) => `rank ${formatCount(rank)} of ${formatCount(of)}`,
      noRank: 'no rank yet',
      nameless: 'no name, no rank',
      link: 'See the standing',
    },
  },
  cores: 'Cores',
  coresLead:
    'Each way to compute was put to known answers on this machine and then timed. The fastest one that was right does the work.',
  coreState: (state: CoreReport['state']) => coreStates[state],
  coreDetail: (state: CoreReport['state'], detail: string) =>
    state === 'unsupported' ? `It needs ${detail}.` : `It got a known answer wrong: ${detail}.`,
  measureAgain: 'Measure again',

  contests: 'Contests',
  contestsNone: 'The contests will be listed here once the gateway has answered.',
  open: 'Open',
  searchedHere: 'Searched here now',
  closedByHit: 'Closed: answer found',
  closedByOperator: 'Closed for now by its operator',
  closedExhausted: 'Closed: searched to the end',
  contestProgress: (title: string) => `Progress of ${title}`,
  done: (done: number, units: number) => `${formatCount(done)} of ${formatCount(units)} units done`,
  leased: (units: number) => `${plural(units, 'unit', 'units')} being searched`,
  mine: (count: number, units: number) => `yours: ${blocks(count)}, ${plural(units, 'unit', 'units')}`,
  enough: (done: number, units: number) => `The answer came after ${formatCount(done)} of ${formatCount(units)} units`,
  answer: 'Answer',
  rulerAnswer: (marks: number, length: number) => `Ruler of ${marks} marks, ${length} long`,

  keptAnswer: (at: number, by: string | undefined) =>
    `Found on ${formatDate(at)}${by === undefined ? '' : ` by ${by}`}; whoever set this contest keeps it`,

  found: 'Found',
  byThisBrowser: 'Found by this browser',
  byAnother: 'Found by another participant',
  key: 'Key',
  rulerTitle: (marks: number, length: number) => `${marks} marks on a ruler ${length} long`,
  proved: (marks: number) => `Proved optimal: no shorter ruler of ${marks} marks exists.`,
  notProved: 'The best so far. Whether a shorter one exists is known when every unit is done.',
  rulerDrawing: (marks: number, length: number) =>
    `A ruler of length ${length} with ${marks} marks; their positions and differences are listed below.`,
  comb: (pairs: number, length: number) =>
    `${pairs} distances between two marks, no two alike, drawn from 1 to ${length}.`,
  marks: 'Marks',
  differences: 'Differences',

  notices: 'Notices',
  olderNotices: (count: number) => plural(count, 'older notice', 'older notices'),

  about:
    'Tabherd does for a browser tab what distributed.net did for idle computers in 1997: many machines, each searching a small piece. Nothing runs before you press Start, and Pause stops it at once.',
  version: (version: string) => `Version ${version}, MIT licence`,
  install: 'Install as an app',
} as const;

const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).host : address);
