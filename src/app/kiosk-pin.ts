/**
 * The kiosk's PIN: kept as a salted PBKDF2 hash, and tried no oftener than a person would. It keeps passers-by out of the
 * settings; whoever can open the browser's developer tools needs no PIN.
 *
 * A page over plain HTTP has no WebCrypto; there the same is computed in JavaScript.
 */
import { type Static, Type } from 'typebox';

export const Pin = Type.Object({
  salt: Type.String({ pattern: '^[0-9a-f]{32}$' }),
  hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  iterations: Type.Integer({ minimum: 1, maximum: 10_000_000 }),
});
export type Pin = Static<typeof Pin>;

/** Tries that failed since the last one that did not; `at`: the last of them, milliseconds since 1970. */
export const Tries = Type.Object({ wrong: Type.Integer({ minimum: 0 }), at: Type.Integer() });
export type Tries = Static<typeof Tries>;

export const PIN_PATTERN = /^\d{4,12}$/;

/** About a tenth of a second, in JavaScript half a second. */
const ITERATIONS = 100_000;
const FREE_TRIES = 4;
const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 900_000;

export async function makePin(digits: string): Promise<Pin> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return { salt: toHex(salt), hash: toHex(await derive(digits, salt, ITERATIONS)), iterations: ITERATIONS };
}

export async function isPin(digits: string, { salt, hash, iterations }: Pin): Promise<boolean> {
  return toHex(await derive(digits, fromHex(salt), iterations)) === hash;
}

/** How long until the next try is looked at: none for the first few, then twice as long after each. */
export function waitOf({ wrong, at }: Tries, now: number): number {
  if (wrong < FREE_TRIES) return 0;
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(20, wrong - FREE_TRIES));
  // A clock that was set back keeps nobody out for longer.
  return Math.max(0, Math.min(wait, at + wait - now));
}

async function derive(digits: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<Uint8Array> {
  const secret = new TextEncoder().encode(digits);
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (subtle === undefined) {
    const [{ pbkdf2Async }, { sha256 }] = await Promise.all([
      import('@noble/hashes/pbkdf2.js'),
      import('@noble/hashes/sha2.js'),
    ]);
    return pbkdf2Async(sha256, secret, salt, { c: iterations, dkLen: 32 });
  }
  const key = await subtle.importKey('raw', secret, 'PBKDF2', false, ['deriveBits']);
  return new Uint8Array(await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, 256));
}

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const fromHex = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
