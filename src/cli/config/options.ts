/**
 * Gives a command of commander's an option for each of its settings, and `--config` and `--print-config`. Commander only
 * collects the texts; checks and precedence are `readConfig`'s.
 */
import { type Command, Option } from 'commander';
import type { Static } from 'typebox';
import { printConfig } from './print-config.ts';
import { type Configuration, readConfig } from './read-config.ts';
import { settingsOf } from './setting.ts';
import { SETTINGS, type SettingsCommand } from './settings.ts';

/** What a command begins with: its configuration, and a way to read it again at a reload. */
export interface Configured<Config> extends Configuration<Config> {
  reread: () => Promise<Configuration<Config>>;
}

/** @param run is not called for `--print-config`. */
export function withSettings<Name extends SettingsCommand>(
  command: Command,
  name: Name,
  run: (configured: Configured<Static<(typeof SETTINGS)[Name]>>) => Promise<void>,
): Command {
  const options = settingsOf(SETTINGS[name]).map((setting) => {
    const { note, flag, long } = setting;
    const option = new Option(flag, `${note.description}${shownDefault(note.default)}`);
    command.addOption(option);
    // The other way round, for what the file turned around.
    if (note.default === true) {
      option.hideHelp();
      command.addOption(new Option(`--no-${long.slice(2)}`, `do not: ${note.description}`));
    }
    return { setting, attribute: option.attributeName() };
  });
  return command
    .option('--config <file>', 'settings as TOML; --print-config shows its form')
    .option('--print-config', 'show the effective settings and where each is from, and end')
    .addHelpText(
      'after',
      '\nEach setting is taken from its flag, or else from the environment (TABHERD_DATA_DIR for dataDir),\n' +
        'or else from the file named by --config or TABHERD_CONFIG, or else is the default.',
    )
    .action(async (given: { config?: string; printConfig?: boolean }) => {
      const typed = options.filter(({ attribute }) => command.getOptionValueSource(attribute) === 'cli');
      const flags = new Map(
        typed.map(({ setting, attribute }) => [setting.name, command.getOptionValue(attribute) as unknown]),
      );
      const read = () => readConfig(name, { flags, environment: process.env, file: given.config });
      const configuration = await read();
      if (given.printConfig === true) process.stdout.write(printConfig(name, configuration));
      else await run({ ...configuration, reread: read });
    });
}

function shownDefault(value: unknown): string {
  if (value === undefined || typeof value === 'boolean') return '';
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return '';
  return ` (default: ${String(value)})`;
}
