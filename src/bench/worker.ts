/** Entry of the bench's Web Worker. */
import { expose } from 'comlink';
import { CoreTimer } from './core-timer.ts';

expose(new CoreTimer());
