/**
 * A proof holds as it was made and in no other way: whatever is altered, widened, left out or put elsewhere, by
 * someone without a key or by a holder with one, is refused with a sentence. Keys and signatures are those of RFC 8032
 * (section 7.1) and RFC 8037 (appendix A).
 */
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { Proof } from '../../src/domain/work.ts';
import {
  ASSERTION_LIFETIME_MS,
  CLOCK_SKEW_MS,
  checkAssertion,
  makeAssertion,
} from '../../src/server/proof/assertion.ts';
import {
  type Claims,
  checkProof,
  extendProof,
  holderOf,
  type Link,
  linksIn,
  MAX_LINKS,
  readProof,
  rootOf,
  type Trust,
} from '../../src/server/proof/chain.ts';
import { isSigned, readJws, signJws } from '../../src/server/proof/jws.ts';
import { generateKey, KeyPair, verifyWith } from '../../src/server/proof/key.ts';
import { Keyring } from '../../src/server/proof/keyring.ts';
import rfc8032 from '../vectors/ed25519.json' with { type: 'json' };

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const reversed = (hex: string) => Buffer.from(bytes(hex).toReversed()).toString('hex');

describe('keys', () => {
  test.each(rfc8032.vectors)('RFC 8032: $name', ({ secret, public: id, message, signature }) => {
    const key = new KeyPair(secret);
    expect(key.id).toBe(id);
    expect(key.secret()).toBe(secret);
    expect(key.sign(bytes(message)).toString('hex')).toBe(signature);
    expect(verifyWith(id, bytes(message), bytes(signature))).toBe(true);
    expect(verifyWith(id, bytes(`${message}00`), bytes(signature))).toBe(false);
    expect(verifyWith(generateKey().id, bytes(message), bytes(signature))).toBe(false);
  });

  test('a signature has one form: S + L in the place of S is refused (RFC 8032, section 5.1.7)', () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    for (const { public: id, message, signature } of rfc8032.vectors) {
      const s = BigInt(`0x${reversed(signature.slice(64))}`);
      const same = signature.slice(0, 64) + reversed((s + order).toString(16).padStart(64, '0'));
      expect(verifyWith(id, bytes(message), bytes(same))).toBe(false);
    }
  });

  test('RFC 8037, appendix A: the JWK, and the JWS signed with it', () => {
    const d = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A';
    const signed = 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc';
    const signature = 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';
    const key = new KeyPair(Buffer.from(d, 'base64url').toString('hex'));
    expect(bytes(key.id).toString('base64url')).toBe('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');
    expect(key.sign(Buffer.from(signed)).toString('base64url')).toBe(signature);
    expect(isSigned({ text: `${signed}.${signature}`, signer: key.id, claims: undefined })).toBe(true);
    expect(readJws(`${signed}.${signature}`), 'it names no key').toBeUndefined();
  });

  test('what is no key verifies nothing, without an error; a secret is told apart and not shown', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f]{64}$/)),
        fc.uint8Array({ maxLength: 70 }),
        (id, signature) => {
          expect(verifyWith(id, Buffer.from('a'), signature)).toBe(false);
        },
      ),
    );
    expect(() => new KeyPair('abcdef')).toThrow(/64 hexadecimal digits/);
    const key = generateKey();
    expect(JSON.stringify(key)).not.toContain(key.secret());
  });
});

/** The keymaster's and one for each proxy below it. */
const keys = Array.from({ length: MAX_LINKS + 1 }, generateKey);
const keyAt = (i: number) => keys[i] as KeyPair;
const stranger = generateKey();
const trust: Trust = { isTrusted: (id) => id === keyAt(0).id };

const id = fc.uuid({ version: 4 });
const some = fc.integer({ min: 1, max: 2 ** 40 });

/** Claims from the keymaster's down to a client's, each within the one before. */
const line: fc.Arbitrary<[Claims, ...Claims[]]> = fc
  .record({
    contest: fc.constantFrom('rc5-72', 'ogr-29'),
    first: fc.oneof(fc.constant(0), some),
    count: fc.oneof(fc.constant(Number.MAX_SAFE_INTEGER), some),
    exp: fc.integer({ min: 2 ** 20, max: 2 ** 42 }),
    client: id,
    tiers: fc.array(fc.record({ jti: id, skip: fc.nat(), drop: fc.nat(), sooner: fc.nat(2 ** 16) }), {
      minLength: 1,
      maxLength: MAX_LINKS,
    }),
  })
  .map(({ contest, first, count, exp, client, tiers }) => {
    const claims: Claims[] = [];
    for (const [i, { jti, skip, drop, sooner }] of tiers.entries()) {
      if (i > 0) {
        const skipped = skip % count;
        first += skipped;
        count -= skipped;
        count -= drop % count;
        exp -= sooner;
      }
      claims.push({ jti, sub: i === tiers.length - 1 ? client : keyAt(i + 1).id, contest, first, count, exp });
    }
    return claims as [Claims, ...Claims[]];
  });
const deepLine = line.filter((claims) => claims.length > 1);

const prove = (claims: readonly Claims[], signers: readonly KeyPair[] = keys): string =>
  claims.reduce<string | undefined>((proof, link, i) => extendProof(proof, link, signers[i] as KeyPair), undefined) ??
  '';

const SENTENCE = /^(Link \d of the proof|The proof) .+\.$/;

/** Why the proof is refused; undefined where it is not. */
function refusal(proof: string, by = trust): string | undefined {
  const result = checkProof(proof, by);
  return result.ok ? undefined : result.detail;
}

describe('a chain', () => {
  test('of any depth holds, says who holds what, and fits its schema', () => {
    fc.assert(
      fc.property(line, (claims) => {
        const proof = prove(claims);
        const links = claims.map((link, i): Link => ({ ...link, issuer: keyAt(i).id }));
        const result = checkProof(proof, { ...trust, isRevoked: () => false });
        expect(result).toEqual({ ok: true, links });
        expect(readProof(proof)).toEqual(result);
        expect(linksIn(proof)).toBe(claims.length);
        expect(Value.Check(Proof, proof)).toBe(true);
        if (!result.ok) return;
        expect(rootOf(result.links)).toBe(keyAt(0).id);
        expect(holderOf(result.links)).toBe(claims.at(-1)?.sub);
      }),
    );
  });

  test('of the longest links fits its schema, and takes no more of them', () => {
    const longest = (holder: KeyPair): Claims => ({
      jti: 'f'.repeat(64),
      sub: holder.id,
      contest: 'c'.repeat(32),
      first: Number.MAX_SAFE_INTEGER,
      count: Number.MAX_SAFE_INTEGER,
      exp: Number.MAX_SAFE_INTEGER,
    });
    const proof = prove(keys.slice(1).map(longest));
    expect(linksIn(proof)).toBe(MAX_LINKS);
    expect(checkProof(proof, trust).ok).toBe(true);
    expect(Value.Check(Proof, proof)).toBe(true);
    expect(() => extendProof(proof, longest(stranger), keyAt(MAX_LINKS))).toThrow(/no more than 8 links/);
    expect(refusal(`${proof}~${extendProof(undefined, longest(stranger), keyAt(MAX_LINKS))}`)).toMatch(
      /more than 8 links/,
    );
  });

  test('is refused with any one character altered, added or missing', () => {
    const character = fc.constantFrom(...'ABCwxyz0189-_.~ =é'.split(''));
    const length = fc.constantFrom(0, 1);
    fc.assert(
      fc.property(line, fc.nat(), character, length, length, (claims, place, put, taken, added) => {
        const proof = prove(claims);
        const at = place % proof.length;
        const altered = proof.slice(0, at) + (added ? put : '') + proof.slice(at + taken);
        fc.pre(altered !== proof);
        expect(refusal(altered)).toMatch(SENTENCE);
      }),
      { numRuns: 1000 },
    );
  });

  test('is refused with the last digit of a signature written another way', () => {
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    fc.assert(
      fc.property(line, (claims) => {
        const proof = prove(claims);
        const last = digits.indexOf(proof.at(-1) ?? '');
        const same = digits.split('').filter((_, i) => i !== last && i >> 4 === last >> 4);
        expect(same).toHaveLength(15);
        for (const digit of same) expect(refusal(proof.slice(0, -1) + digit)).toMatch(/is not a signed statement/);
      }),
      { numRuns: 10 },
    );
  });

  /** What someone might like better, in a claim of a link. */
  const wishes: [wish: string, change: (link: Claims) => Partial<Claims>][] = [
    ['jti', () => ({ jti: '00000000-0000-4000-8000-000000000000' })],
    ['sub', () => ({ sub: stranger.id })],
    ['contest', () => ({ contest: 'rc5-56' })],
    ['first', ({ first }) => ({ first: first + 1 })],
    ['count', ({ count }) => ({ count: count - 1 || 2 })],
    ['exp', ({ exp }) => ({ exp: exp + 1 })],
  ];
  test.each(wishes)('is refused where %s of a link was altered under its signature', (_, change) => {
    fc.assert(
      fc.property(line, fc.nat(), (claims, at) => {
        const links = prove(claims).split('~');
        const i = at % links.length;
        const [head, , signature] = links[i]?.split('.') ?? [];
        const altered = { ...claims[i], ...change(claims[i] as Claims) };
        links[i] = `${head}.${Buffer.from(JSON.stringify(altered)).toString('base64url')}.${signature}`;
        expect(refusal(links.join('~'))).toMatch(SENTENCE);
      }),
      { numRuns: 30 },
    );
  });

  /** What a proxy might sign that was not given it. */
  const excesses: [excess: string, change: (above: Claims) => Partial<Claims>, sentence: RegExp][] = [
    ['units before its own', ({ first }) => ({ first: first - 1 }), /units that the one before has not/],
    ['units after its own', ({ first, count }) => ({ first, count: count + 1 }), /units that the one before has not/],
    [
      'units elsewhere',
      ({ first, count }) => ({ first: first + count, count: 1 }),
      /units that the one before has not/,
    ],
    ['more time', ({ exp }) => ({ exp: exp + 1 }), /lasts longer/],
    ['another contest', () => ({ contest: 'rc5-56' }), /another contest/],
  ];
  test.each(excesses)('is refused where a holder signed for %s', (_, change, sentence) => {
    fc.assert(
      fc.property(deepLine, fc.nat(), (claims, at) => {
        const i = 1 + (at % (claims.length - 1));
        const above = claims[i - 1] as Claims;
        const excess = { ...(claims[i] as Claims), ...change(above) };
        fc.pre(excess.first >= 0 && excess.count <= Number.MAX_SAFE_INTEGER && Number.isSafeInteger(excess.first));
        expect(refusal(prove([...claims.slice(0, i), excess]))).toMatch(sentence);
      }),
      { numRuns: 50 },
    );
  });

  test('is refused where the number past the last unit is beyond exact integers', () => {
    const top = { jti: '0'.repeat(16), contest: 'rc5-72', first: Number.MAX_SAFE_INTEGER, exp: 1 };
    const claims: Claims[] = [
      { ...top, sub: keyAt(1).id, count: 1 },
      { ...top, sub: '1'.repeat(16), count: 2 },
    ];
    expect(top.first + 1).toBe(top.first + 2);
    expect(refusal(prove(claims))).toMatch(/units that the one before has not/);
  });

  test('is refused where someone else signed for the holder', () => {
    fc.assert(
      fc.property(deepLine, fc.nat(), (claims, at) => {
        const i = 1 + (at % (claims.length - 1));
        expect(refusal(prove(claims, keys.with(i, stranger)))).toMatch(/not signed by the holder/);
        const swapped = claims.with(i - 1, { ...(claims[i - 1] as Claims), sub: stranger.id });
        expect(refusal(prove(swapped))).toMatch(/not signed by the holder/);
      }),
      { numRuns: 30 },
    );
  });

  test('is refused with links left out, repeated or in another order; its beginning is the proof of the tier above', () => {
    fc.assert(
      fc.property(deepLine, fc.nat(), fc.nat(), (claims, a, b) => {
        const links = prove(claims).split('~');
        const i = a % (links.length - 1);
        const j = i + 1 + (b % (links.length - 1 - i));
        const [upper, lower] = [links[i] as string, links[j] as string];
        expect(refusal(links.toSpliced(i, 1).join('~'))).toMatch(SENTENCE);
        expect(refusal(links.toSpliced(i, 0, upper).join('~'))).toMatch(SENTENCE);
        expect(refusal(links.with(i, lower).with(j, upper).join('~'))).toMatch(SENTENCE);
        const above = checkProof(links.slice(0, j).join('~'), trust);
        expect(above.ok && holderOf(above.links)).toBe(claims[j - 1]?.sub);
      }),
      { numRuns: 50 },
    );
  });

  test('is refused where its root is not trusted, or a key anywhere in it was revoked', () => {
    fc.assert(
      fc.property(line, fc.nat(), (claims, at) => {
        const proof = prove(claims);
        expect(refusal(proof, { isTrusted: (key) => key === stranger.id })).toMatch(/^Link 1 .* not trusted here\.$/);
        const i = at % (claims.length + 1);
        const revoked = i === 0 ? keyAt(0).id : claims[i - 1]?.sub;
        expect(refusal(proof, { ...trust, isRevoked: (key) => key === revoked })).toMatch(/revoked\.$/);
      }),
      { numRuns: 50 },
    );
  });

  test('is never read with an error, whatever the text or the signed claims', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.stringMatching(/^[A-Za-z0-9_.~-]{0,200}$/),
      fc.array(fc.string().map((text) => Buffer.from(text).toString('base64url'))).map((parts) => parts.join('.')),
      fc.object().map((claims) => signJws(claims, keyAt(0))),
      fc.json().map((claims) => signJws(JSON.parse(claims) as object, keyAt(0))),
      fc.tuple(line, fc.object()).map(([[claims], more]) => signJws({ ...claims, ...more }, keyAt(0))),
    );
    fc.assert(
      fc.property(fc.array(anyText, { minLength: 1, maxLength: 3 }), (texts) => {
        const proof = texts.join('~');
        fc.pre(!readProof(proof).ok);
        expect(refusal(proof)).toMatch(SENTENCE);
      }),
      { numRuns: 300 },
    );
    expect(refusal('')).toMatch(SENTENCE);
    expect(refusal('~'.repeat(8192))).toMatch(/more than 8 links/);
  });

  test('a link names the claim that is wrong, and is not made with one', () => {
    const claims: Claims = { jti: '0'.repeat(16), sub: '1'.repeat(16), contest: 'rc5-72', first: 0, count: 1, exp: 1 };
    const { exp, ...endless } = claims;
    expect(exp).toBe(1);
    expect(refusal(signJws(endless, keyAt(0)))).toMatch(
      /^Link 1 of the proof cannot be understood: \/exp is missing\.$/,
    );
    expect(refusal(signJws({ ...claims, only: 'today' }, keyAt(0)))).toMatch(/\/only is not a field/);
    expect(() => extendProof(undefined, { ...claims, exp: 1.5 }, keyAt(0))).toThrow(/\/exp/);
  });
});

describe('an assertion', () => {
  const proxy = keyAt(1);
  const time = fc.integer({ min: 2 ** 40, max: 2 ** 42 });

  test('holds for its proxy, from five minutes before it was made to five after it ends, and fits its field', () => {
    fc.assert(
      fc.property(time, fc.integer({ min: -2 * CLOCK_SKEW_MS, max: 3 * CLOCK_SKEW_MS }), (made, passed) => {
        const token = makeAssertion(proxy, made);
        expect(token.length).toBeLessThanOrEqual(1024);
        const { ok } = checkAssertion(token, { id: proxy.id, now: made + passed });
        expect(ok).toBe(passed >= -CLOCK_SKEW_MS && passed <= ASSERTION_LIFETIME_MS + CLOCK_SKEW_MS);
      }),
    );
    const token = makeAssertion(proxy, 2 ** 41);
    const check = (now: number) => checkAssertion(token, { id: proxy.id, now }).ok;
    const last = 2 ** 41 + ASSERTION_LIFETIME_MS + CLOCK_SKEW_MS;
    expect([check(2 ** 41 - CLOCK_SKEW_MS - 1), check(2 ** 41 - CLOCK_SKEW_MS)]).toEqual([false, true]);
    expect([check(last), check(last + 1)]).toEqual([true, false]);
  });

  test('is refused of another proxy, altered, without end, or made for something else', () => {
    const now = 2 ** 41;
    const claims = { sub: proxy.id, aud: 'tabherd-keyserver', iat: now, exp: now + ASSERTION_LIFETIME_MS };
    const check = (token: string) => checkAssertion(token, { id: proxy.id, now });
    const refused = (sentence: RegExp) => ({ ok: false, detail: expect.stringMatching(sentence) as string });
    expect(check(signJws(claims, proxy))).toEqual({ ok: true });
    expect(check(makeAssertion(stranger, now))).toEqual(refused(/of another proxy/));
    expect(check(signJws(claims, stranger))).toEqual(refused(/of another proxy/));
    expect(check(signJws({ ...claims, exp: claims.exp + 1 }, proxy))).toEqual(refused(/too long/));
    expect(check(signJws({ ...claims, aud: 'elsewhere' }, proxy))).toEqual(refused(/does not say/));
    const link: Claims = { jti: '0'.repeat(16), sub: proxy.id, contest: 'rc5-72', first: 0, count: 1, exp: now };
    expect(check(extendProof(undefined, link, proxy))).toEqual(refused(/does not say/));
    expect(refusal(makeAssertion(keyAt(0), now))).toMatch(/cannot be understood/);
    const token = makeAssertion(proxy, now);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09-_.'.split('')), (at, put) => {
        fc.pre(token[at] !== put);
        expect(check(token.slice(0, at) + put + token.slice(at + 1))).toEqual(refused(/^The assertion .+\.$/));
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(check(text)).toEqual(refused(/not a signed statement/));
      }),
    );
  });
});

describe('a keyring', () => {
  test('keeps one key in use through rotations and revocations, trusts the retired and not the revoked', () => {
    const step = fc.oneof(fc.constant('rotate' as const), fc.nat());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let now = 1000;
        let ring = new Keyring([]);
        expect(ring.current()).toBeUndefined();
        const store = new Map(ring.rotate(now).map((row) => [row.id, row]));
        ring = new Keyring(store.values());
        const revoked = new Set<string>();
        for (const what of steps) {
          now += 1;
          const before = ring.current()?.id;
          const target = [...store.keys()][what === 'rotate' ? 0 : what % store.size] ?? '';
          const rows = what === 'rotate' ? ring.rotate(now) : (ring.revoke(target, now) ?? []);
          for (const row of rows) store.set(row.id, row);
          if (what !== 'rotate') revoked.add(target);
          const changed = ring.with(rows);
          ring = new Keyring(store.values());
          expect(ring.current()?.id).toBe(changed.current()?.id);
          const replaced = what === 'rotate' || target === before;
          expect(ring.current()?.id === before).toBe(!replaced);
          expect(new Set(ring.trusted())).toEqual(new Set([...store.keys()].filter((key) => !revoked.has(key))));
          expect(ring.trusted().every((key) => ring.isTrusted(key))).toBe(true);
          expect([...revoked].some((key) => ring.isTrusted(key))).toBe(false);
          expect(ring.isTrusted(ring.current()?.id ?? '')).toBe(true);
        }
      }),
    );
    expect(new Keyring([]).revoke(stranger.id, 0)).toBeUndefined();
  });

  test('a proof of a retired key holds, one of a revoked key does not', () => {
    const first = new Keyring(new Keyring([]).rotate(1));
    const key = first.current() as KeyPair;
    const claims: Claims = { jti: '0'.repeat(16), sub: '1'.repeat(16), contest: 'rc5-72', first: 0, count: 1, exp: 1 };
    const proof = extendProof(undefined, claims, key);
    const second = first.with(first.rotate(2));
    expect(second.current()?.id).not.toBe(key.id);
    expect(checkProof(proof, second).ok).toBe(true);
    expect(refusal(proof, second.with(second.revoke(key.id, 3) ?? []))).toMatch(/not trusted here/);
  });
});
