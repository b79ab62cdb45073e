/** What the RC5 verifier believes and what it does not, on real evidence of the contest's own keys. */
import { describe, expect, test } from 'vitest';
import { manifests } from '../../src/contests/manifests.ts';
import { encryptBlock, expandKey } from '../../src/contests/rc5/cipher.ts';
import { fromHex } from '../../src/contests/rc5/keys.ts';
import { decipher, rc5, rc5Search } from '../../src/contests/rc5/rc5.ts';
import rows from '../../src/cores/rc5/known-answers.json' with { type: 'json' };
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { Report } from '../../src/domain/work.ts';
import { rc5Core } from '../helpers/cores.ts';
import { encrypt } from '../reference/rc5.ts';

const rc556 = manifests.find(({ name }) => name === 'rc5-56') as ContestManifest;

test('the verifier and the slow twin encrypt alike', () => {
  for (const { key_bytes } of rows.selftest) {
    const key = fromHex(key_bytes.toLowerCase());
    const plain = [0x12345678, 0x9abcdef0] as const;
    expect(encryptBlock(expandKey(key), plain)).toEqual(encrypt([...key], plain));
  }
});

test("RSA's message of 1997", () => {
  const key = fromHex('532b744cc20999');
  expect(decipher(rc5Search(rc556), key)).toBe("The unknown message is: It's time to move to a longer key length.");
  expect(decipher(rc5Search(rc556), fromHex('532b744cc20998'))).toBeUndefined();
});

describe('a report', () => {
  /** Near matches of the first 2^25 keys of the unit with the answer, and the answer itself. */
  const answer = 0xcc20999;
  const search = rc5Core().open(rc556, 5);
  search.run(2 ** 25);
  const checkpoint = search.checkpoint();
  const honest = [...(checkpoint.format === 'rc5-1' ? checkpoint.nearMatches : []), answer];
  const report = (nearMatches: number[], first = 5): Report => ({
    lease: '0123456789abcdef',
    contest: 'rc5-56',
    first,
    evidence: [{ kind: 'rc5', nearMatches }],
    core: 'rc5-scalar4',
    seconds: 10,
  });

  test('honest: accepted, and the verifier finds the hit by itself', () => {
    const verdict = rc5.verify(rc556, report(honest));
    expect(verdict).toMatchObject({ ok: true, hits: [{ unit: 5, key: '532b744cc20999' }] });
  });

  test('evidence removed', () => {
    expect(rc5.verify(rc556, report([]))).toMatchObject({ ok: false, code: 'evidence_missing' });
  });

  test('evidence altered', () => {
    const [first = 0, ...rest] = honest;
    const verdict = rc5.verify(rc556, report([first + 1, ...rest]));
    expect(verdict).toMatchObject({
      ok: false,
      code: 'evidence_false',
      detail: expect.stringMatching(/unit 5: key/) as unknown,
    });
  });

  test('evidence for other keys', () => {
    expect(rc5.verify(rc556, report(honest, 4))).toMatchObject({ ok: false, code: 'evidence_false' });
  });

  test('the same near match twice', () => {
    expect(rc5.verify(rc556, report([...honest, answer]))).toMatchObject({ ok: false, code: 'evidence_false' });
  });

  test('evidence of another kind', () => {
    const verdict = rc5.verify(rc556, { ...report([]), evidence: [{ kind: 'ogr', nodes: 5 }] });
    expect(verdict).toMatchObject({ ok: false, code: 'evidence_false' });
  });
});

test('a manifest that contradicts itself is refused by field', () => {
  expect(() => rc5.validate({ ...rc556, units: 2 ** 50 })).toThrow(/rc5-56: units/);
  const search = { ...rc5Search(rc556), knownPlaintext: 'short' };
  expect(() => rc5.validate({ ...rc556, search })).toThrow(/knownPlaintext/);
});
