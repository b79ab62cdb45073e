/**
 * One bearer token (RFC 6750) before a group of routes. Tokens are compared by their hashes, in constant time: neither
 * the time that it takes nor a log tells anything of the right one.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Value } from 'typebox/value';
import { AdminToken } from '../../protocol/administration.ts';
import { RefusedError } from '../../protocol/errors.ts';

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

export class Bearer {
  readonly #hash: Buffer;

  /** @throws TypeError the token is too short, or has characters that no header can carry. */
  constructor(token: string) {
    if (!Value.Check(AdminToken, token)) {
      throw new TypeError('the administration token must have at least 16 characters, of A-Z a-z 0-9 - . _ ~ + /');
    }
    this.#hash = hashOf(token);
  }

  /** Names the token in logs: the first 8 hexadecimal digits of its SHA-256. */
  get fingerprint(): string {
    return this.#hash.toString('hex', 0, 4);
  }

  /** @throws RefusedError the request does not carry the token. */
  admit({ headers }: FastifyRequest, reply: FastifyReply): void {
    const [, token] = /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '') ?? [];
    if (token !== undefined && timingSafeEqual(hashOf(token), this.#hash)) return;
    // RFC 6750, 3.1: no error code where there were no credentials at all.
    const error = token === undefined ? '' : ', error="invalid_token"';
    reply.header('www-authenticate', `Bearer realm="tabherd"${error}`);
    const detail = token === undefined ? 'this needs the administration token' : 'this is not the administration token';
    throw new RefusedError('unauthorized', detail, { status: 401 });
  }
}
