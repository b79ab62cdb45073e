/** Every sentence of the widget's frame. */
import type { Lasts } from './consent.ts';
import type { Unseen } from './sight.ts';

/** A name with a hyphen in it is not broken there. */
const whole = (title: string): string => title.replaceAll('-', '\u2011');

export const texts = {
  ask: (title: string, team: string): string => `Lend this device to ${whole(title)}, for ${team}?`,
  terms: (workers: number): string =>
    `On ${workers === 1 ? 'one core' : `at most ${workers} cores`} of its processor, and only while you can see this. It reads nothing of this page or of you.`,
  onPhones: 'Off on phones unless you turn it on: it warms the device and uses its battery.',
  start: 'Start',
  lend: (workers: number): string => (workers === 1 ? 'Lend a core' : `Lend ${workers} cores`),
  turnOn: 'Turn on',
  sure: 'Yes, start',
  lasts: 'Remember for',
  lastsFor: { visit: 'this visit', day: 'a day', month: 'a month' } satisfies Record<Lasts, string>,
  notSeen: 'Something covers this, or it was only just shown. Look, and press again.',
  starting: 'Starting…',
  forTeam: (team: string): string => `${team} · `,
  today: (points: string): string => `${points} points today`,
  pause: 'Pause',
  goOn: 'Go on',
  stop: 'Stop, and forget that I agreed',
  open: 'Tabherd: open the whole page in a new tab',
  onBattery: 'Run on battery',
  onBatteryShort: 'Run',
  lost: 'This browser keeps nothing here: what is in hand is lost when the page is left.',
  failed: 'It could not be loaded. Try again.',
  unseen: {
    background: 'Paused: this tab is in the background',
    outside: 'Paused: out of sight',
    covered: 'Paused: something covers it',
    small: 'Paused: too small to be read',
  } satisfies Record<Unseen, string>,
  paused: {
    'by-you': 'Paused',
    'by-page': 'Paused by this page',
    'on-battery': 'Paused on battery',
    'in-use': 'Paused while you work',
    busy: 'Paused: the device is busy',
    stopped: 'Paused by the keyserver',
    unreachable: 'No answer from the keyserver',
    'no-work': 'No work just now',
    'all-closed': 'This search is over',
    metered: 'Paused: the connection is metered',
    'no-core': 'This device cannot compute it',
    'too-old': 'Reload the page: it is out of date',
  } as Readonly<Record<string, string>>,
  waiting: 'Waiting',
};
