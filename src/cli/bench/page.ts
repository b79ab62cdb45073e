/**
 * `tabherd bench page`: what a person at the page feels while every CPU crunches. The longest task of the page's own thread and
 * how busy it is; what it keeps in memory as time goes by; layout shift; and how soon Pause is one: from the click to
 * the last word of the last worker.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright-core';
import { manifests } from '../../contests/manifests.ts';
import { launchChromium } from './chromium.ts';
import { startKeyserver } from './keyserver-child.ts';
import { type Machine, machineOf } from './machine.ts';
import { summary } from './statistics.ts';
import { table } from './table.ts';

export interface PageOptions {
  seconds: number;
  pauses: number;
  json?: string;
}

interface Sample {
  /** Seconds since the first. */
  at: number;
  /** After a garbage collection. */
  heapBytes: number;
  nodes: number;
}

interface PageReport {
  machine: Machine & { chromium: string };
  options: PageOptions;
  workers: number;
  /** Milliseconds of every task above 50 ms. */
  longTasks: number[];
  /** The share of the time in which the page's own thread had something to do. */
  busyShare: number;
  /** Chromium's cumulative layout shift, of all that nobody asked for. */
  layoutShift: number;
  samples: Sample[];
  /** Milliseconds from a click on Pause until no worker computes. */
  pauseMs: number[];
}

const PATIENCE_MS = 60_000;
const CONTEST = 'rc5-72';
const SAMPLES = 10;

/** In the page, before anything of it runs: notes when a worker spoke last, what took long, and what moved. */
const WATCH = `
  // Whatever else this machine does, the page is not to pause for it.
  delete globalThis.PressureObserver;
  globalThis.watched = { spokeAt: 0, clickedAt: 0, longTasks: [], shift: 0 };
  globalThis.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', () => { watched.spokeAt = performance.now(); });
    }
  };
  addEventListener('click', (event) => { watched.clickedAt = event.timeStamp; }, { capture: true });
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) watched.longTasks.push(duration);
  }).observe({ type: 'longtask' });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) watched.shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
`;

export async function benchPage(options: PageOptions, version: string): Promise<void> {
  const manifest = manifests.find(({ name }) => name === CONTEST);
  if (manifest === undefined) throw new Error(`there is no ${CONTEST}`);
  const folder = await mkdtemp(join(tmpdir(), 'tabherd-bench-'));
  const keyserver = await startKeyserver(folder, [manifest]);
  const browser = await launchChromium();
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    await context.addInitScript(WATCH);
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('Performance.enable');
    await page.goto(keyserver.url);
    const workers = await startAll(page);
    const report: PageReport = {
      machine: {
        ...machineOf(version),
        chromium: browser.version(),
      },
      options,
      workers,
      ...(await crunch(page, devtools, options.seconds)),
      pauseMs: await pauses(page, options.pauses),
    };
    process.stdout.write(text(report));
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await browser.close();
    await keyserver.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** As many workers as there are CPUs, and each has something to do. Returns how many. */
async function startAll(page: Page): Promise<number> {
  await press(page, 'paused');
  const more = page.getByTestId('more');
  while ((await more.getAttribute('aria-disabled')) !== 'true') await more.click();
  const count = Number(await page.getByTestId('workers').getAttribute('data-count'));
  await until(page, `document.querySelectorAll('[data-block]').length === ${count} && ${SHOWN_RATE} > 0`);
  // The cores are chosen, the plot is loaded, the first blocks are begun.
  await sleep(5000);
  return count;
}

const SHOWN_RATE = `Number(document.querySelector('[data-testid=rate]').dataset.rate)`;

async function crunch(
  page: Page,
  devtools: CDPSession,
  seconds: number,
): Promise<Pick<PageReport, 'longTasks' | 'busyShare' | 'layoutShift' | 'samples'>> {
  const samples = [await sample(devtools, 0)];
  await page.evaluate('watched.longTasks = []');
  let busy = 0;
  const start = performance.now();
  for (let i = 1; i <= SAMPLES; i++) {
    const before = await metrics(devtools);
    await sleep((seconds * 1000) / SAMPLES);
    const after = await metrics(devtools);
    busy += (after['TaskDuration'] ?? 0) - (before['TaskDuration'] ?? 0);
    const tasks = await page.evaluate<number[]>('watched.longTasks');
    samples.push(await sample(devtools, (performance.now() - start) / 1000));
    // The collection of garbage is our doing.
    await page.evaluate(`watched.longTasks = ${JSON.stringify(tasks)}`);
  }
  return {
    longTasks: await page.evaluate<number[]>('watched.longTasks'),
    busyShare: busy / seconds,
    layoutShift: await page.evaluate<number>('watched.shift'),
    samples,
  };
}

async function sample(devtools: CDPSession, at: number): Promise<Sample> {
  await devtools.send('HeapProfiler.collectGarbage');
  const { JSHeapUsedSize = 0, Nodes = 0 } = await metrics(devtools);
  return { at, heapBytes: JSHeapUsedSize, nodes: Nodes };
}

async function metrics(devtools: CDPSession): Promise<Record<string, number>> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
}

async function pauses(page: Page, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    await press(page, 'running');
    for (const end = Date.now() + PATIENCE_MS; page.workers().length > 0; await sleep(50)) {
      if (Date.now() > end) throw new Error('the page was paused, and its workers go on');
    }
    found.push(await page.evaluate<number>('watched.spokeAt - watched.clickedAt'));
    await press(page, 'paused');
    await until(page, `${SHOWN_RATE} > 0`);
    // Not always at the same place of a slice.
    await sleep(500 + Math.random() * 200);
  }
  return found;
}

async function until(page: Page, expression: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !(await page.evaluate<boolean>(expression)); await sleep(50)) {
    if (Date.now() > end) throw new Error(`the page does not come so far: ${expression}`);
  }
}

const press = (page: Page, shows: 'paused' | 'running'): Promise<void> =>
  page
    .getByTestId('run')
    .and(page.locator(`[data-state=${shows}]`))
    .click();

function text({ machine, options, workers, longTasks, busyShare, layoutShift, samples, pauseMs }: PageReport): string {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
  const pause = pauseMs.length === 0 ? undefined : summary(pauseMs);
  return [
    `${machine.cpu}, ${machine.cpus} CPUs; Tabherd ${machine.tabherd}, Chromium ${machine.chromium}; ${workers} workers on ${CONTEST}, ${options.seconds} s\n\n`,
    table([
      ['tasks of the page above 50 ms', `${longTasks.length}`],
      ['the longest of them', longTasks.length === 0 ? '-' : ms(Math.max(...longTasks))],
      ['the page is busy', `${(100 * busyShare).toFixed(2)} % of a CPU`],
      ['layout shift', layoutShift.toFixed(4)],
      ...(pause === undefined
        ? []
        : [['Pause, from click to the last worker', `${ms(pause.median)} (${ms(pause.least)} to ${ms(pause.most)})`]]),
    ]),
    '\n',
    table([
      ['memory after', 'JavaScript', 'nodes'],
      ...samples.map(({ at, heapBytes, nodes }) => [`  ${at.toFixed(0)} s`, mb(heapBytes), `${nodes}`]),
    ]),
  ].join('');
}
