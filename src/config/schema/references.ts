/** Puts secrets in the place of the references that stand for them. */
import { isReference } from '../vault.js';
import type { FieldSchema, Fields } from './field.js';

/**
 * A copy of a valid record with every `{vault://...}` of a referenceable field replaced; the record
 * itself where there is none.
 * @param resolve gives the secret; the empty string where there is none
 */
export function withSecrets(
  fields: Fields,
  value: Readonly<Record<string, unknown>>,
  resolve: (reference: string) => string,
): Readonly<Record<string, unknown>> {
  let copy: Record<string, unknown> | null = null;
  for (const [name, field] of Object.entries(fields)) {
    const made = replaced(field, value[name], resolve);
    if (made === value[name]) continue;
    copy ??= { ...value };
    copy[name] = made;
  }
  return copy ?? value;
}

function replaced(
  field: FieldSchema,
  value: unknown,
  resolve: (reference: string) => string,
): unknown {
  if (value === null || value === undefined) return value;
  switch (field.type) {
    case 'string':
      return field.referenceable && isReference(value) ? resolve(value) : value;
    case 'record':
      return withSecrets(field.fields, value as Record<string, unknown>, resolve);
    case 'array':
    case 'set': {
      const list = value as readonly unknown[];
      const made = list.map((item) => replaced(field.elements, item, resolve));
      return made.some((item, index) => item !== list[index]) ? made : value;
    }
    case 'map': {
      const entries = Object.entries(value as Record<string, unknown>);
      const made = entries.map(([key, item]) => [key, replaced(field.values, item, resolve)]);
      return made.some(([, item], index) => item !== entries[index][1])
        ? Object.fromEntries(made)
        : value;
    }
    default:
      return value;
  }
}
