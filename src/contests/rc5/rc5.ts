/**
 * The RC5 contest kind. Evidence is the near matches of every unit: each is checked by one encryption, their
 * number and the gaps between them against the laws of chance (`suspicion.ts`). One that agrees with the whole first block is decrypted to the end; only a
 * message with valid padding that begins as it should is a hit. The keyserver finds hits in the evidence by itself,
 * so that a client need not even say which near match is the winner. In a blind contest only the keymaster can: clients and
 * proxies have the low 24 bits of the target and no more, and check near matches by those.
 */
import type { ContestManifest, Hit, Rc5Search } from '../../domain/contest.ts';
import { KEYS_PER_UNIT, type Report } from '../../domain/work.ts';
import type { ContestKind, Verdict } from '../kind.ts';
import { steps } from '../steps.ts';
import { decryptCbc, encryptBlock, expandKey, removePadding } from './cipher.ts';
import { blinded, firstBlocks, fromHex, type KeySearch, keyBytes, NEAR_BITS, NEAR_MASK, toHex } from './keys.ts';
import { doubtOf, type Observation } from './suspicion.ts';

/** The keys of a spot check, a 64th of a unit: in one of four there is a near match. */
const SPOT_KEYS = 2 ** 22;

export const rc5: ContestKind = {
  ...steps.rc5,

  validate(manifest) {
    const { name, units, announce } = manifest;
    const search = keySearch(manifest);
    const all = 2 ** (8 * search.keyBytes - 28);
    if (search.firstUnit + units > all) {
      throw new TypeError(`${name}: units: ${search.firstUnit} + ${units} is past the ${all} units of the key space`);
    }
    if (announce !== undefined && search.blind !== true) {
      throw new TypeError(`${name}: announce is of blind contests only: of others everyone can tell the answer`);
    }
    if ('knownPlaintext' in search && !/^[\x20-\x7e]{8,}$/.test(search.knownPlaintext)) {
      throw new TypeError(`${name}: search.knownPlaintext must be at least 8 printable ASCII characters`);
    }
  },

  handedOut(manifest) {
    const search = keySearch(manifest);
    if (search.blind !== true || !('ciphertext' in search)) return manifest;
    return { ...manifest, search: blinded(search) };
  },

  findsHits: (manifest) => 'ciphertext' in keySearch(manifest),

  verify(manifest, report) {
    const search = keySearch(manifest);
    const { plain, near, target } = firstBlocks(search);
    const hits: Hit[] = [];
    for (const [i, evidence] of report.evidence.entries()) {
      const unit = report.first + i;
      if (evidence.kind !== 'rc5')
        return refused('evidence_false', `unit ${unit}: the evidence is of kind ${evidence.kind}`);
      let previous = -1;
      for (const offset of evidence.nearMatches) {
        if (offset <= previous)
          return refused('evidence_false', `unit ${unit}: near matches are not in ascending order`);
        previous = offset;
        const key = keyBytes(search, unit, offset);
        const [A, B] = encryptBlock(expandKey(key), plain);
        if (((A ^ near) & NEAR_MASK) !== 0) {
          return refused('evidence_false', `unit ${unit}: key ${toHex(key)} is not a near match`);
        }
        if (target === undefined || A !== target[0] || B !== target[1]) continue;
        const message = decipher(rc5Search(manifest), key);
        if (message !== undefined) hits.push({ kind: 'rc5', unit, key: toHex(key), message });
      }
    }
    const doubt = doubtOf(observationOf(report));
    if (doubt !== undefined) return refused('evidence_missing', doubt);
    return { ok: true, hits };
  },

  observe: (_manifest, report) => observationOf(report),

  // Near matches cannot be made up: whoever lacks one that the other has did not try that key, or kept it back.
  compare(_manifest, _unit, first, second) {
    const lacking = { first: 0, second: 0 };
    for (const [i, one] of first.entries()) {
      const other = second[i];
      if (one.kind !== 'rc5' || other?.kind !== 'rc5') throw new TypeError('evidence of another kind');
      const [a, b] = [new Set(one.nearMatches), new Set(other.nearMatches)];
      lacking.first += [...b].filter((offset) => !a.has(offset)).length;
      lacking.second += [...a].filter((offset) => !b.has(offset)).length;
    }
    const wrong = (['first', 'second'] as const).filter((which) => lacking[which] > 0);
    if (wrong.length === 0) return { agree: true };
    const missing = lacking.first + lacking.second;
    const detail = `${missing} near ${missing === 1 ? 'match is' : 'matches are'} missing that another run of the same units has`;
    return { agree: false, detail, wrong };
  },

  spotCheck(_manifest, report, random) {
    const i = Math.floor(random() * report.evidence.length);
    const from = Math.floor((random() * KEYS_PER_UNIT) / SPOT_KEYS) * SPOT_KEYS;
    const evidence = report.evidence[i];
    if (evidence?.kind !== 'rc5') return undefined;
    const nearMatches = evidence.nearMatches.filter((offset) => offset >= from && offset < from + SPOT_KEYS);
    return { kind: 'rc5', unit: report.first + i, from, steps: SPOT_KEYS, nearMatches };
  },

  compareHits: (a, b) => a.unit - b.unit,
};

function observationOf({ evidence }: Report): Observation {
  return {
    units: evidence.map((one) => (one.kind === 'rc5' ? one.nearMatches.map((offset) => offset / 2 ** NEAR_BITS) : [])),
  };
}

/** The message under this key, if it begins as the contest says and its padding is valid. */
export function decipher(search: Rc5Search, key: Uint8Array): string | undefined {
  const message = removePadding(decryptCbc(key, fromHex(search.iv), fromHex(search.ciphertext)));
  if (message === undefined) return undefined;
  const text = new TextDecoder('latin1').decode(message);
  return text.startsWith(search.knownPlaintext) ? text : undefined;
}

export function keySearch({ name, search }: ContestManifest): KeySearch {
  if (search.kind !== 'rc5') throw new TypeError(`${name}: search.kind is ${search.kind}, not rc5`);
  return search;
}

/** The whole search. */
export function rc5Search(manifest: ContestManifest): Rc5Search {
  const search = keySearch(manifest);
  if (!('ciphertext' in search))
    throw new TypeError(`${manifest.name} is blind: only its keymaster has the ciphertext`);
  return search;
}

function refused(code: 'evidence_false' | 'evidence_missing', detail: string): Verdict {
  return { ok: false, code, detail };
}
