/** Rules between the fields of a record, with Kong's texts. */
import { isReference } from '../vault.js';
import { conditionFault, isEmpty } from './conditions.js';
import type {
  Conditional,
  ConditionalAtLeastOneOf,
  CustomEntityCheck,
  EntityCheck,
} from './entity-check.js';
import type { Path, RecordSchema, SchemaError } from './field.js';

type Values = Readonly<Record<string, unknown>>;

/**
 * The faults of a record whose fields were checked: `errors` are theirs. A check is skipped where
 * one of its fields is in error or a reference to a secret; the schema's own function where
 * anything is in error.
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
    const names = fieldsOf(check);
    const custom = 'custom_entity_check' in check ? check.custom_entity_check : null;
    const invalid = names.some((name) => broken.has(name.split('.')[0]));
    if (invalid && !custom?.run_with_invalid_fields) continue;
    if (names.some((name) => isReference(valueAt(value, name)))) continue;
    found.push(...(custom ? runCustom(custom, value, path) : runCheck(check, value, path)));
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
  if (name.startsWith('@entity:')) {
    return { path, message, at: 'entity', given: [...path, name.slice('@entity:'.length)] };
  }
  const below = name.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return { path: [...path, ...below], message, at: 'value' };
}

function fieldsOf(check: EntityCheck): readonly string[] {
  if ('conditional' in check) return [check.conditional.if_field, check.conditional.then_field];
  if ('custom_entity_check' in check) return check.custom_entity_check.field_sources;
  if ('mutually_exclusive_sets' in check) {
    const { set1, set2 } = check.mutually_exclusive_sets;
    return [...set1, ...set2];
  }
  if ('conditional_at_least_one_of' in check) {
    const rule = check.conditional_at_least_one_of;
    const otherwise = rule.else_then_at_least_one_of ?? [];
    return [rule.if_field, ...rule.then_at_least_one_of, ...otherwise];
  }
  return Object.values(check)[0] as readonly string[];
}

function runCheck(check: EntityCheck, value: Values, path: Path): SchemaError[] {
  if ('conditional' in check) return runConditional(check.conditional, value, path);
  const message = wholeFault(check, value);
  return message === undefined ? [] : [{ path, message, at: 'entity' }];
}

/** The message about a record as a whole, undefined where the check holds. */
function wholeFault(check: EntityCheck, value: Values): string | undefined {
  if ('conditional_at_least_one_of' in check) {
    return atLeastFault(check.conditional_at_least_one_of, value);
  }
  const names = fieldsOf(check);
  const list = quoted(names);
  const count = countOf(names, value);
  if ('at_least_one_of' in check) {
    return count > 0 ? undefined : `at least one of these fields must be non-empty: ${list}`;
  }
  if ('only_one_of' in check) {
    return count === 1 ? undefined : `exactly one of these fields must be non-empty: ${list}`;
  }
  if ('mutually_exclusive' in check) {
    return count <= 1 ? undefined : `only one or none of these fields must be set: ${list}`;
  }
  if ('mutually_required' in check) {
    const whole = count === 0 || count === names.length;
    return whole ? undefined : `all or none of these fields must be set: ${list}`;
  }
  if ('mutually_exclusive_sets' in check) {
    const { set1, set2 } = check.mutually_exclusive_sets;
    if (countOf(set1, value) === 0 || countOf(set2, value) === 0) return undefined;
    return `these sets are mutually exclusive: (${quoted(set1)}), (${quoted(set2)})`;
  }
  const values = names.map((name) => valueAt(value, name)).filter((item) => !isEmpty(item));
  const different = new Set(values.map((item) => JSON.stringify(item))).size === values.length;
  return different ? undefined : `values of these fields must be distinct: ${list}`;
}

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

const countOf = (names: readonly string[], value: Values): number =>
  names.filter((name) => !isEmpty(valueAt(value, name))).length;

function runConditional(rule: Conditional, value: Values, path: Path): SchemaError[] {
  if (conditionFault(rule.if_match, valueAt(value, rule.if_field)) !== undefined) return [];
  const message = conditionFault(rule.then_match, valueAt(value, rule.then_field));
  if (message === undefined) return [];
  const whole =
    rule.then_err ?? `failed conditional validation given value of field '${rule.if_field}'`;
  return [faultAt(path, rule.then_field, message), { path, message: whole, at: 'entity' }];
}

function atLeastFault(rule: ConditionalAtLeastOneOf, value: Values): string | undefined {
  const given = valueAt(value, rule.if_field);
  const fault = (names: readonly string[], text: string | undefined) => {
    if (countOf(names, value) > 0) return undefined;
    const plain = `at least one of these fields must be non-empty: ${quoted(names)}`;
    return text === undefined ? plain : text.replace('%s', () => String(given));
  };
  if (conditionFault(rule.if_match, given) === undefined) {
    return fault(rule.then_at_least_one_of, rule.then_err);
  }
  if (!rule.else_match || conditionFault(rule.else_match, given) !== undefined) return undefined;
  return fault(rule.else_then_at_least_one_of ?? [], rule.else_then_err);
}

function runCustom(check: CustomEntityCheck, value: Values, path: Path): SchemaError[] {
  const values = Object.fromEntries(
    check.field_sources.map((name) => [name, valueAt(value, name)]),
  );
  const missing = Object.values(values).some((item) => item === null);
  if (missing && !check.run_with_missing_fields) return [];
  return Object.entries(check.fn(values)).map(([name, message]) => faultAt(path, name, message));
}

function valueAt(value: unknown, name: string): unknown {
  let current = value;
  for (const part of name.split('.')) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part))
      return null;
    current = (current as Values)[part];
  }
  return current ?? null;
}
