/** Who works: what a client says of itself. All but the id is for statistics. */
import { type Static, Type } from 'typebox';
import { SiteToken } from './site.ts';

/**
 * A random UUID that a client made for itself. Of a proxy: its Ed25519 public key (RFC 8032) in hexadecimal, 64 digits,
 * so that what it signs can be checked by its id alone.
 */
export const ClientId = Type.String({ pattern: '^[0-9a-f-]{16,64}$' });

/** `tab`: an open page. `app`: an installed PWA, a kiosk. `terminal`: `tabherd crunch`. `proxy`: a keyserver. `widget`: a frame in a team's site. */
export const ClientClass = Type.Union([
  Type.Literal('tab'),
  Type.Literal('app'),
  Type.Literal('terminal'),
  Type.Literal('proxy'),
  Type.Literal('widget'),
]);
export type ClientClass = Static<typeof ClientClass>;

/** What no database keeps in a text: NUL, and half a surrogate pair. One such name would stop the counting of everyone's work. */
const TEXT = '^(?:[^\\u0000\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff])*$';

export const label = (maxLength: number, minLength = 0) => Type.String({ minLength, maxLength, pattern: TEXT });

export const ClientInfo = Type.Object({
  /** Leases belong to it. */
  id: ClientId,
  /** Shown in statistics; chosen by the person. */
  name: Type.Optional(label(64)),
  team: Type.Optional(label(64)),
  /** The site whose widget it is: its team has the credit, whatever is said beside it. */
  site: Type.Optional(SiteToken),
  /** The client's version. */
  version: label(32),
  /** `tab` unless told. */
  class: Type.Optional(ClientClass),
  /** Operating system and processor in a word or two, where the client can tell: `Linux`, `x86_64`. */
  os: Type.Optional(label(32)),
  cpu: Type.Optional(label(32)),
});
export type ClientInfo = Static<typeof ClientInfo>;
