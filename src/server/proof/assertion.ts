/**
 * How a proxy shows its upstream that it is itself: a JWS for each request under the key whose id is its client id.
 * The upstream needs to know the id and nothing more, and takes it off its list to be rid of the proxy.
 *
 * It is not bound to the body: whoever can read the request can send another in the proxy's name for a few minutes,
 * so proxies speak HTTPS. `aud` keeps it apart from whatever else the key signs; a link of a proof has none.
 */
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { isSigned, readJws, signJws } from './jws.ts';
import { KeyId, type KeyPair } from './key.ts';

export const ASSERTION_LIFETIME_MS = 5 * 60_000;

/** How far the two clocks may differ, either way. */
export const CLOCK_SKEW_MS = 5 * 60_000;

const AUDIENCE = 'tabherd-keyserver';

const time = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const claimsCheck = Compile(
  Type.Object(
    {
      sub: KeyId,
      aud: Type.Literal(AUDIENCE),
      /** Milliseconds since 1970 (not seconds, as in RFC 7519). */
      iat: time,
      exp: time,
    },
    { additionalProperties: false },
  ),
);

export const makeAssertion = (key: KeyPair, now: number): string =>
  signJws({ sub: key.id, aud: AUDIENCE, iat: now, exp: now + ASSERTION_LIFETIME_MS }, key);

export type AssertionResult = { ok: true } | { ok: false; detail: string };

/** Whether the proxy `id` made this token for about `now`; where not, the sentence that says why. */
export function checkAssertion(token: string, { id, now }: { id: string; now: number }): AssertionResult {
  const refused = (detail: string): AssertionResult => ({ ok: false, detail });
  const jws = readJws(token);
  if (jws === undefined) return refused('The assertion is not a signed statement.');
  const { claims } = jws;
  if (!claimsCheck.Check(claims)) return refused('The assertion does not say what one for a keyserver has to say.');
  if (claims.sub !== id || jws.signer !== id) return refused('The assertion is of another proxy.');
  const lifetime = claims.exp - claims.iat;
  if (lifetime < 0 || lifetime > ASSERTION_LIFETIME_MS) return refused('The assertion is meant to last too long.');
  if (claims.iat > now + CLOCK_SKEW_MS) return refused("The assertion is from the future: compare the proxy's clock.");
  if (claims.exp < now - CLOCK_SKEW_MS) return refused("The assertion has expired: compare the proxy's clock.");
  return isSigned(jws) ? { ok: true } : refused("The assertion does not have the signature of the proxy's key.");
}
