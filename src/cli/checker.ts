/** The keymaster's own core, in a thread of its own that is started when there is something to check, and anew where it died. */
import { Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { SpotCheck } from '../contests/kind.ts';
import type { ContestManifest } from '../domain/contest.ts';
import type { Checked, Checker } from '../server/trust/checks.ts';
import type { Checking } from './check-thread.ts';

export class ThreadChecker implements Checker {
  #thread: { worker: Worker; remote: Remote<Checking>; died: Promise<never> } | undefined;

  check(manifest: ContestManifest, spot: SpotCheck): Promise<Checked> {
    const { remote, died } = this.#start();
    return Promise.race([remote.check(manifest, spot), died]);
  }

  async close(): Promise<void> {
    await this.#thread?.worker.terminate();
    this.#thread = undefined;
  }

  #start() {
    if (this.#thread !== undefined) return this.#thread;
    const worker = new Worker(new URL('./check-thread.js', import.meta.url));
    const died = new Promise<never>((_, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => {
        this.#thread = undefined;
        reject(new Error('the checking thread ended'));
      });
    });
    died.catch(() => {});
    // It keeps no keyserver from ending.
    worker.unref();
    this.#thread = { worker, remote: wrap<Checking>(nodeEndpoint(worker)), died };
    return this.#thread;
  }
}
