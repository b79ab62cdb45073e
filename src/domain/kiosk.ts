/**
 * What a kiosk, a screen that computes unattended, says of itself for its operator. All of it is its own word: nothing is
 * credited or decided by it.
 */
import { type Static, Type } from 'typebox';
import { ClientId, label } from './client.ts';
import { ContestName } from './contest.ts';

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const KioskWord = Type.Object({
  /** What its operator calls it; chosen at the kiosk. */
  label: Type.Optional(label(64)),
  /** Keys or nodes a second, all its workers together. */
  rate: Type.Number({ minimum: 0, maximum: 1e18 }),
  step: Type.Union([Type.Literal('keys'), Type.Literal('nodes')]),
  contest: Type.Optional(ContestName),
  /** Why it computes nothing, in a word: a `reason` of the client's. Absent while it computes. */
  pause: Type.Optional(label(32)),
  /** Blocks it ever finished. */
  blocks: count,
  /** Since when its page has been open, in seconds. */
  upSeconds: count,
});
export type KioskWord = Static<typeof KioskWord>;

/** The same, as a proxy passes it up: by whom, and how long ago it was said, for no two clocks agree. */
export const PassedWord = Type.Object({
  ...KioskWord.properties,
  client: ClientId,
  version: label(32),
  ageSeconds: count,
});
export type PassedWord = Static<typeof PassedWord>;
