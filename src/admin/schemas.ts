/** Schemas of entities and plugins, and the check of single entities against them. */
import type { IncomingMessage } from 'node:http';
import { type Collection, entityKinds, schemaOf } from '../config/entities.js';
import { describePlugin, describeRecord } from '../config/schema/describe.js';
import type { PluginSchemas, SchemaError } from '../config/schema/field.js';
import { isObject } from '../config/schema/object.js';
import { unknownPlugin } from '../config/schema/plugin.js';
import { validateRecord } from '../config/schema/validate.js';
import { vaultSchema } from '../config/schema/vault.js';
import { schemaViolation } from '../config/violation.js';
import type { FilterMeta } from '../filter/meta.js';
import { readBody } from './body.js';
import type { AdminAnswer } from './entities.js';

export interface SchemaSource {
  readonly plugins: PluginSchemas;
  readonly filters: ReadonlyMap<string, { readonly meta: Pick<FilterMeta, 'configSchema'> }>;
  readonly routerFlavor: string;
}

/**
 * Answers `GET /schemas/{entity}`, `/schemas/plugins/{name}`, `/schemas/vaults/{name}` and
 * `/schemas/filters/{name}`, which is the JSON Schema beside the module; null: no such path.
 */
export function readSchema(parts: readonly string[], source: SchemaSource): AdminAnswer | null {
  const [root, first, name] = parts;
  if (root !== 'schemas' || first === undefined || parts.length > 3) return null;
  if (name !== undefined) {
    if (first === 'filters') {
      const filter = source.filters.get(name);
      if (filter) return { status: 200, body: filter.meta.configSchema ?? {} };
      return { status: 404, body: { message: `No filter named '${name}'` } };
    }
    if (first === 'vaults') return readVaultSchema(name);
    if (first !== 'plugins') return null;
    const plugin = source.plugins.get(name);
    if (plugin) return { status: 200, body: describePlugin(plugin.schema) };
    return { status: 404, body: { message: `No plugin named '${name}'` } };
  }
  const schema = entitySchema(first, source);
  if (schema) return { status: 200, body: describeRecord(schema) };
  return { status: 404, body: { message: `No entity named '${first}'` } };
}

/** The part of the entity that a kind of vault narrows. */
function readVaultSchema(name: string): AdminAnswer {
  if (name !== 'env') return { status: 404, body: { message: `No vault named '${name}'` } };
  const { fields } = describeRecord({ fields: { config: vaultSchema.fields.config } });
  return { status: 200, body: { fields } };
}

/** Whether a path is one of `POST /schemas/{entity}/validate`. */
export const isValidation = (parts: readonly string[]): boolean =>
  parts.length === 3 && parts[0] === 'schemas' && parts[2] === 'validate';

/**
 * Answers `POST /schemas/{entity}/validate` and `/schemas/plugins/validate`.
 * @throws GatewayError GW_E_ADMIN_BODY for a body above `bytesMax`
 */
export async function validateEntity(
  parts: readonly string[],
  request: IncomingMessage,
  bytesMax: number,
  source: SchemaSource,
): Promise<AdminAnswer> {
  const text = (await readBody(request, bytesMax)).toString('utf8');
  const type = request.headers['content-type'] ?? '';
  if (text !== '' && !type.startsWith('application/json')) return { status: 415 };
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch {
    return { status: 400, body: { message: 'Cannot parse JSON body' } };
  }
  const collection = parts[1];
  const name = isObject(value) ? value.name : undefined;
  const schema = entitySchema(collection, source, name);
  if (!schema) return { status: 404, body: { message: `No entity named '${collection}'` } };
  const errors = [...validateRecord(schema, value).errors];
  if (collection === 'plugins') errors.push(...unknownName(name, source));
  if (errors.length > 0) return { status: 400, body: schemaViolation(errors) };
  return { status: 200, body: { message: 'schema validation successful' } };
}

function entitySchema(collection: string, source: SchemaSource, pluginName?: unknown) {
  if (!Object.hasOwn(entityKinds, collection)) return null;
  const { plugins, routerFlavor: flavor } = source;
  return schemaOf(collection as Collection, { flavor, plugins, pluginName });
}

function unknownName(name: unknown, { plugins }: SchemaSource): SchemaError[] {
  const fault = unknownPlugin(name, String(name), plugins);
  return fault ? [{ ...fault, path: ['name'] }] : [];
}
