/** What the standing and the teams' pages say, apart from `texts.ts` because they are loaded late; of the same kind. */
import { formatCount, formatDate, formatDuration, formatPoints } from './format.ts';
import { plural } from './texts.ts';

export const standingTexts = {
  title: 'Standing',
  documentTitle: 'Standing · Tabherd',
  lead: 'Who did how much. A point is what one core of the reference machine does in a second, the same in every contest; only verified work counts.',
  whose: 'Whose',
  of: { people: 'People', teams: 'Teams' },
  when: 'When',
  span: { today: 'Today', week: '7 days', all: 'All time' },
  utc: 'Days begin at midnight UTC.',
  contest: 'Contest',
  allContests: 'All contests',
  caption: (of: string, span: string, contest: string) => `${of}, ${span}, ${contest}`,
  rank: 'Rank',
  name: 'Name',
  team: 'Team',
  blocks: 'Blocks',
  units: 'Units',
  points: 'Points',
  share: 'Share',
  you: 'you',
  yourTeam: 'yours',
  aroundYou: 'Around you',
  aroundYourTeam: 'Around your team',
  unnamed: { people: 'Without a name', teams: 'Without a team' },
  total: 'All together',
  ranked: { people: (n: number) => plural(n, 'person', 'people'), teams: (n: number) => plural(n, 'team', 'teams') },
  asOf: (clock: string) => `as of ${clock}`,
  loading: 'The standing is being fetched.',
  empty: {
    people: 'Nobody with a name has done anything here yet. The first finished block makes the first rank.',
    teams: 'No team has done anything here yet. The first finished block makes the first rank.',
  },
  notListed: {
    people: (name: string) =>
      `${name} is not in this list yet: a finished block counts once the keyserver has checked it.`,
    teams: (name: string) =>
      `${name} is not in this list yet: a finished block counts once the keyserver has checked it.`,
  },
  namelessHint: {
    people: 'You work without a name, so you have no rank.',
    teams: 'You work for no team.',
  },
  chooseOne: { people: 'Choose one in the settings', teams: 'Join or found one in the settings' },
  away: 'The standing is kept at the keyserver, which cannot be asked now.',
  awayKept: (clock: string) => `What is shown is of ${clock}.`,
  noContest: 'There is no such contest here.',
  first: 'First page',
  previous: 'Previous',
  next: 'Next',
  page: 'Pages of the list',
  places: (from: number, to: number, of: number) => `${formatCount(from)} to ${formatCount(to)} of ${formatCount(of)}`,
  takeAway: 'As a file:',
  csv: 'CSV',
  json: 'JSON',
  csvOf: (what: string) => `CSV: ${what}`,
  jsonOf: (what: string) => `JSON: ${what}`,
  contests: 'Contests',
  rate: (rate: string) => `${rate} over the last day`,
  standsStill: 'Nothing was done in the last day',
  unitsAnHour: (units: number) => `${units < 10 ? Number(units.toPrecision(2)) : formatCount(units)} units an hour`,
  end: (seconds: number, now: number, onHit: boolean) =>
    `${onHit ? 'at the latest' : 'done'} in ${formatDuration(seconds)}${
      seconds < 50 * 365 * 86_400 ? `, ${formatDate(now + 1000 * seconds)}` : ''
    }`,
  rateOver: { day: 'Rate of the last day', week: 'Rate of the last 7 days', all: 'Rate, day by day' },
  rateOf: (what: string, title: string) => `${what}: ${title}`,
  rateSummary: (title: string, spans: number, highest: string) =>
    spans === 0 ? `${title}: nothing in this time.` : `${title}: at most ${highest}. The table is in the CSV.`,
  rateEmpty: 'Nothing was done in this time.',
} as const;

export const teamTexts = {
  documentTitle: (team: string) => `${team} · Tabherd`,
  kind: 'Team',
  widget: 'Its widget',
  back: 'All teams',
  yours: 'your team',
  unknown: (team: string) =>
    `Nothing was done for a team called ${team} yet. Whoever gives this name in the settings founds it.`,
  rank: (rank: number | undefined, of: number) =>
    rank === undefined ? 'no rank' : `rank ${formatCount(rank)} of ${formatCount(of)}`,
  totals: 'Totals',
  members: 'Members',
  memberCount: (n: number) => plural(n, 'member', 'members'),
  membersLead: 'What each did in the name of the team, also those who have left it.',
  more: (n: number) => `${formatCount(n)} more are in the file.`,
  contests: 'Contests',
  contest: 'Contest',
  days: 'Days',
  day: 'Day',
  daysSummary: (days: number, highest: number) =>
    `Points on ${plural(days, 'day', 'days')}; ${formatPoints(highest)} on the best.`,
} as const;
