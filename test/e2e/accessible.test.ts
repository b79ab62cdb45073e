/** Every state of the page, in both themes and on a phone: axe finds nothing, and the keyboard reaches everything. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { faults } from '../helpers/axe.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { until } from '../helpers/tab.ts';

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

async function open(path = '/'): Promise<Page> {
  const page = await context.newPage();
  await page.goto(server.url + path);
  if (path === '/') await until(page, 'the contests', ({ contests }) => 'rc5-72' in contests);
  return page;
}

describe.each([
  ['desktop, light', { viewport: { width: 1440, height: 900 }, colorScheme: 'light' }],
  ['phone, dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true }],
] as const)('%s', (_name, options) => {
  beforeEach(async () => {
    context = await browser.newContext(options);
  });
  afterEach(() => context.close());

  test('not started, running with settings open, paused, offline', async () => {
    const page = await open();
    expect(await faults(page)).toEqual([]);
    await page.click('[data-testid=run]');
    await until(page, 'it running', ({ pause, rate }) => pause === undefined && rate > 0);
    await page.getByText('Change how much, when').click();
    await page.click('text=Add hours');
    await page.click('text=Shared in proportion');
    expect(await faults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Remove hours 1' }).click();
    await page.click('[data-testid=erase]');
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.click('[data-testid=run]');
    await until(page, 'a pause', ({ pause }) => pause === 'by-you');
    expect(await faults(page)).toEqual([]);
    const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(isWider).toBe(false);
  });

  test('a kiosk: asked, at work, its PIN and what is behind it; the fleet; no pools', async () => {
    const page = await open('/?kiosk');
    await page.waitForSelector('[data-testid=kiosk-consent]');
    expect(await faults(page)).toEqual([]);
    await page.getByLabel('PIN').fill('2718');
    await page.click('[data-testid=kiosk-agree]');
    await until(page, 'it running', ({ pause, rate }) => pause === undefined && rate > 0);
    expect(await faults(page)).toEqual([]);
    await page.click('[data-testid=kiosk-open]');
    expect(await faults(page)).toEqual([]);
    await page.fill('[data-testid=kiosk-pin]', '2718');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-testid=kiosk-leave]');
    expect(await faults(page)).toEqual([]);
    await page.click('[data-testid=kiosk-leave]');
    await page.goto(`${server.url}/fleet`);
    await page.getByLabel('Administration token').fill('a-token-that-nobody-has');
    await page.keyboard.press('Enter');
    await page.getByText('This keyserver has no administration').waitFor();
    expect(await faults(page)).toEqual([]);
    await page.goto(`${server.url}/pools`);
    await page.waitForSelector('[data-testid=pools-none]');
    expect(await faults(page)).toEqual([]);
  });

  test('an address that leads nowhere', async () => {
    const page = await open();
    await page.evaluate(() => {
      history.pushState(null, '', '/nowhere');
      dispatchEvent(new PopStateEvent('popstate'));
    });
    await page.getByText('There is nothing at this address.').waitFor();
    expect(await faults(page)).toEqual([]);
    await page.click('text=Go to the search');
    await until(page, 'the contests', ({ contests }) => 'rc5-72' in contests);
  });
});

test('by keyboard alone: Start, one worker more, a snooze, Pause', async () => {
  context = await browser.newContext();
  const page = await open();
  const tabTo = async (what: string): Promise<void> => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab');
      const has = await page.evaluate((name) => document.activeElement?.matches(name) ?? false, what);
      if (has) return;
    }
    throw new Error(`Tab does not reach ${what}`);
  };
  await tabTo('[data-testid=run]');
  await page.keyboard.press('Enter');
  await until(page, 'it running', ({ pause, rate }) => pause === undefined && rate > 0);
  await tabTo('[data-testid=snooze]');
  await page.keyboard.press('Space');
  await tabTo('.menu button');
  await page.keyboard.press('Enter');
  await until(page, 'a snooze', ({ pause }) => pause === 'snoozed');
  await page.keyboard.press('Shift+Tab');
  await tabTo('[data-testid=run]');
  await page.keyboard.press('Space');
  const { running } = await until(page, 'it running', ({ pause }) => pause === undefined);
  expect(running).toBe(true);
  await context.close();
});
