/** The kiosk's parts that need no browser: PIN and tries, what the device keeps, when the page is loaded again. */
import { describe, expect, test, vi } from 'vitest';
import { Device, Kept, tidyLabel } from '../../src/app/kiosk-device.ts';
import { isPin, makePin, waitOf } from '../../src/app/kiosk-pin.ts';
import { shiftOf } from '../../src/app/kiosk-screen.ts';
import { PageWatchdog } from '../../src/app/kiosk-watchdog.ts';
import type { EngineSnapshot } from '../../src/client/snapshot.ts';

/** As browsers have it. */
function storage(): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
    removeItem: (name: string) => void items.delete(name),
  } as unknown as Storage;
}
const closed = (): Storage => {
  throw new DOMException('not here', 'SecurityError');
};

describe('the PIN', () => {
  test('is right or wrong, with WebCrypto and without', async () => {
    const pin = await makePin('271828');
    expect(pin.hash).not.toContain('271828');
    expect([await isPin('271828', pin), await isPin('271829', pin)]).toEqual([true, false]);
    vi.stubGlobal('crypto', { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) });
    try {
      expect([await isPin('271828', pin), await isPin('271829', pin)]).toEqual([true, false]);
      const other = await makePin('4669');
      vi.unstubAllGlobals();
      expect(await isPin('4669', other)).toBe(true);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('is the PBKDF2 of RFC 7914, section 11', async () => {
    const pin = { salt: '4e61436c', iterations: 80_000, hash: '' };
    const hash = '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56';
    expect(await isPin('Password', { ...pin, hash })).toBe(true);
  });

  test('is tried a few times, then ever more rarely, and a clock that was set back keeps nobody out for longer', () => {
    const now = 1_000_000;
    const waits = [0, 3, 4, 5, 6, 20, 1000].map((wrong) => waitOf({ wrong, at: now }, now) / 1000);
    expect(waits).toEqual([0, 0, 30, 60, 120, 900, 900]);
    expect(waitOf({ wrong: 4, at: now }, now + 29_999)).toBe(1);
    expect(waitOf({ wrong: 4, at: now }, now + 30_000)).toBe(0);
    expect(waitOf({ wrong: 4, at: now + 1e9 }, now)).toBe(30_000);
  });
});

describe('the device', () => {
  test('keeps the agreement, and what is none of it is as if there were none', () => {
    const local = storage();
    const device = () => new Device(() => local, storage);
    expect([device().agreement, device().keeps]).toEqual([undefined, true]);
    device().agreement = { agreedAt: 5, label: 'Lobby' };
    device().tries = { wrong: 2, at: 7 };
    expect([device().agreement, device().tries]).toEqual([
      { agreedAt: 5, label: 'Lobby' },
      { wrong: 2, at: 7 },
    ]);
    device().agreement = undefined;
    expect(device().agreement).toBeUndefined();
    for (const odd of ['', '{', '{"agreedAt":"today"}', '{"agreedAt":1,"label":"x","pin":"1234"}']) {
      local.setItem('tabherd-kiosk', odd);
      expect(device().agreement).toBeUndefined();
    }
  });

  test('without storage it holds for the page, and says so', () => {
    const device = new Device(closed, closed);
    device.agreement = { agreedAt: 5, label: '' };
    device.isPaused = true;
    expect([device.keeps, device.agreement?.agreedAt, device.isPaused]).toEqual([false, 5, true]);
  });

  test('takes names as a keyserver does', () => {
    expect(tidyLabel('  Lobby \ud83d\ude00\ud83d\0 ')).toBe('Lobby \ud83d\ude00');
    expect(tidyLabel(`${'x'.repeat(63)}\ud83d\ude00`)).toBe('x'.repeat(63));
  });
});

describe('the watchdog of the page', () => {
  const at = (steps: number, change: Partial<EngineSnapshot> = {}): EngineSnapshot =>
    ({
      wanted: true,
      pause: null,
      blocks: [{ lease: 'a', steps }],
      inBuffer: 3,
      outBuffer: 0,
      totals: {},
      ...change,
    }) as unknown as EngineSnapshot;
  const MINUTE = 6;

  test('reloads where nothing moves for three minutes though there is work', () => {
    const dog = new PageWatchdog(new Kept(storage));
    for (let look = 0; look < 100; look++) expect(dog.look(at(look), 0)).toBe(false);
    const looks = Array.from({ length: 3 * MINUTE + 1 }, () => dog.look(at(100), 0));
    expect(looks.indexOf(true)).toBe(3 * MINUTE);
  });

  test.each([
    ['paused by a person', { wanted: false, pause: { reason: 'by-you' } }],
    ['without work, away from the server', { pause: { reason: 'unreachable', retryAt: 0 }, blocks: [], inBuffer: 0 }],
    ['outside its hours', { pause: { reason: 'off-schedule' } }],
    ['in the shadow of another tab', { pause: { reason: 'another-tab' } }],
  ] as [string, Partial<EngineSnapshot>][])('leaves one alone that is %s', (_what, change) => {
    const dog = new PageWatchdog(new Kept(storage));
    for (let look = 0; look < 30 * MINUTE; look++) expect(dog.look(at(1, change), look * 10_000)).toBe(false);
  });

  test('each reload that did not help makes the next one later, over the reloads; a good time forgets them', () => {
    const session = storage();
    const kept = () => new Kept(() => session);
    let now = 0;
    let dog = new PageWatchdog(kept());
    const untilReload = (): number => {
      for (const from = now; ; now += 10_000) {
        if (!dog.look(at(1), now)) continue;
        dog = new PageWatchdog(kept());
        return Math.round((now - from) / 60_000);
      }
    };
    expect([1, 2, 3, 4, 5].map(untilReload)).toEqual([3, 5, 10, 20, 40]);
    for (let n = 0; n < 20; n++) untilReload();
    expect(untilReload()).toBe(240);
    for (let look = 0; look < 12 * MINUTE; look++) dog.look(at(look), (now += 10_000));
    expect(untilReload()).toBeLessThanOrEqual(3);
  });
});

test('the picture wanders by a few pixels each minute, and not always the same way', () => {
  const places = Array.from({ length: 60 }, (_, nth) => shiftOf(nth));
  for (const { x, y } of places) expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThanOrEqual(9);
  for (const [nth, { x, y }] of places.entries()) expect(places[nth + 1]).not.toEqual({ x, y });
  expect(new Set(places.map(({ x, y }) => `${x} ${y}`)).size).toBeGreaterThan(30);
  expect(shiftOf(0)).toEqual({ x: 0, y: 0 });
});
