/**
 * What the engine costs: the PWA as a visitor runs it, with one worker on rc5-72, against the bare core that it chose,
 * in turn and in the same browser. The rate is the one the page shows. And how soon a start is one: from the click to
 * the first slice done, on a second visit, when service worker, kernels and stock are there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import type { BenchApi } from '../../bench/bench-api.ts';
import { manifests } from '../../contests/manifests.ts';
import { byProcessorTime, type Measured } from './cpu-share.ts';
import { startKeyserver } from './keyserver-child.ts';

/** The page shows a rate once a second. */
const READ_EVERY_MS = 500;
/** The first rates after a start still have the worker's beginnings in them. */
const SETTLE_MS = 1000;
const PATIENCE_MS = 30_000;
const CONTEST = 'rc5-72';

export interface TabFigures {
  /** The core timed against the tab. */
  core: string;
  workers: number;
  /** Keys a second of processor time, all workers together, as the page shows it: the mean of a repeat's readings. */
  tabRates: number[];
  /** Keys a second of the bare core in one worker. */
  bareRates: number[];
  /** tab rate / (bare core × workers), repeat by repeat. */
  ratios: number[];
  /** The shares of the CPU that the tab and the core had. */
  shares: [number, number][];
  /** Milliseconds from the click on Start to the first slice done, by the clock. */
  firstSliceMs: number[];
}

export interface TabOptions {
  repeats: number;
  seconds: number;
  /** An empty one. */
  folder: string;
}

/** `bare`: the timer in another page of the browser. */
export async function measureTab(browser: Browser, bare: BenchApi, options: TabOptions): Promise<TabFigures> {
  const core = await bare.chosen('rc5');
  const manifest = manifests.find(({ name }) => name === CONTEST);
  if (core === undefined || manifest === undefined) throw new Error(`no core of this browser is right on ${CONTEST}`);
  const keyserver = await startKeyserver(options.folder, [manifest]);
  const context = await browser.newContext();
  try {
    const tab = new Tab(await context.newPage());
    await tab.firstVisit(keyserver.url);
    const figures: TabFigures = {
      core,
      workers: 1,
      tabRates: [],
      bareRates: [],
      ratios: [],
      shares: [],
      firstSliceMs: [],
    };
    await bare.measure(core, 200);
    for (let i = 0; i < options.repeats; i++) {
      const whole = await tab.rate(options.seconds);
      const alone = await byProcessorTime(() => bare.measure(core, options.seconds * 1000));
      figures.tabRates.push(whole.rate);
      figures.bareRates.push(alone.rate);
      figures.shares.push([whole.share, alone.share]);
      figures.ratios.push(whole.rate / (alone.rate * figures.workers));
    }
    for (let i = 0; i < options.repeats; i++) figures.firstSliceMs.push(await tab.startAgain());
    return figures;
  } finally {
    await context.close();
    await keyserver.close();
  }
}

/** The PWA under remote control, paused between any two of these. */
class Tab {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Until it has one worker, stock, and a service worker that has everything. */
  async firstVisit(url: string): Promise<void> {
    // `localhost` is a secure context under any name; service workers want one.
    await this.#page.goto(url);
    await this.#press('paused');
    const workers = this.#page.getByTestId('workers');
    while (Number(await workers.getAttribute('data-count')) > 1) await this.#page.getByTestId('fewer').click();
    await this.#shownRate();
    await this.#page.evaluate('navigator.serviceWorker.ready.then(() => undefined)');
    await this.#pause();
  }

  /** Starts, and reads the rate for so many seconds. */
  async rate(seconds: number): Promise<Measured> {
    await this.#press('paused');
    await this.#shownRate();
    await sleep(SETTLE_MS);
    // Read within the page: asking it from here each time would cost a hundredth of the CPU.
    const measured = await byProcessorTime(() =>
      this.#page.evaluate<number>(
        `new Promise((resolve) => {
          const shown = document.querySelector('[data-testid=rate]');
          const end = performance.now() + ${seconds * 1000};
          const readings = [];
          const timer = setInterval(() => {
            readings.push(Number(shown.dataset.rate));
            if (performance.now() < end) return;
            clearInterval(timer);
            resolve(readings.reduce((sum, reading) => sum + reading, 0) / readings.length);
          }, ${READ_EVERY_MS});
        })`,
      ),
    );
    await this.#pause();
    return measured;
  }

  /** Comes back to the page and presses Start. Milliseconds to the first slice. */
  async startAgain(): Promise<number> {
    const page = this.#page;
    await page.reload();
    await page.getByTestId('run').and(page.locator('[data-state=paused]')).waitFor();
    await page.waitForFunction('navigator.serviceWorker.controller !== null');
    await sleep(SETTLE_MS);
    await page.evaluate(
      `addEventListener('click', (event) => { globalThis.clickedAt = performance.timeOrigin + event.timeStamp; },
        { capture: true, once: true })`,
    );
    await this.#press('paused');
    const clickedAt = await page.evaluate<number>('clickedAt');
    const slicedAt = await this.#firstSlice();
    await this.#shownRate();
    await this.#pause();
    return slicedAt - clickedAt;
  }

  /** When the worker was through with the first slice of its life: it leaves a mark (`src/worker/block-worker.ts`). */
  async #firstSlice(): Promise<number> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(50)) {
      for (const worker of this.#page.workers()) {
        const at = await worker
          .evaluate<number | null>(
            `(([mark]) => mark === undefined ? null : performance.timeOrigin + mark.startTime)(
              performance.getEntriesByName('tabherd:first-slice'))`,
          )
          .catch(() => null);
        if (at !== null) return at;
      }
    }
    throw new Error('the tab finished no slice');
  }

  async #press(shows: 'paused' | 'running'): Promise<void> {
    await this.#page
      .getByTestId('run')
      .and(this.#page.locator(`[data-state=${shows}]`))
      .click();
  }

  async #pause(): Promise<void> {
    await this.#press('running');
    for (const end = Date.now() + PATIENCE_MS; this.#page.workers().length > 0; await sleep(50)) {
      if (Date.now() > end) throw new Error('the tab was paused, and its workers go on');
    }
  }

  /** What the page shows, once that is more than 0. */
  async #shownRate(): Promise<number> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(50)) {
      const rate = Number(await this.#page.getByTestId('rate').getAttribute('data-rate'));
      if (rate > 0) return rate;
    }
    throw new Error('the tab shows no rate');
  }
}
