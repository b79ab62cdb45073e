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

/**
 * Vouchers read before, the latest last; undefined: it is none, or nobody's. Verifying takes milliseconds, a list is asked about at
 * every call, and the next list has mostly the same ones.
 */
const read = new Map<string, Signed | undefined>();
const MAX_READ = 256;

interface Signed {
  by: string;
  claims: VoucherClaims;
}

export interface VoucherTrust {
  /** The pool that the element is said to be in. */
  handle: string;
  /** Public keys of the keymaster's, hexadecimal. */
  pins: readonly string[];
  now: number;
}

/** Whether the keymaster says that this pool has a gateway at all of the element's addresses. */
export function isVouched(element: PoolElement, { handle, pins, now }: VoucherTrust): boolean {
  const signed = signedOf(element.voucher, pins);
  if (signed === undefined) return false;
  const { by, claims } = signed;
  if (!pins.includes(by) || claims.handle !== handle || claims.exp <= now) return false;
  return element.addresses.every((address) => claims.addresses.includes(address));
}

function signedOf(voucher: string, pins: readonly string[]): Signed | undefined {
  if (read.has(voucher)) return read.get(voucher);
  const [, head = '', body = '', signature = ''] = FORM.exec(voucher) ?? [];
  const [header, claims] = [jsonOf(head), jsonOf(body)];
  if (!Check(Header, header) || !Check(VoucherClaims, claims)) return undefined;
  // Whoever is trusted later is verified then.
  if (!pins.includes(header.kid)) return undefined;
  const signed = isSigned(`${head}.${body}`, signature, header.kid) ? { by: header.kid, claims } : undefined;
  const [oldest] = read.keys();
  if (read.size >= MAX_READ && oldest !== undefined) read.delete(oldest);
  read.set(voucher, signed);
  return signed;
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
