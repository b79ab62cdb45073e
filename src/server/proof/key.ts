/**
 * Ed25519 keys (RFC 8032) with which keyservers sign. A key's id is its public key as 64 hexadecimal digits, so that
 * whoever knows the id can verify; its secret is the 32-byte seed, written the same way. Signing takes some 30 and
 * verifying some 80 microseconds, so both are plain synchronous calls.
 *
 * A secret leaves a pair only by `secret()`, for the store: not by JSON, a log or an error.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { Type } from 'typebox';
import { BoundedMap } from './bounded-map.ts';

const HEX_32_BYTES = /^[0-9a-f]{64}$/;

export const KeyId = Type.String({ pattern: HEX_32_BYTES.source });

export const isKeyId = (id: string): boolean => HEX_32_BYTES.test(id);

const SIGNATURE_BYTES = 64;

/** What DER (RFC 8410) has before the 32 bytes of a seed and of a public key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export class KeyPair {
  readonly id: string;
  readonly #seed: string;
  readonly #privateKey: KeyObject;

  /** @throws Error not a seed of 64 hexadecimal digits. */
  constructor(secret: string) {
    if (!HEX_32_BYTES.test(secret)) throw new Error('The secret of a key must be 64 hexadecimal digits.');
    this.#seed = secret;
    const der = Buffer.concat([PKCS8_PREFIX, Buffer.from(secret, 'hex')]);
    this.#privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' });
    this.id = spki.subarray(SPKI_PREFIX.length).toString('hex');
  }

  secret(): string {
    return this.#seed;
  }

  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.#privateKey);
  }
}

export const generateKey = (): KeyPair => new KeyPair(randomBytes(32).toString('hex'));

/** Making a KeyObject costs about as much as verifying with it, and a keyserver meets the same few keys all day. */
const publicKeys = new BoundedMap<string, KeyObject>(1024);

/** Whether the key with this id signed these bytes. False, not an error, where id or signature have no such form. */
export function verifyWith(id: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || !HEX_32_BYTES.test(id)) return false;
  let key = publicKeys.get(id);
  if (key === undefined) {
    const der = Buffer.concat([SPKI_PREFIX, Buffer.from(id, 'hex')]);
    key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    publicKeys.set(id, key);
  }
  return verify(null, bytes, key, signature);
}
