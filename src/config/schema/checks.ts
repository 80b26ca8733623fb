/** Rules between the fields of a record, with Kong's texts. */
import type { Condition, EntityCheck, Path, RecordSchema, SchemaError } from './field.js';

type Values = Readonly<Record<string, unknown>>;

/**
 * The faults of a record whose fields were checked: `errors` are theirs. A check is skipped where
 * one of its fields is in error; the schema's own function where anything is.
 */
export function checkFaults(
  schema: RecordSchema,
  value: Values,
  path: Path,
  errors: readonly SchemaError[],
): SchemaError[] {
  const broken = new Set(errors.map((error) => error.path[path.length]));
  const found: SchemaError[] = [];
  const checks = [...(schema.entity_checks ?? [])];
  if (schema.at_least_one_of) checks.push({ at_least_one_of: schema.at_least_one_of });
  for (const check of checks) {
    if (fieldsOf(check).some((name) => broken.has(name.split('.')[0]))) continue;
    found.push(...runCheck(check, value, path));
  }
  if (schema.check && errors.length === 0 && found.length === 0) {
    for (const [name, message] of Object.entries(schema.check(value))) {
      found.push(faultAt(path, name, message));
    }
  }
  return found;
}

function faultAt(path: Path, name: string, message: string): SchemaError {
  if (name === '@entity') return { path, message, at: 'entity' };
  const below = name.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return { path: [...path, ...below], message, at: 'value' };
}

function fieldsOf(check: EntityCheck): readonly string[] {
  if ('conditional' in check) return [check.conditional.if_field, check.conditional.then_field];
  return Object.values(check)[0] as readonly string[];
}

function runCheck(check: EntityCheck, value: Values, path: Path): SchemaError[] {
  const entity = (message: string): SchemaError[] => [{ path, message, at: 'entity' }];
  if ('conditional' in check) return runConditional(check.conditional, value, path);
  const names = fieldsOf(check);
  const list = names.map((name) => `'${name}'`).join(', ');
  const count = names.filter((name) => !isEmpty(valueAt(value, name))).length;
  if ('at_least_one_of' in check) {
    return count > 0 ? [] : entity(`at least one of these fields must be non-empty: ${list}`);
  }
  if ('only_one_of' in check) {
    return count === 1 ? [] : entity(`exactly one of these fields must be non-empty: ${list}`);
  }
  if ('mutually_exclusive' in check) {
    return count <= 1 ? [] : entity(`only one or none of these fields must be set: ${list}`);
  }
  if ('mutually_required' in check) {
    if (count === 0 || count === names.length) return [];
    return entity(`all or none of these fields must be set: ${list}`);
  }
  const values = names.map((name) => valueAt(value, name)).filter((item) => !isEmpty(item));
  const different = new Set(values.map((item) => JSON.stringify(item))).size === values.length;
  return different ? [] : entity(`values of these fields must be distinct: ${list}`);
}

function runConditional(
  rule: Extract<EntityCheck, { conditional: unknown }>['conditional'],
  value: Values,
  path: Path,
): SchemaError[] {
  if (conditionFault(rule.if_match, valueAt(value, rule.if_field)) !== undefined) return [];
  const message = conditionFault(rule.then_match, valueAt(value, rule.then_field));
  if (message === undefined) return [];
  const whole = `failed conditional validation given value of field '${rule.if_field}'`;
  return [faultAt(path, rule.then_field, message), { path, message: whole, at: 'entity' }];
}

function conditionFault(condition: Condition, value: unknown): string | undefined {
  if ('required' in condition) return isEmpty(value) ? 'required field missing' : undefined;
  if ('eq' in condition) {
    return value === condition.eq ? undefined : `value must be ${condition.eq}`;
  }
  if ('one_of' in condition) {
    const { one_of: list } = condition;
    return list.includes(value) ? undefined : `expected one of: ${list.join(', ')}`;
  }
  if ('not_one_of' in condition) {
    const { not_one_of: list } = condition;
    return list.includes(value) ? `must not be one of: ${list.join(', ')}` : undefined;
  }
  if ('gt' in condition) {
    const above = typeof value === 'number' && value > condition.gt;
    return above ? undefined : `value must be greater than ${condition.gt}`;
  }
  const holds = Array.isArray(value) && value.includes(condition.contains);
  return holds ? undefined : `expected to contain: ${condition.contains}`;
}

function valueAt(value: unknown, name: string): unknown {
  let current = value;
  for (const part of name.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part))
      return null;
    current = (current as Values)[part];
  }
  return current;
}

/** Null, the empty string, the empty list and the empty object. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
