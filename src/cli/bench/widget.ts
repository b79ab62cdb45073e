/**
 * `tabherd bench widget`: what the widget costs the page that shows it, beside the same page without it, in turn: bytes and requests
 * until somebody agrees, the longest task above 50 ms and how busy that is while it loads and while the widget works, layout
 * shift.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { manifests } from '../../contests/manifests.ts';
import { openSqliteStore } from '../../server/store/sqlite.ts';
import { launchChromium } from './chromium.ts';
import { startKeyserver } from './keyserver-child.ts';
import { type Machine, machineOf } from './machine.ts';
import { summary } from './statistics.ts';
import { table } from './table.ts';

export interface WidgetOptions {
  repeats: number;
  seconds: number;
  json?: string;
}

interface Visit {
  /** Milliseconds, where it was above 50; 0: there was none. */
  longestLoading: number;
  longestWorking: number;
  /** The share of one CPU that the page's own thread has used from its load on. */
  busyShare: number;
  layoutShift: number;
  requests: number;
  bytes: number;
}

interface WidgetReport {
  machine: Machine & { chromium: string };
  options: WidgetOptions;
  without: Visit[];
  with: Visit[];
}

const CONTEST = 'rc5-72';
const TOKEN = '0123456789abcdef';
const PAGE = `<!doctype html><html lang="en"><title>A site</title><link rel="icon" href="data:,"><body>
<h1>A site</h1>${'<p>Some text that a site has, and a little more of it, so that there is something to move.</p>'.repeat(20)}`;

const WATCH = `
  if (window === top) {
    globalThis.watched = { longest: 0, shift: 0 };
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) watched.longest = Math.max(watched.longest, duration);
    }).observe({ type: 'longtask', buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) watched.shift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
  }
`;

export async function benchWidget(options: WidgetOptions, version: string): Promise<void> {
  const manifest = manifests.find(({ name }) => name === CONTEST);
  if (manifest === undefined) throw new Error(`there is no ${CONTEST}`);
  const folder = await mkdtemp(join(tmpdir(), 'tabherd-bench-'));
  const { server, origin, serve } = await site();
  await allow(join(folder, 'ledger'), origin);
  const keyserver = await startKeyserver(folder, [manifest]);
  const browser = await launchChromium();
  try {
    const gateway = new URL(keyserver.url).origin;
    serve(
      `${PAGE}<tabherd-widget team="${TOKEN}"></tabherd-widget><script type="module" src="${gateway}/widget.js"></script>`,
    );
    const report: WidgetReport = {
      machine: { ...machineOf(version), chromium: browser.version() },
      options,
      without: [],
      with: [],
    };
    for (let i = 0; i < options.repeats; i++) {
      report.without.push(await visit(browser, `${origin}/without`, gateway, options.seconds));
      report.with.push(await visit(browser, `${origin}/with`, gateway, options.seconds));
    }
    process.stdout.write(text(report));
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await browser.close();
    await keyserver.close();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Enters the site in the ledger as its operator would. */
async function allow(dataDir: string, origin: string): Promise<void> {
  const store = await openSqliteStore(dataDir);
  const row = { token: TOKEN, team: 'The bench', origins: JSON.stringify([origin]), created_at: 0, revoked_at: null };
  await store.transaction((ledger) => ledger.putSite(row));
  await store.close();
}

/** A page of another site than the keyserver's: a name below localhost is one of its own. */
async function site(): Promise<{ server: Server; origin: string; serve: (page: string) => void }> {
  let page = PAGE;
  const server = createServer(({ url }, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(url === '/with' ? page : PAGE);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const serve = (told: string): void => {
    page = told;
  };
  return { server, origin: `http://site.localhost:${address.port}`, serve };
}

async function visit(browser: Browser, url: string, gateway: string, seconds: number): Promise<Visit> {
  const context = await browser.newContext();
  await context.addInitScript(WATCH);
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Performance.enable');
  const sizes: Promise<number>[] = [];
  page.on('requestfinished', (request) => {
    if (!request.url().startsWith(gateway)) return;
    sizes.push(
      request.sizes().then(({ responseBodySize, responseHeadersSize }) => responseBodySize + responseHeadersSize),
    );
  });
  const busy = async (): Promise<number> => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0;
  };
  await page.goto(url);
  await sleep(2000);
  const longestLoading = await longest(page);
  const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  const requests = sizes.length;
  const frame = page.frames().find((one) => one.url().startsWith(gateway));
  await frame?.click('[data-testid=start]');
  await frame?.waitForSelector('[data-state=running]');
  await page.evaluate('watched.longest = 0');
  const [before, began] = [await busy(), performance.now()];
  await sleep(seconds * 1000);
  const found = {
    longestLoading,
    longestWorking: await longest(page),
    busyShare: ((await busy()) - before) / ((performance.now() - began) / 1000),
    layoutShift: await page.evaluate<number>('watched.shift'),
    requests,
    bytes,
  };
  await context.close();
  return found;
}

const longest = (page: Page): Promise<number> => page.evaluate<number>('watched.longest');

function text({ machine, options, ...visits }: WidgetReport): string {
  const row = (name: string, of: (visit: Visit) => number, show: (value: number) => string): string[] => [
    name,
    ...[visits.without, visits.with].map((some) => {
      const { median, least, most } = summary(some.map(of));
      return `${show(median)} (${show(least)} to ${show(most)})`;
    }),
  ];
  const ms = (value: number): string => (value === 0 ? 'none' : `${value.toFixed(1)} ms`);
  return [
    `${machine.cpu}, ${machine.cpus} CPUs; Tabherd ${machine.tabherd}, Chromium ${machine.chromium}; ${CONTEST}, ` +
      `${options.repeats} visits each, ${options.seconds} s at work\n\n`,
    table([
      ['median, least and most', 'page alone', 'with the widget'],
      row('requests before consent', (one) => one.requests, String),
      row('bytes before consent', (one) => one.bytes, String),
      row(
        'layout shift',
        (one) => one.layoutShift,
        (value) => value.toFixed(4),
      ),
      row('longest task above 50 ms, loading', (one) => one.longestLoading, ms),
      row('longest task above 50 ms, at work', (one) => one.longestWorking, ms),
      row(
        'the page is busy',
        (one) => one.busyShare,
        (value) => `${(100 * value).toFixed(2)} %`,
      ),
    ]),
  ].join('');
}
