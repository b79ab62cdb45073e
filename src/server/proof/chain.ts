/**
 * The proof that a lease carries: who handed which units to whom until when, a link for each tier, the keymaster's
 * first, joined by `~`. A link is a JWS (`jws.ts`) of the one who hands out; its `sub` is the one who gets. Each is
 * signed by the holder of the link before and allows no more than that: its units, its contest, its time.
 *
 * Anyone with the keymaster's public keys can check it. It says nothing about the present: whether a report is late, or
 * its units done long ago, is the ledger's to say. And every proof contains that of the tier above, so whoever takes a
 * report has to compare its lease and its client with those of the last link.
 */
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { ClientId } from '../../domain/client.ts';
import { ContestName } from '../../domain/contest.ts';
import { UnitRange } from '../../domain/units.ts';
import { LeaseId } from '../../domain/work.ts';
import { faultOf } from '../../protocol/fault.ts';
import { BoundedMap } from './bounded-map.ts';
import { isSigned, type Jws, readJws, signJws } from './jws.ts';
import type { KeyPair } from './key.ts';

/** The longest possible links, so many of them, still fit the schema `Proof`: 8 × 560 characters. */
export const MAX_LINKS = 8;

/** With the names of RFC 7519 where it has some. Others are refused: they might be meant to narrow what is allowed. */
const Claims = Type.Object(
  {
    /** The lease. */
    jti: LeaseId,
    /** Its holder: a client's id, which of a proxy is its key. */
    sub: ClientId,
    contest: ContestName,
    ...UnitRange.properties,
    /** When the lease ends, milliseconds since 1970 (not seconds, as in RFC 7519). */
    exp: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  },
  { additionalProperties: false },
);
export type Claims = Static<typeof Claims>;
const claimsCheck = Compile(Claims);

/** `issuer`: the key that signed it. */
export type Link = Claims & { issuer: string };
/** The first and the last are there. */
export type Links = [Link, ...Link[]];

export type ProofResult = { ok: true; links: Links } | { ok: false; detail: string };

/**
 * The proof of a lease of these claims under `upstream`, the proof of the units that it is cut from; the keymaster has
 * none. That the claims keep within it is up to the caller, who wrote down what it holds: nothing is read again here.
 * @throws RangeError claims that no one could read, or too many links.
 */
export function extendProof(upstream: string | undefined, claims: Claims, key: KeyPair): string {
  if (!claimsCheck.Check(claims)) throw new RangeError(`A link of a proof cannot say this: ${wordsOf(claims)}.`);
  const link = signJws(claims, key);
  if (upstream === undefined) return link;
  if (linksIn(upstream) >= MAX_LINKS) throw new RangeError(`A proof has no more than ${MAX_LINKS} links.`);
  return `${upstream}~${link}`;
}

/** How many links the text has. A proxy whose proofs have MAX_LINKS can hand nothing on. */
export const linksIn = (proof: string): number => proof.split('~').length;

/** What the proof says; nothing of it is verified. */
export function readProof(proof: string): ProofResult {
  const read = readLinks(proof);
  return typeof read === 'string' ? { ok: false, detail: read } : { ok: true, links: read.links };
}

export interface Trust {
  /** Keys with which a proof may begin. */
  isTrusted(key: string): boolean;
  /** Keys that must not be anywhere in it, as issuer or holder. */
  isRevoked?(key: string): boolean;
}

/** Whether the proof holds from a trusted key down to its last holder; where not, the sentence that says why. */
export function checkProof(proof: string, trust: Trust): ProofResult {
  const read = readLinks(proof);
  if (typeof read === 'string') return { ok: false, detail: read };
  const detail = untrusted(read.links, trust) ?? unfounded(read.links) ?? unsigned(read.signatures);
  return detail === undefined ? { ok: true, links: read.links } : { ok: false, detail };
}

/** Whose key the proof begins with. */
export const rootOf = (links: Links): string => links[0].issuer;

/** The last link: the lease itself. */
export const lastOf = (links: Links): Link => links.at(-1) ?? links[0];

/** Who has the units now. */
export const holderOf = (links: Links): string => lastOf(links).sub;

function readLinks(proof: string): { links: Links; signatures: Jws[] } | string {
  // One more than allowed is enough to refuse, however long the text.
  const texts = proof.split('~', MAX_LINKS + 1);
  if (texts.length > MAX_LINKS) return `The proof has more than ${MAX_LINKS} links.`;
  const signatures: Jws[] = [];
  const links: Link[] = [];
  for (const [i, text] of texts.entries()) {
    const jws = readJws(text);
    if (jws === undefined) return `${nth(i)} is not a signed statement.`;
    if (!claimsCheck.Check(jws.claims)) return `${nth(i)} cannot be understood: ${wordsOf(jws.claims)}.`;
    signatures.push(jws);
    links.push({ ...jws.claims, issuer: jws.signer });
  }
  return { links: links as Links, signatures };
}

function untrusted(links: Links, trust: Trust): string | undefined {
  if (!trust.isTrusted(rootOf(links))) return `${nth(0)} is signed by a key that is not trusted here.`;
  if (trust.isRevoked === undefined) return undefined;
  if (trust.isRevoked(rootOf(links))) return `${nth(0)} is signed by a key that was revoked.`;
  const revoked = links.findIndex((link) => trust.isRevoked?.(link.sub));
  return revoked === -1 ? undefined : `${nth(revoked)} was given to a holder that was revoked.`;
}

function unfounded(links: Links): string | undefined {
  for (const [i, link] of links.entries()) {
    const above = links[i - 1];
    if (above === undefined) continue;
    if (link.issuer !== above.sub) return `${nth(i)} is not signed by the holder of the one before.`;
    if (link.contest !== above.contest) return `${nth(i)} is of another contest than the one before.`;
    // By differences: they are exact where the number past the last unit would not be.
    const offset = link.first - above.first;
    if (offset < 0 || link.count > above.count - offset) return `${nth(i)} has units that the one before has not.`;
    if (link.exp > above.exp) return `${nth(i)} lasts longer than the one before.`;
  }
  return undefined;
}

/** Links found signed. Those of the upper tiers come again with every lease that was cut from the same block. */
const found = new BoundedMap<string, true>(1024);

function unsigned(signatures: readonly Jws[]): string | undefined {
  for (const [i, jws] of signatures.entries()) {
    if (found.get(jws.text)) continue;
    if (!isSigned(jws)) return `${nth(i)} does not have the signature of its key.`;
    if (i < signatures.length - 1) found.set(jws.text, true);
  }
  return undefined;
}

const nth = (i: number): string => `Link ${i + 1} of the proof`;

function wordsOf(claims: unknown): string {
  const { pointer, message } = faultOf(Claims, claims) ?? { pointer: '', message: 'is not valid' };
  return `${pointer === '' ? 'what it says' : pointer} ${message}`;
}
