/**
 * Every setting of `tabherd serve` and `tabherd proxy`, described once: type, range, default, what it is for. Flags, environment
 * variables, the file's form, their checks and their help are all made from this (`setting.ts`).
 *
 * Of `dataDir` the flag is `--data-dir` and the variable `TABHERD_DATA_DIR`, unless told otherwise by a `Note`.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { parseWindow } from '../../domain/schedule.ts';
import { HANDLE_FORM, MAX_ADDRESSES, MAX_SUCCESSORS, POLICY_NAMES, type PolicyName } from '../../protocol/pools.ts';
import { isAddressRule } from '../../server/http/access.ts';

/** What a setting's schema may say besides its type, all of it optional. */
export interface Note {
  description: string;
  default?: unknown;
  /** Instead of the flag made from the name. */
  flag?: string;
  /** What the flag's value is called in the help. */
  placeholder?: string;
  /** Instead of the variable made from the name. */
  environment?: string;
  /** Between the items of a list in a variable: a comma unless told. */
  separator?: string;
  /** Never shown. Of an address, only its password is hidden. */
  secret?: boolean;
  /** Takes effect at a reload (SIGHUP); the others at the next start. */
  live?: boolean;
}

const OneOf = <const Values extends string[]>(values: Values, note: Note) =>
  Type.Union(
    values.map((value) => Type.Literal<Values[number]>(value)),
    { ...note },
  );

const AddressRule = Type.Refine(Type.String(), isAddressRule, () => {
  return 'must be an address, a CIDR range (10.0.0.0/8, fd00::/8) or a pattern like 1.2.3.*';
});

const Window = Type.Refine(Type.String(), isWindow, () => {
  return 'must be a window like "mon-fri 22:00-06:00", "sat,sun 00:00-24:00" or "22:00-06:00"';
});

const webAddress = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
const Origin = Type.Refine(Type.String(), isOrigin, () => {
  return 'must be an origin like https://keys.example or http://10.0.0.5:2064, with nothing after it';
});

const databaseAddress = (text: string): boolean =>
  URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol);

const ratePerMinute = (whose: string, value: number) =>
  Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description: `exchanges a minute ${whose}; more are told to wait; 0: without a limit`,
    default: value,
    placeholder: 'number',
    live: true,
  });

const common = {
  port: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    description: 'port to listen on; 0: any free one',
    default: 2064,
    flag: '-p, --port <number>',
  }),
  host: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'address to listen on; none: all of this machine',
      placeholder: 'address',
    }),
  ),
  dataDir: Type.String({
    minLength: 1,
    description: 'where the ledger and keys are kept; made if missing',
    default: 'data',
    flag: '-d, --data <folder>',
  }),
  databaseUrl: Type.Optional(
    Type.Refine(
      Type.String({
        description:
          'PostgreSQL, such as postgres://user:password@host/name; none: the embedded store in the data folder',
        environment: 'DATABASE_URL',
        placeholder: 'url',
        secret: true,
      }),
      databaseAddress,
      () => 'must be an address that begins with postgres://',
    ),
  ),
  databaseSchema: Type.String({
    pattern: '^[a-z_][a-z0-9_]{0,62}$',
    description: "PostgreSQL schema of the ledger's tables; made if missing",
    default: 'tabherd',
    placeholder: 'name',
  }),
  contests: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: 'contest manifests (JSON) instead of the built-in ones, in order',
      flag: '-c, --contests <file...>',
    }),
  ),
  logLevel: OneOf(['debug', 'info', 'warn', 'error', 'silent'], {
    description: 'what to log, as JSON lines on standard output',
    default: 'warn',
    placeholder: 'level',
    live: true,
  }),
  verbosity: Type.String({
    description: 'topics to log, such as "all not exchanges"',
    default: 'all',
    placeholder: 'topics',
    live: true,
  }),
  adminToken: Type.Optional(
    Type.String({
      pattern: '^[!-~]{16,256}$',
      description:
        'lets its bearer in to the admin API; 16 characters at least; none: nobody. Better in a file: flags are seen by all users',
      placeholder: 'token',
      secret: true,
      live: true,
    }),
  ),
  adminTokenFile: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'a file whose only line is the admin token',
      placeholder: 'file',
      live: true,
    }),
  ),
  motd: Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
    maxItems: 8,
    description: 'messages of the day, shown to everyone',
    default: [],
    placeholder: 'text',
    separator: '\n',
    live: true,
  }),
  minClientVersion: Type.Optional(
    Type.String({
      pattern: '^\\d+\\.\\d+\\.\\d+$',
      description: 'older clients are told to update',
      placeholder: 'version',
      live: true,
    }),
  ),
  blockLog: Type.Object({
    dir: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'where finished blocks are logged as CSV; none: nowhere',
        placeholder: 'folder',
      }),
    ),
    rotation: OneOf(['none', 'hourly', 'daily', 'monthly', 'yearly'], {
      description: 'how often the block log begins a new file',
      default: 'daily',
      placeholder: 'how',
    }),
    address: OneOf(['hashed', 'plain', 'none'], {
      description: "how clients' addresses stand in the block log",
      default: 'hashed',
      placeholder: 'how',
    }),
    keep: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'packed files of the block log to keep; none: all',
        placeholder: 'number',
      }),
    ),
  }),
  trustProxyHeaders: Type.Union([Type.Boolean(), Type.Array(AddressRule, { minItems: 1 })], {
    description:
      'addresses of reverse proxies whose X-Forwarded-For is believed; true: of anybody, who can then take any address',
    default: false,
    placeholder: 'address',
  }),
  allowedIp: Type.Array(AddressRule, {
    description: 'serve these addresses only (CIDR or 1.2.3.*)',
    default: [],
    placeholder: 'address',
    live: true,
  }),
  ignoredIp: Type.Array(AddressRule, {
    description: 'do not serve these; without effect where --allowed-ip is given',
    default: [],
    placeholder: 'address',
    live: true,
  }),
  proxies: OneOf(['any', 'listed', 'none'], {
    description: 'which proxies are served: any that was not revoked, those that were listed, or none',
    default: 'any',
    placeholder: 'which',
  }),
  maxConnections: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: 'connections beyond this are closed at once',
    default: 10_000,
    placeholder: 'number',
    live: true,
  }),
  registrar: Type.Boolean({
    description: 'be a registrar of pools of gateways (RSerPool)',
    default: false,
  }),
  registrars: Type.Array(Origin, {
    description: 'registrars: the others, or those that this gateway is to register with',
    default: [],
    placeholder: 'origin',
  }),
  pool: Type.Object({
    handle: Type.Optional(
      Type.String({
        pattern: HANDLE_FORM,
        description:
          'pool that this gateway is in, such as rc5.eu; its clients turn to the others of it where this one fails',
        placeholder: 'handle',
      }),
    ),
    addresses: Type.Array(Origin, {
      maxItems: MAX_ADDRESSES,
      description: 'where browsers and other gateways find this one; none: http://localhost and the port',
      default: [],
      placeholder: 'origin',
    }),
    policy: OneOf([...POLICY_NAMES] as [PolicyName, ...PolicyName[]], {
      description: 'how pool users are spread (RFC 5356); the same for all of a pool',
      default: 'least-used-degradation',
      placeholder: 'name',
    }),
    weight: Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'share of this gateway under the weighted policies',
      default: 1,
      placeholder: 'number',
    }),
    priority: Type.Integer({
      minimum: 0,
      maximum: 1000,
      description: 'under priority the highest is selected',
      default: 0,
      placeholder: 'number',
    }),
    degradation: Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'load that one more pool user brings, under least-used-degradation and priority-least-used',
      default: 0.01,
      placeholder: 'share',
    }),
    id: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 0xffff_ffff,
        description: 'identifier in the pool; none: a random one at each start',
        placeholder: 'number',
      }),
    ),
    successors: Type.Array(Type.Integer({ minimum: 1, maximum: 0xffff_ffff }), {
      maxItems: MAX_SUCCESSORS,
      description: 'last will: identifiers of those to turn to first where this one fails',
      default: [],
      placeholder: 'id',
    }),
    voucher: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        description: "of a proxy: the keymaster's word for it, from `tabherd admin vouch`",
        placeholder: 'text',
      }),
    ),
    origins: Type.Array(Type.String({ pattern: "^[^\\s;,']{1,200}$" }), {
      maxItems: 16,
      description:
        'where pages may turn to besides the gateways known when they are loaded, such as https://*.keys.example',
      default: [],
      placeholder: 'source',
    }),
  }),
  clientRate: ratePerMinute('of one client', 120),
  addressRate: ratePerMinute('from one address, this machine itself excepted', 6000),
  teamRate: ratePerMinute('of one team', 60_000),
};

const serveOnly = {
  spotChecks: Type.Boolean({
    description: 'do small parts of reports again with a core of its own, in one thread',
    default: true,
  }),
  secondRuns: Type.Number({
    minimum: 0,
    maximum: 1000,
    description: 'how many times as often as usual a block is done again by somebody else; 0: never',
    default: 1,
    placeholder: 'factor',
  }),
};

const unitsByContest = (description: string) =>
  Type.Record(
    Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$' }),
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    { description, default: {}, placeholder: 'contest=units', live: true },
  );

const proxyOnly = {
  upstreams: Type.Array(
    Type.Refine(Type.String(), webAddress, () => 'must be an address that begins with http:// or https://'),
    {
      description: 'keyservers to fetch from and report to, in order of preference',
      default: [],
      flag: '-u, --upstreams <url...>',
    },
  ),
  fallback: Type.Boolean({
    description: 'where the first upstream does not answer, turn to the next',
    default: true,
    live: true,
  }),
  mode: OneOf(['normal', 'offline', 'only-when-online'], {
    description: 'whether to speak with upstreams: at will, only when told to, or while the machine has a network',
    default: 'normal',
    placeholder: 'mode',
    live: true,
  }),
  schedule: Type.Array(Window, {
    description: 'when it may speak with upstreams, local time, such as "mon-fri 22:00-06:00"; none: always',
    default: [],
    placeholder: 'window',
    live: true,
  }),
  minStock: unitsByContest('units in hand below which more are fetched, by contest; none: sized by the rate'),
  maxStock: unitsByContest('units in hand up to which more are fetched, by contest; none: sized by the rate'),
  maxBufferDays: Type.Number({
    exclusiveMinimum: 0,
    maximum: 365,
    description: 'never fetch more than is worked in so many days',
    default: 4,
    placeholder: 'days',
    live: true,
  }),
  reportBatch: Type.Integer({
    minimum: 1,
    maximum: 1024,
    description: 'hand reports in once there are so many',
    default: 256,
    placeholder: 'number',
    live: true,
  }),
  reportAgeSeconds: Type.Number({
    minimum: 0,
    maximum: 86_400,
    description: '… or once the oldest has waited so long',
    default: 120,
    placeholder: 'seconds',
    live: true,
  }),
  connectPeriodSeconds: Type.Number({
    minimum: 0,
    maximum: 86_400,
    description: 'least time between two connections to an upstream',
    default: 1,
    placeholder: 'seconds',
    live: true,
  }),
};

export type CommonConfig = Omit<ServeConfig, keyof typeof serveOnly>;

export const ServeSettings = Type.Object({ ...common, ...serveOnly });
export type ServeConfig = Static<typeof ServeSettings>;

export const ProxySettings = Type.Object({ ...common, ...proxyOnly });
export type ProxyConfig = Static<typeof ProxySettings>;

export type Settings = typeof ServeSettings | typeof ProxySettings;

/** By command. */
export const SETTINGS = { serve: ServeSettings, proxy: ProxySettings } satisfies Record<string, TSchema>;
export type SettingsCommand = keyof typeof SETTINGS;

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function isWindow(text: string): boolean {
  try {
    parseWindow(text);
    return true;
  } catch {
    return false;
  }
}
