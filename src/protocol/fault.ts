/**
 * Names the place where a value departs from its schema, as a JSON pointer (RFC 6901).
 *
 * A validator's own error list is little use for that where the schema has unions: every branch complains, the
 * wrong ones first. Here a union of objects that carry a literal `kind` is entered only through the branch that
 * the value's `kind` names, so evidence of kind `rc5` is told what is wrong with its `nearMatches`.
 *
 * For the failing path only: it re-checks at each depth, and stops at the first fault.
 */
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';

export interface Fault {
  /** JSON pointer; empty for the whole value. */
  pointer: string;
  /** What is wrong there, in words for a person. */
  message: string;
}

type Branches = readonly TSchema[];

/** The first fault in schema order, or undefined where the value matches. */
export function faultOf(schema: TSchema, value: unknown, pointer = ''): Fault | undefined {
  // As a boolean: narrowing by a schema not known here would leave `never` for the rest.
  const matches: boolean = Value.Check(schema, value);
  if (matches) return undefined;
  const parts = schema as {
    anyOf?: Branches;
    items?: TSchema;
    maxItems?: number;
    minItems?: number;
    properties?: Record<string, TSchema>;
    required?: readonly string[];
    additionalProperties?: unknown;
  };
  if (parts.anyOf !== undefined) return faultOfUnion(parts.anyOf, value, pointer);
  if (parts.properties !== undefined && isRecord(value)) {
    for (const name of parts.required ?? []) {
      if (!(name in value)) return { pointer: `${pointer}/${escaped(name)}`, message: 'is missing' };
    }
    for (const [name, property] of Object.entries(parts.properties)) {
      const fault = name in value ? faultOf(property, value[name], `${pointer}/${escaped(name)}`) : undefined;
      if (fault !== undefined) return fault;
    }
    const known = parts.properties;
    const unknown = Object.keys(value).find((name) => !(name in known));
    if (parts.additionalProperties === false && unknown !== undefined) {
      return { pointer: `${pointer}/${escaped(unknown)}`, message: 'is not a field of this object' };
    }
  }
  if (parts.items !== undefined && Array.isArray(value)) {
    if (parts.maxItems !== undefined && value.length > parts.maxItems) {
      return { pointer, message: `must not have more than ${parts.maxItems} items` };
    }
    for (let i = 0; i < value.length; i++) {
      const fault = faultOf(parts.items, value[i], `${pointer}/${i}`);
      if (fault !== undefined) return fault;
    }
  }
  return { pointer, message: Value.Errors(schema, value)[0]?.message ?? 'is not valid' };
}

function faultOfUnion(some: Branches, value: unknown, pointer: string): Fault {
  const branches = branchesFor(some, value);
  const kinds = branches.map((branch) => (branch as { properties?: { kind?: { const?: unknown } } }).properties?.kind);
  if (kinds.every((kind) => kind?.const !== undefined) && isRecord(value)) {
    const branch = branches[kinds.findIndex((kind) => kind?.const === value['kind'])];
    const fault = branch === undefined ? undefined : faultOf(branch, value, pointer);
    const names = [...new Set(kinds.map((kind) => String(kind?.const)))].join(', ');
    return fault ?? { pointer: `${pointer}/kind`, message: `must be one of: ${names}` };
  }
  const literals = branches.map((branch) => (branch as { const?: unknown }).const);
  return literals.every((literal) => literal !== undefined)
    ? { pointer, message: `must be one of: ${literals.join(', ')}` }
    : { pointer, message: 'matches none of the forms allowed here' };
}

/** Unions within the union are opened; an object or a list is not compared with what can be neither. */
function branchesFor(some: Branches, value: unknown): Branches {
  const all = some.flatMap((branch) => (branch as { anyOf?: Branches }).anyOf ?? [branch]);
  if (typeof value !== 'object' || value === null) return all;
  return all.filter((branch) => ['object', 'array'].includes((branch as { type?: string }).type ?? ''));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
