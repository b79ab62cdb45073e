/** A Node worker thread as the crew wants it: the same worker and the same comlink as in a browser. */
import { Worker } from 'node:worker_threads';
import { proxy, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { WorkerHandle } from '../client/crew.ts';
import type { WorkerApi } from '../protocol/worker-api.ts';

export function spawnNodeWorker(): WorkerHandle {
  const worker = new Worker(new URL('./node-worker.js', import.meta.url));
  const api = wrap<WorkerApi>(nodeEndpoint(worker));
  return {
    prepare: (kind, known) => api.prepare(kind, known),
    work: (request, onProgress) => api.work(request, proxy(onProgress)),
    stop: () => void api.stop(),
    pace: (share) => void api.pace(share),
    terminate: () => void worker.terminate(),
    broken: new Promise((resolve) => {
      worker.once('error', (error) => resolve(error instanceof Error ? error : new Error(String(error))));
    }),
  };
}
