/**
 * What a person may choose, each with what it is until they do. Kept as one fact in the buffers; whatever of it cannot be
 * read (an older version's, or changed by hand) is as if it had never been chosen.
 */
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import { label } from '../domain/client.ts';
import { ContestName } from '../domain/contest.ts';
import { parseWindow } from '../domain/schedule.ts';
import { STOCK_SECONDS } from './stock.ts';

const Share = Type.Number({ minimum: 0.1, maximum: 1 });

const fields = {
  /** Workers; absent: one less than there are cores. */
  workers: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024 })),
  /** The share of the time in which a worker computes. */
  throttle: Share,
  /** What is done while somebody uses this machine, as far as the browser tells. */
  inUse: Type.Union([Type.Literal('same'), Type.Literal('less'), Type.Literal('pause')]),
  /** With `less`: the limits then. */
  workersInUse: Type.Integer({ minimum: 1, maximum: 1024 }),
  throttleInUse: Share,
  onBattery: Type.Union([Type.Literal('pause'), Type.Literal('same')]),
  /** Pauses while others on this machine need the processor, or it is hot. */
  whenBusy: Type.Union([Type.Literal('pause'), Type.Literal('same')]),
  /** Windows as in `domain/schedule.ts`; none: always. */
  schedule: Type.Array(Type.String(), { maxItems: 21 }),
  /** Whether to fetch and send over a connection that is paid by volume. */
  onMetered: Type.Union([Type.Literal('wait'), Type.Literal('same')]),
  /** `keyserver`: as it says. `order`: the first that has work. `share`: in proportion to `weights`. */
  choice: Type.Union([Type.Literal('keyserver'), Type.Literal('order'), Type.Literal('share')]),
  /** The person's order; contests that are not in it come after, as the keyserver lists them. */
  order: Type.Array(ContestName, { maxItems: 256 }),
  /** By contest, 1 where nothing is said; 0: never. Of use with `share` and, whether 0 or not, with `order`. */
  weights: Type.Record(ContestName, Type.Integer({ minimum: 0, maximum: 100 })),
  /** Hours of work to keep in stock. */
  stockHours: Type.Number({ minimum: 0.1, maximum: 336 }),
  /** For the statistics; '': none. */
  name: label(64),
  team: label(64),
  theme: Type.Union([Type.Literal('auto'), Type.Literal('light'), Type.Literal('dark')]),
};

const SettingsSchema = Type.Object(fields, { additionalProperties: false });
export type Settings = Type.Static<typeof SettingsSchema>;

export const DEFAULTS: Settings = {
  throttle: 1,
  inUse: 'same',
  workersInUse: 1,
  throttleInUse: 0.5,
  onBattery: 'pause',
  whenBusy: 'pause',
  schedule: [],
  onMetered: 'same',
  choice: 'keyserver',
  order: [],
  weights: {},
  stockHours: STOCK_SECONDS / 3600,
  name: '',
  team: '',
  theme: 'auto',
};

/** What of `kept` can be used, over the defaults. */
export function settingsOf(kept: unknown): Settings {
  const known = typeof kept === 'object' && kept !== null ? Object.entries(kept) : [];
  return { ...DEFAULTS, ...Object.fromEntries(known.filter(([key, value]) => isUsable(key, value))) };
}

function isUsable(key: string, value: unknown): boolean {
  if (!Object.hasOwn(fields, key) || !Check(fields[key as keyof typeof fields], value)) return false;
  try {
    if (key === 'schedule') (value as Settings['schedule']).forEach(parseWindow);
    return true;
  } catch {
    return false;
  }
}
