/** Entry of the Node worker thread. */
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { BlockWorker } from '../worker/block-worker.ts';
import { allowRelaxedSimd } from './relaxed-simd.ts';

if (parentPort === null) throw new Error('node-worker.js is a worker thread, not a program');
allowRelaxedSimd();
expose(new BlockWorker(), nodeEndpoint(parentPort));
