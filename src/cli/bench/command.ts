/**
 * `tabherd bench <what>`: the measurements there are. `cores` where none is named. They are loaded when they run: what
 * they need (a browser's driver) would be in the memory of every keyserver.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { HOMES, MEASURES } from './keyserver/options.ts';

export function benchCommand(
  version: string,
  whole: (least: number, most: number) => (text: string) => number,
): Command {
  const bench = new Command('bench').description(
    'measure: cores (default), page, keyserver, pools, pyramid, trust, widget',
  );
  bench
    .command('cores', { isDefault: true })
    .description(
      "time every core in Chromium and Node, beside plain C and distributed.net's client, pinned to one CPU and in turn; " +
        'the tab against its bare core; what the kernels weigh',
    )
    .option('--json <file>', 'write everything there, every single figure included')
    .option('--repeats <number>', 'repeats of each', whole(1, 1000), 5)
    .option('--seconds <number>', 'length of one repeat of a core of ours', seconds(600), 2)
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
    .action(async (options) => (await import('./cores.ts')).benchCores(options, version));
  bench
    .command('page')
    .description(
      "the PWA in Chromium with a worker on every CPU: the page's longest tasks, how busy its own thread is, its memory " +
        'over time, and how soon Pause is one',
    )
    .option('--seconds <number>', 'how long it crunches; 3600 shows whether memory stays flat', seconds(86_400), 60)
    .option('--pauses <number>', 'how often it is paused', whole(0, 1000), 20)
    .option('--json <file>', 'write everything there')
    .action(async (options) => (await import('./page.ts')).benchPage(options, version));
  bench
    .command('widget')
    .description(
      "a page of another site with the widget and without: requests, bytes, the page's longest tasks, layout shift",
    )
    .option('--repeats <number>', 'visits of each', whole(1, 1000), 5)
    .option('--seconds <number>', 'how long it works', seconds(3600), 10)
    .option('--json <file>', 'write everything there')
    .action(async (options) => (await import('./widget.ts')).benchWidget(options, version));
  bench
    .command('keyserver')
    .description(
      'load the built keyserver on the loopback interface, over SQLite and over a private PostgreSQL: blocks a second, ' +
        'latency, memory, and the size of a ledger of a million blocks',
    )
    .option('--json <file>', 'write everything there, every single figure included')
    .option('--repeats <number>', 'repeats of each load', whole(1, 1000), 5)
    .option('--seconds <number>', 'length of one repeat', seconds(600), 5)
    .addOption(new Option('--only <name...>', 'only these (default: all)').choices(MEASURES))
    .addOption(new Option('--home <name...>', 'where the ledger is').choices(HOMES).default([...HOMES], 'both'))
    .option('--connections <number>', 'browsers at once', whole(1, 4096), 128)
    .option('--clients <number>', 'browsers in all', whole(1, 1_000_000), 10_000)
    .option('--leases <number>', 'open leases, for the memory', whole(1, 1_000_000), 100_000)
    .option('--blocks <number>', 'blocks, for the size of the ledger', whole(100, 100_000_000), 1_000_000)
    .option('--short', 'a few seconds in all: whether it runs, not how fast')
    .option('--profile <folder>', "write the keyserver's CPU profiles there")
    .option('--program <file>', "load another build's tabherd.js, to compare with")
    .action(async (options) => (await import('./keyserver/run.ts')).benchKeyserver(options, version));
  bench
    .command('pools')
    .description(
      'a registrar of pools in a process of its own: how long a resolution takes by policy, over HTTP and without; ' +
        'registrations a second; how soon a new registrar has them all, from another and from a shared database; memory',
    )
    .option('--elements <number>', 'gateways in the pool', whole(10, 100_000), 10_000)
    .option('--repeats <number>', 'repeats of each', whole(1, 1000), 5)
    .option('--seconds <number>', 'length of one repeat', seconds(600), 2)
    .option('--connections <number>', 'browsers at once', whole(1, 1024), 16)
    .option('--short', 'a few seconds in all: whether it runs, not how fast')
    .option('--profile <folder>', "write the registrar's CPU profile there")
    .option('--json <file>', 'write everything there')
    .action(async (options) => (await import('./pools/pools.ts')).benchPools(options, version));
  bench
    .command('pyramid')
    .description(
      'a million clients under three tiers for a week, simulated: the real keymaster and proxies in virtual time, over ' +
        'slices of the pyramid; request rates, stock and lost work. Some minutes on two idle CPUs',
    )
    .option('--clients <number>', 'of the whole pyramid', whole(1000, 1e9), 1_000_000)
    .option('--days <number>', 'virtual time', whole(1, 60), 7)
    .option('--seed <number>', 'the same figures for the same seed', whole(0, 2 ** 31 - 2), 1)
    .option(
      '--lease-days <number>',
      'time that a client has for a block; a proxy has four times as much',
      whole(1, 60),
      2,
    )
    .option('--short', 'in seconds: a few clients for half a day, figures of no use')
    .addOption(new Option('--only <slice>', 'one of the two slices').choices(['week', 'crowd']))
    .option('--json <file>', 'write everything there')
    .action(async (options) => (await import('./pyramid/pyramid.ts')).benchPyramid(options));
  bench
    .command('trust')
    .description(
      'cheats of every kind beside honest clients, before the real keymaster in virtual time: how soon each is caught, by ' +
        'what, what still counts of its work, and what checking costs the honest. Some minutes',
    )
    .option('--runs <number>', 'clients of each kind', whole(1, 10_000), 200)
    .option('--blocks <number>', 'blocks after which one that was not caught is let go', whole(1, 100_000), 300)
    .option('--seed <number>', 'the same figures for the same seed', whole(0, 2 ** 31 - 2), 1)
    .option('--only <text>', 'only the kinds in whose name this is')
    .option('--short', 'in seconds: a few clients and blocks, figures of no use')
    .option('--json <file>', 'write everything there')
    .action(async (options) => (await import('./trust/trust.ts')).benchTrust(options));
  return bench;
}

function seconds(most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (value > 0 && value <= most) return value;
    throw new InvalidArgumentError(`It must be a number above 0, ${most} at most.`);
  };
}
