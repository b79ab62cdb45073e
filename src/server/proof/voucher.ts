/**
 * The keymaster's word for a gateway: this key may be in this pool at these addresses, or be a registrar. And what gateways
 * sign with that key: registrations, and what registrars tell each other.
 */
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Vouched, type VoucherClaims, VoucherClaims as VoucherSchema } from '../../protocol/pools.ts';
import { BoundedMap } from './bounded-map.ts';
import { isSigned, type Jws, readJws, signJws } from './jws.ts';
import type { KeyPair } from './key.ts';

const voucherCheck = Compile(VoucherSchema);

export const makeVoucher = (claims: Omit<VoucherClaims, 'aud'>, keymaster: KeyPair): string =>
  signJws({ aud: 'tabherd-pool', ...claims }, keymaster);

export type Read<T> = { ok: true; claims: T } | { ok: false; detail: string };

const refused = (detail: string): { ok: false; detail: string } => ({ ok: false, detail });

/** Vouchers found signed: every registration comes with one, and they hardly ever change. */
const found = new BoundedMap<string, { claims: VoucherClaims; signer: string }>(20_000);

export interface VoucherTrust {
  /** Whether this is a key of the keymaster's. */
  isTrusted: (key: string) => boolean;
  /** Whether what this key signs counts no more. */
  isRevoked: (key: string) => boolean;
  now: number;
}

/** What a voucher says, where a trusted key signed it and it has not run out. */
export function readVoucher(text: string, { isTrusted, isRevoked, now }: VoucherTrust): Read<VoucherClaims> {
  let known = found.get(text);
  if (known === undefined) {
    const jws = readJws(text);
    if (jws === undefined) return refused('the voucher is not a signed statement');
    if (!voucherCheck.Check(jws.claims)) return refused('the voucher does not say what one has to say');
    if (!isTrusted(jws.signer)) return refused('the voucher is signed by a key that is not trusted here');
    if (!isSigned(jws)) return refused('the voucher does not have the signature of its key');
    known = { claims: jws.claims, signer: jws.signer };
    found.set(text, known);
  } else if (!isTrusted(known.signer)) {
    return refused('the voucher is signed by a key that is not trusted here');
  }
  const { claims } = known;
  if (isRevoked(claims.sub)) return refused('the key that the voucher is for was revoked');
  if (claims.exp <= now) return refused('the voucher has run out; ask the keymaster for another');
  return { ok: true, claims };
}

/** Reads statements of one kind: signed, by the key that its voucher is for. */
export class StatementReader<T extends TSchema> {
  readonly #check;
  readonly #isSigned: (jws: Jws) => boolean;

  /** @param comesAgain whether one statement is read many times, as a registration is that goes round all registrars. */
  constructor(schema: T, { comesAgain = false } = {}) {
    this.#check = Compile(schema);
    this.#isSigned = comesAgain ? isSignedOnce : isSigned;
  }

  /** Nothing of it is verified. */
  peek(text: string): Static<T> | undefined {
    const claims = readJws(text)?.claims;
    return this.#check.Check(claims) ? claims : undefined;
  }

  read({ statement, voucher }: Vouched, trust: VoucherTrust): Read<{ claims: Static<T>; voucher: VoucherClaims }> {
    const jws = readJws(statement);
    if (jws === undefined) return refused('what was sent is not a signed statement');
    const { claims } = jws;
    if (!this.#check.Check(claims)) return refused('the statement does not say what it has to say');
    const vouched = readVoucher(voucher, trust);
    if (!vouched.ok) return vouched;
    if (vouched.claims.sub !== jws.signer) return refused('the voucher is for another key');
    if (!this.#isSigned(jws)) return refused('the statement does not have the signature of its key');
    return { ok: true, claims: { claims, voucher: vouched.claims } };
  }
}

/** Those found signed. */
const statements = new BoundedMap<string, true>(20_000);

function isSignedOnce(jws: Jws): boolean {
  if (statements.get(jws.text)) return true;
  if (!isSigned(jws)) return false;
  statements.set(jws.text, true);
  return true;
}

/** A voucher in words, or undefined where the text is none. */
export function peekVoucher(text: string): (VoucherClaims & { keymaster: string }) | undefined {
  const jws = readJws(text);
  return jws !== undefined && voucherCheck.Check(jws.claims) ? { ...jws.claims, keymaster: jws.signer } : undefined;
}
