/**
 * A process that says what it is told by signals, for the test that sends them. Bundled by that test. A line on stdin ends what
 * is under way. Its argument: `fail`, where what it does fails.
 */
import { once } from 'node:events';
import { watchSignals } from '../../src/cli/watch-signals.ts';

const say = (text: string): unknown => process.stdout.write(`${text}\n`);
const told = (what: string) => async (): Promise<void> => {
  say(what);
  await once(process.stdin, 'data');
  if (process.argv[2] === 'fail') throw new Error(what);
};
watchSignals({ onDrain: told('drain'), onReload: told('reload'), onError: (error) => say(String(error)) });
process.stdin.resume();
say('ready');
