/** A kiosk on the wall and its operator's page: real Chromium, the built server, kill -9. One story, told in order. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { countStubs } from '../../src/contests/ogr/stubs.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { until } from '../helpers/tab.ts';

const TOKEN = 'a-token-for-one-test';

/** Blocks of about a second, and more of them than one test can work. */
const search = { kind: 'ogr', marks: 16, maxLength: 178, stubDepth: 3 } as const;
const proof: ContestManifest = {
  version: 1,
  name: 'ogr-16',
  title: 'OGR-16',
  about: 'A ruler of 16 marks.',
  units: countStubs(search),
  block: { maxUnits: 1, maxLeases: 64 },
  leaseSeconds: 3600,
  closes: 'exhausted',
  search,
};

let browser: Browser;
let server: ServerProcess;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  browser = await launchChromium();
  vi.stubEnv('TABHERD_ADMIN_TOKEN', TOKEN);
  server = await ServerProcess.start([proof]);
  context = await browser.newContext();
  page = await context.newPage();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await browser.close();
  await server.close();
});

const runs = () => until(page, 'it running', ({ pause, blocks }) => pause === undefined && blocks.length > 0, 40);

test('it asks once on this device, and starts; nothing runs before', async () => {
  await page.goto(`${server.url}/?kiosk=Lobby`);
  await page.waitForSelector('[data-testid=kiosk-consent]');
  expect(await page.getByLabel('Name of this kiosk').inputValue()).toBe('Lobby');
  expect(page.workers()).toEqual([]);
  await page.getByLabel('PIN').fill('12');
  await page.click('[data-testid=kiosk-agree]');
  await page.getByText('A PIN has 4 to 12 digits.').waitFor();
  await page.getByLabel('PIN').fill('2718');
  await page.click('[data-testid=kiosk-agree]');
  await runs();
  expect(await page.evaluate(() => document.fullscreenElement !== null)).toBe(true);
  const kept = await page.evaluate(() => localStorage.getItem('tabherd-kiosk') ?? '');
  expect(JSON.parse(kept)).toMatchObject({ label: 'Lobby', pin: { iterations: 100_000 } });
  expect(kept).not.toContain('2718');
});

test('it starts by itself at every later load, shows no scroll bars, and no cursor when nobody moves it', async () => {
  await page.reload();
  await runs();
  const inner = () => page.evaluate(() => [innerHeight, document.documentElement.scrollHeight]);
  const [height, scrolled] = await inner();
  expect(scrolled).toBe(height);
  await page.waitForSelector('[data-testid=kiosk][data-idle=true]', { timeout: 6000 });
  const cursor = () => page.evaluate(() => getComputedStyle(document.querySelector('.kiosk-rate') as Element).cursor);
  expect(await cursor()).toBe('none');
  await page.mouse.move(300, 300);
  await page.waitForSelector('[data-testid=kiosk][data-idle=false]');
  expect(await cursor()).not.toBe('none');
});

test('a server that is killed and comes back: it goes on meanwhile, and what it did arrives', async () => {
  await until(page, 'a stock', ({ inBuffer }) => inBuffer > 3, 20);
  await server.kill();
  await until(page, 'a report that waits', ({ outBuffer }) => outBuffer > 0, 40);
  const away = await until(page, 'the gateway missed', ({ gateway }) => gateway === 'unreachable', 40);
  expect(await page.innerText('[data-testid=gateway]')).toMatch(/Gateway does not answer for \d+ s/);
  await server.restart();
  const before = (await server.status()).reports.accepted;
  const finished = away.blocksDone + away.outBuffer;
  await until(page, 'the reports gone', (seen) => seen.gateway === 'reached' && seen.blocksDone >= finished, 60);
  expect((await server.status()).reports.accepted).toBeGreaterThanOrEqual(before + away.outBuffer);
});

test('nobody leaves without the PIN; a few tries, then a wait that outlives a reload', async () => {
  const verdict = () => page.innerText('[data-testid=kiosk-verdict]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-testid=kiosk-pin]');
  expect(await page.isVisible('[data-testid=kiosk-leave]')).toBe(false);
  for (let wrong = 0; wrong < 4; wrong++) {
    await page.fill('[data-testid=kiosk-pin]', '9999');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.inputValue('[data-testid=kiosk-pin]')).toBe('');
    await expect.poll(verdict).toMatch(wrong < 3 ? /not the PIN/ : /wrong too often. Try again in (30|29) s/);
  }
  expect(await page.isDisabled('[data-testid=kiosk-pin]')).toBe(true);
  await page.reload();
  await runs();
  await page.click('[data-testid=kiosk-open]');
  await expect.poll(verdict).toMatch(/wrong too often/);
  // The wait is over.
  await page.evaluate(() => localStorage.setItem('tabherd-kiosk-tries', JSON.stringify({ wrong: 4, at: 1 })));
  await expect.poll(() => page.isDisabled('[data-testid=kiosk-pin]')).toBe(false);
  for (const digit of '2718') await page.getByRole('button', { name: digit, exact: true }).click();
  await page.getByRole('button', { name: 'Go on', exact: true }).click();
  await page.waitForSelector('[data-testid=kiosk-leave]');
});

test('paused in the panel it stays so over a reload', async () => {
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.getByRole('button', { name: 'Back to the screen' }).click();
  await until(page, 'pause', ({ pause }) => pause === 'by-you', 10);
  await page.reload();
  const { rate } = await until(page, 'pause', ({ pause }) => pause === 'by-you', 10);
  expect(rate).toBe(0);
});

test('its operator sees it, with the right token only', async () => {
  const desk = await context.newPage();
  await desk.goto(`${server.url}/fleet`);
  const enter = async (token: string): Promise<void> => {
    await desk.getByLabel('Administration token').fill(token);
    await desk.getByRole('button', { name: 'Show the kiosks' }).click();
  };
  await enter('short');
  await desk.getByText('at least 16 characters').waitFor();
  await enter('not-the-token-for-this');
  await desk.getByText('This is not the administration token').waitFor();
  expect(await desk.locator('[data-kiosk]').count()).toBe(0);
  await enter(TOKEN);
  const row = desk.locator('[data-kiosk]');
  await row.waitFor();
  expect(await row.innerText()).toMatch(/Lobby[\s\S]*just now[\s\S]*0\.1\.0/);
  // It says so a while after it was paused, and the page asks again by itself.
  await expect.poll(() => row.innerText(), { timeout: 70_000, interval: 1000 }).toMatch(/Paused/);
  await desk.reload();
  await row.waitFor();
});

test('an agreement that is withdrawn is asked for again', async () => {
  await page.keyboard.press('Escape');
  await page.fill('[data-testid=kiosk-pin]', '2718');
  await page.keyboard.press('Enter');
  await page.click('[data-testid=kiosk-withdraw]');
  await page.waitForSelector('[data-testid=kiosk-consent]');
  await page.reload();
  await page.waitForSelector('[data-testid=kiosk-consent]');
  expect(page.workers()).toEqual([]);
});
