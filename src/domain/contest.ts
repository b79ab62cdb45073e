/**
 * Contests as data. A contest is a line of numbered units 0..N−1; its manifest says what a unit means and how
 * blocks of it are handed out. The keyserver reads only `units`, `block`, `leaseSeconds` and `closes`; what a
 * unit *is* belongs to the contest kind (`src/contests`).
 *
 * Every value that crosses a boundary is described once, as a TypeBox schema: the type and its validator.
 */
import { type Static, Type } from 'typebox';
import { UnitNumber, UnitRange } from './units.ts';

const hex = (bytes: number) => Type.String({ pattern: `^[0-9a-f]{${bytes * 2}}$` });

const KeyBytes = Type.Union([Type.Literal(7), Type.Literal(8), Type.Literal(9)]);

/** An RC5-32/12/b secret-key challenge in CBC mode, as RSA Laboratories published them in 1997. */
export const Rc5Search = Type.Object(
  {
    kind: Type.Literal('rc5'),
    /** b, the bytes in the key. */
    keyBytes: KeyBytes,
    /**
     * The ciphertext is the keymaster's secret: everyone else gets a `BlindRc5Search`, by which the winner is a near match like
     * any other. Only whoever has this manifest, or the ledger, can tell it.
     */
    blind: Type.Optional(Type.Literal(true)),
    iv: hex(8),
    /** The whole ciphertext, hexadecimal, a multiple of 8 bytes. */
    ciphertext: Type.String({ pattern: '^([0-9a-f]{16})+$' }),
    /** How the plaintext begins; at least 8 bytes of ASCII. */
    knownPlaintext: Type.String({ minLength: 8 }),
    /** Unit 0 of the contest is this 2^28-key unit of the whole key space. */
    firstUnit: UnitNumber,
  },
  { additionalProperties: false },
);
export type Rc5Search = Static<typeof Rc5Search>;

/** What is handed out of a blind RC5 search: enough to find near matches. Made out of the whole one, never written by hand. */
export const BlindRc5Search = Type.Object(
  {
    kind: Type.Literal('rc5'),
    blind: Type.Literal(true),
    keyBytes: KeyBytes,
    /** What is encrypted first: the first 8 bytes of the plaintext XOR the IV. */
    plain: hex(8),
    /** The first 3 bytes of the ciphertext, which are the low 24 bits of its first word. */
    target: hex(3),
    firstUnit: UnitNumber,
  },
  { additionalProperties: false },
);
export type BlindRc5Search = Static<typeof BlindRc5Search>;

/** An optimal Golomb ruler search: every ruler of `marks` marks no longer than `maxLength`. */
export const OgrSearch = Type.Object(
  {
    kind: Type.Literal('ogr'),
    marks: Type.Integer({ minimum: 5, maximum: 29 }),
    maxLength: Type.Integer({ minimum: 1, maximum: 1023 }),
    /** A unit is a stub of this many differences. */
    stubDepth: Type.Integer({ minimum: 1, maximum: 12 }),
    /**
     * How many stubs begin with each pair of first marks, in lexicographic order; absent where the stubs are
     * few enough to be listed. Made by `tabherd stubs`.
     */
    stubsByPrefix: Type.Optional(Type.Array(UnitNumber)),
  },
  { additionalProperties: false },
);
export type OgrSearch = Static<typeof OgrSearch>;

/**
 * In which order a contest's free units are handed out. `random`: the line is cut into subspaces of so many units; one
 * is drawn at random and handed out in order, then the next. `priority`: these runs first, in this order, then the rest.
 */
export const Allocation = Type.Union([
  Type.Object({ kind: Type.Literal('order') }, { additionalProperties: false }),
  Type.Object(
    { kind: Type.Literal('random'), subspaceUnits: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) },
    { additionalProperties: false },
  ),
  Type.Object(
    { kind: Type.Literal('priority'), ranges: Type.Array(UnitRange, { minItems: 1, maxItems: 64 }) },
    { additionalProperties: false },
  ),
]);
export type Allocation = Static<typeof Allocation>;

export const ContestName = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$' });

export const ContestManifest = Type.Object(
  {
    version: Type.Literal(1),
    name: ContestName,
    title: Type.String({ minLength: 1, maxLength: 80 }),
    /** One sentence for a visitor: what is searched, and why. */
    about: Type.String({ minLength: 1, maxLength: 400 }),
    /** N: the units are numbered 0..N−1. */
    units: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    block: Type.Object(
      {
        /** The longest run of units handed out as one block. */
        maxUnits: Type.Integer({ minimum: 1, maximum: 256 }),
        /** How many blocks one client may hold at a time. */
        maxLeases: Type.Integer({ minimum: 1, maximum: 1024 }),
      },
      { additionalProperties: false },
    ),
    leaseSeconds: Type.Integer({ minimum: 1, maximum: 31_536_000 }),
    /** Where a class of clients gets another time than `leaseSeconds`: a proxy's blocks pass through more hands. */
    leaseSecondsOf: Type.Optional(
      Type.Object(
        {
          tab: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
          app: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
          terminal: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
          proxy: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
          widget: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
        },
        { additionalProperties: false },
      ),
    ),
    /** How long overdue units wait for their report before anyone gets them; 0 unless told. */
    recycleSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000 })),
    /** In which order units are handed out; from the first to the last unless told. */
    allocation: Type.Optional(Allocation),
    /** `hit`: the first verified hit closes the contest. `exhausted`: only the last unit does. */
    closes: Type.Union([Type.Literal('hit'), Type.Literal('exhausted')]),
    /**
     * What everyone is told of a blind contest's answer. `found`, unless told: that it was found, when, and by whom if they gave a
     * name. `all`: key and message too.
     */
    announce: Type.Optional(Type.Union([Type.Literal('found'), Type.Literal('all')])),
    /** What a unit earns: the seconds that it takes the reference core, on average (`points.ts`). */
    points: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1e9 })),
    search: Type.Union([Rc5Search, BlindRc5Search, OgrSearch]),
  },
  { additionalProperties: false },
);
export type ContestManifest = Static<typeof ContestManifest>;
export type ContestKindName = ContestManifest['search']['kind'];

export function announceOf({ announce, search }: Pick<ContestManifest, 'announce' | 'search'>): 'found' | 'all' {
  return announce ?? (search.kind === 'rc5' && search.blind === true ? 'found' : 'all');
}

/** A verified answer: the key and its message, or a ruler. */
export const Hit = Type.Union([
  Type.Object({
    kind: Type.Literal('rc5'),
    unit: UnitNumber,
    /** The key, K0 first, hexadecimal. */
    key: Type.String(),
    /** The whole plaintext without its padding. */
    message: Type.String(),
  }),
  Type.Object({
    kind: Type.Literal('ogr'),
    unit: UnitNumber,
    /** Positions of all marks, 0 first. */
    marks: Type.Array(Type.Integer({ minimum: 0 })),
  }),
]);
export type Hit = Static<typeof Hit>;

/** What everyone is told of an answer: all of it, or of a blind contest only that there is one. */
export const Announcement = Type.Union([
  ...Hit.anyOf,
  Type.Object({
    kind: Type.Literal('found'),
    /** Milliseconds since 1970, by the keymaster's clock. */
    at: Type.Integer(),
    /** The name of whoever found it, if they gave one. */
    by: Type.Optional(Type.String()),
  }),
]);
export type Announcement = Static<typeof Announcement>;

/** What everyone may know of a contest at a moment. */
export const ContestState = Type.Object({
  name: ContestName,
  state: Type.Union([Type.Literal('open'), Type.Literal('closed')]),
  /** Why it is closed; absent while it is open. `operator`: for now, and may be opened again. */
  closedBy: Type.Optional(Type.Union([Type.Literal('hit'), Type.Literal('exhausted'), Type.Literal('operator')])),
  /** Work is taken from the open contest of the lowest number that has some; absent: as they are listed. */
  priority: Type.Optional(Type.Integer()),
  /** Contests of one priority share the work in this proportion; absent: 1. */
  weight: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  units: UnitNumber,
  /** Units whose report was verified. */
  done: UnitNumber,
  /** Units that someone is working on now. */
  leased: UnitNumber,
  /** Best first. */
  hits: Type.Array(Announcement),
});
export type ContestState = Static<typeof ContestState>;

export const Contest = Type.Object({
  manifest: ContestManifest,
  state: ContestState,
  /** The keymaster's public keys: whoever leads a gateway's clients elsewhere must have its word from one of them. */
  keymasters: Type.Optional(Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' }), { maxItems: 64 })),
});
export type Contest = Static<typeof Contest>;
