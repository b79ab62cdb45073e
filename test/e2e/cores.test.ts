/**
 * The choice between cores in a real browser: one kernel arrives with a wrong constant in it, another in a version of
 * WebAssembly that is not yet. Neither may get work, the person can see which and why, and the choice is remembered.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { manifests } from '../../src/contests/manifests.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { until } from '../helpers/tab.ts';

let browser: Browser;
let context: BrowserContext;
let server: ServerProcess;
let page: Page;
/** The kernels fetched, by name. */
let fetched: string[] = [];
const complaints: string[] = [];

/** i32.const Q, with Q = 9e3779b9 as signed LEB128; and with one bit of it wrong. */
const RIGHT = Buffer.from([0x41, 0xb9, 0xf3, 0xdd, 0xf1, 0x79]);
const WRONG = Buffer.from([0x41, 0xb9, 0xf2, 0xdd, 0xf1, 0x79]);

beforeAll(async () => {
  const contests = manifests.filter(({ name }) => name === 'rc5-72');
  [browser, server] = await Promise.all([launchChromium(), ServerProcess.start(contests)]);
  // Without the service worker every kernel that is loaded is a request seen here.
  context = await browser.newContext({ serviceWorkers: 'block' });
  await context.route(/\.wasm$/, async (route) => {
    const name = /([a-z0-9-]+)-[\w-]{8}\.wasm$/.exec(route.request().url())?.[1] ?? '';
    fetched.push(name);
    const response = await route.fetch();
    let body = await response.body();
    if (name === 'kernels-rc5-mixed-relaxed') {
      const at = body.indexOf(RIGHT);
      complaints.push(...(at < 0 ? ['the kernel has no such constant'] : []));
      body = Buffer.concat([body.subarray(0, at), WRONG, body.subarray(at + WRONG.length)]);
    }
    if (name === 'rc5-scalar4') body = Buffer.from([0, 0x61, 0x73, 0x6d, 9, 0, 0, 0]);
    await route.fulfill({ body, contentType: 'application/wasm' });
  });
  page = await context.newPage();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const coresShown = () =>
  page
    .locator('[data-core]')
    .evaluateAll((rows) =>
      Object.fromEntries(
        (rows as HTMLElement[]).map((row) => [
          row.dataset['core'],
          { state: row.dataset['state'], text: row.innerText },
        ]),
      ),
    );

test('a wrong kernel and one that does not compile get no work, and the page says why', async () => {
  await page.goto(server.url);
  await page.click('[data-testid=run]');
  const { blocks } = await until(page, 'a rate', ({ rate }) => rate > 0);
  expect(complaints).toEqual([]);
  expect(blocks[0]?.contest).toBe('rc5-72');
  const cores = await coresShown();
  expect(cores).toMatchObject({
    'rc5-mixed': { state: 'chosen', text: expect.stringMatching(/In use[\s\S]*Mkeys\/s/) as unknown },
    'rc5-mixed-relaxed': { state: 'wrong', text: expect.stringMatching(/never used[\s\S]*wrong: row \d+/) as unknown },
    'rc5-scalar4': { state: 'unsupported' },
  });
  await page.getByText('The core rc5-mixed-relaxed gave a wrong answer on this machine').waitFor();
});

test('after a reload only the chosen core is loaded', async () => {
  fetched = [];
  await page.reload();
  await until(page, 'a rate', ({ rate }) => rate > 0);
  expect(new Set(fetched)).toEqual(new Set(['kernels-rc5-mixed']));
  expect(Object.keys(await coresShown())).toHaveLength(3);
});

test('Measure again loads and judges all of them anew, and work goes on', async () => {
  fetched = [];
  await page.getByTestId('measure-cores').click();
  await until(page, 'a rate', ({ rate }) => rate > 0);
  await expect
    .poll(() => new Set(fetched), { timeout: 20_000 })
    .toEqual(new Set(['kernels-rc5-mixed', 'kernels-rc5-mixed-relaxed', 'rc5-scalar4']));
  await until(page, 'a rate', ({ rate }) => rate > 0);
  expect((await coresShown())['rc5-mixed']).toMatchObject({ state: 'chosen' });
});
