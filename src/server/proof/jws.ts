/**
 * Compact JWS (RFC 7515) with EdDSA (RFC 8037) over JSON claims; the header says `alg`, and as `kid` the signer's id,
 * and nothing else. Reading is apart from verifying, which costs twenty times as much and is done last.
 *
 * One signed text is one string: header and claims are signed as they are written, and a signature is accepted in its
 * one canonical spelling only (the last of its 86 digits has four bits to spare, which a lenient decoder ignores).
 */
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { KeyId, type KeyPair, verifyWith } from './key.ts';

const header = Compile(Type.Object({ alg: Type.Literal('EdDSA'), kid: KeyId }, { additionalProperties: false }));

const FORM = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]{85}[AQgw]$/;

export interface Jws {
  text: string;
  /** The id of the key that is said to have signed. */
  signer: string;
  /** Not checked in any way. */
  claims: unknown;
}

/** Always the same for a key. */
const headers = new WeakMap<KeyPair, string>();

export function signJws(claims: object, key: KeyPair): string {
  let head = headers.get(key);
  if (head === undefined) {
    head = `${base64url(JSON.stringify({ alg: 'EdDSA', kid: key.id }))}.`;
    headers.set(key, head);
  }
  const signed = head + base64url(JSON.stringify(claims));
  return `${signed}.${key.sign(Buffer.from(signed, 'latin1')).toString('base64url')}`;
}

/** What the text says, or undefined where it is no such JWS. Whether it is signed: `isSigned`. */
export function readJws(text: string): Jws | undefined {
  const [, head = '', body = ''] = FORM.exec(text) ?? [];
  try {
    const parameters: unknown = JSON.parse(fromBase64url(head));
    if (!header.Check(parameters)) return undefined;
    return { text, signer: parameters.kid, claims: JSON.parse(fromBase64url(body)) };
  } catch {
    return undefined;
  }
}

export function isSigned({ text, signer }: Jws): boolean {
  const dot = text.lastIndexOf('.');
  const signature = Buffer.from(text.slice(dot + 1), 'base64url');
  return verifyWith(signer, Buffer.from(text.slice(0, dot), 'latin1'), signature);
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const fromBase64url = (digits: string): string => Buffer.from(digits, 'base64url').toString();
