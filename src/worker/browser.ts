/** Entry of the Web Worker. */
import { expose } from 'comlink';
import { BlockWorker } from './block-worker.ts';

expose(new BlockWorker());
