/** Schemas in the JSON form that Kong's Admin API shows them in: what tools such as decK read. */
import type { FieldSchema, Fields, PluginSchema, RecordSchema, Shorthand } from './field.js';
import { pluginEntitySchema } from './plugin.js';

type Json = Record<string, unknown>;

/** Functions and what only this project has are left out. */
const own: ReadonlySet<string> = new Set(['also', 'format', 'check', 'prepare', 'null_is_default']);

/** A record: `fields` as a list of objects with one key, and its checks. */
export function describeRecord(schema: RecordSchema): Json {
  const checks = [...(schema.entity_checks ?? [])].filter(
    (check) => !('custom_entity_check' in check),
  );
  if (schema.at_least_one_of) checks.push({ at_least_one_of: schema.at_least_one_of });
  const shorthands = Object.entries(schema.shorthand_fields ?? {});
  return {
    fields: describeFields(schema.fields),
    ...(checks.length > 0 && { entity_checks: checks }),
    ...(shorthands.length > 0 && {
      shorthand_fields: shorthands.map(([name, entry]) => ({ [name]: describeShorthand(entry) })),
    }),
  };
}

/** What `GET /schemas/plugins/{name}` answers: the parts of the entity that the plugin narrows. */
export function describePlugin(plugin: PluginSchema): Json {
  const { fields } = pluginEntitySchema(plugin);
  const narrowed: Json[] = [];
  for (const scope of ['consumer', 'route', 'service'] as const) {
    if (plugin.scopes && !plugin.scopes.includes(scope)) {
      narrowed.push({ [scope]: { type: 'foreign', reference: `${scope}s`, eq: null } });
    }
  }
  narrowed.push({ protocols: describeField(fields.protocols) });
  narrowed.push({ config: { ...describeField(fields.config), required: true } });
  return { fields: narrowed, entity_checks: [] };
}

const describeFields = (fields: Fields): Json[] =>
  Object.entries(fields).map(([name, field]) => ({ [name]: describeField(field) }));

function describeShorthand(entry: Shorthand | Shorthand['expand']): Json {
  if (typeof entry === 'function') return { type: 'string' };
  const { type = 'string', deprecation } = entry;
  return { type, ...(deprecation && { deprecation }) };
}

function describeField(field: FieldSchema): Json {
  const described: Json = {};
  for (const [name, value] of Object.entries(field)) {
    if (own.has(name) || typeof value === 'function' || value === undefined) continue;
    described[name] = value;
  }
  switch (field.type) {
    case 'record':
      return { ...described, ...describeRecord(field), required: field.required ?? true };
    case 'array':
    case 'set':
      return { ...described, elements: describeField(field.elements) };
    case 'map':
      return {
        ...described,
        keys: describeField(field.keys),
        values: describeField(field.values),
      };
    default:
      return described;
  }
}
