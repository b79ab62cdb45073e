/**
 * The keymaster's word for a gateway's addresses, as a client reads it: a JWS (RFC 7515) with EdDSA (RFC 8037), which
 * `src/server/proof/` writes. Verified by @noble/ed25519 and not by WebCrypto: a page over plain HTTP has none.
 */
import { hashes, verify } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import { type PoolElement, VoucherClaims } from '../protocol/pools.ts';

const Header = Type.Object(
  { alg: Type.Literal('EdDSA'), kid: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
  { additionalProperties: false },
);

const FORM = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{85}[AQgw])$/;

/** Of elements asked about before: verifying takes milliseconds, and a list is asked about at every call. */
const signed = new WeakMap<PoolElement, boolean>();

export interface VoucherTrust {
  /** The pool that the element is said to be in. */
  handle: string;
  /** Public keys of the keymaster's, hexadecimal. */
  pins: readonly string[];
  now: number;
}

/** Whether the keymaster says that this pool has a gateway at all of the element's addresses. */
export function isVouched(element: PoolElement, { handle, pins, now }: VoucherTrust): boolean {
  const { voucher, addresses } = element;
  const [, head = '', body = '', signature = ''] = FORM.exec(voucher) ?? [];
  const [header, claims] = [jsonOf(head), jsonOf(body)];
  if (!Check(Header, header) || !Check(VoucherClaims, claims)) return false;
  if (!pins.includes(header.kid) || claims.handle !== handle || claims.exp <= now) return false;
  if (!addresses.every((address) => claims.addresses.includes(address))) return false;
  const known = signed.get(element);
  if (known !== undefined) return known;
  const is = isSigned(`${head}.${body}`, signature, header.kid);
  signed.set(element, is);
  return is;
}

function isSigned(text: string, signature: string, key: string): boolean {
  hashes.sha512 = sha512;
  const bytes = Uint8Array.from(key.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  try {
    return verify(bytesOf(signature), new TextEncoder().encode(text), bytes, { zip215: false });
  } catch {
    // The key is no point of the curve.
    return false;
  }
}

function jsonOf(digits: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytesOf(digits)));
  } catch {
    return undefined;
  }
}

const bytesOf = (digits: string): Uint8Array =>
  Uint8Array.from(atob(digits.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
