/**
 * The effective configuration: flags before environment before file before defaults, each setting from the first that has it.
 * Every value is checked where it comes from, so that a mistake is reported by the name it was made under; an unknown name is
 * one, too.
 */
import { readFile } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import type { Static, TObject } from 'typebox';
import { faultIn, type Setting, settingsOf, valueOfFlag, valueOfText } from './setting.ts';
import { SETTINGS, type SettingsCommand } from './settings.ts';

/** The configuration has a mistake; the message names the setting and where it stands. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface Given {
  /** Flags that were typed, by the setting's name, as commander gives their values. */
  flags: ReadonlyMap<string, unknown>;
  environment: Readonly<Record<string, string | undefined>>;
  /** The path of a TOML file; TABHERD_CONFIG where there is no flag. */
  file?: string | undefined;
}

export interface Configuration<Config> {
  config: Config;
  /** Where each setting's value is from, by its name: `--port`, `TABHERD_PORT`, `tabherd.toml`, `default`. */
  sources: ReadonlyMap<string, string>;
}

/** Variables of ours that are no settings: the tests read one. */
const OTHER_VARIABLES = ['TABHERD_CONFIG', 'TABHERD_POSTGRES_BIN'];

/** @throws ConfigError */
export async function readConfig<Command extends SettingsCommand>(
  command: Command,
  given: Given,
): Promise<Configuration<Static<(typeof SETTINGS)[Command]>>> {
  const settings = settingsOf(SETTINGS[command]);
  const { environment } = given;
  refuseUnknownVariables(command, settings, environment);
  const path = given.file ?? nonEmpty(environment['TABHERD_CONFIG']);
  const inFile = path === undefined ? new Map<string, unknown>() : await readSettingsFile(path, command, settings);
  const config: Record<string, unknown> = {};
  const sources = new Map<string, string>();
  for (const setting of settings) {
    const { name } = setting;
    const text = nonEmpty(environment[setting.variable]);
    const [place, value, source] = given.flags.has(name)
      ? [setting.long, valueOfFlag(setting, given.flags.get(name)), setting.long]
      : text !== undefined
        ? [setting.variable, valueOfText(setting, text), setting.variable]
        : inFile.has(name)
          ? [`${path}: ${name}`, inFile.get(name), `${path}`]
          : [name, setting.note.default, 'default'];
    sources.set(name, source);
    put(config, setting.path, value);
    if (value === undefined) continue;
    const fault = faultIn(setting, value);
    if (fault !== undefined) throw new ConfigError(`${place}: ${fault}`);
  }
  await takeAdminToken(config, sources);
  refuseContradictions(command, config);
  return { config: config as Static<(typeof SETTINGS)[Command]>, sources };
}

/** Settings whose values differ, by name: those that a reload brings, and those that wait for the next start. */
export function differences<Config>(
  command: SettingsCommand,
  before: Config,
  after: Config,
): { live: string[]; atNextStart: string[] } {
  const changed = settingsOf(SETTINGS[command]).filter(
    ({ path }) => JSON.stringify(valueAt(before, path)) !== JSON.stringify(valueAt(after, path)),
  );
  return {
    live: changed.filter(({ note }) => note.live === true).map(({ name }) => name),
    atNextStart: changed.filter(({ note }) => note.live !== true).map(({ name }) => name),
  };
}

export function valueAt(config: unknown, path: readonly string[]): unknown {
  return path.reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], config);
}

function put(config: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let section = config;
  for (const key of path.slice(0, -1)) section = (section[key] ??= {}) as Record<string, unknown>;
  const last = path.at(-1);
  if (last !== undefined && value !== undefined) section[last] = value;
}

/** An empty variable is as good as none: that is how service managers and compose files leave one out. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

async function readSettingsFile(
  path: string,
  command: SettingsCommand,
  settings: readonly Setting[],
): Promise<Map<string, unknown>> {
  let tables: object;
  try {
    tables = parse(await readFile(path, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw new ConfigError(`${path}: ${(cause as Error).message}`, { cause });
    const [sentence = ''] = cause.message.replace('Invalid TOML document: ', '').split('\n');
    throw new ConfigError(`${path}: line ${cause.line}, column ${cause.column}: ${sentence}`, { cause });
  }
  const found = new Map<string, unknown>();
  const enter = (table: object, above: readonly string[]): void => {
    for (const [key, value] of Object.entries(table)) {
      const name = [...above, key].join('.');
      if (settings.some((setting) => setting.name === name)) {
        found.set(name, value);
        continue;
      }
      const isSection = settings.some((setting) => setting.name.startsWith(`${name}.`));
      if (!isSection) throw new ConfigError(`${path}: ${name} ${unknown(command, settings, name)}`);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new ConfigError(`${path}: ${name} must be a table: [${name}]`);
      }
      enter(value, [...above, key]);
    }
  };
  enter(tables, []);
  return found;
}

function refuseUnknownVariables(
  command: SettingsCommand,
  settings: readonly Setting[],
  environment: Given['environment'],
): void {
  const known = new Set([...settings.map(({ variable }) => variable), ...OTHER_VARIABLES]);
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('TABHERD_') || known.has(variable) || nonEmpty(text) === undefined) continue;
    throw new ConfigError(`${variable} ${unknown(command, settings, variable)}`);
  }
}

function unknown(command: SettingsCommand, settings: readonly Setting[], name: string): string {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]/g, '');
  const names = ({ name, variable }: Setting): string[] => [name, variable];
  const isMeant = (meant: string): boolean => plain(meant) === plain(name);
  const meant = settings.flatMap(names).find(isMeant);
  if (meant !== undefined) return `is not a setting; ${meant} is`;
  for (const other of Object.keys(SETTINGS) as SettingsCommand[]) {
    if (
      settingsOf(SETTINGS[other] as TObject)
        .flatMap(names)
        .some(isMeant)
    ) {
      return `is a setting of tabherd ${other}, not of tabherd ${command}`;
    }
  }
  return `is not a setting; tabherd ${command} --help shows those there are`;
}

async function takeAdminToken(config: Record<string, unknown>, sources: Map<string, string>): Promise<void> {
  const file = config['adminTokenFile'];
  if (typeof file !== 'string') return;
  const place = sources.get('adminTokenFile');
  if (config['adminToken'] !== undefined) {
    throw new ConfigError(`adminTokenFile (${place}) and adminToken (${sources.get('adminToken')}): only one can hold`);
  }
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new ConfigError(`adminTokenFile (${place}): ${cause.message}`, { cause });
  });
  const token = text.trim();
  const setting = settingsOf(SETTINGS.serve).find(({ name }) => name === 'adminToken');
  const fault = setting === undefined ? undefined : faultIn(setting, token);
  if (fault !== undefined) throw new ConfigError(`adminTokenFile (${place}): the token in ${file} ${fault}`);
  config['adminToken'] = token;
  sources.set('adminToken', 'adminTokenFile');
}

function refuseContradictions(command: SettingsCommand, config: Record<string, unknown>): void {
  if (command !== 'proxy') return;
  const { upstreams, mode, minStock, maxStock } = config as Static<(typeof SETTINGS)['proxy']>;
  if (upstreams.length === 0 && mode !== 'offline') {
    throw new ConfigError('upstreams: a proxy needs the address of a keyserver (--upstreams), or the mode offline');
  }
  for (const [contest, least] of Object.entries(minStock)) {
    const most = maxStock[contest];
    if (most !== undefined && most < least) {
      throw new ConfigError(`maxStock.${contest}: ${most} is less than minStock.${contest}, ${least}`);
    }
  }
}
