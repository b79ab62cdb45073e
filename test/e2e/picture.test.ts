/** The picture of the search in a real Chromium: what it shows, in pixels and in words, and when it draws nothing. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { manifests } from '../../src/contests/manifests.ts';
import { rc5Search } from '../../src/contests/rc5/rc5.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import { asking } from '../helpers/keyservers.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { look, until } from '../helpers/tab.ts';
import near from '../vectors/rc5-near-matches.json' with { type: 'json' };

/** Unit 1 is one whose evidence is known, and has no answer in it. */
const KNOWN_UNIT = 0x532b743;
const warmUp = manifests.find(({ name }) => name === 'rc5-56') as ContestManifest;
const contest: ContestManifest = {
  ...warmUp,
  name: 'keys',
  units: 64,
  // The answer is in unit 2.
  closes: 'exhausted',
  search: { ...rc5Search(warmUp), firstUnit: KNOWN_UNIT - 1 },
};

let browser: Browser;
let server: ServerProcess;

beforeAll(async () => {
  [browser, server] = await Promise.all([launchChromium(), ServerProcess.start([contest])]);
  const keyserver = new HttpKeyserver(server.url, { fetch });
  const { leases } = await keyserver.exchange(asking({ blocks: 2, contests: ['keys'] }));
  const [free, done] = leases;
  if (free === undefined || done === undefined) throw new Error('the keyserver gave no blocks');
  const nearMatches = (near.units as Record<string, number[]>)[KNOWN_UNIT] ?? [];
  const { id: lease, first } = done;
  const report = {
    lease,
    contest: 'keys',
    first,
    evidence: [{ kind: 'rc5' as const, nearMatches }],
    core: 'c',
    seconds: 1,
  };
  const { results } = await keyserver.exchange(asking({ reports: [report], contests: [] }));
  if (results[0]?.credited !== 1) throw new Error(`the report was ${results[0]?.outcome}`);
  await keyserver.release({ client: asking().client, leases: [free.id] });
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  await context.addInitScript(() => {
    // A drawing begins with one `setTransform` of the picture's own canvas.
    Object.assign(globalThis, { drawings: 0 });
    const { prototype } = CanvasRenderingContext2D;
    // oxlint-disable-next-line typescript/unbound-method -- called with the context that it was called on
    prototype.setTransform = new Proxy(prototype.setTransform, {
      apply(target, context: CanvasRenderingContext2D, args) {
        if (context.canvas.parentElement?.className === 'picture-place') {
          (globalThis as unknown as Counted).drawings += 1;
        }
        return Reflect.apply(target, context, args) as unknown;
      },
    });
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.locator('.picture-place canvas').waitFor();
  await page.locator('.picture-place').scrollIntoViewIfNeeded();
  await expect.poll(() => cellsDone(page), { timeout: 10_000 }).toBe('1');
  return page;
}

interface Counted {
  drawings: number;
}

const cellsDone = (page: Page) => page.getAttribute('[data-testid=picture]', 'data-cells-done');
const bits = async (page: Page) => Number(await page.getAttribute('[data-testid=picture-bits]', 'data-bits'));

/** Drawings in so many milliseconds. */
async function drawings(page: Page, ms: number): Promise<number> {
  const count = () => page.evaluate(() => (globalThis as unknown as Counted).drawings);
  const before = await count();
  await page.waitForTimeout(ms);
  return (await count()) - before;
}

async function start(page: Page): Promise<void> {
  await page.evaluate(() => document.querySelector<HTMLElement>('[data-testid=run]')?.click());
  await until(page, 'keys being tried', ({ blocks }) => (blocks[0]?.steps ?? 0) > 0, 60);
}

/** The colour at a place of the map, as shares of its side. */
const inkAt = (page: Page, x: number, y: number) =>
  page.evaluate(
    ([across = 0, down = 0]) => {
      const canvas = document.querySelector<HTMLCanvasElement>('.picture-place canvas');
      const { width = 0, height = 0 } = canvas ?? {};
      const ctx = canvas?.getContext('2d');
      return [...(ctx?.getImageData(across * width, down * height, 1, 1).data ?? [])].join();
    },
    [x, y],
  );

test('before Start the whole contest, with what others have done; then the way down to the unit in hand, in pixels and in words', async () => {
  const page = await open();
  expect(await bits(page)).toBe(28 + 6);
  // 8 × 8 units: the first is the upper left one, the second beside or below it.
  const cell = (nth: number) => 0.015 + ((nth + 0.2) * 0.97) / 8;
  const [beside, below, far] = await Promise.all([
    inkAt(page, cell(1), cell(0)),
    inkAt(page, cell(0), cell(1)),
    inkAt(page, cell(6), cell(6)),
  ]);
  expect([beside, below].filter((ink) => ink !== far)).toHaveLength(1);
  const image = page.getByRole('img', {
    name: 'Map of the keys of keys. 1 of 64 units are done, 0 of them by this browser.',
  });
  expect(await image.count()).toBe(1);

  await start(page);
  // The camera travels by itself; then there are as many drawings as snapshots.
  await expect.poll(() => bits(page)).toBe(28 + 2);
  await page.waitForTimeout(500);
  expect(await drawings(page, 2000)).toBeLessThan(6);
  expect(await page.locator('.picture-place').getAttribute('aria-label')).toMatch(/Unit \d+ is being searched here: /);

  await page.getByRole('button', { name: 'Closer' }).press('Enter');
  await expect.poll(() => bits(page)).toBe(28);
  await page.getByRole('button', { name: 'Whole key space' }).press('Enter');
  expect(await drawings(page, 800)).toBeGreaterThan(6);
  await expect.poll(() => bits(page)).toBe(34);

  // Nobody looks: nothing is drawn, and the work goes on.
  const setHidden = (hidden: boolean) =>
    page.evaluate((is) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: is });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await setHidden(true);
  const { blocks } = await look(page);
  expect(await drawings(page, 2000)).toBe(0);
  expect((await look(page)).blocks[0]?.steps).toBeGreaterThan(blocks[0]?.steps ?? 0);
  await setHidden(false);
  await expect.poll(() => drawings(page, 500)).toBeGreaterThan(0);
  // Nor where it is scrolled away.
  await page.setViewportSize({ width: 600, height: 300 });
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(500);
  expect(await drawings(page, 2000)).toBe(0);
  await page.context().close();
});

test('for those who ask for reduced motion it stands still between two snapshots, and is there at once', async () => {
  const page = await open({ reducedMotion: 'reduce' });
  await start(page);
  await expect.poll(() => bits(page)).toBe(28 + 2);
  expect(await drawings(page, 2000)).toBeLessThan(6);
  const before = await page.evaluate(() => (globalThis as unknown as Counted).drawings);
  // Within one task: no frame is waited for.
  const after = await page.evaluate(() => {
    const whole = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === 'Whole key space');
    whole?.click();
    return (globalThis as unknown as Counted).drawings;
  });
  expect(after).toBe(before + 1);
  await expect.poll(() => bits(page), { timeout: 500 }).toBe(34);
  await page.context().close();
});
