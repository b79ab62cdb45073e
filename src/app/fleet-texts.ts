/** The words of the operator's page of kiosks, loaded with it. */
import { formatDuration } from './format.ts';

export const fleetTexts = {
  documentTitle: 'Kiosks · Tabherd',
  title: 'Kiosks',
  lead: 'The screens that compute for this keymaster unattended, each as it was last heard of. A kiosk says how it goes every five minutes, and is forgotten after 90 days of silence.',
  token: 'Administration token',
  tokenHint:
    'The keymaster was started with it (TABHERD_ADMIN_TOKEN). It is kept in this tab until it is closed, and sent to this keymaster only.',
  tokenForm: 'An administration token has at least 16 characters, none of them a blank.',
  show: 'Show the kiosks',
  wrongToken: 'This is not the administration token of this keymaster.',
  noAdministration:
    'This keyserver has no administration: it is a proxy, or was started without a token. The kiosks are listed at the keymaster.',
  away: 'The keymaster does not answer.',
  keptSince: (clock: string) => `What follows is of ${clock}.`,
  odd: (status: number) => `The keymaster answered with an error (${status}).`,
  unreadable: 'The keymaster’s answer cannot be read: it may be newer than this page. Load the page again.',
  loading: 'Asking the keymaster.',
  forget: 'Forget the token',
  none: 'No kiosk was heard of yet.',
  noneHow: 'Open this keyserver’s address with /?kiosk on a screen and agree there; it is listed here within seconds.',
  summary: (alive: number, all: number, rates: string) =>
    `${alive} of ${all} ${all === 1 ? 'kiosk was' : 'kiosks were'} heard of lately${rates === '' ? '' : `, together ${rates}`}.`,
  name: 'Name',
  rate: 'Rate',
  heard: 'Last contact',
  state: 'State',
  blocks: 'Blocks done',
  up: 'Running for',
  version: 'Version',
  sortBy: 'Sort by',
  unnamed: 'No name',
  ago: (seconds: number) => (seconds < 60 ? 'just now' : `${formatDuration(seconds)} ago`),
  silent: 'Silent',
  atLast: 'At last:',
  atWork: 'At work',
  on: (contest: string) => `on ${contest}`,
  forDuration: (seconds: number) => formatDuration(seconds),
} as const;
