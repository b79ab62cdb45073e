/**
 * Who may speak to a keyserver, by address, in the three steps of distributed.net's proxies: where `allowed` names any, these
 * and no others; or else all but the `ignored`; or else all. A rule is an address, a CIDR range, or `1.2.3.*`.
 *
 * The address is fastify's `request.ip`: the socket's, or what a reverse proxy said where `trustProxy` trusts it. Refused
 * requests get a 403 problem document. The two checks of health answer everybody: a supervisor that is refused would
 * restart the keyserver, and they tell nothing.
 */
import { BlockList, isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { sendProblem } from './problems.ts';

export interface AccessRules {
  allowed: readonly string[];
  ignored: readonly string[];
}

/** A function, so that a reload can change the rules. */
export type MayAccess = (address: string) => boolean;

/** @throws TypeError a rule is in no known form; the message names it. */
export function accessBy({ allowed, ignored }: AccessRules): MayAccess {
  const allows = listOf(allowed);
  const ignores = listOf(ignored);
  if (allowed.length > 0) return (address) => contains(allows, address);
  return (address) => !contains(ignores, address);
}

const FOR_EVERYBODY = new Set(['/healthz', '/readyz']);

/** To be called before routes are registered: hooks concern what comes after them. */
export function guardAccess(app: FastifyInstance, mayAccess: MayAccess): void {
  app.addHook('onRequest', (request, reply, next) => {
    if (mayAccess(request.ip) || FOR_EVERYBODY.has(request.url)) return next();
    const detail = `this keyserver does not serve your address, ${request.ip}`;
    sendProblem(reply, { status: 403, code: 'unauthorized', detail });
  });
}

/** Connections above `most` are closed at once: a client takes this for an unreachable keyserver and tries another. */
export function limitConnections(app: FastifyInstance, most: number): void {
  app.server.maxConnections = most;
}

/** Whether a text is a rule. */
export function isAddressRule(rule: string): boolean {
  return parse(rule) !== undefined;
}

function parse(rule: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [, octets, stars] = /^((?:\d{1,3}\.){1,3})(\*(?:\.\*)*)$/.exec(rule) ?? [];
  if (octets !== undefined && stars !== undefined) {
    const known = octets.split('.').slice(0, -1);
    // `1.*` may stand for `1.*.*.*`; but not `1.*.*`, nor five parts.
    if (stars !== '*' && known.length + stars.split('.').length !== 4) return undefined;
    const address = [...known, '0', '0', '0'].slice(0, 4).join('.');
    return isIP(address) === 4 ? { address, bits: 8 * known.length, family: 'ipv4' } : undefined;
  }
  const [address = '', bits, ...more] = rule.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  if (version === 0 || more.length > 0 || address.includes('%')) return undefined;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)) return undefined;
  return { address, bits: bits === undefined ? most : Number(bits), family: version === 4 ? 'ipv4' : 'ipv6' };
}

function listOf(rules: readonly string[]): BlockList {
  const list = new BlockList();
  for (const rule of rules) {
    const parsed = parse(rule);
    if (parsed === undefined) {
      throw new TypeError(`"${rule}" is no address, CIDR range (10.0.0.0/8, fd00::/8) or pattern like 1.2.3.*`);
    }
    list.addSubnet(parsed.address, parsed.bits, parsed.family);
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  // As a socket of both families names a client of the older one; Node 20's BlockList does not take it for IPv4.
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  const version = isIP(plain);
  return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
}
