/** Node as a place: a process of its own, so that nothing but the cores runs in it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { BenchApi } from '../../bench/bench-api.ts';
import { channelEndpoint } from './channel-endpoint.ts';
import type { Place } from './place.ts';

export async function nodePlace(): Promise<Place> {
  const child = fork(fileURLToPath(new URL('./bench-node.js', import.meta.url)), {
    serialization: 'advanced',
  });
  const ended = once(child, 'exit');
  await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => Promise.reject(new Error(`the Node process ended with ${code}`))),
  ]);
  return {
    name: 'node',
    version: `Node ${process.version} (V8 ${process.versions.v8})`,
    api: wrap<BenchApi>(nodeEndpoint(channelEndpoint(child))),
    async close() {
      child.disconnect();
      await ended;
    },
  };
}
