/**
 * A real Chromium that loses its gateway, with kill -9, in the middle of a block, and hands the block in at another: at one
 * over the same database, and at one that shares nothing with the dead gateway but the keymaster above them, so that the
 * lease's signed chain is all that speaks for it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { launchChromium } from '../../src/cli/bench/chromium.ts';
import type { Status } from '../../src/protocol/keyserver.ts';
import type { Resolution } from '../../src/protocol/pools.ts';
import { type StartedKeyserver, startKeyserver, tabherd } from '../helpers/command.ts';
import { ogr15 } from '../helpers/ogr-contest.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { freePort } from '../helpers/server-process.ts';
import { type Seen, until } from '../helpers/tab.ts';

const HANDLE = 'test.pool';
const WAIT = { timeout: 60_000, interval: 200 };

const contest = { ...ogr15, block: { maxUnits: 1, maxLeases: 4 } };

let browser: Browser;
let page: Page;
let folder: string;
let started: StartedKeyserver[];

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabherd-'));
  await writeFile(join(folder, 'contest.json'), JSON.stringify(contest));
  started = [];
  page = await (await browser.newContext()).newPage();
});
afterEach(async () => {
  await page.context().close();
  for (const { kill } of started) kill();
  await rm(folder, { recursive: true, force: true });
});

async function start(args: readonly string[], env: NodeJS.ProcessEnv): Promise<StartedKeyserver> {
  const keyserver = await startKeyserver(args, env);
  started.push(keyserver);
  return keyserver;
}

/** Its clients prefer it by its priority. */
function inPool(url: string, priority: number): string[] {
  const place = ['--port', new URL(url).port, '--pool-addresses', url];
  return [...place, '--pool-handle', HANDLE, '--pool-policy', 'priority', '--pool-priority', `${priority}`];
}

const freeUrl = async (): Promise<string> => `http://localhost:${await freePort()}`;

async function told<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

/** Until this gateway leads to so many, and its page may call them. */
async function listed(url: string, count: number): Promise<void> {
  await vi.waitFor(async () => {
    const { elements } = await told<Resolution>(`${url}/api/v1/pools/${HANDLE}`);
    const policy = (await fetch(url)).headers.get('content-security-policy') ?? '';
    expect(elements.every(({ addresses }) => policy.includes(addresses[0] ?? ''))).toBe(true);
    expect(elements).toHaveLength(count);
  }, WAIT);
}

/** The pool as this profile keeps it. */
const kept = (): Promise<{ resolution?: Resolution } | undefined> =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open('tabherd');
        opening.onsuccess = () => {
          const reading = opening.result.transaction('facts').objectStore('facts').get('pool');
          reading.onsuccess = () => {
            opening.result.close();
            resolve(reading.result);
          };
        };
      }),
  );

/** Works at `home` until it knows the pool and has a block in hand, well begun. */
async function workAt(home: string): Promise<Seen> {
  await page.goto(home);
  await until(page, 'the contest', ({ contests }) => contest.name in contests);
  await page.click('[data-testid=run]');
  await vi.waitFor(async () => expect((await kept())?.resolution?.elements).toHaveLength(2), WAIT);
  const seen = await until(page, 'a block begun', ({ blocks }) => (blocks[0]?.steps ?? 0) > 2 ** 24);
  expect(await page.locator('[data-testid=through]').count()).toBe(0);
  return seen;
}

/** Until the blocks that were in hand before are acknowledged; what `other` has counted then, and what the page says. */
async function handedIn(other: string, before: Seen): Promise<{ reports: Status['reports']; through: string }> {
  const leases = before.blocks.map(({ lease }) => lease);
  await until(
    page,
    'the blocks in hand handed in',
    ({ blocks, blocksDone, gateway }) =>
      gateway === 'reached' &&
      blocksDone >= before.blocksDone + leases.length &&
      !blocks.some(({ lease }) => leases.includes(lease)),
  );
  const { reports } = await told<Status>(`${other}/api/v1/status`);
  return { reports, through: await page.locator('[data-testid=through]').innerText() };
}

test('a gateway is killed in the middle of a block, which is handed in at another over the same database', async () => {
  const env = {
    ...process.env,
    DATABASE_URL: await sharedPostgres(),
    TABHERD_DATABASE_SCHEMA: freshSchema(),
  };
  const gateway = async (name: string, priority: number): Promise<[string, StartedKeyserver]> => {
    const url = await freeUrl();
    const data = [
      '--data',
      join(folder, name),
      '--contests',
      join(folder, 'contest.json'),
      '--registrar',
      '--second-runs',
      '0',
    ];
    return [url, await start(['serve', ...data, ...inPool(url, priority)], env)];
  };
  const [other] = await gateway('other', 1);
  const [home, first] = await gateway('home', 9);
  await listed(home, 2);
  const before = await workAt(home);
  first.kill();
  const { reports, through } = await handedIn(other, before);
  expect(through).toBe(`through ${new URL(other).host}, because ${new URL(home).host} does not answer`);
  expect(reports.accepted).toBeGreaterThanOrEqual(before.blocks.length);
  expect(reports.refused).toBe(0);
});

test('a lease of a proxy that never comes back is taken by another, by its signed chain', async () => {
  const env = { ...process.env, TABHERD_ADMIN_TOKEN: 'a-token-for-this-test-alone' };
  const top = await freeUrl();
  const atTop = [
    '--data',
    join(folder, 'top'),
    '--contests',
    join(folder, 'contest.json'),
    '--registrar',
    '--second-runs',
    '0',
  ];
  await start(['serve', ...atTop, '--port', new URL(top).port, '--pool-addresses', top], env);
  const gateway = async (name: string, priority: number): Promise<[string, StartedKeyserver]> => {
    const url = await freeUrl();
    const data = ['--upstreams', top, '--registrars', top, '--report-age-seconds', '1', '--data', join(folder, name)];
    const args = ['proxy', ...data, ...inPool(url, priority)];
    // It says which words of the keymaster's it needs, and those are given.
    const said = await tabherd(args, env).catch((error: Error) => error.message);
    const [, vouch = ''] = /tabherd (admin vouch .*)/.exec(said) ?? [];
    const [voucher = ''] = (await tabherd([...vouch.split(' '), '--at', top], env)).split('\n');
    return [url, await start([...args, '--pool-voucher', voucher], env)];
  };
  const [other] = await gateway('other', 1);
  await vi.waitFor(async () => {
    const { elements } = await told<Resolution>(`${top}/api/v1/pools/${HANDLE}`);
    expect(elements).toHaveLength(1);
  }, WAIT);
  const [home, first] = await gateway('home', 9);
  await listed(home, 2);
  const before = await workAt(home);
  first.kill();
  const { reports, through } = await handedIn(other, before);
  expect(through).toBe(`through ${new URL(other).host}, because ${new URL(home).host} does not answer`);
  expect(reports).toMatchObject({ refused: 0, duplicate: 0 });
  await vi.waitFor(async () => {
    const { contests } = await told<Status>(`${top}/api/v1/status`);
    expect(contests[0]?.done).toBeGreaterThanOrEqual(before.blocks.length);
  }, WAIT);
});
