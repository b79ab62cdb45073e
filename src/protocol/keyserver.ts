/**
 * The one interface every keyserver speaks, whatever stands behind it: the keymaster implements it over the
 * ledger, `HttpKeyserver` over `fetch`, a proxy over a buffer and another keyserver.
 *
 * Every call is idempotent or safe to repeat: a report is recorded once by its lease, and leases whose answer was
 * lost are handed out again.
 */
import { type Static, Type } from 'typebox';
import { Contest, ContestName, ContestState, Hit } from '../domain/contest.ts';
import { Lease, LeaseId, Report } from '../domain/work.ts';
import { ErrorCode } from './errors.ts';

export const MAX_REPORTS = 64;
export const MAX_BLOCKS = 64;
export const MAX_HOLDING = 4096;

export const ClientInfo = Type.Object({
  /** A random UUID the client made for itself; leases belong to it. */
  id: Type.String({ pattern: '^[0-9a-f-]{16,64}$' }),
  /** Shown in statistics; chosen by the person. */
  name: Type.Optional(Type.String({ maxLength: 64 })),
  /** The client's version. */
  version: Type.String({ maxLength: 32 }),
});
export type ClientInfo = Static<typeof ClientInfo>;

export const ExchangeRequest = Type.Object({
  client: ClientInfo,
  reports: Type.Array(Report, { maxItems: MAX_REPORTS }),
  /** Up to `blocks` blocks, taken from the contests named, the first that has some first. */
  want: Type.Object({
    blocks: Type.Integer({ minimum: 0, maximum: MAX_BLOCKS }),
    from: Type.Array(Type.Object({ contest: ContestName, units: Type.Integer({ minimum: 1 }) }), { maxItems: 64 }),
    /**
     * The leases the client knows of. Other live leases of its, whose answer was lost on the way, are handed to it again
     * before new ones; without this list they wait until they expire.
     */
    holding: Type.Optional(Type.Array(LeaseId, { maxItems: MAX_HOLDING })),
  }),
});
export type ExchangeRequest = Static<typeof ExchangeRequest>;

/** What became of one report. `duplicate`: it was accepted before, and is not credited again. */
export const ReportResult = Type.Object({
  lease: LeaseId,
  outcome: Type.Union([Type.Literal('accepted'), Type.Literal('duplicate'), Type.Literal('refused')]),
  code: Type.Optional(ErrorCode),
  detail: Type.Optional(Type.String()),
  /** Units credited by this very report: 0 unless accepted. */
  credited: Type.Integer({ minimum: 0 }),
  hits: Type.Array(Hit),
});
export type ReportResult = Static<typeof ReportResult>;

export const ExchangeReply = Type.Object({
  /** One for each report, in order. */
  results: Type.Array(ReportResult),
  leases: Type.Array(Lease),
  /** The keyserver's clock, milliseconds since 1970: leases expire by it. */
  now: Type.Integer(),
  contests: Type.Array(ContestState),
  /** Where no block came although some were wanted: ask for work again no sooner than this. */
  retryAfterSeconds: Type.Number({ minimum: 0 }),
});
export type ExchangeReply = Static<typeof ExchangeReply>;

export const ReleaseRequest = Type.Object({
  client: ClientInfo,
  leases: Type.Array(LeaseId, { minItems: 1, maxItems: 256 }),
});
export type ReleaseRequest = Static<typeof ReleaseRequest>;

/** The leases that were given back; the others were not this client's to give. */
export const ReleaseReply = Type.Object({ released: Type.Array(LeaseId) });
export type ReleaseReply = Static<typeof ReleaseReply>;

export const Status = Type.Object({
  version: Type.String(),
  startedAt: Type.Integer(),
  contests: Type.Array(ContestState),
  clients: Type.Object({ known: Type.Integer(), lastHour: Type.Integer() }),
  /** `duplicate`: accepted before and sent again, as when an answer was lost. */
  reports: Type.Object({ accepted: Type.Integer(), duplicate: Type.Integer(), refused: Type.Integer() }),
});
export type Status = Static<typeof Status>;

export interface Keyserver {
  /**
   * Reports in, leases out, in one round trip.
   * @throws RefusedError the request as a whole is bad; a bad report is a `refused` result, not an error.
   * @throws UnreachableError no answer; repeat later.
   */
  exchange(request: ExchangeRequest): Promise<ExchangeReply>;
  /** Gives leased blocks back unworked. Errors as `exchange`. */
  release(request: ReleaseRequest): Promise<ReleaseReply>;
  /** All contests in the order in which work is handed out. */
  contests(): Promise<Contest[]>;
  status(): Promise<Status>;
}
