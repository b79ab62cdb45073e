/** What a person asks of a tab, and several tabs of one browser: real Chromium, the built server, real keys. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { manifests } from '../../src/contests/manifests.ts';
import { ogr15 } from '../helpers/ogr-contest.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { checkpoints, look, until } from '../helpers/tab.ts';

let browser: Browser;
let server: ServerProcess;
let context: BrowserContext;

beforeAll(async () => {
  browser = await launchChromium();
  server = await ServerProcess.start();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(() => context.close());

/** One whose first contest has blocks of some seconds. */
async function brief(): Promise<ServerProcess> {
  const open = manifests.filter(({ name }) => name === 'rc5-72' || name === 'ogr-29');
  const server = await ServerProcess.start([ogr15, ...open]);
  onTestFinished(() => server.close());
  return server;
}

async function open({ url } = server): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await until(page, 'the contests', ({ contests }) => 'rc5-72' in contests);
  return page;
}

async function openAndStart(at = server): Promise<Page> {
  const page = await open(at);
  await page.click('[data-testid=run]');
  await until(page, 'work being done', ({ pause, rate }) => pause === undefined && rate > 0);
  return page;
}

/** The share of three seconds that the tabs' processes compute, of one CPU. */
async function busy(page: Page): Promise<number> {
  const devtools = await browser.newBrowserCDPSession();
  const cpuSeconds = async () => {
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    return renderers.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  const [before, began] = [await cpuSeconds(), performance.now()];
  await page.waitForTimeout(3000);
  const share = (1000 * ((await cpuSeconds()) - before)) / (performance.now() - began);
  await devtools.detach();
  return share;
}

const runs = (page: Page, seconds = 20) => until(page, 'it running', ({ pause }) => pause === undefined, seconds);
const waits = (page: Page) => until(page, 'it waiting', ({ pause }) => pause === 'another-tab', 20);

describe('several tabs', () => {
  test('all show the same; another runs when a person wants so, or when the one that runs is closed or crashes', async () => {
    const one = await openAndStart();
    const two = await open();
    const seen = await until(two, 'how it goes', ({ pause, rate }) => pause === 'another-tab' && rate > 0);
    expect(seen.blocks.map(({ lease }) => lease)).toEqual((await look(one)).blocks.map(({ lease }) => lease));

    await two.click('[data-testid=take-over]');
    await runs(two);
    await waits(one);
    await expect.poll(() => one.workers()).toEqual([]);

    await two.close();
    const closedAt = Date.now();
    await until(one, 'it taking over', ({ pause }) => pause !== 'another-tab', 20);
    expect(Date.now() - closedAt).toBeLessThan(2000);
    await runs(one);

    const three = await open();
    await waits(three);
    await one.goto('chrome://crash').catch(() => undefined);
    const crashedAt = Date.now();
    await until(three, 'it taking over', ({ pause }) => pause !== 'another-tab', 20);
    expect(Date.now() - crashedAt).toBeLessThan(2000);
    await runs(three);
  });

  test('a tab that hangs loses its turn within two seconds, and waits when it is back', async () => {
    const one = await openAndStart();
    const two = await open();
    await until(two, 'how it goes', ({ pause, rate }) => pause === 'another-tab' && rate > 0);
    const awake = one.evaluate(() => {
      for (const end = Date.now() + 8000; Date.now() < end; );
    });
    const frozenAt = Date.now();
    await until(two, 'it taking over', ({ pause }) => pause !== 'another-tab', 20);
    expect(Date.now() - frozenAt).toBeLessThan(2500);
    await runs(two);
    await awake;
    await waits(one);
    await runs(two);
  });

  test('Pause in one is Pause in all', async () => {
    const one = await openAndStart();
    const two = await open();
    await waits(two);
    await two.click('[data-testid=run]');
    for (const page of [one, two]) await until(page, 'pause', ({ pause }) => pause === 'by-you', 5);
    await expect.poll(() => one.workers()).toEqual([]);
  });
});

test('a snooze of three hours: no work is lost, and it goes on by itself', async () => {
  // The leases of the warm-up are shorter than that.
  const patient = await ServerProcess.start(manifests.filter(({ name }) => name === 'rc5-72'));
  onTestFinished(() => patient.close());
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(patient.url);
  await until(page, 'the contests', ({ contests }) => 'rc5-72' in contests);
  await page.click('[data-testid=run]');
  await until(page, 'keys being tried', ({ pause, rate }) => pause === undefined && rate > 0);
  await page.click('[data-testid=snooze]');
  await page.getByRole('button', { name: 'For 3 hours' }).click();
  await until(page, 'the snooze', ({ pause }) => pause === 'snoozed', 5);
  expect(await page.innerText('[data-testid=pause]')).toMatch(/by itself in (3 h 00|2 h 59) min/);
  const begun = async () => Object.entries(await checkpoints(page)).find(([, one]) => (one?.steps ?? 0) > 0)?.[0];
  await expect.poll(begun, { timeout: 10_000 }).toBeDefined();
  const lease = await begun();
  await page.clock.fastForward('02:59:30');
  expect((await look(page)).pause).toBe('snoozed');
  await page.clock.fastForward('00:00:31');
  const after = await runs(page);
  expect(after.blocks.map((block) => block.lease)).toContain(lease);
});

test('Finish, then pause: the block in hand is done, and no other is begun', async () => {
  const page = await openAndStart(await brief());
  const before = await look(page);
  await page.click('[data-testid=finish]');
  const after = await until(page, 'pause', ({ pause }) => pause === 'by-you', 120);
  expect(after.blocksDone + after.outBuffer).toBeGreaterThan(before.blocksDone + before.outBuffer);
  expect(await checkpoints(page)).not.toHaveProperty(before.blocks[0]?.lease ?? '');
});

test('on battery it pauses, and goes on when plugged in', async () => {
  await context.addInitScript(() => {
    // Chromium without a battery says that it is charging; this one can be unplugged.
    const battery = Object.assign(new EventTarget(), { charging: true });
    Object.assign(globalThis, { battery });
    Object.defineProperty(navigator, 'getBattery', { value: async () => battery });
  });
  const page = await openAndStart();
  const plug = (charging: boolean) =>
    page.evaluate((charges) => {
      const { battery } = globalThis as unknown as { battery: EventTarget & { charging: boolean } };
      battery.charging = charges;
      battery.dispatchEvent(new Event('chargingchange'));
    }, charging);
  await plug(false);
  await until(page, 'pause', ({ pause }) => pause === 'on-battery', 2);
  await plug(true);
  expect((await runs(page)).running).toBe(true);
});

test('settings take effect at once and are kept: a quarter of the speed, another contest, a schedule, a theme', async () => {
  const page = await openAndStart(await brief());
  await page.click('[data-testid=settings] > summary');
  await page.getByLabel('Each worker computes').fill('25');
  // The share to ±5 % is pinned in test/unit. Here other tests use the machine too, and the page draws: but no more than this.
  await expect.poll(() => busy(page), { timeout: 30_000 }).toBeLessThan(0.6);
  expect((await look(page)).running).toBe(true);
  // Before the next contest comes the block in hand.
  await page.getByLabel('Each worker computes').fill('100');

  await page.getByLabel('In my order').check();
  for (let i = 0; i < 2; i++) await page.getByRole('button', { name: 'Move up: OGR-29' }).press('Enter');
  await page.getByRole('checkbox', { name: 'OGR-15' }).uncheck();
  await until(page, 'ogr-29', ({ blocks }) => blocks.some(({ contest }) => contest === 'ogr-29'), 150);

  await page.getByLabel('Dark').check();
  await page.getByRole('button', { name: 'Add hours' }).click();
  const now = new Date();
  const clock = (minutes: number) => new Date(now.getTime() + minutes * 60_000).toTimeString().slice(0, 5);
  for (const day of ['Sat', 'Sun']) await page.getByRole('button', { name: day, exact: true }).click();
  await page.getByLabel('from', { exact: true }).fill(clock(60));
  await page.getByLabel('to', { exact: true }).fill(clock(120));
  await until(page, 'pause', ({ pause }) => pause === 'off-schedule', 10);
  expect(await page.innerText('[data-testid=pause]')).toMatch(/by itself in (59 min|1 h 00 min)/);

  await page.reload();
  await until(page, 'pause', ({ pause }) => pause === 'off-schedule', 20);
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(15, 21, 18)');
  await page.click('[data-testid=settings] > summary');
  await page.getByRole('button', { name: 'Set everything back' }).click();
  await runs(page);
});
