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
  Fields,
  MapField,
  Path,
  RecordSchema,
  SchemaError,
  Validated,
} from './field.js';
import { equalityFault, leafFault, lengthFault } from './leaf.js';
import { isObject } from './object.js';
import { expandShorthands, shownShorthands } from './shorthand.js';

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
  const { template, entries } = shapeOf(schema.fields);
  const result: Record<string, unknown> = { ...template };
  for (const [name, field] of entries) {
    const given = Object.hasOwn(input, name) ? input[name] : undefined;
    const simple = given === undefined && field.type !== 'record' && !field.required;
    // Most fields of most entities are absent: they cost no path.
    result[name] = simple ? absent(field) : validateValue(field, given, [...path, name], errors);
  }
  if (schema.shorthand_fields) Object.assign(result, shownShorthands(schema, result));
  const own = errors.length > firstError ? errors.splice(firstError) : [];
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

interface Shape {
  /** Null for every field. */
  readonly template: Readonly<Record<string, null>>;
  readonly entries: readonly (readonly [name: string, field: FieldSchema])[];
}

const shapes = new WeakMap<Fields, Shape>();

/**
 * Records of a schema are copies of one template: objects that get their fields one by one under
 * computed names become hash tables in V8, and everything that reads them later is slow.
 */
function shapeOf(fields: Fields): Shape {
  let shape = shapes.get(fields);
  if (!shape) {
    const entries = Object.entries(fields);
    const nulls = Object.fromEntries(entries.map(([name]) => [name, null]));
    // What the JSON parser makes is laid out as a literal in the source would be.
    shape = { template: JSON.parse(JSON.stringify(nulls)), entries };
    shapes.set(fields, shape);
  }
  return shape;
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
  const before = errors.length;
  const result = validateType(field, value, path, errors);
  if (errors.length > before || isLeaf(field)) return result;
  const message = equalityFault(field, result);
  return message === undefined ? result : fault(errors, path, field.err ?? message);
}

const isLeaf = ({ type }: FieldSchema): boolean =>
  type === 'string' || type === 'number' || type === 'integer' || type === 'boolean';

function validateType(field: FieldSchema, value: unknown, path: Path, errors: Errors): unknown {
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
  const message = listFault(field, items);
  if (message !== undefined) fault(errors, path, field.err ?? message);
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
  const message = lengthFault(field, size);
  if (message !== undefined) fault(errors, path, field.err ?? message);
}

function listFault(field: ArrayField, items: readonly unknown[]): string | undefined {
  const { contains, mutually_exclusive_subsets: subsets, check } = field;
  if (contains !== undefined && !items.includes(contains)) {
    return `expected to contain: ${contains}`;
  }
  const used = subsets?.filter((subset) => items.some((item) => subset.includes(item))) ?? [];
  if (used.length > 1) {
    const list = used.map((subset) => `(${subset.map((item) => `'${item}'`).join(', ')})`);
    return `these sets are mutually exclusive: ${list.join(', ')}`;
  }
  return check?.(items);
}

function isReference(value: unknown): boolean {
  if (typeof value === 'string' || value instanceof EnvText) return true;
  if (!isObject(value)) return false;
  const members = Object.values(value);
  const [only] = members;
  return members.length === 1 && (typeof only === 'string' || only instanceof EnvText);
}
