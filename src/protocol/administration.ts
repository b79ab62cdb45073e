/**
 * What an operator tells a keymaster while it runs, and asks of it: the administration API's values, for the server that
 * checks them and for the command line that shows them. Times are milliseconds since 1970, except days, which are dates
 * in UTC. Nothing here holds a secret.
 */
import { type Static, Type } from 'typebox';
import { ClientId, label } from '../domain/client.ts';
import { Allocation, ContestName, ContestState } from '../domain/contest.ts';
import { KioskWord } from '../domain/kiosk.ts';
import { MAX_ORIGINS, SiteOrigin, SiteToken } from '../domain/site.ts';
import { UnitNumber } from '../domain/units.ts';
import { MAX_MESSAGES } from './keyserver.ts';
import { VoucherClaims } from './pools.ts';

/** What a header can carry, and long enough not to be guessed. */
export const AdminToken = Type.String({ pattern: '^[!-~]{16,256}$' });

const OrNull = <T extends Parameters<typeof Type.Optional>[0]>(type: T) => Type.Union([type, Type.Null()]);

export const OfferedContest = Type.Object({
  ...ContestState.properties,
  /** `operator`: added, withdrawn or offered at run time; whether it is on offer is the operator's from then on. */
  origin: Type.Union([Type.Literal('start'), Type.Literal('operator'), Type.Literal('upstream')]),
  offered: Type.Boolean(),
  /** In which order its units are handed out now. */
  allocation: Allocation,
  /** Whether an operator chose that order; otherwise the manifest did. */
  allocationIsOwn: Type.Boolean(),
  /** Where the subspace in hand begins, under random allocation. */
  cursor: OrNull(UnitNumber),
});
export type OfferedContest = Static<typeof OfferedContest>;

/** What is absent stays as it is. */
export const ContestChange = Type.Object(
  {
    /** Only what an operator closed can be opened again. */
    state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('closed')])),
    offered: Type.Optional(Type.Boolean()),
    /** null: as they are listed. */
    priority: Type.Optional(OrNull(Type.Integer({ minimum: 0, maximum: 1_000_000 }))),
    /** null: 1. */
    weight: Type.Optional(OrNull(Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 }))),
    /** null: the manifest's. */
    allocation: Type.Optional(OrNull(Allocation)),
    /** Draws another subspace. */
    cursor: Type.Optional(Type.Null()),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type ContestChange = Static<typeof ContestChange>;

export const SigningKey = Type.Object({
  id: Type.String(),
  /** `retired`: signs no more, and what it signed still counts. `revoked`: what it signed counts no more. */
  state: Type.Union([Type.Literal('signing'), Type.Literal('retired'), Type.Literal('revoked')]),
  createdAt: Type.Integer(),
  retiredAt: Type.Optional(Type.Integer()),
  revokedAt: Type.Optional(Type.Integer()),
});
export type SigningKey = Static<typeof SigningKey>;

export const KnownProxy = Type.Object({
  id: ClientId,
  name: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  listedAt: Type.Integer(),
  /** Absent: it never came. */
  seenAt: Type.Optional(Type.Integer()),
  revokedAt: Type.Optional(Type.Integer()),
});
export type KnownProxy = Static<typeof KnownProxy>;

/** A kiosk as it was when it was last heard of. */
export const KnownKiosk = Type.Object({
  client: ClientId,
  version: Type.String(),
  ...KioskWord.properties,
  firstSeenAt: Type.Integer(),
  seenAt: Type.Integer(),
});
export type KnownKiosk = Static<typeof KnownKiosk>;

/** `now`: the keymaster's clock, by which the times are. */
export const Fleet = Type.Object({ now: Type.Integer(), kiosks: Type.Array(KnownKiosk) });
export type Fleet = Static<typeof Fleet>;

export const NewProxy = Type.Object({ name: Type.Optional(label(64)) }, { additionalProperties: false });
export type NewProxy = Static<typeof NewProxy>;

/** `units`: those it held, which are free again. */
export const RevokedProxy = Type.Object({ proxy: KnownProxy, units: Type.Integer() });
export type RevokedProxy = Static<typeof RevokedProxy>;

/** The keymaster's word for a gateway is asked for. */
export const NewVoucher = Type.Object(
  {
    ...Type.Omit(VoucherClaims, ['aud', 'exp']).properties,
    days: Type.Integer({ minimum: 1, maximum: 3650 }),
  },
  { additionalProperties: false },
);
export type NewVoucher = Static<typeof NewVoucher>;
/** `expiresAt`: milliseconds since 1970. */
export const MadeVoucher = Type.Object({ voucher: Type.String(), expiresAt: Type.Integer() });
export type MadeVoucher = Static<typeof MadeVoucher>;

/** A site whose visitors may work for a team through the widget. */
export const NewSite = Type.Object(
  {
    team: label(64, 1),
    /** Of the pages that may embed it. */
    origins: Type.Array(SiteOrigin, { minItems: 1, maxItems: MAX_ORIGINS, uniqueItems: true }),
  },
  { additionalProperties: false },
);
export type NewSite = Static<typeof NewSite>;

export const SiteChange = Type.Object(
  { origins: Type.Optional(NewSite.properties.origins), revoked: Type.Optional(Type.Boolean()) },
  { additionalProperties: false, minProperties: 1 },
);
export type SiteChange = Static<typeof SiteChange>;

export const Site = Type.Object({
  token: SiteToken,
  ...NewSite.properties,
  createdAt: Type.Integer(),
  /** Its widget says that it was ended, and does no work. */
  revokedAt: Type.Optional(Type.Integer()),
});
export type Site = Static<typeof Site>;

export const Messages = Type.Object(
  { messages: Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: MAX_MESSAGES }) },
  { additionalProperties: false },
);
export type Messages = Static<typeof Messages>;

/** `configured`: those the keymaster was started with, shown before these. */
export const AllMessages = Type.Object({ ...Messages.properties, configured: Type.Array(Type.String()) });
export type AllMessages = Static<typeof AllMessages>;

export const Span = Type.Union([Type.Literal('hour'), Type.Literal('day')]);
export type Span = Static<typeof Span>;

export const Rate = Type.Object({
  contest: ContestName,
  /** When the span began. */
  at: Type.Integer(),
  units: Type.Integer(),
  blocks: Type.Integer(),
  unitsPerSecond: Type.Number(),
});
export type Rate = Static<typeof Rate>;

export const TopScope = Type.Union([Type.Literal('person'), Type.Literal('team')]);
export type TopScope = Static<typeof TopScope>;

/** `who` is empty for all who gave no name. */
export const TopEntry = Type.Object({ who: Type.String(), units: Type.Integer(), blocks: Type.Integer() });
export type TopEntry = Static<typeof TopEntry>;

export const Day = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' });

/** A block that somebody finished, with the unit in it. */
export const FinishedBy = Type.Object({
  day: Day,
  client: ClientId,
  name: Type.Optional(Type.String()),
  team: Type.Optional(Type.String()),
  first: UnitNumber,
  count: Type.Integer(),
});
export type FinishedBy = Static<typeof FinishedBy>;

export const UnitHistory = Type.Object({
  contest: ContestName,
  unit: UnitNumber,
  /** `absent`: a proxy was never given it. */
  state: Type.Union([Type.Literal('free'), Type.Literal('leased'), Type.Literal('done'), Type.Literal('absent')]),
  /** Who is working on it now. */
  lease: Type.Optional(Type.Object({ id: Type.String(), holder: Type.String(), expiresAt: Type.Integer() })),
  /** Newest first. Where blocks overlapped there are several: each of them had units that were new. */
  finished: Type.Array(FinishedBy),
});
export type UnitHistory = Static<typeof UnitHistory>;

const Sum = Type.Object({ runs: Type.Integer(), units: Type.Integer() });

export const LedgerFacts = Type.Object({
  contests: Type.Array(Type.Object({ name: ContestName, free: Sum, leased: Sum, done: Sum })),
  /** Commits that wait to be counted. */
  journal: Type.Integer(),
  clients: Type.Integer(),
});
export type LedgerFacts = Static<typeof LedgerFacts>;

export const CheckedContest = Type.Object({
  name: ContestName,
  units: Type.Integer(),
  /** Σ of its runs. */
  free: Type.Integer(),
  leased: Type.Integer(),
  done: Type.Integer(),
  /** Units credited, those that wait to be counted among them. */
  credited: Type.Integer(),
  /** What contradicts what, in sentences. */
  faults: Type.Array(Type.String()),
});
export type CheckedContest = Static<typeof CheckedContest>;

export const LedgerCheck = Type.Object({ ok: Type.Boolean(), contests: Type.Array(CheckedContest) });
export type LedgerCheck = Static<typeof LedgerCheck>;

/** How somebody was caught: by what cannot be true, a part done again, a known answer, another's run, or the laws of chance. */
export const How = Type.Union([
  Type.Literal('evidence'),
  Type.Literal('spot-check'),
  Type.Literal('known-answer'),
  Type.Literal('second-run'),
  Type.Literal('record'),
]);

export const CaseId = Type.String({ pattern: '^[0-9a-f-]{36}$' });

export const Case = Type.Object({
  id: CaseId,
  at: Type.Integer(),
  /** A client's id; `name:…` where it is about all who use a name. */
  client: Type.String(),
  contest: ContestName,
  how: How,
  detail: Type.String(),
  name: Type.Optional(Type.String()),
  team: Type.Optional(Type.String()),
  /** Taken back. */
  units: Type.Integer(),
  blocks: Type.Integer(),
  pardonedAt: Type.Optional(Type.Integer()),
  /** What it rests on. */
  evidence: Type.Optional(Type.Unknown()),
});
export type Case = Static<typeof Case>;

/** What is noted of a client. */
export const ClientRecord = Type.Object({
  client: Type.String(),
  firstSeenAt: Type.Optional(Type.Integer()),
  /** Up to five minutes less than the truth. */
  seenAt: Type.Optional(Type.Integer()),
  /** It was heard of within a day. */
  online: Type.Optional(Type.Boolean()),
  wentOfflineAt: Type.Optional(Type.Integer()),
  version: Type.Optional(Type.String()),
  /** Why an operator has stopped it. */
  stopped: Type.Optional(Type.String()),
  contests: Type.Array(
    Type.Object({
      contest: ContestName,
      /** It gets no ordinary work. */
      barred: Type.Boolean(),
      reports: Type.Integer(),
      units: Type.Integer(),
      /** Checks. */
      passed: Type.Integer(),
      failed: Type.Integer(),
      score: Type.Integer(),
      distrusted: Type.Boolean(),
      triedAt: Type.Integer(),
      /** Units a second of one worker, by core. */
      speeds: Type.Record(Type.String(), Type.Number()),
      error: Type.Optional(Type.String()),
      errorAt: Type.Optional(Type.Integer()),
    }),
  ),
  /** Those that were not pardoned. */
  cases: Type.Array(Case),
});
export type ClientRecord = Static<typeof ClientRecord>;

/** Why a client is to stop: shown to its person. */
export const StopReason = Type.Object({ reason: Type.String({ minLength: 1, maxLength: 500 }) });
export type StopReason = Static<typeof StopReason>;
