/**
 * Pools of gateways, with the roles and words of Reliable Server Pooling (RFC 5351): gateways are the pool elements, browsers
 * the pool users, and a registrar knows who is in which pool. ASAP (RFC 5352) and ENRP (RFC 5353) over HTTPS and JSON here,
 * because the pool users are browsers.
 *
 * Whatever changes a handlespace is a signed statement (JWS); what is in one can be checked by anyone who knows the
 * keymaster's public key: it vouches for the addresses of every element.
 */
import { type Static, Type } from 'typebox';
import { ClientId } from '../domain/client.ts';

/** Names a pool: `rc5.eu`. */
export const HANDLE_FORM = '^[a-z0-9][a-z0-9.-]{0,63}$';
export const PoolHandle = Type.String({ pattern: HANDLE_FORM });

/** Of an element or a registrar: random, so that nobody hands them out. */
export const PoolId = Type.Integer({ minimum: 1, maximum: 0xffff_ffff });

/** The numbers of RFC 5356; `nearest` is ours. */
export const POLICY_NUMBERS = {
  'round-robin': 0x0000_0001,
  'weighted-round-robin': 0x0000_0002,
  random: 0x0000_0003,
  'weighted-random': 0x0000_0004,
  priority: 0x0000_0005,
  'least-used': 0x4000_0001,
  'least-used-degradation': 0x4000_0002,
  'priority-least-used': 0x4000_0003,
  'randomized-least-used': 0x4000_0004,
  /** Least used, where each millisecond to it counts as so much load. */
  nearest: 0xb000_0001,
} as const;
export type PolicyName = keyof typeof POLICY_NUMBERS;
export const POLICY_NAMES = Object.keys(POLICY_NUMBERS) as PolicyName[];

/** How an element wants to be selected. One pool has one kind of policy: that of the lowest identifier, on which all registrars agree. */
export const Policy = Type.Object({
  kind: Type.Unsafe<PolicyName>(Type.Union(POLICY_NAMES.map((name) => Type.Literal(name)))),
  /** Of the weighted ones: an element of weight 2 gets twice as much as one of weight 1. */
  weight: Type.Integer({ minimum: 1, maximum: 1000 }),
  /** Of `priority`: the highest is selected. */
  priority: Type.Integer({ minimum: 0, maximum: 1000 }),
  /** How much load one more pool user is, 0 to 1: of `least-used-degradation` and `priority-least-used`. */
  degradation: Type.Number({ minimum: 0, maximum: 1 }),
});
export type Policy = Static<typeof Policy>;

/** Where a gateway is reached: an origin. */
export const GatewayAddress = Type.String({ pattern: '^https?://[^/\\s]{1,200}$' });

export const MAX_ADDRESSES = 4;
export const MAX_SUCCESSORS = 8;
/** Elements in one resolution. */
export const MAX_RESOLVED = 8;

const Jws = Type.String({ minLength: 1, maxLength: 4096 });

const time = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** What pool users get to know of an element. */
export const PoolElement = Type.Object({
  id: PoolId,
  /** The first that answers counts. */
  addresses: Type.Array(GatewayAddress, { minItems: 1, maxItems: MAX_ADDRESSES }),
  policy: Policy,
  /** 0: idle, 1: as much as it can do. */
  load: Type.Number({ minimum: 0, maximum: 1 }),
  /** Its last will: who is to be asked where it does not answer, before all others. */
  successors: Type.Array(PoolId, { maxItems: MAX_SUCCESSORS }),
  /** The keymaster's word for its addresses: a `Voucher`. */
  voucher: Jws,
});
export type PoolElement = Static<typeof PoolElement>;

/** A pool handle resolved (ASAP Handle Resolution): elements in the order in which to try them. */
export const Resolution = Type.Object({
  handle: PoolHandle,
  elements: Type.Array(PoolElement, { maxItems: MAX_RESOLVED }),
  /** For how long it need not be asked for again. */
  lifetimeSeconds: Type.Number({ minimum: 1, maximum: 86_400 }),
});
export type Resolution = Static<typeof Resolution>;

/** ASAP Endpoint Unreachable: a pool user could not reach an element. A registrar looks for itself before it believes. */
export const Unreachable = Type.Object({ element: PoolId, client: ClientId });
export type Unreachable = Static<typeof Unreachable>;
/** `known`: whether it is in the pool (still). */
export const UnreachableReply = Type.Object({ known: Type.Boolean() });

/** ASAP Business Card: a proxy that is itself an element says where it can be called back. */
export const BusinessCard = Type.Object({ handle: PoolHandle, id: PoolId, voucher: Jws });
export type BusinessCard = Static<typeof BusinessCard>;

/** Of a gateway (ASAP Endpoint Keep-Alive Ack). */
export const KeepAlive = Type.Object({ handle: PoolHandle, id: PoolId, load: Type.Number({ minimum: 0, maximum: 1 }) });
export type KeepAlive = Static<typeof KeepAlive>;

/** Who may be in a pool, signed by the keymaster. With the names of RFC 7519; times are milliseconds since 1970. */
export const VoucherClaims = Type.Object(
  {
    aud: Type.Literal('tabherd-pool'),
    /** The gateway's public key. */
    sub: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    /** Absent: it is in no pool, but a registrar. */
    handle: Type.Optional(PoolHandle),
    addresses: Type.Array(GatewayAddress, { minItems: 1, maxItems: MAX_ADDRESSES }),
    /** It may be a registrar. */
    registrar: Type.Optional(Type.Literal(true)),
    exp: time,
  },
  { additionalProperties: false },
);
export type VoucherClaims = Static<typeof VoucherClaims>;

/** ASAP Registration, signed by the element. A later `iat` replaces an earlier one; an earlier one is refused. */
export const RegistrationClaims = Type.Object(
  {
    aud: Type.Literal('tabherd-registration'),
    handle: PoolHandle,
    ...Type.Omit(PoolElement, ['voucher']).properties,
    lifetimeSeconds: Type.Integer({ minimum: 1, maximum: 3600 }),
    iat: time,
  },
  { additionalProperties: false },
);
export type RegistrationClaims = Static<typeof RegistrationClaims>;

/** ASAP Deregistration. */
export const DeregistrationClaims = Type.Object(
  { aud: Type.Literal('tabherd-deregistration'), handle: PoolHandle, id: PoolId, iat: time },
  { additionalProperties: false },
);
export type DeregistrationClaims = Static<typeof DeregistrationClaims>;

/** A signed statement of a keyserver's, with the keymaster's word for it. */
export const Vouched = Type.Object({ statement: Jws, voucher: Jws });
export type Vouched = Static<typeof Vouched>;

/** An answer of a registrar to another, which may be a table. */
export const VouchedAnswer = Type.Object({
  statement: Type.String({ minLength: 1, maxLength: 2 ** 20 }),
  voucher: Jws,
});

/** To an element: its home registrar, and where all registrars are, for when this one does not answer. */
export const RegistrationReply = Type.Object({ home: PoolId, registrars: Type.Array(GatewayAddress) });
export type RegistrationReply = Static<typeof RegistrationReply>;

/** An element as registrars know it. */
export const Entry = Type.Object({
  /** Its own registration, as it signed it. */
  statement: Jws,
  voucher: Jws,
  /** The registrar that supervises it. */
  home: PoolId,
});
export type Entry = Static<typeof Entry>;

/** Entries in one table response: it is signed, sent and read in a millisecond or two, and nobody waits longer meanwhile. */
export const MAX_ENTRIES = 64;

const Place = Type.Object({ handle: PoolHandle, id: PoolId });

/** What registrars say to each other. */
export const EnrpMessage = Type.Union([
  /** I am here. The checksum is that of the elements whose home I am. */
  Type.Object({
    is: Type.Literal('presence'),
    address: GatewayAddress,
    checksum: Type.Integer(),
    count: Type.Integer(),
  }),
  /** Whose home are you? Part by part: those after this place. */
  Type.Object({ is: Type.Literal('table-request'), after: Type.Optional(Place) }),
  Type.Object({
    is: Type.Literal('table'),
    entries: Type.Array(Entry, { maxItems: MAX_ENTRIES }),
    /** Where the next part begins; absent in the last. */
    next: Type.Optional(Place),
  }),
  Type.Object({ is: Type.Literal('update'), entry: Entry }),
  /** The element with this registration, or an earlier one, is gone. */
  Type.Object({ is: Type.Literal('removal'), ...Place.properties, iat: time, reason: Type.String({ maxLength: 64 }) }),
  Type.Object({ is: Type.Literal('list-request') }),
  Type.Object({
    is: Type.Literal('list'),
    registrars: Type.Array(Type.Object({ id: PoolId, address: GatewayAddress }), { maxItems: 256 }),
  }),
  /** This registrar is silent; I would take its elements over. */
  Type.Object({ is: Type.Literal('init-takeover'), target: PoolId }),
  /** `agrees`: go on; false: I am taking over, or it is alive. */
  Type.Object({ is: Type.Literal('takeover-ack'), target: PoolId, agrees: Type.Boolean() }),
  Type.Object({ is: Type.Literal('takeover'), target: PoolId }),
  Type.Object({ is: Type.Literal('ok') }),
]);
export type EnrpMessage = Static<typeof EnrpMessage>;

/** Signed by the registrar that sends it. */
export const EnrpClaims = Type.Object({
  aud: Type.Literal('tabherd-enrp'),
  from: PoolId,
  /** To whom; 0 where that is not known yet. */
  to: Type.Integer({ minimum: 0, maximum: 0xffff_ffff }),
  iat: time,
  message: EnrpMessage,
});
export type EnrpClaims = Static<typeof EnrpClaims>;

export const PoolEvent = Type.Object({
  at: Type.Integer(),
  what: Type.Union([
    Type.Literal('joined'),
    Type.Literal('left'),
    Type.Literal('silent'),
    Type.Literal('unreachable'),
    Type.Literal('moved'),
    Type.Literal('registrar-joined'),
    Type.Literal('takeover'),
  ]),
  handle: Type.Optional(PoolHandle),
  /** The element; of a registrar's, that registrar. */
  id: PoolId,
  address: Type.Optional(Type.String()),
  /** The registrar it is with now. */
  home: Type.Optional(PoolId),
});
export type PoolEvent = Static<typeof PoolEvent>;

/** What a registrar knows: for a page that people look at. */
export const PoolsOverview = Type.Object({
  now: Type.Integer(),
  /** Who tells this. */
  registrar: PoolId,
  /** `peers`: registrars tell each other; `shared`: the database that they share has it all. */
  mode: Type.Union([Type.Literal('peers'), Type.Literal('shared')]),
  registrars: Type.Array(
    Type.Object({
      id: PoolId,
      address: Type.String(),
      /** When it was last heard of; absent of itself. */
      heardAt: Type.Optional(Type.Integer()),
      elements: Type.Integer(),
    }),
  ),
  pools: Type.Array(
    Type.Object({
      handle: PoolHandle,
      policy: Policy.properties.kind,
      /** All of them; the list has no more than 200. */
      count: Type.Integer(),
      elements: Type.Array(
        Type.Object({
          id: PoolId,
          addresses: Type.Array(Type.String()),
          policy: Policy,
          load: Type.Number(),
          home: PoolId,
          /** When this registrar first heard of it. */
          since: Type.Integer(),
          seenAt: Type.Integer(),
          /** Resolutions in which it was first, by this registrar. */
          selected: Type.Integer(),
          /** Reports that it could not be reached, since it was last looked at. */
          unreachable: Type.Integer(),
        }),
      ),
    }),
  ),
  /** The newest first. */
  events: Type.Array(PoolEvent),
});
export type PoolsOverview = Static<typeof PoolsOverview>;
