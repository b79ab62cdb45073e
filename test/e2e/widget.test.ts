/**
 * The widget on a page of another site, in a real Chromium, with real work: consent and its end, and whatever a page might try to get
 * work without it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Frame, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { launchOptions } from '../../src/cli/bench/chromium.ts';
import type { Site } from '../../src/protocol/administration.ts';
import type { SiteStanding } from '../../src/protocol/standing.ts';
import { faults } from '../helpers/axe.ts';
import { type StartedKeyserver, startKeyserver, tabherd } from '../helpers/command.ts';
import { HostPages } from '../helpers/host-page.ts';
import { ogrContest } from '../helpers/ogr-contest.ts';

const TEAM = 'Chess Club';
const env = { ...process.env, TABHERD_ADMIN_TOKEN: 'a-token-for-this-test-alone', TABHERD_SECOND_RUNS: '0' };

let folder: string;
let server: StartedKeyserver;
let gateway: string;
let hosts: HostPages;
let site: Site;
/** A profile as people have them: one of Playwright's own, which is incognito, lets frames of other sites store nothing. */
let profile: string;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabherd-'));
  const file = join(folder, 'ogr-15.json');
  await writeFile(file, JSON.stringify(ogrContest('ogr-15', { marks: 15, maxLength: 153, stubDepth: 2 })));
  hosts = await HostPages.open();
  server = await startKeyserver(['serve', '--data', join(folder, 'data'), '--contests', file], env);
  gateway = new URL(server.url).origin;
  const said = await tabherd(['admin', 'sites', 'add', TEAM, hosts.origin('chess'), '--json', '--at', gateway], env);
  site = JSON.parse(said) as Site;
});
afterAll(async () => {
  await server.stop();
  hosts.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  profile = await mkdtemp(join(tmpdir(), 'tabherd-'));
  context = await chromium.launchPersistentContext(profile, {
    ...launchOptions(),
    viewport: { width: 800, height: 600 },
  });
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
  await rm(profile, { recursive: true, force: true });
});

const script = (): string => `<script type="module" src="${gateway}/widget.js"></script>`;
const widget = (more = 'size="card" place="inline"'): string =>
  `<tabherd-widget team="${site.token}" ${more}></tabherd-widget>`;

/** What the page hears of the widget, kept in it. */
const LISTENER = `<script>
  heard = [];
  for (const name of ['statechange', 'blockdone', 'consent']) {
    document.addEventListener(name, ({ detail }) => heard.push([name, detail]), true);
  }
</script>`;

interface Shown {
  body?: string;
  headers?: Record<string, string>;
  /** The site's name. */
  at?: string;
  in?: Page;
}

let shown = 0;
async function show({
  body = `${widget()}${script()}`,
  headers = {},
  at = 'chess',
  in: tab = page,
}: Shown = {}): Promise<Frame> {
  const path = `/${(shown += 1)}`;
  hosts.put(path, { body: LISTENER + body, headers });
  await tab.goto(hosts.origin(at) + path);
  return frameOf(tab);
}

async function frameOf(tab: Page): Promise<Frame> {
  const element = await tab.waitForSelector('tabherd-widget iframe', { state: 'attached' });
  const frame = await element.contentFrame();
  if (frame === null) throw new Error('no frame');
  return frame;
}

const stateOf = (frame: Frame): Promise<string | null> => frame.getAttribute('html', 'data-state');
const why = (frame: Frame): Promise<string | null> => frame.getAttribute('[data-testid=why]', 'data-reason');
const heard = (tab = page): Promise<[string, Record<string, unknown>][]> =>
  tab.evaluate(() => (globalThis as unknown as { heard: [string, Record<string, unknown>][] }).heard);
const until = async (frame: Frame, state: string): Promise<void> => {
  await expect.poll(() => stateOf(frame)).toBe(state);
};

/** As a person does, who has seen it. */
async function agree(frame: Frame, lasts = 'visit'): Promise<void> {
  await until(frame, 'asking');
  await frame.selectOption('select', lasts);
  await frame.page().waitForTimeout(700);
  await frame.click('[data-testid=start]');
  await until(frame, 'running');
}

const standing = async (): Promise<SiteStanding> =>
  (await (await fetch(`${gateway}/api/v1/sites/${site.token}`)).json()) as SiteStanding;

const stored = (frame: Frame): Promise<unknown> =>
  frame.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    keys: [...Object.keys(localStorage), ...Object.keys(sessionStorage)],
  }));

test('before a click: two requests, no worker, nothing stored, nothing moved', async () => {
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().startsWith(gateway)) asked.push(new URL(request.url()).pathname);
  });
  await page.addInitScript(() => {
    if (window !== top) return;
    const seen = { shift: 0 };
    Object.assign(globalThis, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.shift += (entry as unknown as { value: number }).value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  // The two lines, and nothing else.
  const text = '<p>Some text.</p>'.repeat(10);
  const frame = await show({ body: `${text}<tabherd-widget team="${site.token}"></tabherd-widget>${script()}${text}` });
  await until(frame, 'asking');
  await page.waitForTimeout(1500);
  expect(asked).toEqual(['/widget.js', '/embed']);
  expect(page.workers()).toEqual([]);
  expect(await stored(frame)).toEqual({ databases: [], keys: [] });
  expect(await page.evaluate(() => (globalThis as unknown as { seen: unknown }).seen)).toEqual({
    shift: 0,
  });
  expect(await frame.innerText('main')).toContain(TEAM);
});

test('a click, and blocks of real work are the team’s; a reload remembers; one click ends it, and nothing is left', async () => {
  const before = await standing();
  const frame = await show();
  await agree(frame);
  await expect.poll(async () => (await standing()).all.blocks, { timeout: 60_000 }).toBeGreaterThan(before.all.blocks);
  const { all, today, teamToday } = await standing();
  expect([today.blocks, teamToday.blocks]).toEqual([all.blocks, all.blocks]);
  expect(all.points).toBeGreaterThan(0);
  // The keyserver has counted it before its answer is here.
  const done = async (): Promise<unknown> => (await heard()).find(([name]) => name === 'blockdone')?.[1];
  await expect.poll(done).toEqual({ contest: 'ogr-15', blocks: expect.any(Number) });
  const events = await heard();
  expect(events).toContainEqual(['consent', { given: true }]);
  expect(events.filter(([name]) => name === 'statechange').map(([, { state }]) => state)).toEqual(
    expect.arrayContaining(['asking', 'starting', 'running']),
  );

  await page.reload();
  const again = await frameOf(page);
  await until(again, 'running');
  expect(await again.locator('[data-testid=start]').count()).toBe(0);
  // Another tab is another visit, and where it is ended there it is ended here.
  const other = await context.newPage();
  const elsewhere = await show({ in: other });
  await until(elsewhere, 'asking');
  await agree(elsewhere);
  await elsewhere.click('[data-testid=stop]');
  await page.bringToFront();
  await until(again, 'asking');
  await other.close();
  await page.reload();
  const third = await frameOf(page);
  await agree(third);

  const credited = await standing();
  const anew = page.waitForEvent('framenavigated', (navigated) => navigated === third);
  await third.click('[data-testid=stop]');
  await anew;
  await until(third, 'asking');
  await expect.poll(() => page.workers()).toEqual([]);
  // What was done stays the team's.
  expect((await standing()).teamToday.blocks).toBeGreaterThanOrEqual(credited.teamToday.blocks);
  expect(await stored(third)).toEqual({ databases: [], keys: [] });
  expect(await heard()).toContainEqual(['consent', { given: false }]);
  await page.reload();
  await until(await frameOf(page), 'asking');
});

test('remembered for a month it runs in the next tab, too, and a second widget and tab share one engine', async () => {
  const frame = await show({ body: `${widget()}${widget('size="strip" place="inline"')}${script()}` });
  await agree(frame, 'month');
  const second = await (await page.waitForSelector('tabherd-widget:nth-of-type(2) iframe')).contentFrame();
  await until(second as Frame, 'running');
  const other = await context.newPage();
  await until(await show({ in: other }), 'running');
  const most = await page.evaluate(() => Math.max(1, Math.floor(navigator.hardwareConcurrency / 2)));
  await expect.poll(() => page.workers().length + other.workers().length).toBe(most);
  // The tab in front has it: work is done where it can be seen.
  await other.bringToFront();
  await until(await frameOf(other), 'running');
  await (await frameOf(other)).click('[data-testid=stop]');
  await page.bringToFront();
  await until(await frameOf(page), 'asking');
  await expect.poll(() => page.workers().length + other.workers().length).toBe(0);
});

test('pause and go on, by the visitor; a pause by the page, which cannot undo it', async () => {
  const frame = await show();
  await agree(frame);
  await frame.click('[data-testid=pause]');
  await until(frame, 'paused');
  expect(await why(frame)).toBe('by-you');
  await frame.click('[data-testid=go-on]');
  await until(frame, 'running');
  await page.evaluate(() => document.querySelector<HTMLElement & { pause(): void }>('tabherd-widget')?.pause());
  await until(frame, 'paused');
  expect(await why(frame)).toBe('by-page');
  await expect
    .poll(async () => (await heard()).at(-1))
    .toEqual(['statechange', expect.objectContaining({ state: 'paused', reason: 'by-page' })]);
});

describe('a page that is not allowed', () => {
  test('is told so in the frame', async () => {
    const frame = await show({ at: 'checkers' });
    await expect
      .poll(() => frame.innerText('[data-testid=refused]'))
      .toContain(`${hosts.origin('checkers')} is not among the pages that may show the widget of ${TEAM}.`);
    await expect
      .poll(() => heard())
      .toContainEqual(['statechange', { state: 'refused', reason: 'origin', rate: 0, step: 'keys', blocks: 0 }]);
  });

  test('gets no frame where it hides what it is', async () => {
    const { token } = site;
    hosts.put('/hidden', {
      body: `<iframe referrerpolicy="no-referrer" src="${gateway}/embed?team=${token}"></iframe>`,
    });
    await page.goto(`${hosts.origin('checkers')}/hidden`);
    await expect.poll(() => page.frames().at(-1)?.url()).toMatch(/^chrome-error:/);
    await page.goto(`${hosts.origin('chess')}/hidden`);
    await expect.poll(() => page.frames().at(-1)?.url()).toBe(`${gateway}/embed?team=${token}`);
  });

  test('and neither does one with a token that nobody made, or that was ended', async () => {
    const frame = await show({ body: `<tabherd-widget team="0000000000000000"></tabherd-widget>${script()}` });
    await expect.poll(() => frame.innerText('[data-testid=refused]')).toContain('is not known here');
    await tabherd(['admin', 'sites', 'revoke', site.token, '--at', gateway], env);
    onTestFinished(async () => void (await tabherd(['admin', 'sites', 'restore', site.token, '--at', gateway], env)));
    await expect.poll(async () => (await fetch(`${gateway}/embed?team=${site.token}`)).status).toBe(404);
    await expect.poll(async () => (await show()).innerText('[data-testid=refused]')).toContain('ended');
  });
});

describe('a page that tries', () => {
  test('to start it by messages: nothing starts', async () => {
    const frame = await show();
    await until(frame, 'asking');
    await page.evaluate((to) => {
      const target = document.querySelector('tabherd-widget')?.shadowRoot?.querySelector('iframe')?.contentWindow;
      const options = { size: 'card', theme: 'auto', dir: 'ltr', colors: {}, consent: true, maxWorkers: 999, duty: 9 };
      for (const message of [
        { tabherd: 1, type: 'start' },
        { tabherd: 1, type: 'consent', given: true },
        { tabherd: 1, type: 'configure', options },
        { tabherd: 1, type: 'configure', options: null },
        'start',
        null,
      ]) {
        target?.postMessage(message, to);
      }
    }, gateway);
    // What stands in the frame is another origin's.
    const reached = await page.evaluate(() => {
      try {
        const frame = document.querySelector('tabherd-widget')?.shadowRoot?.querySelector('iframe');
        return frame?.contentWindow?.document.title ?? 'nothing';
      } catch (error) {
        return (error as Error).name;
      }
    });
    expect(['SecurityError', 'nothing']).toContain(reached);
    await page.waitForTimeout(1000);
    expect(await stateOf(frame)).toBe('asking');
    expect(page.workers()).toEqual([]);
  });

  test('to have it clicked under something else: the click does not count', async () => {
    const frame = await show();
    await until(frame, 'asking');
    await page.addStyleTag({ content: 'tabherd-widget { opacity: 0.01 }' });
    await page.waitForTimeout(700);
    await frame.click('[data-testid=start]', { force: true });
    await page.waitForTimeout(500);
    expect(await stateOf(frame)).toBe('asking');
    expect(await frame.innerText('[role=alert]')).toContain('Something covers this');
    expect(await stored(frame)).toEqual({ databases: [], keys: [] });
  });

  test.each([
    ['hide', 'tabherd-widget { opacity: 0.1 }', 'covered'],
    ['move it away', 'tabherd-widget { position: absolute; left: -9000px }', 'outside'],
    [
      'cover',
      'body::after { content: ""; position: fixed; inset: 0; background: white; pointer-events: none }',
      'covered',
    ],
    ['blur', 'tabherd-widget { filter: blur(4px) }', 'covered'],
    ['shrink', 'tabherd-widget::part(frame) { width: 60px; height: 20px }', 'small'],
    ['zoom out of', 'tabherd-widget { zoom: 0.1 }', 'small'],
    ['scale down', 'tabherd-widget { transform: scale(0.1) }', 'covered'],
    [
      'cut it off',
      'tabherd-widget { overflow: hidden; height: 30px !important } tabherd-widget::part(frame) { height: 240px }',
      'outside',
    ],
  ])('to %s it: it pauses and says so, and goes on once it is seen', async (_, content, reason) => {
    const frame = await show();
    await agree(frame);
    const style = await page.addStyleTag({ content });
    await expect.poll(async () => [await stateOf(frame), await why(frame)]).toEqual(['paused', reason]);
    await style.evaluate((element) => (element as HTMLElement).remove());
    await until(frame, 'running');
  });

  test('to undo a pause by loading it anew: it stays paused', async () => {
    const frame = await show({ body: widget() + script() });
    await agree(frame);
    await frame.click('[data-testid=pause]');
    await until(frame, 'paused');
    await page.evaluate(() => {
      const element = document.querySelector('tabherd-widget');
      element?.replaceWith(element.cloneNode(true));
    });
    await until(await frameOf(page), 'paused');
    await page.reload();
    const again = await frameOf(page);
    await until(again, 'paused');
    await page.waitForTimeout(1000);
    expect(await stateOf(again)).toBe('paused');
    expect(page.workers()).toEqual([]);
  });

  test('to have more of the machine: its limits only lower those of the frame', async () => {
    const frame = await show({ body: `${widget('size="card" place="inline" max-workers="999" duty="7"')}${script()}` });
    await agree(frame);
    const most = await page.evaluate(() => Math.max(1, Math.floor(navigator.hardwareConcurrency / 2)));
    await expect.poll(() => page.workers()).toHaveLength(most);
    await page.locator('tabherd-widget').evaluate((element) => Object.assign(element, { maxWorkers: 1, duty: 0.1 }));
    await expect.poll(() => page.workers()).toHaveLength(1);
    const rates = async (): Promise<number> => Number(await frame.getAttribute('[data-testid=rate]', 'data-rate'));
    const full = await rates();
    await expect.poll(rates, { timeout: 30_000 }).toBeLessThan(0.6 * full + 1);
  });

  test('to make it unreadable: colours that cannot be told apart are not taken', async () => {
    const style =
      '<style>tabherd-widget { --tabherd-background: #777; --tabherd-text: #767676; --tabherd-accent: #05f }</style>';
    const frame = await show({ body: style + widget() + script() });
    await until(frame, 'asking');
    const colors = () =>
      frame.evaluate(() => {
        const { color, backgroundColor } = getComputedStyle(document.body);
        return [color, backgroundColor];
      });
    expect(await colors()).toEqual(['rgb(22, 32, 27)', 'rgb(250, 252, 248)']);
    const readable = '<style>tabherd-widget { --tabherd-background: #123; --tabherd-text: white }</style>';
    const other = await show({ body: readable + widget() + script() });
    await expect
      .poll(() => other.evaluate(() => getComputedStyle(document.body).backgroundColor))
      .toBe('rgb(17, 34, 51)');
  });
});

test('where no frame answers the element says what may be wrong', async () => {
  await show({ body: `${widget('gateway="http://localhost:9"')}${script()}` });
  await expect
    .poll(() => page.locator('tabherd-widget').evaluate(({ shadowRoot }) => shadowRoot?.textContent))
    .toContain('The Tabherd widget does not show: http://localhost:9 does not answer');
});

test('a page with a strict Content-Security-Policy needs two words in it', async () => {
  const policy = `default-src 'none'; script-src ${gateway} 'sha256-none'; frame-src ${gateway}; img-src data:`;
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  const path = '/strict';
  hosts.put(path, { body: widget() + script(), headers: { 'content-security-policy': policy } });
  await page.goto(hosts.origin('chess') + path);
  const frame = await frameOf(page);
  await agree(frame);
  const { width, height } = (await page.locator('tabherd-widget').boundingBox()) ?? {};
  expect([width, height]).toEqual([360, 240]);
  expect(complaints.filter((text) => text.includes('Content Security Policy'))).toEqual([]);
});

test('where nothing may be stored it works from memory, and says so', async () => {
  await context.close();
  // Of a browser that is set to keep nothing.
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
  context = await chromium.launchPersistentContext(profile, launchOptions());
  const before = await standing();
  const tab = await context.newPage();
  const frame = await show({ in: tab });
  await agree(frame);
  await expect.poll(() => frame.innerText('.more')).toContain('This browser keeps nothing here');
  await expect.poll(async () => (await standing()).all.blocks, { timeout: 60_000 }).toBeGreaterThan(before.all.blocks);
  await tab.reload();
  await until(await frameOf(tab), 'asking');
});

test('on battery it is paused until the visitor wants it', async () => {
  await context.addInitScript(() => {
    const battery = Object.assign(new EventTarget(), { charging: false });
    Object.defineProperty(navigator, 'getBattery', { value: async () => battery });
  });
  const frame = await show();
  await until(frame, 'asking');
  await page.waitForTimeout(700);
  await frame.click('[data-testid=start]');
  await expect.poll(async () => [await stateOf(frame), await why(frame)]).toEqual(['paused', 'on-battery']);
  await frame.click('[data-testid=battery]');
  await until(frame, 'running');
});

test('an operator makes a site on the page of the team, and sees the widget there', async () => {
  await page.goto(`${gateway}/teams/New%20Team/embed`);
  await page.getByLabel('Administration token').fill(env.TABHERD_ADMIN_TOKEN);
  await page.getByRole('button', { name: 'Show the sites' }).click();
  await page.getByText('The team has no site yet.').waitFor();
  await page.getByLabel('Pages that may show it').fill('chess.example/page');
  await page.getByRole('button', { name: 'Make a token' }).click();
  await page.getByText('An origin is http:// or https://').waitFor();
  expect(await faults(page)).toEqual([]);
  // As it is copied out of the address line.
  await page.getByLabel('Pages that may show it').fill('https://club.example/\nhttps://www.club.example');
  await page.getByRole('button', { name: 'Make a token' }).click();
  const item = page.locator('[data-site]');
  await item.waitFor();
  const token = (await item.getAttribute('data-site')) ?? '';
  expect(await item.innerText()).toMatch(/https:\/\/club\.example\s+https:\/\/www\.club\.example/);
  await page.getByLabel('Size').selectOption('strip');
  await page.getByLabel('Contest').selectOption('ogr-15');
  expect(await page.innerText('[data-testid=snippet]')).toBe(
    `<script type="module" src="${gateway}/widget.js"></script>\n` +
      `<tabherd-widget team="${token}" contest="ogr-15" size="strip" place="inline"></tabherd-widget>`,
  );
  const preview = await frameOf(page);
  await expect.poll(() => preview.innerText('main').catch(() => '')).toContain('Lend this device to OGR');
  expect(await faults(page)).toEqual([]);
  await page.getByRole('button', { name: 'End it' }).click();
  await page.getByText('Ended: its widget says so').waitFor();
  await page.getByRole('button', { name: 'Allow it again' }).click();
  await page.getByRole('button', { name: 'End it' }).waitFor();
});

test.each(['light', 'dark'] as const)('the frame is accessible, by keyboard too: %s', async (colorScheme) => {
  await page.emulateMedia({ colorScheme });
  await page.goto(`${gateway}/embed?team=${site.token}`);
  const frame = page.mainFrame();
  await until(frame, 'asking');
  expect(await faults(page)).toEqual([]);
  await page.waitForTimeout(700);
  for (const _ of ['the whole page', 'for how long', 'start']) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await until(frame, 'running');
  expect(await faults(page)).toEqual([]);
  await page.getByRole('button', { name: 'Pause' }).press('Enter');
  await until(frame, 'paused');
  expect(await faults(page)).toEqual([]);
  await page.getByRole('button', { name: 'Stop, and forget that I agreed' }).press('Enter');
  await until(frame, 'asking');
});
