/** The administration API's answers for people: a table each, or a few lines. */
import type { Allocation } from '../../domain/contest.ts';
import type {
  AllMessages,
  Case,
  ClientRecord,
  Fleet,
  KnownProxy,
  LedgerCheck,
  LedgerFacts,
  MadeVoucher,
  OfferedContest,
  Rate,
  SigningKey,
  Site,
  TopEntry,
  UnitHistory,
} from '../../protocol/administration.ts';
import { answerText } from '../answer-text.ts';
import { table } from '../bench/table.ts';
import { rateText } from '../rate-text.ts';

const number = (n: number): string => n.toLocaleString('en');
const date = (ms: number | undefined): string =>
  ms === undefined ? 'never' : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`;

const CLOSED = { hit: 'closed by its hit', exhausted: 'closed, all done', operator: 'closed by operator' } as const;

/** With what was found, that of blind contests too. */
export function contestsTable(contests: readonly OfferedContest[]): string {
  const answers = contests.flatMap(({ name, hits }) => hits.map((hit) => `${name}: ${answerText(hit)}\n`));
  const rows = table([
    ['contest', 'state', 'offered', 'priority', 'weight', 'order', 'done', 'leased', 'units'],
    ...contests.map((one) => [
      one.name,
      one.closedBy === undefined ? 'open' : CLOSED[one.closedBy],
      one.offered ? 'yes' : 'no',
      one.priority === undefined ? '-' : String(one.priority),
      String(one.weight ?? 1),
      orderText(one.allocation),
      number(one.done),
      number(one.leased),
      number(one.units),
    ]),
  ]);
  return rows + answers.join('');
}

function orderText(allocation: Allocation): string {
  switch (allocation.kind) {
    case 'order':
      return 'first to last';
    case 'random':
      return `random ${number(allocation.subspaceUnits)}`;
    case 'priority':
      return allocation.ranges.map(({ first, count }) => `${first}+${count}`).join(' ');
  }
}

export function keysTable(keys: readonly SigningKey[]): string {
  return table([
    ['key', 'state', 'made', 'retired', 'revoked'],
    ...keys.map((key) => [key.id, key.state, date(key.createdAt), when(key.retiredAt), when(key.revokedAt)]),
  ]);
}

export function proxiesTable(proxies: readonly KnownProxy[]): string {
  if (proxies.length === 0) return 'no proxy came yet, and none was listed\n';
  return table([
    ['proxy', 'name', 'version', 'listed', 'seen', 'revoked'],
    ...proxies.map(({ id, name = '-', version = '-', listedAt, seenAt, revokedAt }) => [
      id,
      name,
      version,
      date(listedAt),
      date(seenAt),
      when(revokedAt),
    ]),
  ]);
}

export function fleetTable({ kiosks }: Fleet): string {
  if (kiosks.length === 0) return 'no kiosk was heard of in the last 90 days\n';
  return table([
    ['kiosk', 'client', 'heard of', 'rate', 'state', 'blocks', 'version'],
    ...kiosks.map(({ label = '-', client, seenAt, rate, step, pause = 'at work', blocks, version }) => [
      label,
      client,
      date(seenAt),
      rateText(rate, step),
      pause,
      number(blocks),
      version,
    ]),
  ]);
}

const when = (ms: number | undefined): string => (ms === undefined ? '-' : date(ms));

export function messagesText({ configured, messages }: AllMessages): string {
  const lines = [...configured.map((text) => `(configured) ${text}`), ...messages];
  return lines.length === 0 ? 'there are no messages\n' : lines.map((line) => `${line}\n`).join('');
}

export function topTable(contest: string, top: readonly TopEntry[]): string {
  if (top.length === 0) return `nobody finished anything of ${contest} then\n`;
  return table([
    [contest, 'units', 'blocks'],
    ...top.map(({ who, units, blocks }) => [who === '' ? '(no name)' : who, number(units), number(blocks)]),
  ]);
}

export function ratesTable(rates: readonly Rate[]): string {
  if (rates.length === 0) return 'nothing was finished yet\n';
  return table([
    ['since', 'units', 'blocks', 'units/s'],
    ...rates.map(({ at, units, blocks, unitsPerSecond }) => [
      date(at),
      number(units),
      number(blocks),
      unitsPerSecond.toPrecision(3),
    ]),
  ]);
}

export function historyText({ contest, unit, state, lease, finished }: UnitHistory): string {
  const now =
    lease === undefined
      ? `unit ${unit} of ${contest} is ${state}\n`
      : `unit ${unit} of ${contest} is leased by ${lease.holder} until ${date(lease.expiresAt)}\n`;
  if (finished.length === 0) return now;
  const rows = finished.map(({ day, client, name = '-', team = '-', first, count }) => [
    day,
    client,
    name,
    team,
    `${first}+${count}`,
  ]);
  return now + table([['finished', 'client', 'name', 'team', 'block'], ...rows]);
}

export function factsTable({ contests, journal, clients }: LedgerFacts): string {
  const rows = contests.map(({ name, free, leased, done }) => [
    name,
    ...[free, leased, done].flatMap(({ runs, units }) => [number(runs), number(units)]),
  ]);
  const head = ['contest', 'free runs', 'units', 'leased runs', 'units', 'done runs', 'units'];
  return `${table([head, ...rows])}${number(clients)} clients; ${number(journal)} commits to be counted\n`;
}

export function checkText({ ok, contests }: LedgerCheck): string {
  const rows = contests.map(({ name, units, free, leased, done, credited }) => [
    name,
    ...[units, free, leased, done, credited].map(number),
  ]);
  const faults = contests.flatMap((contest) => contest.faults);
  const verdict = ok ? ['the ledger agrees with itself'] : ['the ledger contradicts itself:', ...faults];
  return table([['contest', 'units', 'free', 'leased', 'done', 'credited'], ...rows]) + verdict.join('\n') + '\n';
}

const HOW = {
  evidence: 'evidence that cannot be true',
  'spot-check': 'a part done again',
  'known-answer': 'a known answer',
  'second-run': "another's run",
  record: 'the laws of chance',
} as const;

export function sitesTable(sites: readonly Site[]): string {
  if (sites.length === 0) return 'no site shows the widget\n';
  return table([
    ['site', 'team', 'origins', 'made', 'revoked'],
    ...sites.map(({ token, team, origins, createdAt, revokedAt }) => [
      token,
      team,
      origins.join(' '),
      date(createdAt),
      when(revokedAt),
    ]),
  ]);
}

export function voucherText({ voucher, expiresAt }: MadeVoucher): string {
  return `${voucher}\n\nGive it to the proxy as --pool-voucher. It holds until ${date(expiresAt)}.\n`;
}

export function casesTable(cases: readonly Case[]): string {
  if (cases.length === 0) return 'nobody was caught at anything\n';
  return table([
    ['case', 'when', 'client', 'name', 'contest', 'by', 'units taken back', 'pardoned'],
    ...cases.map((one) => [
      one.id,
      date(one.at),
      one.client,
      one.name ?? '-',
      one.contest,
      HOW[one.how],
      number(one.units),
      when(one.pardonedAt),
    ]),
  ]);
}

export function caseText(one: Case): string {
  const evidence = one.evidence === undefined ? '' : `\nevidence:\n${JSON.stringify(one.evidence, null, 2)}\n`;
  return `${casesTable([one])}\n${one.contest}: ${one.detail}\n${evidence}`;
}

export function recordText(record: ClientRecord): string {
  const { client, firstSeenAt, seenAt, wentOfflineAt, version, stopped, contests, cases } = record;
  const rows = contests.map((one) => [
    one.contest,
    one.barred ? 'test blocks only' : 'work',
    number(one.reports),
    number(one.units),
    number(one.passed),
    number(one.failed),
    String(one.score),
    one.error ?? '-',
  ]);
  const speeds = contests.flatMap(({ contest, speeds }) =>
    Object.entries(speeds).map(([core, speed]) => [contest, core, speed.toPrecision(3)]),
  );
  return [
    `client ${client}, version ${version ?? '?'}, first seen ${date(firstSeenAt)}, last ${date(seenAt)}\n`,
    wentOfflineAt === undefined ? '' : `offline since ${date(wentOfflineAt)}: it was not heard of for a day\n`,
    stopped === undefined ? '\n' : `stopped by the operator: ${stopped}\n\n`,
    table([['contest', 'gets', 'reports', 'units', 'checks passed', 'failed', 'score', 'last error'], ...rows]),
    speeds.length === 0 ? '' : `\n${table([['contest', 'core', 'units/s of a worker'], ...speeds])}`,
    cases.length === 0 ? '' : `\n${casesTable(cases)}`,
  ].join('');
}
