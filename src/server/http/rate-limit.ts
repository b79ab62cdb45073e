/**
 * How many exchanges a minute one client, all of one address, and all of one team may have. Beyond that a request is answered 429 with
 * Retry-After, which clients obey, and nothing of it was looked at. Proxies speak for many, so only their address is
 * counted; requests from this machine itself are not, for behind a reverse proxy that is everybody.
 */
import type { preHandlerHookHandler } from 'fastify';
import type { ClientInfo } from '../../domain/client.ts';
import { isKeyId } from '../proof/key.ts';
import { sendProblem } from './problems.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Exchanges a minute; 0: without a limit. */
export interface Rates {
  client: number;
  address: number;
  team: number;
}

const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** @param rates as they are now: a reload may change them. */
export function limitRates(rates: () => Rates, clock: () => number): preHandlerHookHandler {
  const buckets = new TokenBuckets();
  return (request, reply, next) => {
    const { client, address, team } = rates();
    const { id, team: name } = (request.body as { client: ClientInfo }).client;
    const now = clock();
    const isLocal = LOOPBACK.test(request.ip);
    const waits = [
      { what: 'this client', seconds: isKeyId(id) ? 0 : buckets.take(`client ${id}`, client, now) },
      { what: 'your address', seconds: isLocal ? 0 : buckets.take(`address ${request.ip}`, address, now) },
      { what: 'your team', seconds: name === undefined ? 0 : buckets.take(`team ${name}`, team, now) },
    ];
    const longest = waits.reduce((most, one) => (one.seconds > most.seconds ? one : most));
    if (longest.seconds === 0) return next();
    const seconds = Math.ceil(longest.seconds);
    reply.header('retry-after', String(seconds));
    const detail = `too many requests from ${longest.what}: come again in ${seconds} s`;
    sendProblem(reply, { status: 429, code: 'rate_limited', detail });
  };
}
