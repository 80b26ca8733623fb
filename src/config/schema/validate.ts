/**
 * Checks values against schemas and fills defaults in; collects every error instead of the first.
 */
import { randomInt } from 'node:crypto';
import { didYouMean } from '../nearest.js';
import { checkFaults } from './checks.js';
import { convert, EnvText, maskText, unwrap } from './env-text.js';
import type {
  ArrayField,
  FieldSchema,
  MapField,
  Path,
  RecordSchema,
  SchemaError,
  Validated,
} from './field.js';
import { leafFault } from './leaf.js';

type Errors = SchemaError[];

const missing = 'required field missing';

/**
 * Checks a value against a schema and fills the defaults in; `path` is put before error paths.
 * A value that is no object gives the error `expected a record`. Never throws for bad values.
 */
export function validateRecord(schema: RecordSchema, value: unknown, path: Path = []): Validated {
  const errors: Errors = [];
  const result = validateFields(schema, value, path, errors);
  return { value: result ?? {}, errors };
}

/** Whether a value is a plain object (arrays and EnvText are not). */
export function isObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return !Array.isArray(value) && !(value instanceof EnvText);
}

function fault(errors: Errors, path: Path, message: string, at: SchemaError['at'] = 'value'): null {
  errors.push({ path, message, at });
  return null;
}

function validateFields(
  schema: RecordSchema,
  value: unknown,
  path: Path,
  errors: Errors,
): Record<string, unknown> | null {
  if (!isObject(value)) return fault(errors, path, 'expected a record');
  const firstError = errors.length;
  const { input, origin, failed } = expandShorthands(schema, value, path, errors);
  reportUnknown(schema, input, path, errors);
  const result: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.fields)) {
    const given = Object.hasOwn(input, name) ? input[name] : undefined;
    const simple = given === undefined && field.type !== 'record' && !field.required;
    // Most fields of most entities are absent: they cost no path.
    result[name] = simple ? absent(field) : validateValue(field, given, [...path, name], errors);
  }
  const own = errors.splice(firstError);
  const between = checkFaults(schema, result, path, own);
  for (const error of maskAll(between, value)) own.push(error);
  for (const error of own) {
    // What a broken shorthand would have given is not missing.
    if (failed && error.message === missing && error.path.length === path.length + 1) continue;
    const shorthand = origin.get(error.path[path.length] as string);
    errors.push(shorthand === undefined ? error : { ...error, given: [...path, shorthand] });
  }
  return result;
}

function reportUnknown(
  schema: RecordSchema,
  input: Record<string, unknown>,
  path: Path,
  errors: Errors,
): void {
  for (const key of Object.keys(input)) {
    if (Object.hasOwn(schema.fields, key)) continue;
    const known = [...Object.keys(schema.fields), ...Object.keys(schema.shorthand_fields ?? {})];
    const hint = didYouMean(key, known);
    errors.push({ path: [...path, key], message: 'unknown field', at: 'key', hint });
  }
}

/** Replaces shorthand names by the fields they stand for; `origin`: field to shorthand name. */
function expandShorthands(
  schema: RecordSchema,
  value: Record<string, unknown>,
  path: Path,
  errors: Errors,
): { input: Record<string, unknown>; origin: Map<string, string>; failed: boolean } {
  let input = value;
  let failed = false;
  const origin = new Map<string, string>();
  for (const [name, expand] of Object.entries(schema.shorthand_fields ?? {})) {
    if (!Object.hasOwn(value, name)) continue;
    const { [name]: given, ...others } = input;
    input = others;
    if (given === null) continue;
    try {
      const expanded = expand(unwrap(given));
      for (const [field, part] of Object.entries(expanded)) {
        origin.set(field, name);
        const secret = given instanceof EnvText && typeof part === 'string';
        input[field] = secret ? new EnvText(part, given.source) : part;
      }
    } catch (error) {
      failed = true;
      fault(errors, [...path, name], maskText((error as Error).message, given));
    }
  }
  if (schema.prepare) input = schema.prepare(input);
  return { input, origin, failed };
}

function maskAll(errors: SchemaError[], value: unknown): SchemaError[] {
  return errors.map((error) => ({ ...error, message: maskText(error.message, value) }));
}

function validateValue(field: FieldSchema, value: unknown, path: Path, errors: Errors): unknown {
  if (value === undefined || (value === null && field.null_is_default)) {
    return fillMissing(field, path, errors);
  }
  if (value === null) {
    const required = field.required ?? field.type === 'record';
    return required ? fault(errors, path, missing) : null;
  }
  return validatePresent(field, value, path, errors);
}

function fillMissing(field: FieldSchema, path: Path, errors: Errors): unknown {
  if (field.type === 'record') {
    if (field.required === false && field.default === undefined) return null;
    return validateFields(field, field.default ?? {}, path, errors);
  }
  const value = absent(field);
  return value === null && field.required ? fault(errors, path, missing) : value;
}

/** What a field is where nothing is given: a copy of its default, or null. */
function absent(field: FieldSchema): unknown {
  if (field.type === 'foreign' || field.type === 'record') return null;
  if (field.auto) return randomText();
  return field.default === undefined ? null : unwrap(field.default);
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 32 random letters and digits: what Kong gives a secret that was left out. */
function randomText(): string {
  return Array.from({ length: 32 }, () => alphabet[randomInt(alphabet.length)]).join('');
}

function validatePresent(field: FieldSchema, value: unknown, path: Path, errors: Errors): unknown {
  switch (field.type) {
    case 'record':
      return validateFields(field, value, path, errors);
    case 'array':
    case 'set':
      return validateList(field, value, path, errors);
    case 'map':
      return validateMap(field, value, path, errors);
    case 'any':
      return unwrap(value);
    case 'foreign':
      return isReference(value) ? unwrap(value) : fault(errors, path, 'expected a string');
    default: {
      const converted = convert(value, field.type);
      const message = leafFault(field, converted, value);
      return message === undefined ? converted : fault(errors, path, message);
    }
  }
}

function validateList(field: ArrayField, value: unknown, path: Path, errors: Errors): unknown {
  const article = field.type === 'array' ? 'expected an array' : 'expected a set';
  if (!Array.isArray(value)) return fault(errors, path, article);
  const items = value.map((item, index) =>
    requiredValue(field.elements, item, [...path, index], errors),
  );
  sizeFault(field, value.length, path, errors);
  if (field.type === 'array') return items;
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = JSON.stringify(item);
    return !seen.has(key) && seen.add(key);
  });
}

function validateMap(field: MapField, value: unknown, path: Path, errors: Errors): unknown {
  if (!isObject(value)) return fault(errors, path, 'expected a map');
  const entries = Object.entries(value).map(([key, item]) => {
    const place = [...path, key];
    const message = leafFault(field.keys, key, key);
    if (message !== undefined) fault(errors, place, message, 'key');
    return [key, requiredValue(field.values, item, place, errors)] as const;
  });
  sizeFault(field, entries.length, path, errors);
  return Object.fromEntries(entries);
}

/** Elements of lists and maps are never null, as in Kong. */
function requiredValue(field: FieldSchema, value: unknown, path: Path, errors: Errors): unknown {
  if (value === null || value === undefined) return fault(errors, path, missing);
  return validatePresent(field, value, path, errors);
}

function sizeFault(field: ArrayField | MapField, size: number, path: Path, errors: Errors): void {
  const { len_min: min, len_max: max } = field;
  if (min !== undefined && size < min) fault(errors, path, `length must be at least ${min}`);
  if (max !== undefined && size > max) fault(errors, path, `length must be at most ${max}`);
}

function isReference(value: unknown): boolean {
  if (typeof value === 'string' || value instanceof EnvText) return true;
  if (!isObject(value)) return false;
  const members = Object.values(value);
  const [only] = members;
  return members.length === 1 && (typeof only === 'string' || only instanceof EnvText);
}
