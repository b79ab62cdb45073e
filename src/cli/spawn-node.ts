/** A Node worker thread as the crew wants it: the same worker and the same comlink as in a browser. */
import { Worker } from 'node:worker_threads';
import { proxy, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { WorkerHandle } from '../client/crew.ts';
import type { WorkerApi } from '../protocol/worker-api.ts';

/** @param script where the built worker is: beside this file, unless told. */
export function spawnNodeWorker(script = new URL('./node-worker.js', import.meta.url)): WorkerHandle {
  const worker = new Worker(script);
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
