/** The JSON Schema (draft 2020-12) of the declarative format, for editors. */
import { type Collection, childrenOf, entityKinds, formatVersions, schemaOf } from '../entities.js';
import type { FieldSchema, PluginSchemas, RecordSchema, StringField } from './field.js';
import type { Format } from './formats.js';

type Json = Record<string, unknown>;

const env = { $ref: '#/$defs/env' };

/** Formats that a pattern can say well enough; the loader checks the rest. */
const patterns: Partial<Record<Format, string>> = {
  uuid: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
  name: '^[A-Za-z0-9.\\-_~\\u0080-\\uffff]+$',
  header_name: '^[A-Za-z0-9_-]+$',
  path: '^/',
  router_path: '^~?/',
  url: '^[A-Za-z][A-Za-z0-9+.-]*://',
};

/**
 * The schema of a configuration file. `plugins`: names that are allowed, and the config of each;
 * without it any plugin and any config passes.
 */
export function jsonSchema(plugins?: PluginSchemas): Json {
  const kinds = Object.values(entityKinds);
  const defs: Json = {
    env: {
      description: 'A reference to the environment: ${NAME} or ${NAME:-default}.',
      type: 'string',
      pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}',
    },
    reference: {
      description: 'The id or the name of another entity.',
      anyOf: [
        { type: ['string', 'null'], minLength: 1 },
        { type: 'object', minProperties: 1, maxProperties: 1 },
      ],
    },
  };
  for (const { collection, type } of kinds) defs[type] = entity(collection, plugins);
  for (const [name, { schema }] of plugins ?? []) defs[`plugin:${name}`] = record(schema);
  const lists = kinds.map(({ collection }) => [collection, list(collection)]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Headgate configuration',
    type: 'object',
    required: ['_format_version'],
    properties: {
      _format_version: { enum: formatVersions, description: 'A string: quote it in YAML.' },
      _transform: { type: 'boolean', default: true },
      ...notes,
      ...Object.fromEntries(lists),
    },
    additionalProperties: false,
    $defs: defs,
  };
}

const notes: Json = {
  _comment: { type: ['string', 'null'] },
  _ignore: { type: ['array', 'null'] },
};

function list(collection: Collection): Json {
  return { type: ['array', 'null'], items: { $ref: `#/$defs/${entityKinds[collection].type}` } };
}

function entity(collection: Collection, plugins?: PluginSchemas): Json {
  const flavor = 'expressions';
  const schema = record(schemaOf(collection, { flavor, plugins: new Map() }));
  const properties = schema.properties as Json;
  Object.assign(properties, notes);
  for (const child of childrenOf(collection).keys()) properties[child] = list(child);
  if (collection !== 'plugins') return schema;
  properties.config = { type: ['object', 'null'] };
  if (!plugins) return schema;
  const names = [...plugins.keys()];
  properties.name = { anyOf: [{ enum: names }, env] };
  const rules = names.map((name) => ({
    if: { properties: { name: { const: name } }, required: ['name'] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: { properties: { config: { anyOf: [{ $ref: `#/$defs/plugin:${name}` }, nothing] } } },
  }));
  return names.length === 0 ? schema : { ...schema, allOf: rules };
}

const nothing = { type: 'null' };

function record(schema: RecordSchema): Json {
  const entries = Object.entries(schema.fields);
  const properties: Json = {};
  for (const [name, field] of entries) properties[name] = optional(field);
  const shorthands = Object.keys(schema.shorthand_fields ?? {});
  for (const name of shorthands) properties[name] = { type: 'string' };
  const required = entries.filter(([, field]) => isRequired(field)).map(([name]) => name);
  const rules: Json[] = [];
  const atLeast = [schema.at_least_one_of ?? [], ...checksOf(schema)];
  for (const names of atLeast) rules.push(...anyOfFields(schema, names));
  // A shorthand may stand for required fields.
  if (shorthands.length > 0 && required.length > 0) {
    rules.push({ anyOf: [{ required }, ...shorthands.map((name) => ({ required: [name] }))] });
  }
  return {
    type: 'object',
    properties,
    additionalProperties: false,
    ...(shorthands.length === 0 && required.length > 0 && { required }),
    ...(rules.length > 0 && { allOf: rules }),
  };
}

function checksOf(schema: RecordSchema): (readonly string[])[] {
  return (schema.entity_checks ?? []).flatMap((check) =>
    'at_least_one_of' in check ? [check.at_least_one_of] : [],
  );
}

/** Left to the loader: rules that a default fulfils, and those with dotted names. */
function anyOfFields(schema: RecordSchema, names: readonly string[]): Json[] {
  const fields = names.map((name) => schema.fields[name]);
  if (fields.length === 0 || fields.some((field) => !field || 'default' in field)) return [];
  return [{ anyOf: names.map((name) => ({ required: [name] })) }];
}

function isRequired(field: FieldSchema): boolean {
  return field.required === true && field.type !== 'record' && !('default' in field);
}

function optional(field: FieldSchema): Json {
  const about: Json = {};
  if (field.description !== undefined) about.description = field.description;
  if ('default' in field && field.default !== undefined) about.default = field.default;
  const alternatives = alternativesOf(field);
  if (!field.required) alternatives.push(nothing);
  return alternatives.length === 1
    ? { ...about, ...alternatives[0] }
    : { ...about, anyOf: alternatives };
}

function alternativesOf(field: FieldSchema): Json[] {
  switch (field.type) {
    case 'string':
      return stringAlternatives(field);
    case 'number':
    case 'integer': {
      const { type, one_of: values, between, gt } = field;
      const bounds = between && { minimum: between[0], maximum: between[1] };
      const above = gt !== undefined && { exclusiveMinimum: gt };
      return [{ type, ...(values && { enum: values }), ...bounds, ...above }, env];
    }
    case 'boolean':
      return [{ type: 'boolean' }, env];
    case 'array':
    case 'set': {
      const { len_min: minItems, len_max: maxItems } = field;
      const bounds = { ...(minItems !== undefined && { minItems }), ...(maxItems && { maxItems }) };
      return [{ type: 'array', items: element(field.elements), ...bounds }];
    }
    case 'map':
      return [{ type: 'object', additionalProperties: element(field.values) }];
    case 'record':
      return [record(field)];
    case 'foreign':
      return [{ $ref: '#/$defs/reference' }];
    default:
      return [{}];
  }
}

function element(field: FieldSchema): Json {
  return optional({ ...field, required: true } as FieldSchema);
}

function stringAlternatives(field: StringField): Json[] {
  const { one_of: values, len_min: minLength = 1, len_max: maxLength, starts_with: start } = field;
  const pattern =
    (field.match && `^(?:${field.match})$`) ??
    (start === undefined ? undefined : `^${start.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`) ??
    (field.format && patterns[field.format]);
  const schema: Json = {
    type: 'string',
    ...(values && { enum: [...values, ...(field.also ?? [])] }),
    ...(minLength > 0 && { minLength }),
    // Bytes are at least as many as characters.
    ...(maxLength !== undefined && { maxLength }),
    ...(pattern !== undefined && { pattern }),
  };
  return values || pattern !== undefined ? [schema, env] : [schema];
}
