/**
 * The standing as one sees it who works under a name and for a team: themselves in the list, their team's page, the same
 * figures in the CSV; by addresses that can be sent to others; and what is left of it without the keyserver.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { contestOf, smallSearch } from '../helpers/ogr.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { until } from '../helpers/tab.ts';

const NAME = 'Ada = 1';
const TEAM = 'Owls / Eulen';
const manifest = { ...contestOf(smallSearch(11, 2)), points: 0.5 };

let browser: Browser;
let server: ServerProcess;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  [browser, server] = await Promise.all([launchChromium(), ServerProcess.start([manifest])]);
  page = await browser.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const choose = async (label: string, text: string): Promise<void> => {
  const field = page.getByLabel(label, { exact: true });
  await field.fill(text);
  await field.blur();
};

test('a block under a name and a team is on the first page, in the standing and on the page of the team', async () => {
  await page.goto(`${server.url}/standing`);
  await page.getByText('Nobody with a name has done anything here yet.').waitFor();
  await page.getByRole('link', { name: 'Choose one in the settings' }).click();
  await choose('Name', NAME);
  await choose('Team', TEAM);
  await page.click('[data-testid=run]');
  await until(page, 'the contest done', ({ contests }) => contests[manifest.name]?.state === 'closed', 60);
  await until(page, 'all reported', ({ outBuffer }) => outBuffer === 0);
  const points = manifest.units * 0.5;
  expect(Number(await page.getAttribute('[data-testid=mine]', 'data-points'))).toBe(points);
  await page.locator('[data-testid=mine]', { hasText: `${NAME} rank 1 of 1` }).waitFor();

  await page.getByRole('link', { name: 'Standing', exact: true }).click();
  const me = page.locator(`tr.me[data-name="${NAME}"]`);
  await me.waitFor();
  expect(await me.getAttribute('data-rank')).toBe('1');
  expect(Number(await me.getAttribute('data-points'))).toBe(points);
  await page.getByRole('link', { name: 'Today', exact: true }).click();
  await page.getByRole('combobox', { name: 'Contest' }).selectOption(manifest.name);
  await page.locator('[data-loaded=true] th', { hasText: 'Units' }).waitFor({ state: 'attached' });
  expect(page.url()).toBe(`${server.url}/standing?of=people&span=today&contest=${manifest.name}`);
  expect(await page.locator('.span-plot canvas').count()).toBe(1);

  await me.getByRole('link', { name: TEAM }).first().click();
  await page.locator('[data-testid=team][data-loaded=true]').waitFor();
  expect(new URL(page.url()).pathname).toBe('/teams/Owls%20%2F%20Eulen');
  expect(await page.getAttribute('[data-span=today]', 'data-rank')).toBe('1');
  expect(await page.locator('tr.me').getAttribute('data-name')).toBe(NAME);
}, 120_000);

test('the addresses open as they are, and the CSV says the same', async () => {
  await page.reload();
  await page.locator('[data-testid=team][data-loaded=true]').waitFor();
  await page.goto(`${server.url}/standing?of=people&span=week&contest=${manifest.name}`);
  await page.locator('tr.me').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: /^CSV: People/ }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(`tabherd-people-${manifest.name}-week.csv`);
  const [header, first, end] = (await readFile(await download.path(), 'utf8')).split('\r\n');
  expect([header, end]).toEqual(['rank,name,team,blocks,units,points,share', '']);
  const { units } = manifest;
  expect(first).toMatch(new RegExp(`^1,${NAME},${TEAM},\\d+,${units},${units / 2},1$`));
  expect(complaints).toEqual([]);
});

test('without the keyserver what was shown stays, and says so', async () => {
  await server.kill();
  // Longer than the browser may keep an answer.
  await sleep(2500);
  await page.getByRole('link', { name: 'Today', exact: true }).click();
  await page.getByText('The standing is kept at the keyserver, which cannot be asked now.').waitFor();
  expect(await page.locator('tr.me').count()).toBe(0);
  await page.getByRole('link', { name: '7 days', exact: true }).click();
  await page.getByText('What is shown is of').waitFor();
  expect(await page.locator('tr.me').count()).toBe(1);
  await server.restart();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('The standing is kept at the keyserver').waitFor({ state: 'detached' });
});
