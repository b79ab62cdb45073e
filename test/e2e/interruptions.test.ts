/**
 * Whatever interrupts a tab, its work goes on from the checkpoint and its report arrives once: reload, crash, network,
 * server, closed tab. Real Chromium, the built server, real keys. The evidence that arrives is compared with that of
 * an uninterrupted search: a key skipped or tried twice would show.
 */
import { gunzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import { manifests } from '../../src/contests/manifests.ts';
import { rc5Search } from '../../src/contests/rc5/rc5.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { ExchangeRequest } from '../../src/protocol/keyserver.ts';
import { ogr15 } from '../helpers/ogr-contest.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { checkpoints, look, type Seen, until } from '../helpers/tab.ts';
import near from '../vectors/rc5-near-matches.json' with { type: 'json' };

/** The warm-up cut down to two units; the second holds the answer. */
const warmUp = manifests.find(({ name }) => name === 'rc5-56') as ContestManifest;
const FIRST_UNIT = 0x532b743;
const short: ContestManifest = { ...warmUp, units: 2, search: { ...rc5Search(warmUp), firstUnit: FIRST_UNIT } };
const expected = (unit: number): unknown => (near.units as Record<string, number[]>)[FIRST_UNIT + unit];

const ELSEWHERE = 'keys.example';

let browser: Browser;
let server: ServerProcess;
let context: BrowserContext;
/** Evidence sent to the gateway, by unit; the last sending of each. */
let sent: Map<number, unknown>;

beforeAll(async () => {
  // A host name that is not this machine's own: a page there is no secure context.
  browser = await launchChromium(`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`);
});
afterAll(() => browser.close());

beforeEach(async () => {
  context = await browser.newContext();
  sent = new Map();
  context.on('request', (request) => {
    if (request.method() !== 'POST' || !request.url().endsWith('/exchange')) return;
    for (const { first, evidence } of exchangeIn(request).reports) {
      sent.set(first, evidence[0]?.kind === 'rc5' ? evidence[0].nearMatches : undefined);
    }
  });
});
afterEach(async () => {
  await context.close();
  await server.close();
});

function exchangeIn(request: Request): ExchangeRequest {
  const body = request.postDataBuffer() ?? Buffer.alloc(0);
  const isPacked = request.headers()['content-encoding'] === 'gzip';
  return JSON.parse((isPacked ? gunzipSync(body) : body).toString()) as ExchangeRequest;
}

async function openAndStart(manifest = short): Promise<Page> {
  server = await ServerProcess.start([manifest]);
  const page = await context.newPage();
  await page.goto(server.url);
  await until(page, 'the contest', ({ contests }) => manifest.name in contests);
  await page.click('[data-testid=run]');
  await until(page, 'work being done', ({ blocks }) => (blocks[0]?.steps ?? 0) > 0);
  return page;
}

/** The lease in hand and its keys done as kept in IndexedDB, once that is at least `least`. */
async function kept(page: Page, least = 1): Promise<{ lease: string; steps: number }> {
  for (;;) {
    const [lease] = (await look(page)).blocks.map((block) => block.lease);
    const steps = (await checkpoints(page))[lease ?? '']?.steps ?? 0;
    if (lease !== undefined && steps >= least) return { lease, steps };
    await page.waitForTimeout(100);
  }
}

test('nothing runs and nothing is asked for before Start', async () => {
  server = await ServerProcess.start([short]);
  const page = await context.newPage();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(server.url);
  await until(page, 'the contest', ({ contests }) => 'rc5-56' in contests);
  await page.waitForTimeout(1500);
  expect(page.workers()).toEqual([]);
  expect(asked).not.toContain('/api/v1/exchange');
  expect(await look(page)).toMatchObject({ running: false, pause: 'not-started', rate: 0 });
});

test('a reload and a crash in the middle of a block: it goes on from the checkpoint', async () => {
  let page = await openAndStart();
  const beforeReload = await kept(page);
  await page.reload();
  const afterReload = await until(page, 'the block again', ({ blocks }) => (blocks[0]?.steps ?? 0) > 0);
  expect(afterReload.blocks[0]?.lease).toBe(beforeReload.lease);
  expect(afterReload.blocks[0]?.steps).toBeGreaterThanOrEqual(beforeReload.steps);

  const beforeCrash = await kept(page, beforeReload.steps + 1);
  await page.goto('chrome://crash').catch(() => undefined);
  await page.close();
  page = await context.newPage();
  await page.goto(server.url);
  const afterCrash = await until(page, 'the block again', ({ blocks }) => (blocks[0]?.steps ?? 0) > 0);
  expect(afterCrash.blocks[0]?.lease).toBe(beforeCrash.lease);
  expect(afterCrash.blocks[0]?.steps).toBeGreaterThanOrEqual(beforeCrash.steps);

  await until(page, 'the block acknowledged', ({ blocksDone }) => blocksDone === 1);
  expect(sent.get(0)).toEqual(expected(0));
  expect((await server.status()).reports).toMatchObject({ accepted: 1, refused: 0 });
});

test('the network goes in the middle of a block and comes back', async () => {
  const page = await openAndStart();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await context.setOffline(true);
  await until(page, 'a report waiting', ({ outBuffer }) => outBuffer === 1);
  const offline = await until(
    page,
    'the next block, with nobody there to take the report',
    ({ blocks, gateway }) => (blocks[0]?.steps ?? 0) > 0 && gateway === 'unreachable',
  );
  expect(offline).toMatchObject({ running: true });

  // The shell, the kernel and the buffers are all here.
  await page.reload();
  const reloaded = await until(page, 'the block again', ({ blocks }) => (blocks[0]?.steps ?? 0) > 0);
  expect(reloaded).toMatchObject({ running: true, outBuffer: 1 });
  // Only pages are offline: Chromium is not, and may send the report by Background Sync at any time.
  await context.setOffline(false);
  await until(page, 'the report acknowledged', ({ blocksDone, outBuffer }) => blocksDone === 1 && outBuffer === 0);
  expect(sent.get(0)).toEqual(expected(0));
  const { contests, reports } = await server.status();
  expect(reports).toMatchObject({ accepted: 1, refused: 0 });
  expect(contests[0]).toMatchObject({ done: 1 });
});

test('kill -9 of the server in the middle: both go on, the message appears, the contest closes', async () => {
  const page = await openAndStart();
  await server.kill();
  await until(page, 'a report waiting', ({ outBuffer }) => outBuffer === 1);
  await server.restart();
  await until(page, 'the report acknowledged', ({ outBuffer, blocksDone }) => outBuffer === 0 && blocksDone === 1);
  const done = await until(page, 'the message', ({ found }) =>
    found.includes("It's time to move to a longer key length."),
  );
  expect(done.found).toContain("It's time to move");
  const closed = await until(page, 'the contest closed', ({ contests }) => contests['rc5-56']?.state === 'closed');
  expect(closed.outBuffer).toBe(0);
  expect([sent.get(0), sent.get(1)]).toEqual([expected(0), expected(1)]);
  const { contests, reports } = await server.status();
  expect(reports).toMatchObject({ accepted: 2, refused: 0 });
  expect(contests[0]).toMatchObject({ state: 'closed', closedBy: 'hit', done: 2, hits: [{ key: '532b744cc20999' }] });
});

test('a report left by a closed tab is sent by Background Sync', async () => {
  const page = await openAndStart({ ...ogr15, block: { maxUnits: 1, maxLeases: 1 } });
  await page.evaluate(() => navigator.serviceWorker.ready);
  await server.kill();
  await until(page, 'a report waiting', ({ outBuffer }) => outBuffer === 1);
  await page.click('[data-testid=run]');
  await page.waitForTimeout(500);
  await page.close();
  await server.restart();

  // The network of this machine was never gone, so the browser is told to fire the sync it has registered.
  const blank = await context.newPage();
  const devtools = await context.newCDPSession(blank);
  const registration = new Promise<string>((resolve) => {
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const mine = registrations.find(({ scopeURL }) => scopeURL.startsWith(server.url));
      if (mine !== undefined) resolve(mine.registrationId);
    });
  });
  await blank.goto(`${server.url}/icon.svg`);
  await devtools.send('ServiceWorker.enable');
  await devtools.send('ServiceWorker.dispatchSyncEvent', {
    origin: server.url,
    registrationId: await registration,
    tag: 'tabherd-reports',
    lastChance: false,
  });
  await expect
    .poll(async () => (await server.status()).reports, { timeout: 20_000 })
    .toMatchObject({ accepted: 1, refused: 0 });

  // Coming back, the client knows that it is settled.
  await blank.goto(server.url);
  await until(blank, 'nothing waiting', ({ outBuffer, blocksDone }) => outBuffer === 0 && blocksDone === 1);
});

describe('two tabs', () => {
  /** Not what another tab tells of its block. */
  const works = ({ pause, blocks }: Seen): boolean => pause === undefined && (blocks[0]?.steps ?? 0) > 0;

  test('one runs, the other says so and takes over when it goes', async () => {
    const first = await openAndStart();
    const second = await context.newPage();
    await second.goto(server.url);
    await until(second, 'the other tab named', ({ pause }) => pause === 'another-tab');
    // The wish is the profile's: any tab pauses and starts the one that runs.
    await second.click('[data-testid=run]');
    await until(first, 'a pause', ({ running, rate }) => !running && rate === 0);
    await first.click('[data-testid=run]');
    // Which of the two gets the turn is theirs to settle.
    const runner = await Promise.any([first, second].map((tab) => until(tab, 'keys again', works).then(() => tab)));
    const other = runner === first ? second : first;
    await until(other, 'the other tab named', ({ pause }) => pause === 'another-tab');
    const { lease, steps } = await kept(runner, 2 ** 23);
    await runner.close();
    const over = await until(other, 'the block taken over', works, 20);
    expect(over.blocks[0]?.lease).toBe(lease);
    expect(over.blocks[0]?.steps).toBeGreaterThanOrEqual(steps);
  });

  test('over plain HTTP from another machine: no service worker, no locks, and yet one runs', async () => {
    server = await ServerProcess.start([short]);
    const url = server.url.replace('localhost', ELSEWHERE);
    const first = await context.newPage();
    await first.goto(url);
    expect(await first.evaluate(() => [isSecureContext, 'locks' in navigator])).toEqual([false, false]);
    await until(first, 'the contest', ({ contests }) => 'rc5-56' in contests);
    await first.click('[data-testid=run]');
    await until(first, 'keys being tried', ({ blocks }) => (blocks[0]?.steps ?? 0) > 0);
    const second = await context.newPage();
    await second.goto(url);
    await until(second, 'the other tab named', ({ pause }) => pause === 'another-tab');
    const { lease, steps } = await kept(first, 2 ** 23);
    await first.close();
    const over = await until(second, 'the block taken over', works, 30);
    expect(over.blocks[0]?.lease).toBe(lease);
    expect(over.blocks[0]?.steps).toBeGreaterThanOrEqual(steps);
  });
});
