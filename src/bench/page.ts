/**
 * Entry of the page that the bench opens in a browser: only what is needed to reach a worker. The page's main thread
 * stays idle, and what is timed is timed in the worker.
 */
import { wrap } from 'comlink';
import type { BenchApi } from './bench-api.ts';

const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'bench' });
const api = wrap<BenchApi>(worker);

/** What `src/cli/bench/chromium-place.ts` calls: a method by name, as the arguments come from another process. */
const call = (method: keyof BenchApi, args: unknown[]): unknown =>
  (api[method] as unknown as (...args: unknown[]) => Promise<unknown>)(...args);
const failed = new Promise((_, reject) => {
  worker.addEventListener('error', (event) => reject(new Error(event.message || 'the worker did not start')));
});
failed.catch(() => undefined);

Object.assign(globalThis, {
  bench: (method: keyof BenchApi, ...args: unknown[]) => Promise.race([call(method, args), failed]),
});
