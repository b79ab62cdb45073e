/**
 * The pools' page as somebody watches it while a gateway joins, is killed (kill -9) and is found out: in Chromium, over a keymaster
 * that is a registrar, and a proxy that was vouched for as the README says.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { faults } from '../helpers/axe.ts';
import { type StartedKeyserver, startKeyserver, tabherd } from '../helpers/command.ts';
import { freePort } from '../helpers/server-process.ts';

const TOKEN = 'a-token-of-this-test';
/** A registrar looks after a lifetime of 15 s, and asks for 2 s. */
const FOUND_OUT_MS = 25_000;

let browser: Browser;
let folder: string;
let keymaster: StartedKeyserver;
let proxy: StartedKeyserver;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabherd-'));
  const port = String(await freePort());
  const args = ['--port', port, '--data', join(folder, 'keymaster'), '--registrar', '--pool-handle', 'eu'];
  [browser, keymaster] = await Promise.all([
    launchChromium(),
    startKeyserver(['serve', ...args], { ...process.env, TABHERD_ADMIN_TOKEN: TOKEN }),
  ]);
  page = await browser.newPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  page.on('pageerror', (error) => complaints.push(error.message));
});
afterAll(async () => {
  await browser.close();
  proxy?.kill();
  await keymaster.stop();
  await rm(folder, { recursive: true, force: true });
});

const row = (url: string) => page.locator(`[data-pool=eu] tr[data-address="${url}"]`);

test('a gateway joins, can be looked at in peace, is killed and leaves', async () => {
  await page.goto(`${keymaster.url}pools`);
  const own = keymaster.url.replace(/\/$/, '');
  await row(own).waitFor();
  expect(await page.locator('[data-registrar]').innerText()).toContain('answers here');

  const url = `http://localhost:${await freePort()}`;
  const port = url.split(':').at(-1) ?? '';
  const args = ['--data', join(folder, 'proxy'), '--upstreams', own, '--registrars', own, '--pool-handle', 'eu'];
  // Without the keymaster's word it does not start, and says what its operator is to type.
  const hint = await tabherd(['proxy', '--port', port, ...args]).catch((error: Error) => error.message);
  const vouch = /tabherd (admin vouch .+)/.exec(hint)?.[1]?.split(' ') ?? [];
  expect(vouch).toContain(url);
  const made = await tabherd([...vouch, '--at', own, '--token', TOKEN, '--json']);
  const { voucher } = JSON.parse(made) as { voucher: string };
  proxy = await startKeyserver(['proxy', '--port', port, ...args], { ...process.env, TABHERD_POOL_VOUCHER: voucher });
  await row(url).waitFor();
  const news = page.locator('[data-testid=pools-news]');
  const name = url.replace('http://', '');
  expect(await news.innerText()).toBe(`${name} joined eu.`);
  expect(await faults(page)).toEqual([]);
  const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  expect(isWider).toBe(false);

  proxy.kill();
  await page.locator('tr[data-gone=silent]', { hasText: name }).waitFor({ timeout: FOUND_OUT_MS });
  await page.getByText(`${name} fell silent`).first().waitFor();
  expect(await news.innerText()).toContain(`${name} fell silent`);
  expect(await faults(page)).toEqual([]);

  await page.click('[data-testid=hold]');
  let asked = 0;
  await page.route('**/api/v1/pools', (route) => {
    asked += 1;
    return route.abort();
  });
  await page.waitForTimeout(2500);
  expect(asked).toBe(0);
  // What was known last stays, and says of when it is.
  await page.click('[data-testid=hold]');
  await page.getByText('does not answer').waitFor();
  expect(await page.locator('[data-testid=pools-trouble]').innerText()).toMatch(/of \d\d:\d\d:\d\d, \d+ s ago/);
  expect(await row(own).count()).toBe(1);
  expect(complaints).toEqual([]);
}, 60_000);
