/** The words of the kiosk, loaded with it; what it shares with the first page is in `texts.ts`. */
import type { Pause } from '../client/snapshot.ts';
import { formatDuration } from './format.ts';

/** Where the first page's sentence speaks of buttons that are not here. */
const pauses: Partial<Record<Pause['reason'], string>> = {
  'not-started': 'Nothing is being computed.',
  'by-you': 'Paused here, until somebody with the PIN lets it go on.',
  stopped: 'The keyserver asked this screen to stop. Somebody with the PIN can let it go on.',
  'another-tab': 'Another window of this browser does the work; this one shows how it goes.',
  'too-old': 'The keyserver gives new blocks only to newer versions. This screen fetches one and goes on by itself.',
};

export const kioskTexts = {
  documentTitle: (name: string) => `${name === '' ? 'Kiosk' : name} · Tabherd`,
  unnamed: 'Kiosk',
  welcome: 'This screen will compute by itself.',
  about: (workers: number, cores: number) =>
    `From now on this device searches for Tabherd with ${workers} of its ${cores} ${cores === 1 ? 'core' : 'cores'}, whenever this page is open: it starts by itself, fills the screen and keeps it on. It uses power and makes some heat. Agree only if this device is yours, or you may decide for it.`,
  keepsNothing:
    'This browser lets the page keep nothing. The agreement holds until the page is closed, and is asked for again.',
  name: 'Name of this kiosk',
  nameHint: 'Shown on this screen, and to the operator of the keyserver. It may be empty.',
  pin: 'PIN',
  pinHint:
    '4 to 12 digits. Whoever wants to leave the kiosk or change something must know it. Leave it empty for none.',
  pinWrongForm: 'A PIN has 4 to 12 digits.',
  agree: 'Agree and start',
  decline: 'No, go to the page',

  done: 'Blocks done',
  stock: 'In stock',
  waiting: 'To be sent',
  inBlock: 'Progress of the first block in hand',
  ofContest: (share: string) => `${share} of the whole search is done`,
  touchToFill: 'Touch the screen to fill it',
  mayDarken: 'This browser lets the screen go dark',
  lastReached: (ago: number) => `for ${formatDuration(ago)}`,
  found: (title: string) => `This screen has found an answer: ${title}`,
  pause: (reason: Pause['reason']): string | undefined => pauses[reason],

  open: 'Leave or change the kiosk',
  enterPin: 'Enter the PIN',
  digits: 'Digits of the PIN',
  erase: 'Erase the last digit',
  unlock: 'Go on',
  close: 'Back to the screen',
  wrong: 'That is not the PIN.',
  tooSoon: (seconds: number) => `That was wrong too often. Try again in ${formatDuration(seconds)}.`,
  panel: 'This kiosk',
  paused: 'Paused',
  pauseHere: 'Pause',
  resume: 'Go on',
  leave: 'Leave the kiosk',
  leaveHint: 'Work goes on in the page; the kiosk begins again when its address is opened.',
  withdraw: 'Withdraw the agreement',
  withdrawHint: 'Stops, and computes no more on this device until somebody agrees again.',
  throttle: 'Share of the time',
  share: (percent: number) => `${percent} %`,
  newPin: 'New PIN',
  removePin: 'Take the PIN away',
  save: 'Save',
  saved: 'Saved.',
  version: (version: string) => `Version ${version}`,
} as const;
