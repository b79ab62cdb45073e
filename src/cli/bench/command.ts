/** `tabherd bench <what>`: the measurements there are. `cores` where none is named. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { benchCores } from './cores.ts';

export function benchCommand(
  version: string,
  whole: (least: number, most: number) => (text: string) => number,
): Command {
  const bench = new Command('bench').description('measure: cores (default)');
  bench
    .command('cores', { isDefault: true })
    .description(
      "time every core in Chromium and Node, beside plain C and distributed.net's client, pinned to one CPU and in turn; " +
        'the tab against its bare core; what the kernels weigh',
    )
    .option('--json <file>', 'write everything there, every single figure included')
    .option('--repeats <number>', 'repeats of each', whole(1, 1000), 5)
    .option('--seconds <number>', 'length of one repeat of a core of ours', seconds, 2)
    .option('--cores <name...>', 'only these cores of ours (default: all)')
    .addOption(
      new Option('--in <place...>', 'where').choices(['chromium', 'node']).default(['chromium', 'node'], 'both'),
    )
    .option('--cpu <number>', 'pin to this CPU (default: the last that may be used)', whole(0, 4095))
    .option('--no-tab', 'leave the tab out')
    .option('--no-c', 'leave the C reference out')
    .option('--dnetc <path>', "distributed.net's client (default: DNETC, the PATH, what was fetched before)")
    .option('--no-dnetc', "leave distributed.net's client out")
    .addOption(
      new Option(
        '--dnetc-cores <which>',
        'RC5 #1 and #4 and OGR #0, which we compare with, or all; 20 seconds a repeat each',
      )
        .choices(['compared', 'all'])
        .default('compared'),
    )
    .option('--dnetc-short', 'its shorter benchmark, 12 seconds, which it calls slightly inaccurate')
    .option('--fetch-dnetc', 'Debian and Ubuntu: fetch the client into the cache folder if it is not found')
    .action((options) => benchCores(options, version));
  return bench;
}

function seconds(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 600) return value;
  throw new InvalidArgumentError('It must be a number above 0, 600 at most.');
}
