/**
 * One setting as its schema in `settings.ts` tells of it: its names in the file, in the environment and as a flag, and how a text
 * becomes its value.
 */
import {
  IsArray,
  IsBoolean,
  IsInteger,
  IsNumber,
  IsObject,
  IsRecord,
  IsUnion,
  type TObject,
  type TSchema,
} from 'typebox';
import { faultOf } from '../../protocol/fault.ts';
import type { Note } from './settings.ts';

export interface Setting {
  /** As in the file: `blockLog.dir`. */
  readonly name: string;
  readonly path: readonly string[];
  readonly schema: TSchema;
  readonly note: Note;
  /** As commander wants it: `--block-log-dir <folder>`. */
  readonly flag: string;
  /** The flag's long name: `--block-log-dir`. */
  readonly long: string;
  /** `TABHERD_BLOCK_LOG_DIR` */
  readonly variable: string;
}

/** All settings of a command, those in sections after the section's name. */
export function settingsOf(schema: TObject, above: readonly string[] = []): Setting[] {
  return Object.entries(schema.properties).flatMap(([key, property]) => {
    const path = [...above, key];
    if (IsObject(property)) return settingsOf(property, path);
    const note = property as unknown as Note;
    const words = path.flatMap((part) => part.split(/(?=[A-Z])/)).map((word) => word.toLowerCase());
    const flag = note.flag ?? `--${words.join('-')}${valueInFlag(property, note)}`;
    return [
      {
        name: path.join('.'),
        path,
        schema: property,
        note,
        flag,
        long: /--[a-z-]+/.exec(flag)?.[0] ?? flag,
        variable: note.environment ?? `TABHERD_${words.join('_').toUpperCase()}`,
      },
    ];
  });
}

function valueInFlag(schema: TSchema, { placeholder = 'value' }: Note): string {
  if (IsBoolean(schema)) return '';
  if (takesBoolean(schema)) return ` [${placeholder}...]`;
  return IsArray(schema) || IsRecord(schema) ? ` <${placeholder}...>` : ` <${placeholder}>`;
}

/** The value that a variable's text stands for. What it cannot stand for stays a text, which the check then refuses. */
export function valueOfText({ schema, note }: Setting, text: string): unknown {
  if (IsInteger(schema) || IsNumber(schema)) return numberOf(text);
  if ((IsBoolean(schema) || takesBoolean(schema)) && /^(true|false)$/.test(text)) return text === 'true';
  const items = (): string[] =>
    text
      .split(note.separator ?? ',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  if (IsArray(schema) || takesBoolean(schema)) return items();
  return IsRecord(schema) ? recordOf(items()) : text;
}

/** The value that commander's stands for. */
export function valueOfFlag(setting: Setting, given: unknown): unknown {
  if (typeof given === 'string') return valueOfText(setting, given);
  return Array.isArray(given) && IsRecord(setting.schema) ? recordOf(given as string[]) : given;
}

/** What is wrong with a value, in words that go on from `place: `. */
export function faultIn({ schema, note }: Setting, value: unknown): string | undefined {
  const fault = faultOf(schema, value);
  if (fault === undefined) return undefined;
  const item = fault.pointer.slice(1);
  const what = item === '' ? value : (value as Record<string, unknown>)[item];
  const shown = note.secret === true ? '' : `, not ${JSON.stringify(what)}`;
  if (note.secret === true && 'pattern' in schema) return 'must be 16 to 256 visible characters without spaces';
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  if (IsInteger(schema)) {
    const most = maximum === undefined ? ' or more' : ` to ${maximum}`;
    return `must be a whole number from ${minimum ?? 0}${most}${shown}`;
  }
  const where = item === '' ? '' : /^\d+$/.test(item) ? `item ${Number(item) + 1} ` : `${item} `;
  return `${where}${fault.message}${shown}`;
}

/** `trustProxyHeaders` is true, false or a list. */
function takesBoolean(schema: TSchema): boolean {
  return IsUnion(schema) && schema.anyOf.some((branch) => IsBoolean(branch));
}

function numberOf(text: string): unknown {
  return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
}

function recordOf(items: readonly string[]): unknown {
  const pairs = items.map((item) => item.split('='));
  if (pairs.some((pair) => pair.length !== 2)) return items.join(',');
  return Object.fromEntries(pairs.map(([key = '', value = '']) => [key.trim(), numberOf(value)]));
}
