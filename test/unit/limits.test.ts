/** What the settings allow under what the platform tells. Monday is the 5th of January 2026; times are local. */
import { describe, expect, test } from 'vitest';
import { Hysteresis, limitsOf, type Situation } from '../../src/client/limits.ts';
import { preferred } from '../../src/client/preference.ts';
import { DEFAULTS, type Settings, settingsOf } from '../../src/client/settings.ts';
import type { Contest } from '../../src/domain/contest.ts';

const noon = new Date(2026, 0, 5, 12).getTime();
const at = (settings: Partial<Settings>, rest: Partial<Situation> = {}): Situation => ({
  settings: { ...DEFAULTS, ...settings },
  conditions: {},
  snoozedUntil: 0,
  isBusy: false,
  now: noon,
  defaultWorkers: 7,
  maxWorkers: 8,
  ...rest,
});

test('nothing told and nothing chosen: one core is left free, at full speed', () => {
  expect(limitsOf(at({}))).toEqual({ pause: undefined, workers: 7, throttle: 1, mayTalk: true });
});

test.each<[string, Partial<Settings>, Partial<Situation>, object | undefined]>([
  ['snoozed', {}, { snoozedUntil: noon + 1 }, { reason: 'snoozed', until: noon + 1 }],
  ['a snooze that is over', {}, { snoozedUntil: noon }, undefined],
  [
    'outside the schedule',
    { schedule: ['mon 22:00-06:00'] },
    {},
    { reason: 'off-schedule', until: new Date(2026, 0, 5, 22).getTime() },
  ],
  ['within the schedule', { schedule: ['mon 08:00-18:00'] }, {}, undefined],
  ['on battery', {}, { conditions: { onBattery: true } }, { reason: 'on-battery' }],
  ['on battery, which is allowed', { onBattery: 'same' }, { conditions: { onBattery: true } }, undefined],
  ['in use', { inUse: 'pause' }, { conditions: { inUse: true } }, { reason: 'in-use' }],
  ['in use, which is allowed', {}, { conditions: { inUse: true } }, undefined],
  ['not known whether in use', { inUse: 'pause' }, {}, undefined],
  ['busy', {}, { isBusy: true }, { reason: 'busy' }],
  ['busy, which is allowed', { whenBusy: 'same' }, { isBusy: true }, undefined],
])('%s', (_, settings, rest, pause) => {
  expect(limitsOf(at(settings, rest)).pause).toEqual(pause);
});

test('less while the machine is in use, and never more', () => {
  const inUse = { conditions: { inUse: true } };
  expect(limitsOf(at({ inUse: 'less', workersInUse: 2 }, inUse))).toMatchObject({ workers: 2, throttle: 0.5 });
  const little = { inUse: 'less', workers: 1, workersInUse: 4, throttle: 0.3 } as const;
  expect(limitsOf(at(little, inUse))).toMatchObject({ workers: 1, throttle: 0.3 });
  expect(limitsOf(at({ inUse: 'less' }))).toMatchObject({ workers: 7, throttle: 1 });
});

test('metered: nothing is fetched or sent where the person wants it so, and work goes on', () => {
  const metered = { conditions: { metered: true } };
  expect(limitsOf(at({ onMetered: 'wait' }, metered))).toMatchObject({ mayTalk: false, pause: undefined });
  expect(limitsOf(at({}, metered)).mayTalk).toBe(true);
});

describe('busy', () => {
  const second = 1000;

  test('after ten seconds of critical, calm after thirty of fair; serious changes nothing', () => {
    const busy = new Hysteresis();
    expect(busy.isBusy('critical', 0.7, 0)).toBe(false);
    expect(busy.isBusy('serious', 0.8, 9 * second)).toBe(false);
    expect(busy.isBusy('critical', 0.7, 10 * second)).toBe(false);
    expect(busy.isBusy('critical', 0.7, 20 * second)).toBe(true);
    expect(busy.isBusy('fair', 0.8, 21 * second)).toBe(true);
    expect(busy.isBusy('serious', 0.8, 50 * second)).toBe(true);
    expect(busy.isBusy('nominal', 0.8, 60 * second)).toBe(true);
    expect(busy.isBusy('nominal', 0.8, 90 * second)).toBe(false);
  });

  test('a machine that is busy again at once must be calm for longer each time: fans do not pulse', () => {
    const busy = new Hysteresis();
    let now = 0;
    const wait = (pressure: 'critical' | 'fair', until: boolean): number => {
      const began = now;
      for (; busy.isBusy(pressure, 0.5, now) !== until; now += second);
      return (now - began) / second;
    };
    const calms = Array.from({ length: 8 }, () => {
      expect(wait('critical', true)).toBe(10);
      return wait('fair', false);
    });
    expect(calms.slice(0, 3)).toEqual([30, 60, 120]);
    expect(Math.max(...calms)).toBe(600);
  });

  test('where most cores are ours, critical is our own doing', () => {
    const busy = new Hysteresis();
    busy.isBusy('critical', 7 / 8, 0);
    expect(busy.isBusy('critical', 7 / 8, 60 * second)).toBe(false);
  });
});

describe('settings that were kept', () => {
  test('by nobody, or as nonsense, are the defaults', () => {
    for (const kept of [undefined, null, 'x', 7, []]) expect(settingsOf(kept)).toEqual(DEFAULTS);
  });

  test('are used as far as they can be', () => {
    const kept = { throttle: 3, workers: 2, schedule: ['mon 25:00-26:00'], theme: 'dark', toString: 1, later: true };
    expect(settingsOf(kept)).toEqual({ ...DEFAULTS, workers: 2, theme: 'dark' });
  });
});

describe('the choice of contests', () => {
  const contest = (name: string, state: object = {}) => ({ manifest: { name }, state }) as Contest;
  const contests = [contest('a', { priority: 2 }), contest('b', { weight: 5 }), contest('c')];
  const inTerms = (choice: Partial<Settings>) =>
    preferred(contests, { ...DEFAULTS, ...choice }).map(({ manifest, state: { priority, weight } }) => [
      manifest.name,
      priority,
      weight,
    ]);

  test('is the keyserver’s until the person makes one', () => {
    expect(preferred(contests, DEFAULTS)).toEqual(contests);
  });

  test('in order: priorities; what is not named comes after; 0 is never', () => {
    expect(inTerms({ choice: 'order', order: ['c', 'a'], weights: { a: 0 } })).toEqual([
      ['b', 2, undefined],
      ['c', 0, undefined],
    ]);
  });

  test('shared: one priority, and the person’s weights', () => {
    expect(inTerms({ choice: 'share', weights: { b: 3, c: 0 } })).toEqual([
      ['a', 0, 1],
      ['b', 0, 3],
    ]);
  });
});
