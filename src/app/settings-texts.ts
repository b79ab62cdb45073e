/** What the settings say, apart from `texts.ts` because they are loaded late; of the same kind. */
import type { Taken } from '../protocol/buffers-file.ts';
import { blocks, plural, reports } from './texts.ts';

function formatStock(hours: number): string {
  if (hours < 1) return `${Math.round(hours * 60)} minutes`;
  return hours < 48 ? plural(hours, 'hour', 'hours') : plural(hours / 24, 'day', 'days');
}

export const settingsTexts = {
  howMuch: 'How much',
  throttle: 'Each worker computes',
  inUse: 'While somebody uses this machine',
  inUseSame: 'Go on as usual',
  inUseLess: 'Do less',
  inUsePause: 'Pause',
  workersInUse: 'Workers meanwhile',
  throttleInUse: 'Each computes meanwhile',
  canTellUse:
    'Your browser asks whether this page may know when you are away. It is told nothing else, and tells nobody.',
  cannotTellUse: 'This browser does not tell a page whether the machine is in use, so nothing changes here.',
  when: 'When',
  onBattery: 'Pause on battery',
  whenBusy: 'Pause while something else needs the processor, or it is hot',
  onMetered: 'Fetch and send nothing over a metered connection',
  schedule: 'Works only in these hours:',
  scheduleAlways: 'Works at any hour.',
  addHours: 'Add hours',
  window: (nth: number) => `Hours ${nth}`,
  removeHours: (nth: number) => `Remove hours ${nth}`,
  remove: 'Remove',
  dayNames: ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
  from: 'from',
  to: 'to',
  what: 'What',
  choice: 'Contests',
  choiceKeyserver: 'As the keyserver says',
  choiceOrder: 'In my order: the first that has work',
  choiceShare: 'Shared in proportion',
  noContests: 'No contest is open.',
  up: (title: string) => `Move up: ${title}`,
  down: (title: string) => `Move down: ${title}`,
  stock: 'Work kept in stock',
  stockHours: (hours: number) => formatStock(hours),
  stockHint: 'So long it goes on without a network. Blocks that are kept too long are given to others.',
  you: 'You',
  name: 'Name',
  team: 'Team',
  youHint: 'Shown in the statistics. Leave them empty to stay unnamed.',
  theme: 'Colours',
  themeAuto: 'As the system has them',
  themeLight: 'Light',
  themeDark: 'Dark',
  reset: 'Set everything back',
  data: {
    title: 'Kept in this browser',
    keptFor: 'Blocks, reports and settings stay in this browser until you delete them.',
    keptUntil: 'Blocks, reports and settings stay in this browser; it may delete them when its disk is full.',
    carry:
      'Without any network, reports are carried to a keyserver by hand: export them to a file, give that to its operator, and import the file of blocks that comes back.',
    elsewhere: 'Another tab does the work; files are exported and imported there.',
    exportReports: 'Export reports',
    importBlocks: 'Import blocks',
    erase: 'Delete everything',
    exported: (count: number) =>
      count === 0
        ? 'A file that asks for blocks was saved; no report waits.'
        : `A file with ${reports(count)} was saved. They stay here until their answer is imported.`,
    imported: ({ blocks: some, known, over }: Taken) =>
      [
        `The file brought ${blocks(some.reduce((sum, one) => sum + one.blocks, 0))}.`,
        known > 0 && `${blocks(known)} of it had been here before.`,
        over > 0 && `${blocks(over)} of it came too late to be of use.`,
      ]
        .filter(Boolean)
        .join(' '),
    notTaken: (file: string, why: string) => `${file} cannot be used: ${why}.`,
    failed: (why: string) => `That did not work: ${why}.`,
    sure: 'Delete everything?',
    sureWhat: (waiting: number) =>
      `Settings, blocks in stock, what was counted here and the page kept for times without a network are deleted from this browser. Blocks are given back.${
        waiting > 0 ? ` ${reports(waiting)} not sent yet would be lost.` : ''
      }`,
    keep: 'Keep it',
    eraseAll: 'Delete',
    erased: 'Everything was deleted.',
  },
} as const;
