/** A Web Worker as the crew wants it. The only place in the client that makes one. */
import { proxy, releaseProxy, wrap } from 'comlink';
import type { WorkerApi } from '../protocol/worker-api.ts';
import type { WorkerHandle } from './crew.ts';

export function spawnBrowserWorker(): WorkerHandle {
  const worker = new Worker(new URL('../worker/browser.ts', import.meta.url), { type: 'module', name: 'tabherd' });
  const api = wrap<WorkerApi>(worker);
  return {
    prepare: (kind, known) => api.prepare(kind, known),
    work: (request, onProgress) => api.work(request, proxy(onProgress)),
    stop: () => void api.stop(),
    pace: (share) => void api.pace(share),
    terminate() {
      api[releaseProxy]();
      worker.terminate();
    },
    broken: new Promise((resolve) => {
      worker.addEventListener('error', (event) => resolve(new Error(event.message || 'it could not be started')));
    }),
  };
}
