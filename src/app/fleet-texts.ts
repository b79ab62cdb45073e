/** The words of the operator's page of kiosks, loaded with it. */
import { formatDuration } from './format.ts';

export const fleetTexts = {
  documentTitle: 'Kiosks · Tabherd',
  title: 'Kiosks',
  lead: 'The screens that compute for this keymaster unattended, each as it was last heard of. A kiosk says how it goes every five minutes, and is forgotten after 90 days of silence.',
  show: 'Show the kiosks',
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
