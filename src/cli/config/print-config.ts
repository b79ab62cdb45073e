/**
 * What `--print-config` shows: the effective configuration as a TOML file that could be read back, with the source of each
 * value beside it. Secrets are left out, and of addresses the passwords.
 */
import { stringify } from 'smol-toml';
import { type Configuration, valueAt } from './read-config.ts';
import { type Setting, settingsOf } from './setting.ts';
import { SETTINGS, type SettingsCommand } from './settings.ts';

const HIDDEN = '(secret)';

export function printConfig(command: SettingsCommand, { config, sources }: Configuration<unknown>): string {
  // A table takes all keys after it, so tables come last.
  const isTable = ({ path, schema }: Setting): boolean => path.length > 1 || 'patternProperties' in schema;
  const settings = settingsOf(SETTINGS[command]);
  let section = '';
  let text = `# The configuration of tabherd ${command}.\n`;
  for (const setting of [...settings.filter((it) => !isTable(it)), ...settings.filter(isTable)]) {
    const { name, path } = setting;
    const value = valueAt(config, path);
    const comment = ` # ${sources.get(name)}\n`;
    if ('patternProperties' in setting.schema) {
      text += `\n[${name}]${comment}${stringify(value)}`;
      continue;
    }
    const above = path.slice(0, -1).join('.');
    if (above !== section) text += `\n[${above}]\n`;
    section = above;
    const key = path.at(-1) ?? '';
    // Commented out: read back, it would be taken for the value.
    if (value === undefined) text += `# ${key} is not set\n`;
    else if (setting.note.secret === true) text += `# ${key} = ${JSON.stringify(hide(value))}${comment}`;
    else text += stringify({ [key]: withoutPasswords(value) }).trimEnd() + comment;
  }
  return text;
}

function hide(value: unknown): string {
  const shown = withoutPasswords(value);
  return shown === value || typeof shown !== 'string' ? HIDDEN : shown;
}

function withoutPasswords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPasswords);
  if (typeof value !== 'string' || !/^[a-z]+:\/\//.test(value) || !URL.canParse(value)) return value;
  const url = new URL(value);
  if (url.password !== '') url.password = 'hidden';
  for (const key of url.searchParams.keys()) if (/password/i.test(key)) url.searchParams.set(key, 'hidden');
  return url.href;
}
