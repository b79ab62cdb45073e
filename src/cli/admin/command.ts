/** `tabherd admin <command>`: what an operator does to a keymaster that runs, and asks of it, over its API. */
import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Static, TSchema } from 'typebox';
import { Type } from 'typebox';
import type { Allocation } from '../../domain/contest.ts';
import {
  AllMessages,
  Case,
  ClientRecord,
  type ContestChange,
  Fleet,
  KnownProxy,
  LedgerCheck,
  LedgerFacts,
  MadeVoucher,
  OfferedContest,
  Rate,
  RevokedProxy,
  SigningKey,
  Site,
  type Span,
  TopEntry,
  type TopScope,
  UnitHistory,
} from '../../protocol/administration.ts';
import { DEFAULT_PORT } from '../../protocol/keyserver.ts';
import { type Access, AdminApi, type Method } from './api.ts';
import {
  casesTable,
  caseText,
  checkText,
  contestsTable,
  factsTable,
  fleetTable,
  historyText,
  keysTable,
  messagesText,
  proxiesTable,
  ratesTable,
  recordText,
  sitesTable,
  topTable,
  voucherText,
} from './show.ts';

type Options = Access & { json?: boolean };

const Contests = Type.Array(OfferedContest);
const Keys = Type.Array(SigningKey);
const Proxies = Type.Array(KnownProxy);
const Sites = Type.Array(Site);

export function adminCommand(whole: (least: number, most: number) => (text: string) => number): Command {
  const admin = new Command('admin').description('change and ask a keymaster that runs, with its administration token');
  addContests(admin.command('contests').description('which contests there are, and in which order'));
  addKeys(admin.command('keys').description('the keys with which the keymaster signs its leases'));
  addSites(admin.command('sites').description('the sites that show the widget for a team'));
  addProxies(admin.command('proxies').description('the proxies that may come'));
  const count = ['--limit <number>', 'how many', whole(1, 1000), 20] as const;

  leaf(admin, 'messages [text...]', 'show the messages of the day, or set them: an argument each')
    .option('--none', 'take those that were set away')
    .action(async (text: string[], options: Options & { none?: boolean }) => {
      const messages = options.none === true ? [] : text.length === 0 ? undefined : text;
      const how = messages === undefined ? (['GET'] as const) : (['PUT', { messages }] as const);
      await tell(options, AllMessages, how[0], 'messages', messagesText, how[1]);
    });
  leaf(admin, 'top <contest>', 'who finished most of a contest, on one day or ever')
    .option('--teams', 'teams instead of persons')
    .option('--day <date>', 'such as 2026-01-31, in UTC (default: ever)')
    .option(...count)
    .action(async (contest: string, options: Options & { teams?: boolean; day?: string; limit: number }) => {
      const scope: TopScope = options.teams === true ? 'team' : 'person';
      const query = { scope, limit: String(options.limit), ...(options.day === undefined ? {} : { day: options.day }) };
      await tell(options, Type.Array(TopEntry), 'GET', within(contest, 'top', query), (top) => topTable(contest, top));
    });
  leaf(admin, 'rates <contest>', 'how fast a contest went, by hour or day')
    .option('--days', 'by day')
    .option(...count)
    .action(async (contest: string, options: Options & { days?: boolean; limit: number }) => {
      const span: Span = options.days === true ? 'day' : 'hour';
      const path = within(contest, 'rates', { span, limit: String(options.limit) });
      await tell(options, Type.Array(Rate), 'GET', path, ratesTable);
    });
  leaf(admin, 'who <contest> <unit>', 'the state of a unit, and who finished it').action(
    (contest: string, unit: string, options: Options) =>
      tell(options, UnitHistory, 'GET', within(contest, `units/${encodeURIComponent(unit)}`), historyText),
  );
  leaf(admin, 'fleet', 'the kiosks, as they were last heard of').action((options: Options) =>
    tell(options, Fleet, 'GET', 'fleet', fleetTable),
  );
  leaf(admin, 'vouch <key> <origin...>', "the keymaster's word for a proxy that is to be in a pool, at these addresses")
    .option('--pool <handle>', 'the pool')
    .option('--registrar', 'it may be a registrar')
    .option('--days <number>', 'for how long', (text) => numberOr('', text), 365)
    .action(
      (
        sub: string,
        addresses: string[],
        options: Options & { pool?: string; registrar?: boolean; days: number | null },
      ) => {
        const body = {
          sub,
          addresses,
          days: options.days,
          ...(options.pool === undefined ? {} : { handle: options.pool }),
          ...(options.registrar === true ? { registrar: true } : {}),
        };
        return tell(options, MadeVoucher, 'POST', 'vouchers', voucherText, body);
      },
    );
  const cases = admin.command('cases').description('who was caught at what');
  leaf(cases, 'list', 'the newest first', { isDefault: true })
    .option(...count)
    .action((options: Options & { limit: number }) =>
      tell(options, Type.Array(Case), 'GET', `cases?limit=${options.limit}`, casesTable),
    );
  leaf(cases, 'show <case>', 'a case, with its evidence').action((id: string, options: Options) =>
    tell(options, Case, 'GET', `cases/${encodeURIComponent(id)}`, caseText),
  );
  leaf(cases, 'pardon <case>', 'give the client work again, and the credit of what is still free').action(
    (id: string, options: Options) => tell(options, Case, 'POST', `cases/${encodeURIComponent(id)}/pardon`, caseText),
  );
  leaf(admin, 'client <id>', 'what is noted of a client: checks, score, speeds, its last error')
    .option('--stop <reason>', 'tell it to work no more until a person starts it again; the reason is shown there')
    .option('--resume', 'give it work again')
    .action((id: string, options: Options & { stop?: string; resume?: boolean }) => {
      const at = (what = ''): string => `clients/${encodeURIComponent(id)}${what}`;
      if (options.stop !== undefined) {
        return tell(options, ClientRecord, 'POST', at('/stop'), recordText, { reason: options.stop });
      }
      if (options.resume === true) return tell(options, ClientRecord, 'POST', at('/resume'), recordText);
      return tell(options, ClientRecord, 'GET', at(), recordText);
    });
  leaf(admin, 'facts', 'how large the ledger is').action((options: Options) =>
    tell(options, LedgerFacts, 'GET', 'facts', factsTable),
  );
  leaf(admin, 'check', 'recount the ledger; exit 1 if it contradicts itself').action(async (options: Options) => {
    const check = await (await AdminApi.open(options)).call(LedgerCheck, 'GET', 'check');
    print(options, check, checkText);
    if (!check.ok) process.exitCode = 1;
  });
  return admin;
}

function addContests(contests: Command): void {
  leaf(contests, 'list', 'every contest of the ledger', { isDefault: true }).action((options: Options) =>
    tell(options, Contests, 'GET', 'contests', contestsTable),
  );
  leaf(contests, 'add <file>', 'offer the contest of a manifest (JSON)').action(
    async (file: string, options: Options) => {
      await tell(options, OfferedContest, 'POST', 'contests', oneContest, await readJson(file));
    },
  );
  for (const [name, what, body] of [
    ['close', 'hand out no more of it, for now', { state: 'closed' }],
    ['open', 'what an operator closed', { state: 'open' }],
    ['withdraw', 'show it to nobody, and take no reports of it', { offered: false }],
    ['offer', 'what was withdrawn', { offered: true }],
    ['draw', 'under random order: another subspace', { cursor: null }],
  ] as const) {
    leaf(contests, `${name} <contest>`, what).action((contest: string, options: Options) =>
      change(contest, body, options),
    );
  }
  leaf(contests, 'priority <contest> <number>', 'the lowest number first; `none`: as they are listed').action(
    (contest: string, text: string, options: Options) => change(contest, { priority: numberOr('none', text) }, options),
  );
  leaf(contests, 'weight <contest> <number>', 'share of the work among contests of one priority; `none`: 1').action(
    (contest: string, text: string, options: Options) => change(contest, { weight: numberOr('none', text) }, options),
  );
  leaf(
    contests,
    'order <contest> <how...>',
    'first-to-last; random UNITS, the length of a subspace; FIRST+COUNT… first; manifest',
  ).action((contest: string, how: string[], options: Options) =>
    change(contest, { allocation: allocationOf(how) }, options),
  );
}

function addKeys(keys: Command): void {
  leaf(keys, 'list', 'all there ever were, without their secrets', { isDefault: true }).action((options: Options) =>
    tell(options, Keys, 'GET', 'keys', keysTable),
  );
  leaf(keys, 'rotate', 'a new key signs; what those before it signed still counts').action((options: Options) =>
    tell(options, Keys, 'POST', 'keys/rotate', keysTable),
  );
  leaf(keys, 'revoke <key>', 'what this key signed counts no more').action((key: string, options: Options) =>
    tell(options, Keys, 'POST', `keys/${encodeURIComponent(key)}/revoke`, keysTable),
  );
}

function addProxies(proxies: Command): void {
  const one = (proxy: KnownProxy): string => proxiesTable([proxy]);
  const at = (proxy: string, what = ''): string => `proxies/${encodeURIComponent(proxy)}${what}`;
  leaf(proxies, 'list', 'those that came, and those that were listed', { isDefault: true }).action((options: Options) =>
    tell(options, Proxies, 'GET', 'proxies', proxiesTable),
  );
  leaf(proxies, 'add <proxy> [name]', 'list a proxy, by the key that is its id').action(
    (proxy: string, name: string | undefined, options: Options) =>
      tell(options, KnownProxy, 'PUT', at(proxy), one, name === undefined ? {} : { name }),
  );
  leaf(proxies, 'revoke <proxy>', 'serve it no more, and hand out again what it holds').action(
    (proxy: string, options: Options) =>
      tell(options, RevokedProxy, 'POST', at(proxy, '/revoke'), (revoked) => {
        return `${one(revoked.proxy)}${revoked.units} units that it held are free again\n`;
      }),
  );
  leaf(proxies, 'restore <proxy>', 'serve it again').action((proxy: string, options: Options) =>
    tell(options, KnownProxy, 'POST', at(proxy, '/restore'), one),
  );
}

function addSites(sites: Command): void {
  const one = (site: Site): string => sitesTable([site]);
  const at = (token: string): string => `sites/${encodeURIComponent(token)}`;
  leaf(sites, 'list', 'all there are', { isDefault: true }).action((options: Options) =>
    tell(options, Sites, 'GET', 'sites', sitesTable),
  );
  leaf(sites, 'add <team> <origin...>', 'make a token for a site, for pages of these origins').action(
    (team: string, origins: string[], options: Options) => tell(options, Site, 'POST', 'sites', one, { team, origins }),
  );
  leaf(sites, 'origins <token> <origin...>', 'the pages that may embed it, in place of those before').action(
    (token: string, origins: string[], options: Options) => tell(options, Site, 'PATCH', at(token), one, { origins }),
  );
  for (const [name, what, revoked] of [
    ['revoke', 'its widget works no more', true],
    ['restore', 'its widget works again', false],
  ] as const) {
    leaf(sites, `${name} <token>`, what).action((token: string, options: Options) =>
      tell(options, Site, 'PATCH', at(token), one, { revoked }),
    );
  }
}

function leaf(parent: Command, usage: string, what: string, options: { isDefault?: boolean } = {}): Command {
  return parent
    .command(usage, options)
    .description(what)
    .addOption(
      new Option('--at <url>', 'address of the keymaster')
        .env('TABHERD_AT')
        .default(`http://localhost:${DEFAULT_PORT}`),
    )
    .addOption(new Option('--token <token>', 'its administration token; others can see it').env('TABHERD_ADMIN_TOKEN'))
    .addOption(new Option('--token-file <file>', 'a file with nothing but the token').env('TABHERD_ADMIN_TOKEN_FILE'))
    .option('--json', 'as the API gives it');
}

async function tell<T extends TSchema>(
  options: Options,
  schema: T,
  method: Method,
  path: string,
  show: (answer: Static<T>) => string,
  body?: unknown,
): Promise<void> {
  const api = await AdminApi.open(options);
  print(options, await api.call(schema, method, path, body), show);
}

function print<Answer>(options: Options, answer: Answer, show: (answer: Answer) => string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(answer, null, 2)}\n` : show(answer));
}

const oneContest = (contest: OfferedContest): string => contestsTable([contest]);

const change = (contest: string, body: ContestChange, options: Options): Promise<void> =>
  tell(options, OfferedContest, 'PATCH', within(contest), oneContest, body);

function within(contest: string, what = '', query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  const path = ['contests', encodeURIComponent(contest), ...(what === '' ? [] : [what])].join('/');
  return search === '' ? path : `${path}?${search}`;
}

function numberOr(none: string, text: string): number | null {
  if (text === none) return null;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`${text} is neither a number nor "${none}"`);
}

function allocationOf(how: readonly string[]): Allocation | null {
  const [kind = '', length = ''] = how;
  if (kind === 'manifest' && how.length === 1) return null;
  if (kind === 'first-to-last' && how.length === 1) return { kind: 'order' };
  if (kind === 'random' && how.length === 2 && /^\d+$/.test(length)) {
    return { kind: 'random', subspaceUnits: Number(length) };
  }
  const ranges = how.map((text) => /^(\d+)\+(\d+)$/.exec(text));
  if (ranges.includes(null)) {
    throw new InvalidArgumentError('the order is first-to-last, random UNITS, FIRST+COUNT…, or manifest');
  }
  return {
    kind: 'priority',
    ranges: ranges.map((range) => ({ first: Number(range?.[1]), count: Number(range?.[2]) })),
  };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown;
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause });
  }
}
