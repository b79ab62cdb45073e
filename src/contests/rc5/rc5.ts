/**
 * The RC5 contest kind. Evidence is the near matches of every unit: each is checked by one encryption, their
 * number against the Poisson law. One that agrees with the whole first block is decrypted to the end; only a
 * message with valid padding that begins as it should is a hit. The keyserver finds hits in the evidence by itself,
 * so that a client need not even say which near match is the winner.
 */
import type { ContestManifest, Hit, Rc5Search } from '../../domain/contest.ts';

import { KEYS_PER_UNIT } from '../../domain/work.ts';
import type { ContestKind, Verdict } from '../kind.ts';
import { decryptCbc, encryptBlock, expandKey, removePadding } from './cipher.ts';
import { firstBlocks, fromHex, keyBytes, NEAR_MASK, NEAR_MATCHES_PER_UNIT, toHex } from './keys.ts';
import { fewestBelieved } from './poisson.ts';

/** The keys of a spot check, a 64th of a unit: in one of four there is a near match. */
const SPOT_KEYS = 2 ** 22;

export const rc5: ContestKind = {
  step: 'keys',

  validate({ name, units, search }) {
    if (search.kind !== 'rc5') throw new TypeError(`${name}: search.kind is ${search.kind}, not rc5`);
    const all = 2 ** (8 * search.keyBytes - 28);
    if (search.firstUnit + units > all) {
      throw new TypeError(`${name}: units: ${search.firstUnit} + ${units} is past the ${all} units of the key space`);
    }
    if (!/^[\x20-\x7e]{8,}$/.test(search.knownPlaintext)) {
      throw new TypeError(`${name}: search.knownPlaintext must be at least 8 printable ASCII characters`);
    }
  },

  verify(manifest, report) {
    const search = rc5Search(manifest);
    const { plain, target } = firstBlocks(search);
    const hits: Hit[] = [];
    let count = 0;
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
        if (((A ^ target[0]) & NEAR_MASK) !== 0) {
          return refused('evidence_false', `unit ${unit}: key ${toHex(key)} is not a near match`);
        }
        count += 1;
        if (A !== target[0] || B !== target[1]) continue;
        const message = decipher(search, key);
        if (message !== undefined) hits.push({ kind: 'rc5', unit, key: toHex(key), message });
      }
    }
    const expected = NEAR_MATCHES_PER_UNIT * report.evidence.length;
    const fewest = fewestBelieved(expected);
    if (count < fewest) {
      return refused(
        'evidence_missing',
        `${count} near matches where about ${expected} belong, and ${fewest} at the least`,
      );
    }
    return { ok: true, hits };
  },

  spotCheck(_manifest, report, random) {
    const i = Math.floor(random() * report.evidence.length);
    const from = Math.floor((random() * KEYS_PER_UNIT) / SPOT_KEYS) * SPOT_KEYS;
    const evidence = report.evidence[i];
    if (evidence?.kind !== 'rc5') return undefined;
    const nearMatches = evidence.nearMatches.filter((offset) => offset >= from && offset < from + SPOT_KEYS);
    return { kind: 'rc5', unit: report.first + i, from, steps: SPOT_KEYS, nearMatches };
  },

  unitsPerSecond: (stepsPerSecond) => stepsPerSecond / KEYS_PER_UNIT,

  compareHits: (a, b) => a.unit - b.unit,
};

/** The message under this key, if it begins as the contest says and its padding is valid. */
export function decipher(search: Rc5Search, key: Uint8Array): string | undefined {
  const message = removePadding(decryptCbc(key, fromHex(search.iv), fromHex(search.ciphertext)));
  if (message === undefined) return undefined;
  const text = new TextDecoder('latin1').decode(message);
  return text.startsWith(search.knownPlaintext) ? text : undefined;
}

export function rc5Search({ name, search }: ContestManifest): Rc5Search {
  if (search.kind !== 'rc5') throw new TypeError(`${name} is not an RC5 contest`);
  return search;
}

function refused(code: 'evidence_false' | 'evidence_missing', detail: string): Verdict {
  return { ok: false, code, detail };
}
