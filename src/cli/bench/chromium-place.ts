/** Chromium as a place: a page of its own (`src/bench/page.ts`, built into dist/bench) whose worker has the timer. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import type { BenchApi } from '../../bench/bench-api.ts';
import type { Place } from './place.ts';
import { serveFolder } from './static-server.ts';

/** In the given browser, which the caller closes. */
export async function chromiumPlace(browser: Browser): Promise<Place> {
  // dist/server/tabherd.js has dist/bench beside it.
  const folder = fileURLToPath(new URL('../bench', import.meta.url));
  if (!existsSync(join(folder, 'page.js'))) throw new Error('dist/bench is missing: `npm run bench` builds it');
  const server = await serveFolder(folder);
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(server.url);
  await page.waitForFunction('globalThis.bench !== undefined').catch((cause: unknown) => {
    throw new Error(`the bench's page did not start: ${complaints.join('; ')}`, { cause });
  });
  const call = async <T>(method: keyof BenchApi, ...args: unknown[]): Promise<T> =>
    page.evaluate<T>(`bench(${[method, ...args].map((arg) => JSON.stringify(arg)).join(', ')})`);
  return {
    name: 'chromium',
    version: `Chromium ${browser.version()}`,
    api: {
      cores: () => call('cores'),
      measure: (name, milliseconds) => call('measure', name, milliseconds),
      finishStubs: (name, stubs, milliseconds) => call('finishStubs', name, stubs, milliseconds),
      chosen: (kind) => call('chosen', kind),
    },
    async close() {
      await page.close();
      server.close();
    },
  };
}
