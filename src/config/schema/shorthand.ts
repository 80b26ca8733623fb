/** Input-only names that stand for other fields, and what is shown of those that were replaced. */
import { EnvText, maskText, unwrap } from './env-text.js';
import type { FieldSchema, Path, RecordSchema, SchemaError, Shorthand } from './field.js';
import { isObject } from './object.js';

type Values = Record<string, unknown>;

export interface Expanded {
  readonly input: Values;
  /** Field to the shorthand name that it came from. */
  readonly origin: ReadonlyMap<string, string>;
  readonly failed: boolean;
}

/** Replaces shorthand names by the fields they stand for. */
export function expandShorthands(
  schema: RecordSchema,
  value: Values,
  path: Path,
  errors: SchemaError[],
): Expanded {
  let input = value;
  let failed = false;
  const origin = new Map<string, string>();
  const report = (name: string, message: string) => {
    failed = true;
    errors.push({ path: [...path, name], message, at: 'value' });
  };
  for (const [name, entry] of Object.entries(schema.shorthand_fields ?? {})) {
    if (!Object.hasOwn(value, name)) continue;
    const shorthand = shorthandOf(entry);
    const { [name]: given, ...others } = input;
    input = others;
    if (given === null) continue;
    const message = typeFault(shorthand, unwrap(given)) ?? mismatch(name, shorthand, given, input);
    if (message !== undefined) {
      report(name, message);
      continue;
    }
    try {
      for (const [field, part] of Object.entries(shorthand.expand(unwrap(given)))) {
        origin.set(field, name);
        const secret = given instanceof EnvText && typeof part === 'string';
        input[field] = merged(input[field], secret ? new EnvText(part, given.source) : part);
      }
    } catch (error) {
      report(name, maskText((error as Error).message, given));
    }
  }
  if (schema.prepare) input = schema.prepare(input);
  return { input, origin, failed };
}

/** Old names with the values of the fields that replaced them: they are still shown. */
export function shownShorthands(schema: RecordSchema, value: Values): Values {
  const shown: Values = {};
  for (const [name, entry] of Object.entries(schema.shorthand_fields ?? {})) {
    const places = shorthandOf(entry).deprecation?.replaced_with ?? [];
    if (places.length > 0) shown[name] = valueAt(value, places[0].path);
  }
  return shown;
}

/** Messages for the deprecated names and fields that an input uses. */
export function deprecations(schema: RecordSchema, input: unknown): string[] {
  if (!isObject(input)) return [];
  const found: string[] = [];
  for (const [name, value] of Object.entries(input)) {
    if (value === null) continue;
    const shorthand = schema.shorthand_fields?.[name];
    const field = schema.fields[name];
    const { deprecation } = (shorthand && shorthandOf(shorthand)) ?? field ?? {};
    if (deprecation) found.push(deprecation.message);
    if (field?.type === 'record') found.push(...deprecations(field, value));
  }
  return found;
}

const shorthandOf = (entry: Shorthand | Shorthand['expand']): Shorthand =>
  typeof entry === 'function' ? { expand: entry } : entry;

function typeFault({ type }: Shorthand, value: unknown): string | undefined {
  if (type === undefined || type === 'any') return undefined;
  const { test, expected } = kinds[type];
  return test(value) ? undefined : `expected ${expected}`;
}

const isText = (value: unknown) => typeof value === 'string';

const kinds: Readonly<
  Record<Exclude<FieldSchema['type'], 'any'>, { test(value: unknown): boolean; expected: string }>
> = {
  array: { test: Array.isArray, expected: 'an array' },
  set: { test: Array.isArray, expected: 'a set' },
  map: { test: isObject, expected: 'a map' },
  record: { test: isObject, expected: 'a record' },
  string: { test: isText, expected: 'a string' },
  foreign: { test: isText, expected: 'a string' },
  number: { test: (value) => typeof value === 'number', expected: 'a number' },
  integer: { test: Number.isInteger, expected: 'an integer' },
  boolean: { test: (value) => typeof value === 'boolean', expected: 'a boolean' },
};

/** Old and new name may both be given only if they say the same. */
function mismatch(
  name: string,
  { deprecation }: Shorthand,
  given: unknown,
  input: Values,
): string | undefined {
  const old = unwrap(given);
  for (const { path } of deprecation?.replaced_with ?? []) {
    const value = unwrap(valueAt(input, path));
    if (value === null || JSON.stringify(value) === JSON.stringify(old)) continue;
    return (
      'both deprecated and new field are used but their values mismatch: ' +
      `${name} = ${textOf(old)} vs ${path.join('.')} = ${textOf(value)}`
    );
  }
  return undefined;
}

const textOf = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value);

/** Records are merged, what the shorthand says wins. */
function merged(known: unknown, part: unknown): unknown {
  if (!isObject(known) || !isObject(part)) return part;
  const result: Values = { ...known };
  for (const [name, value] of Object.entries(part)) result[name] = merged(known[name], value);
  return result;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const step of path) {
    if (!isObject(current) || !Object.hasOwn(current, step)) return null;
    current = current[step];
  }
  return current ?? null;
}
