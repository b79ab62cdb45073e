/**
 * What passes between a client and a keyserver about one block: the lease that hands it out, the report that
 * comes back, and the evidence in it that lets the receiver check cheaply that the work was done.
 */
import { type Static, Type } from 'typebox';
import { ClientInfo } from './client.ts';
import { ContestName } from './contest.ts';
import { UnitNumber } from './units.ts';

/** A unit of RC5 is 2^28 consecutive keys of the big-endian key counter. */
export const KEYS_PER_UNIT = 2 ** 28;

export const LeaseId = Type.String({ pattern: '^[0-9a-f-]{16,64}$' });

/**
 * Who handed a block to whom until when, signed at each tier from the keymaster down to the client. Opaque to its
 * holder, who hands it in with the report: any keyserver of the pyramid can check it (`server/proof/`).
 */
export const Proof = Type.String({ pattern: '^[A-Za-z0-9_.~-]+$', maxLength: 8192 });

/** A block handed to one client until a time. Its id is unguessable. */
export const Lease = Type.Object({
  id: LeaseId,
  contest: ContestName,
  first: UnitNumber,
  count: Type.Integer({ minimum: 1 }),
  /** Milliseconds since 1970, by the keyserver's clock. */
  expiresAt: Type.Integer(),
  /** Absent in `keyserver<-client/1`. */
  proof: Type.Optional(Proof),
});
export type Lease = Static<typeof Lease>;

/**
 * Every key of the unit whose first ciphertext word agrees with the target in its low 24 bits, as offsets from
 * the unit's first key, ascending. About 16 in a unit: they cannot be made up without trying keys.
 */
export const Rc5Evidence = Type.Object(
  {
    kind: Type.Literal('rc5'),
    nearMatches: Type.Array(Type.Integer({ minimum: 0, maximum: KEYS_PER_UNIT - 1 }), { maxItems: 256 }),
  },
  { additionalProperties: false },
);
export type Rc5Evidence = Static<typeof Rc5Evidence>;

/**
 * The nodes visited below the stub, the shortest ruler found there, if any, as marks (0 first), and where the search stood
 * on its way: `trace` (`contests/ogr/trace.ts`), absent where the nodes are too few for any state. At most 128 states of
 * 54 letters; true ones have about ten.
 */
export const OgrEvidence = Type.Object(
  {
    kind: Type.Literal('ogr'),
    nodes: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    ruler: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 1023 }), { minItems: 2, maxItems: 32 })),
    trace: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: 6912 })),
  },
  { additionalProperties: false },
);
export type OgrEvidence = Static<typeof OgrEvidence>;

export const UnitEvidence = Type.Union([Rc5Evidence, OgrEvidence]);
export type UnitEvidence = Static<typeof UnitEvidence>;

/** Units in one report: a client's block has no more; a proxy sends finished neighbours of one client as one. */
export const MAX_REPORT_UNITS = 256;

/** Thirty years. */
export const MAX_REPORT_SECONDS = 1e9;

/** What comes back for a lease: one piece of evidence for each unit, in order. */
export const Report = Type.Object({
  lease: LeaseId,
  contest: ContestName,
  first: UnitNumber,
  evidence: Type.Array(UnitEvidence, { minItems: 1, maxItems: MAX_REPORT_UNITS }),
  /** The core that did the work, as the catalogue names it. */
  core: Type.String({ maxLength: 64 }),
  /** Seconds of one worker. */
  seconds: Type.Number({ minimum: 0, maximum: MAX_REPORT_SECONDS }),
  /** The lease's proof, as it came. With it a report is believed wherever and however late it is handed in. */
  proof: Type.Optional(Proof),
  /** Who did the work, where a proxy passes it on; absent: whoever sends it. Believed of proxies only. */
  client: Type.Optional(ClientInfo),
  /** When the proxy got it, milliseconds since 1970. */
  finishedAt: Type.Optional(Type.Integer()),
});
export type Report = Static<typeof Report>;

/**
 * Where a core stands within one unit: plain data, so that it can be stored and sent. `format` names the layout; a
 * core refuses a format or a unit that is not its own. `diffs`: the differences placed so far; `ruler`: the best yet;
 * `trace`: its states so far, absent in a search that keeps none because it did not begin at the stub (a spot check).
 */
export type UnitCheckpoint =
  | { format: 'rc5-1'; unit: number; keysDone: number; nearMatches: number[] }
  | { format: 'ogr-3'; unit: number; nodes: number; diffs: number[]; ruler?: number[]; trace?: string };

/** Where a worker stands within a block. */
export interface BlockCheckpoint {
  /** Of the finished units, in order. */
  evidence: UnitEvidence[];
  /** Of the unit in hand; absent between two units. */
  unit?: UnitCheckpoint;
  /** Seconds of one worker spent so far. */
  seconds: number;
  /** Keys or nodes of the whole block so far. */
  steps: number;
}
