/** The kinds of entities: their collections, keys, parents and uniqueness. */
import { consumerSchema } from './schema/consumer.js';
import type { PluginSchemas, RecordSchema } from './schema/field.js';
import { pluginEntitySchema } from './schema/plugin.js';
import { routeSchema } from './schema/route.js';
import { serviceSchema } from './schema/service.js';

export type Collection = 'services' | 'routes' | 'consumers' | 'plugins';

export interface EntityKind {
  readonly collection: Collection;
  /** Singular, for messages. */
  readonly type: 'service' | 'route' | 'consumer' | 'plugin';
  /** Field that references may use instead of the id, also the source of generated ids. */
  readonly key: string | null;
  /** Field that names the entity in messages. */
  readonly label: string;
  /** Foreign fields and what they refer to; an entity may be nested under each of these. */
  readonly parents: Readonly<Record<string, Collection>>;
  readonly unique: readonly string[];
}

/** In the order in which ids and references are resolved: parents first. */
export const entityKinds: Readonly<Record<Collection, EntityKind>> = {
  services: {
    collection: 'services',
    type: 'service',
    key: 'name',
    label: 'name',
    parents: {},
    unique: ['name'],
  },
  consumers: {
    collection: 'consumers',
    type: 'consumer',
    key: 'username',
    label: 'username',
    parents: {},
    unique: ['username', 'custom_id'],
  },
  routes: {
    collection: 'routes',
    type: 'route',
    key: 'name',
    label: 'name',
    parents: { service: 'services' },
    unique: ['name'],
  },
  plugins: {
    collection: 'plugins',
    type: 'plugin',
    key: 'instance_name',
    label: 'name',
    parents: { service: 'services', route: 'routes', consumer: 'consumers' },
    unique: ['instance_name'],
  },
};

/** Kong's other collections: refused where they hold something. */
export const unsupportedCollections: readonly string[] = [
  'upstreams',
  'targets',
  'certificates',
  'ca_certificates',
  'snis',
  'vaults',
  'keys',
  'key_sets',
  'filter_chains',
  'workspaces',
  'keyauth_credentials',
  'basicauth_credentials',
  'hmacauth_credentials',
  'jwt_secrets',
  'oauth2_credentials',
  'oauth2_tokens',
  'oauth2_authorization_codes',
  'acls',
];

export const formatVersions = ['1.1', '2.1', '3.0'] as const;

/** Collections that may stand inside an entity of this kind, with the field that they fill. */
export function childrenOf(parent: Collection): ReadonlyMap<Collection, string> {
  const found = new Map<Collection, string>();
  for (const kind of Object.values(entityKinds)) {
    for (const [field, reference] of Object.entries(kind.parents)) {
      if (reference === parent) found.set(kind.collection, field);
    }
  }
  return found;
}

/** The schema of one entity; that of a plugin depends on its name. */
export function schemaOf(
  collection: Collection,
  options: { flavor: string; plugins: PluginSchemas; pluginName?: unknown },
): RecordSchema {
  switch (collection) {
    case 'services':
      return serviceSchema;
    case 'routes':
      return routeSchema(options.flavor);
    case 'consumers':
      return consumerSchema;
    default:
      return pluginEntitySchema(options.plugins.get(options.pluginName as string)?.schema);
  }
}
