/** `tabherd backup` and `tabherd restore`: a ledger to one file and back, whatever its home. */
import { Command, Option } from 'commander';
import type { LedgerHome } from '../server/store/backup.ts';
import { DEFAULT_SCHEMA } from '../server/store/store.ts';
import { checkText } from './admin/show.ts';

interface Options {
  data: string;
  databaseUrl?: string;
  databaseSchema: string;
  force?: boolean;
}

export function backupCommand(): Command {
  return homeOptions(new Command('backup'))
    .description('copy a ledger to one file, while keyservers go on; the file holds its secrets')
    .argument('<file>', 'where to write it, readable by you alone')
    .option('--force', 'overwrite the file if it is there')
    .action(async (file: string, options: Options) => {
      const { backUp } = await import('../server/store/backup.ts');
      const { format, rows } = await backUp(homeOf(options), file, options);
      const { contest = 0, run = 0, client = 0 } = rows;
      process.stdout.write(
        `${file}: ${contest} contests, ${run} runs, ${client} clients; format ${format}.\n` +
          'It holds the signing keys, with which leases can be signed, and what blind contests hide. Keep it as you keep a password.\n',
      );
    });
}

export function restoreCommand(): Command {
  return homeOptions(new Command('restore'))
    .description(
      'fill a missing or empty ledger from a backup; no keyserver may run over it; exit 1 if it contradicts itself',
    )
    .argument('<file>', 'what `backup` wrote')
    .option('--force', 'replace the ledger that is there')
    .action(async (file: string, options: Options) => {
      const { restore } = await import('../server/store/backup.ts');
      const { format, rows, check } = await restore(file, homeOf(options), options);
      const all = Object.values(rows).reduce((sum, count) => sum + count, 0);
      process.stdout.write(`restored ${all} rows of format ${format} from ${file}\n${checkText(check)}`);
      if (!check.ok) process.exitCode = 1;
    });
}

/** Named as the settings of `serve` are. */
const homeOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('-d, --data <folder>', 'the data folder of the ledger').env('TABHERD_DATA_DIR').default('data'),
    )
    .addOption(
      new Option('--database-url <url>', 'the PostgreSQL of the ledger, instead of a folder').env('DATABASE_URL'),
    )
    .addOption(
      new Option('--database-schema <name>', "the ledger's schema there")
        .env('TABHERD_DATABASE_SCHEMA')
        .default(DEFAULT_SCHEMA),
    );

const homeOf = ({ data, databaseUrl, databaseSchema }: Options): LedgerHome =>
  databaseUrl === undefined ? { dataDir: data } : { url: databaseUrl, schema: databaseSchema };
