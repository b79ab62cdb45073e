/**
 * The first visit, whole: a Chromium nobody configured, pointed at what `npm start` runs, reads RSA's message of 1997,
 * proves the warm-up ruler optimal with every stub accounted for, and goes on to the open challenge.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { until } from '../helpers/tab.ts';

let browser: Browser;
let server: ServerProcess;
let page: Page;
/** Anything the browser complained about: the Content-Security-Policy, a failed import, an uncaught error. */
const complaints: string[] = [];

beforeAll(async () => {
  [browser, server] = await Promise.all([launchChromium(), ServerProcess.start()]);
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

const contest = async (name: string) => (await server.status()).contests.find((one) => one.name === name);

test('Start, and the message of 1997 appears on the page and in status', async () => {
  await page.goto(server.url);
  await until(page, 'the contests', ({ contests }) => 'rc5-72' in contests);
  await page.click('[data-testid=run]');
  await page.click('[data-testid=more]');
  await until(page, 'the message', ({ found }) => found.includes("It's time to move to a longer key length."), 280);
  await until(page, 'the contest closed', ({ contests }) => contests['rc5-56']?.state === 'closed', 30);
  expect(await contest('rc5-56')).toMatchObject({
    state: 'closed',
    closedBy: 'hit',
    hits: [{ message: "The unknown message is: It's time to move to a longer key length." }],
  });
});

test('the warm-up ruler is proved optimal: 14 marks, length 127, every stub done', async () => {
  await until(page, 'the proof', ({ contests }) => contests['ogr-14']?.state === 'closed', 280);
  const proved = await contest('ogr-14');
  expect(proved).toMatchObject({ closedBy: 'exhausted', leased: 0 });
  expect(proved?.done).toBe(proved?.units);
  const [best] = proved?.hits ?? [];
  const marks = best?.kind === 'ogr' ? best.marks : [];
  expect(marks).toHaveLength(14);
  expect(marks.at(-1)).toBe(127);
  const distances = marks.flatMap((a, i) => marks.slice(i + 1).map((b) => b - a));
  expect(new Set(distances).size).toBe((14 * 13) / 2);
});

test('then it works on rc5-72', async () => {
  await until(
    page,
    'rc5-72 in hand',
    ({ blocks, rate }) => rate > 0 && blocks.some((block) => block.contest === 'rc5-72'),
  );
  const { reports } = await server.status();
  expect(reports.refused).toBe(0);
  expect(complaints).toEqual([]);
});
