/**
 * The one interface every keyserver speaks, whatever stands behind it: the keymaster implements it over the
 * ledger, `HttpKeyserver` over `fetch`, a proxy over a buffer and another keyserver.
 *
 * Every call is idempotent or safe to repeat: a report is recorded once by its lease, and leases whose answer was
 * lost are handed out again.
 */
import { type Static, Type } from 'typebox';
import { ClientInfo } from '../domain/client.ts';
import { Contest, ContestName, ContestState, Hit } from '../domain/contest.ts';
import { KioskWord, PassedWord } from '../domain/kiosk.ts';
import { UnitRange } from '../domain/units.ts';
import { Lease, LeaseId, Report } from '../domain/work.ts';
import { ErrorCode } from './errors.ts';
import { BusinessCard, PoolHandle } from './pools.ts';
import type { MapQuery, UnitMap } from './unit-map.ts';

/** distributed.net's port. */
export const DEFAULT_PORT = 2064;

/** What one exchange of a client may carry. */
export const MAX_REPORTS = 64;
export const MAX_BLOCKS = 64;
export const MAX_HOLDING = 4096;
/** Of those that another keyserver has acknowledged, the latest. */
export const MAX_SETTLED = 64;
/** … and of a proxy, whose reports are those of many clients. */
export const MAX_PROXY_REPORTS = 1024;
/** Messages of the day in one reply. */
export const MAX_MESSAGES = 8;
/** Kiosks of which a proxy tells in one exchange. */
export const MAX_KIOSKS = 1024;
/** Units a proxy may have in one block. */
export const MAX_PROXY_UNITS = 65_536;

/**
 * How a client and a keyserver may speak, newest first. A request names those it knows, and the keyserver answers in
 * the newest that it knows too. A request that names none speaks `keyserver<-client/1`, as Tabherd 0.1 did: leases
 * without proof, no messages, no directives.
 */
export const PROTOCOLS = ['keyserver<-client/2', 'keyserver<-client/1', 'keyserver<-proxy/1'] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

export const ExchangeRequest = Type.Object({
  /** Newest first. Names not known here are passed over. */
  protocols: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 16 })),
  client: ClientInfo,
  /** A proxy's token for this request: a JWS (RFC 7515) under the key that is its id; see `server/proof/`. */
  assertion: Type.Optional(Type.String({ maxLength: 1024 })),
  reports: Type.Array(Report, { maxItems: MAX_PROXY_REPORTS }),
  /** Up to `blocks` blocks, taken from the contests named, the first that has some first. */
  want: Type.Object({
    blocks: Type.Integer({ minimum: 0, maximum: MAX_BLOCKS }),
    from: Type.Array(Type.Object({ contest: ContestName, units: Type.Integer({ minimum: 1 }) }), { maxItems: 64 }),
    /**
     * The leases the client knows of. Other live leases of its, whose answer was lost on the way, are handed to it again
     * before new ones; without this list they wait until they expire.
     */
    holding: Type.Optional(Type.Array(LeaseId, { maxItems: MAX_HOLDING })),
    /** Leases of this keyserver whose reports another one of its pool has acknowledged: they are over here, too. */
    settled: Type.Optional(Type.Array(LeaseId, { maxItems: MAX_SETTLED })),
  }),
  /** From a kiosk: how it goes there. Keyservers that know nothing of kiosks pass it over. */
  kiosk: Type.Optional(KioskWord),
  /** From a proxy that is in a pool: where to call it back when there is news, as that a contest is over. */
  card: Type.Optional(BusinessCard),
  /** From a proxy: how it goes at the kiosks below it. */
  kiosks: Type.Optional(Type.Array(PassedWord, { maxItems: MAX_KIOSKS })),
});
export type ExchangeRequest = Static<typeof ExchangeRequest>;

/** What became of one report. `duplicate`: all its units were done before; nothing is credited. */
export const ReportResult = Type.Object({
  lease: LeaseId,
  outcome: Type.Union([Type.Literal('accepted'), Type.Literal('duplicate'), Type.Literal('refused')]),
  code: Type.Optional(ErrorCode),
  detail: Type.Optional(Type.String()),
  /** Units credited by this very report: those that nobody had done before. 0 unless accepted. */
  credited: Type.Integer({ minimum: 0 }),
  hits: Type.Array(Hit),
});
export type ReportResult = Static<typeof ReportResult>;

/**
 * What the keyserver tells a client to do. `wait`: no exchange for so long. `discard`: drop the blocks of this contest.
 * `update`: this version of the client is too old; the least that is spoken to. `stop`: work no more until told by a person.
 * `code` is of DiCoP's classes, as REPLY_CODES are.
 */
export const Directive = Type.Union([
  Type.Object({ do: Type.Literal('wait'), code: Type.Literal(302), seconds: Type.Number({ minimum: 0 }) }),
  Type.Object({ do: Type.Literal('discard'), code: Type.Literal(100), contest: ContestName, reason: Type.String() }),
  Type.Object({ do: Type.Literal('update'), code: Type.Literal(452), version: Type.String() }),
  Type.Object({ do: Type.Literal('stop'), code: Type.Literal(463), reason: Type.String() }),
]);
export type Directive = Static<typeof Directive>;

export const ExchangeReply = Type.Object({
  /** How this reply speaks; absent in `keyserver<-client/1`. */
  protocol: Type.Optional(Type.Unsafe<ProtocolName>(Type.String({ maxLength: 64 }))),
  /** One for each report, in order. */
  results: Type.Array(ReportResult),
  leases: Type.Array(Lease),
  /** The keyserver's clock, milliseconds since 1970: leases expire by it. */
  now: Type.Integer(),
  contests: Type.Array(ContestState),
  /** Where no block came although some were wanted: ask for work again no sooner than this. */
  retryAfterSeconds: Type.Number({ minimum: 0 }),
  /** Messages of the day, for the person. */
  messages: Type.Optional(Type.Array(Type.String({ maxLength: 500 }), { maxItems: MAX_MESSAGES })),
  directives: Type.Optional(Type.Array(Directive, { maxItems: 16 })),
  /** The pool that this gateway is in: whoever resolves it knows where else to turn. */
  pool: Type.Optional(PoolHandle),
  /** To a proxy: the public keys (hexadecimal) with which a chain of proofs may begin now. */
  trusted: Type.Optional(Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }))),
});
export type ExchangeReply = Static<typeof ExchangeReply>;

export const ReleaseRequest = Type.Object({
  client: ClientInfo,
  assertion: Type.Optional(Type.String({ maxLength: 1024 })),
  leases: Type.Array(LeaseId, { maxItems: 256 }),
  /** Parts of leases, by their units: what a proxy has not handed on. */
  parts: Type.Optional(
    Type.Array(Type.Object({ lease: LeaseId, contest: ContestName, ...UnitRange.properties }), { maxItems: 4096 }),
  ),
  /** The person takes name and team back: what was done under them counts for nobody by name any more. */
  forget: Type.Optional(Type.Literal(true)),
});
export type ReleaseRequest = Static<typeof ReleaseRequest>;

/** The leases that were given back, whole or in part; the others were not this client's to give. */
export const ReleaseReply = Type.Object({ released: Type.Array(LeaseId) });
export type ReleaseReply = Static<typeof ReleaseReply>;

/** What a proxy has of a contest. */
export const Stock = Type.Object({
  contest: ContestName,
  /** Units in hand. */
  free: Type.Integer(),
  /** Units handed to clients. */
  leased: Type.Integer(),
  /** Reports that wait for the upstream. */
  waiting: Type.Integer(),
  /** The watermarks, units: under `low` it asks, up to `high`. */
  low: Type.Integer(),
  high: Type.Integer(),
});
export type Stock = Static<typeof Stock>;

export const UpstreamState = Type.Object({
  url: Type.String(),
  state: Type.Union([Type.Literal('unknown'), Type.Literal('reached'), Type.Literal('unreachable')]),
  /** When it last answered, milliseconds since 1970. */
  reachedAt: Type.Optional(Type.Integer()),
  error: Type.Optional(Type.String()),
});
export type UpstreamState = Static<typeof UpstreamState>;

export const Status = Type.Object({
  role: Type.Optional(Type.Union([Type.Literal('keymaster'), Type.Literal('proxy')])),
  version: Type.String(),
  startedAt: Type.Integer(),
  contests: Type.Array(ContestState),
  clients: Type.Object({ known: Type.Integer(), lastHour: Type.Integer() }),
  /** `duplicate`: its units were done before, as when an answer was lost and the report sent again. */
  reports: Type.Object({ accepted: Type.Integer(), duplicate: Type.Integer(), refused: Type.Integer() }),
  /** Units a second done over the last hour and day, by contest. */
  rates: Type.Optional(Type.Record(Type.String(), Type.Object({ hour: Type.Number(), day: Type.Number() }))),
  /** Of a proxy. */
  stock: Type.Optional(Type.Array(Stock)),
  upstreams: Type.Optional(Type.Array(UpstreamState)),
  /** The last errors, newest first. */
  errors: Type.Optional(Type.Array(Type.Object({ at: Type.Integer(), text: Type.String() }))),
});
export type Status = Static<typeof Status>;

/** Where a request comes from, as far as the gateway can tell. */
export interface Origin {
  address?: string;
  /**
   * An operator brings it in another's name, out of a file that was days on its way: a proxy's token, which lasts minutes,
   * is not asked for.
   */
  carried?: boolean;
}

export interface Keyserver {
  /**
   * Reports in, leases out, in one round trip.
   * @throws RefusedError the request as a whole is bad; a bad report is a `refused` result, not an error.
   * @throws UnreachableError no answer; repeat later.
   */
  exchange(request: ExchangeRequest, origin?: Origin): Promise<ExchangeReply>;
  /** Gives leased blocks back unworked. Errors as `exchange`. */
  release(request: ReleaseRequest): Promise<ReleaseReply>;
  /** All contests in the order in which work is handed out. */
  contests(): Promise<Contest[]>;
  status(): Promise<Status>;
  /** How much of a stretch of a contest is done and leased. @throws RefusedError there is no such contest or stretch. */
  map(query: MapQuery): Promise<UnitMap>;
}
