/** Entry of the process that times cores in Node (`node-place.ts` forks it). It ends with its channel. */
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { CoreTimer } from '../../bench/core-timer.ts';
import { allowRelaxedSimd } from '../relaxed-simd.ts';
import { channelEndpoint } from './channel-endpoint.ts';

if (process.send === undefined) throw new Error('bench-node.js is a child process, not a program');
allowRelaxedSimd();
expose(new CoreTimer(), nodeEndpoint(channelEndpoint(process)));
process.send('ready');
