/**
 * A bearer token (RFC 6750) before a group of routes. Tokens are compared by their hashes, in constant time: neither
 * the time that it takes nor a log tells anything of the right one.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RefusedError } from '../../protocol/errors.ts';

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Names a token in logs: the first 8 hexadecimal digits of its SHA-256. */
export const fingerprintOf = (token: string): string => hashOf(token).toString('hex', 0, 4);

/** @throws RefusedError the request does not carry the token. */
export function admitBearer(token: string, { headers }: FastifyRequest, reply: FastifyReply): void {
  const [, given] = /^Bearer +([^ ]+) *$/i.exec(headers.authorization ?? '') ?? [];
  if (given !== undefined && timingSafeEqual(hashOf(given), hashOf(token))) return;
  // RFC 6750, 3.1: no error code where there were no credentials at all.
  const error = given === undefined ? '' : ', error="invalid_token"';
  reply.header('www-authenticate', `Bearer realm="tabherd"${error}`);
  const detail = given === undefined ? 'this needs the administration token' : 'this is not the administration token';
  throw new RefusedError('unauthorized', detail, { status: 401 });
}
