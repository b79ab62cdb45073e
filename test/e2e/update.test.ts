/**
 * A new deployment while a tab is at work: it takes over between two blocks, with a notice before, and every node is
 * visited once. Real Chromium, the built server, a real search.
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { ogr15 } from '../helpers/ogr-contest.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { look, until } from '../helpers/tab.ts';

let browser: Browser;
let dist: string;
let server: ServerProcess;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

beforeEach(async () => {
  // Beside node_modules, which the server needs.
  await mkdir('.cache', { recursive: true });
  dist = await mkdtemp('.cache/deployed-');
  await cp('dist', dist, { recursive: true });
  server = await ServerProcess.start([ogr15], undefined, dist);
});
afterEach(async () => {
  await server.close();
  await rm(dist, { recursive: true });
});

/** The same app with another face and so another service worker. */
async function deploy(name: string): Promise<void> {
  const replace = async (file: string, from: string | RegExp, to: string): Promise<void> => {
    const path = join(dist, 'app', file);
    const text = await readFile(path, 'utf8');
    expect(text).toMatch(from);
    await writeFile(path, text.replace(from, to));
    await rm(`${path}.gz`);
  };
  await replace('index.html', /content="Lend a/, `content="${name}: Lend a`);
  await replace(
    'sw.js',
    /(["'`]?revision["'`]?:\s*["'`])[0-9a-f]+(["'`],\s*["'`]?url["'`]?:\s*["'`]index\.html)/,
    `$1${name}$2`,
  );
}

const deployed = (page: Page) => page.getAttribute('meta[name=description]', 'content');
const waiting = (page: Page) => page.getByText('A newer version of this page is here.').isVisible();
const lookForIt = (page: Page) =>
  page.evaluate(async () => {
    await (await navigator.serviceWorker.ready).update();
  });

test('it waits for the block in hand, says so, and goes on with the next one', async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.click('[data-testid=run]');
  await until(page, 'nodes being visited', ({ blocks }) => (blocks[0]?.steps ?? 0) > 0);

  await deploy('second');
  await lookForIt(page);
  await expect.poll(() => waiting(page), { timeout: 10_000 }).toBe(true);
  const [before] = (await look(page)).blocks;
  const later = await until(page, 'the block going on', ({ blocks }) => (blocks[0]?.steps ?? 0) > (before?.steps ?? 0));
  expect(later.blocks[0]?.lease).toBe(before?.lease);
  expect(await deployed(page)).not.toContain('second');

  await expect.poll(() => deployed(page).catch(() => ''), { timeout: 120_000 }).toContain('second');
  const next = await until(page, 'the next block', ({ blocks }) => (blocks[0]?.steps ?? 0) > 0);
  expect(next.blocks[0]?.lease).not.toBe(before?.lease);
  expect(await waiting(page)).toBe(false);
  await expect
    .poll(async () => (await server.status()).reports, { timeout: 20_000 })
    .toMatchObject({ accepted: 1, refused: 0 });
  await page.close();
});

test('one that is paused and looked at is asked; Update now brings it', async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await deploy('second');
  await lookForIt(page);
  await expect.poll(() => waiting(page), { timeout: 10_000 }).toBe(true);
  await page.waitForTimeout(2000);
  expect(await deployed(page)).not.toContain('second');
  await page.getByRole('button', { name: 'Update now' }).click();
  await expect.poll(() => deployed(page).catch(() => ''), { timeout: 20_000 }).toContain('second');
  await page.close();
});

test('calls of the gateway do not pass the service worker: none wakes an old one that a new one replaces', async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe('activated');
  await page.evaluate(async () => (await fetch('/api/v1/status?passed')).text());
  const source = (): Promise<string | undefined> =>
    page.evaluate(() => {
      const entry = performance.getEntriesByType('resource').find(({ name }) => name.endsWith('?passed'));
      return (entry as { workerMatchedSourceType?: string } | undefined)?.workerMatchedSourceType;
    });
  await expect.poll(source).toBe('network');
  await page.close();
});
