/**
 * The command line: `npm run -s tabherd -- <command>`. Each command is a file of its own, loaded when it runs: all of them
 * together take a second of processor time.
 */
import { Command, InvalidArgumentError } from 'commander';
import { UnreachableError } from '../protocol/errors.ts';
import { adminCommand } from './admin/command.ts';
import { backupCommand, restoreCommand } from './backup.ts';
import { benchCommand } from './bench/command.ts';
import { exportCommand, importCommand } from './carry/command.ts';
import { withSettings } from './config/options.ts';

declare const __TABHERD_VERSION__: string;

/** A whole number in a range, or an error that names the flag. */
const whole = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
};

const short = (most: number) => (text: string) => {
  if (text.length <= most) return text;
  throw new InvalidArgumentError(`It must not be longer than ${most} characters.`);
};

const program = new Command('tabherd')
  .description('distributed.net for the browser: keyserver, client, and checks')
  .version(__TABHERD_VERSION__)
  .showHelpAfterError('(--help shows what there is)');

withSettings(
  program
    .command('serve')
    .description('run a keymaster, a gateway and the PWA on one port, over an embedded store or a PostgreSQL'),
  'serve',
  async (configured) => (await import('./serve.ts')).serve(configured, __TABHERD_VERSION__),
);

withSettings(
  program
    .command('proxy')
    .description(
      'run a proxy: a keyserver that fetches big blocks from another and hands them on; it serves the PWA too',
    ),
  'proxy',
  async (configured) => (await import('./serve.ts')).proxy(configured, __TABHERD_VERSION__),
);

program
  .command('crunch')
  .description('the same engine without a browser: fetch blocks, work them, hand them in')
  .argument('[urls...]', 'address of a gateway, such as http://localhost:2064, and of others to turn to where it fails')
  .option('--offline', 'work the blocks that tabherd import brought, and end; tabherd export hands them in')
  .option('-w, --workers <number>', 'worker threads (default: one less than cores)', whole(1, 512))
  .option('-d, --data <file>', 'where blocks, checkpoints and reports are kept', 'data/crunch.json')
  .option('-n, --name <name>', 'name to show in the statistics, up to 64 characters', short(64))
  .option('-t, --team <name>', 'team to be counted for in the statistics, up to 64 characters', short(64))
  .option('-b, --blocks <number>', 'stop after this many blocks were acknowledged', whole(1, 1e9))
  .option('-c, --contests <name...>', 'work on these contests only (default: the first that has work)')
  .option('--until <contest>', 'stop when this contest is closed')
  .action(async (urls, options) => (await import('./crunch.ts')).crunch(urls, options, __TABHERD_VERSION__));

program.addCommand(exportCommand(__TABHERD_VERSION__, whole));
program.addCommand(importCommand(__TABHERD_VERSION__, whole));

program
  .command('test')
  .description('put known answers to every core this machine can run; one line a core, exit 1 on any difference')
  .option('--vectors <file...>', 'rows in the form of rc5.json or ogr.json instead of the built-in ones')
  .action(async (options) => (await import('./known-answers.ts')).knownAnswers(options));

program.addCommand(benchCommand(__TABHERD_VERSION__, whole));

program
  .command('status')
  .description('what a keyserver is doing')
  .argument('<url>', 'address of a gateway')
  .option('--json', 'as the API gives it')
  .action(async (url, options) => (await import('./status.ts')).status(url, options));

program.addCommand(adminCommand(whole));
program.addCommand(backupCommand());
program.addCommand(restoreCommand());

program
  .command('choose')
  .description("make the OGR cores' choose table anew; 12 segments take about 20 minutes")
  .argument('<file>', 'where to write it')
  .option('--depth <number>', 'segments to which it is exact', whole(1, 15), 12)
  .action(async (file, options) => (await import('./make.ts')).choose(file, options));

program
  .command('stubs')
  .description('count the stubs of an OGR search: `units` and `stubsByPrefix` for its manifest')
  .argument('<manifest>', 'a manifest whose `search` is complete but for these')
  .action(async (manifest) => (await import('./make.ts')).stubs(manifest));

try {
  await program.parseAsync();
} catch (error) {
  // Commands throw errors meant for people; the stack is for developers.
  process.stderr.write(`tabherd: ${error instanceof Error ? error.message : String(error)}\n`);
  if (process.env['DEBUG'] !== undefined) console.error(error);
  process.exitCode = error instanceof UnreachableError ? 2 : 1;
}
