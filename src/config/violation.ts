/** Faults of a single entity in the form of Kong's error 2 (kong-config reference, section 10). */
import { luaText, treeOf } from './kong-error.js';
import type { SchemaError } from './schema/field.js';

export interface SchemaViolation {
  readonly code: 2;
  readonly name: 'schema violation';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** `errors`: at least one, with paths from the entity. */
export function schemaViolation(errors: readonly SchemaError[]): SchemaViolation {
  const fields = treeOf(errors.map(({ path, message, at }) => ({ path, text: message, at })));
  const parts = textsOf(fields);
  const list = parts.join('; ');
  const message =
    parts.length === 1
      ? `schema violation (${list})`
      : `${parts.length} schema violations (${list})`;
  return { code: 2, name: 'schema violation', message, fields };
}

/** Texts about the whole entity, then those of fields by name, one level down by name, too. */
function textsOf(fields: Readonly<Record<string, unknown>>): string[] {
  const texts = [...((fields['@entity'] as string[] | undefined) ?? [])];
  for (const name of Object.keys(fields).sort()) {
    if (name === '@entity') continue;
    const value = fields[name];
    if (typeof value !== 'object' || value === null) {
      texts.push(`${name}: ${value}`);
      continue;
    }
    const steps = Object.keys(value).sort();
    for (const step of steps) {
      const below = (value as Record<string, unknown>)[step];
      const place = Array.isArray(value) ? Number(step) + 1 : step;
      texts.push(`${name}.${place}: ${typeof below === 'string' ? below : luaText(below)}`);
    }
  }
  return texts;
}
