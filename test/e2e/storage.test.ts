/**
 * What a browser keeps, and how it is lost: no room, deleted under the page, of a newer version, deleted by the person; and
 * buffers that leave and come by hand. Real Chromium, the built server, real keys.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { manifests } from '../../src/contests/manifests.ts';
import { rc5Search } from '../../src/contests/rc5/rc5.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { tabherd } from '../helpers/command.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { checkpoints, look, until } from '../helpers/tab.ts';

const warmUp = manifests.find(({ name }) => name === 'rc5-56') as ContestManifest;
/** Blocks of some seconds, far from the answer; and of a moment. */
const long: ContestManifest = { ...warmUp, units: 64, search: { ...rc5Search(warmUp), firstUnit: 64 } };
const quick = manifests.find(({ name }) => name === 'ogr-14') as ContestManifest;

let browser: Browser;
let server: ServerProcess;
let context: BrowserContext;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  await server.close();
});

async function serve(manifest: ContestManifest): Promise<void> {
  server = await ServerProcess.start([manifest]);
}

async function open(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(server.url);
  await until(page, 'the contest', ({ contests }) => Object.keys(contests).length > 0);
  return page;
}

async function openAndStart(): Promise<Page> {
  await serve(long);
  const page = await open();
  await page.click('[data-testid=run]');
  await until(page, 'keys being tried', ({ blocks }) => (blocks[0]?.steps ?? 0) > 0);
  return page;
}

const loss = (page: Page) => page.locator('[data-condition=storage]').getAttribute('data-loss', { timeout: 20_000 });
const noticed = (page: Page, text: string) => page.getByText(text).first().waitFor({ timeout: 20_000 });

/** Writes until there is no room for another thousand bytes. */
function fill(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const filler = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open('filler', 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('rubbish', { autoIncrement: true });
      opening.onsuccess = () => resolve(opening.result);
    });
    const put = (bytes: number) =>
      new Promise<boolean>((resolve) => {
        const tx = filler.transaction('rubbish', 'readwrite');
        tx.objectStore('rubbish').put(crypto.getRandomValues(new Uint8Array(bytes)));
        tx.oncomplete = () => resolve(true);
        tx.onabort = () => resolve(false);
      });
    for (let bytes = 65_536; bytes >= 256; bytes /= 4) while (await put(bytes));
  });
}

test('no room: it says so, works on in memory, and keeps everything once there is room', async () => {
  await serve(quick);
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 8_000_000 });
  await page.goto(server.url);
  await until(page, 'the contest', ({ contests }) => 'ogr-14' in contests);
  await fill(page);
  await page.click('[data-testid=run]');
  expect(await loss(page)).toBe('full');
  const { blocksDone } = await until(page, 'work done', (seen) => seen.contests['ogr-14']?.state === 'closed');
  expect((await server.status()).reports).toMatchObject({ accepted: blocksDone, refused: 0 });

  await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.url });
  await page.locator('[data-condition=storage]').getByRole('button').click();
  await noticed(page, 'Storage is there again');
  await page.reload();
  await until(page, 'what was done', (seen) => seen.blocksDone === blocksDone);
});

test('deleted under it: everything is stored again, and a reload goes on from there', async () => {
  const page = await openAndStart();
  await page.evaluate(() => {
    indexedDB.deleteDatabase('tabherd');
  });
  await noticed(page, 'Storage is there again');
  const { blocks } = await look(page);
  const lease = blocks[0]?.lease ?? '';
  await expect.poll(async () => (await checkpoints(page))[lease]?.steps ?? 0, { timeout: 20_000 }).toBeGreaterThan(0);
  await page.reload();
  const after = await until(page, 'keys again', (seen) => (seen.blocks[0]?.steps ?? 0) > 0);
  expect(after.blocks[0]?.lease).toBe(lease);
});

test('of a newer version: it says so, and works from memory', async () => {
  await serve(quick);
  const page = await context.newPage();
  await page.goto(`${server.url}/icon.svg`);
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        indexedDB.open('tabherd', 99).onsuccess = ({ target }) => {
          (target as IDBOpenDBRequest).result.close();
          resolve();
        };
      }),
  );
  await page.goto(server.url);
  expect(await loss(page)).toBe('newer');
  await page.click('[data-testid=run]');
  const { blocksDone } = await until(page, 'work done', (seen) => seen.contests['ogr-14']?.state === 'closed');
  expect((await server.status()).reports).toMatchObject({ accepted: blocksDone, refused: 0 });
});

test('Delete everything, in one tab for all', async () => {
  const page = await openAndStart();
  const other = await open();
  await until(other, 'the other tab named', ({ pause }) => pause === 'another-tab');
  await page.getByText('Change how much, when').click();
  await page.click('[data-testid=erase]');
  await page.keyboard.press('Escape');
  expect((await look(page)).running).toBe(true);
  await page.click('[data-testid=erase]');
  await page.click('[data-testid=erase-sure]');
  for (const tab of [page, other]) {
    const pause = (): Promise<string | undefined> =>
      look(tab).then(
        (seen) => seen.pause,
        () => undefined,
      );
    await expect.poll(pause, { timeout: 20_000 }).toBe('not-started');
  }
  expect(await checkpoints(page)).toEqual({});
  // Given back: another gets it at once.
  expect((await server.status()).contests[0]).toMatchObject({ leased: 0 });
});

test('reports leave and blocks come in files, by a person who walks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tabherd-'));
  const at = (name: string): string => join(folder, name);
  await serve(quick);
  const page = await open();
  await context.route('**/api/**', (route) => route.abort());
  await page.getByText('Change how much, when').click();
  const carry = async (name: string): Promise<string> => {
    const saving = page.waitForEvent('download');
    await page.click('[data-testid=export]');
    await (await saving).saveAs(at(name));
    const answer = await tabherd(['import', at(name), '--at', server.url]);
    await page.setInputFiles('[data-testid=import]', at(`${name}.answer`));
    return answer;
  };
  const said = (text: string | RegExp) =>
    expect.poll(() => page.innerText('[data-testid=data-said]'), { timeout: 20_000 }).toMatch(text);

  await carry('first');
  await said(/^The file brought \d+ blocks?\.$/);
  await page.setInputFiles('[data-testid=import]', at('first'));
  await said('first cannot be used: it has reports');
  await page.click('[data-testid=run]');
  await until(page, 'a report', ({ outBuffer }) => outBuffer > 0);
  await page.click('[data-testid=run]');
  const { outBuffer } = await until(page, 'a pause', ({ running, rate }) => !running && rate === 0);
  expect(await carry('second')).toContain(`${outBuffer} accepted`);
  await until(page, 'nothing waiting', (seen) => seen.outBuffer === 0 && seen.blocksDone === outBuffer);
  await rm(folder, { recursive: true });
});
