/** The kinds of entities: their collections, keys, parents and uniqueness. */
import {
  caCertificateSchema,
  certificateDigest,
  certificateSchema,
  sniSchema,
} from './schema/certificate.js';
import { consumerSchema } from './schema/consumer.js';
import {
  aclSchema,
  basicAuthSchema,
  consumerGroupSchema,
  hmacAuthSchema,
  jwtSecretSchema,
  keyAuthSchema,
  membershipSchema,
  oauth2CodeSchema,
  oauth2CredentialSchema,
  oauth2TokenSchema,
} from './schema/credentials.js';
import type { PluginSchemas, RecordSchema } from './schema/field.js';
import { filterChainSchema } from './schema/filter-chain.js';
import { keySchema, keySetSchema } from './schema/key.js';
import { pluginEntitySchema } from './schema/plugin.js';
import { routeSchema } from './schema/route.js';
import { serviceSchema } from './schema/service.js';
import { targetSchema } from './schema/target.js';
import { upstreamSchema } from './schema/upstream.js';
import { vaultSchema } from './schema/vault.js';
import { workspaceSchema } from './schema/workspace.js';
import { hashSecret, passwordHash } from './secret-hash.js';

export type Collection =
  | 'certificates'
  | 'snis'
  | 'ca_certificates'
  | 'upstreams'
  | 'targets'
  | 'services'
  | 'routes'
  | 'consumers'
  | 'consumer_groups'
  | 'consumer_group_consumers'
  | 'keyauth_credentials'
  | 'basicauth_credentials'
  | 'hmacauth_credentials'
  | 'jwt_secrets'
  | 'acls'
  | 'oauth2_credentials'
  | 'oauth2_tokens'
  | 'oauth2_authorization_codes'
  | 'key_sets'
  | 'keys'
  | 'workspaces'
  | 'vaults'
  | 'filter_chains'
  | 'plugins';

export interface EntityKind {
  readonly collection: Collection;
  /** Singular, for messages. */
  readonly type: string;
  /** Field that references may use instead of the id, also the source of generated ids. */
  readonly key: string | null;
  /** Field that names the entity in messages. */
  readonly label: string;
  /** Foreign fields and what they refer to; an entity may be nested under each of these. */
  readonly parents: Readonly<Record<string, Collection>>;
  /** The parents that an entity must have. */
  readonly required?: readonly string[];
  readonly unique: readonly string[];
  /** Fields, foreign ones too, that are unique together; the source of generated ids. */
  readonly uniqueTogether?: readonly string[];
  /** Made of the valid entity unless the document says `_transform: false`. */
  readonly transform?: (
    value: Readonly<Record<string, unknown>>,
    parentId: (field: string) => string,
  ) => Record<string, unknown>;
}

/** What is known by a unique field and belongs to a consumer. */
function credential(
  collection: Collection,
  type: string,
  key: string | null,
  more: Partial<EntityKind> = {},
): EntityKind {
  return {
    collection,
    type,
    key,
    // Keys are secrets; the id is all that messages may show of them.
    label: key === 'username' || key === 'client_id' ? key : 'id',
    parents: { consumer: 'consumers' },
    required: ['consumer'],
    unique: key === null ? [] : [key],
    ...more,
  };
}

/** In the order in which ids and references are resolved: parents first. */
export const entityKinds: Readonly<Record<Collection, EntityKind>> = {
  certificates: {
    collection: 'certificates',
    type: 'certificate',
    key: null,
    label: 'id',
    parents: {},
    unique: [],
  },
  snis: {
    collection: 'snis',
    type: 'sni',
    key: 'name',
    label: 'name',
    parents: { certificate: 'certificates' },
    required: ['certificate'],
    unique: ['name'],
  },
  ca_certificates: {
    collection: 'ca_certificates',
    type: 'ca_certificate',
    key: null,
    label: 'id',
    parents: {},
    unique: [],
    transform: (value) => ({ ...value, cert_digest: certificateDigest(value.cert as string) }),
  },
  upstreams: {
    collection: 'upstreams',
    type: 'upstream',
    key: 'name',
    label: 'name',
    parents: { client_certificate: 'certificates' },
    unique: ['name'],
  },
  targets: {
    collection: 'targets',
    type: 'target',
    key: null,
    label: 'target',
    parents: { upstream: 'upstreams' },
    required: ['upstream'],
    unique: [],
    uniqueTogether: ['upstream', 'target'],
  },
  services: {
    collection: 'services',
    type: 'service',
    key: 'name',
    label: 'name',
    parents: { client_certificate: 'certificates' },
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
  consumer_groups: {
    collection: 'consumer_groups',
    type: 'consumer_group',
    key: 'name',
    label: 'name',
    parents: {},
    unique: ['name'],
  },
  consumer_group_consumers: {
    collection: 'consumer_group_consumers',
    type: 'consumer_group_consumer',
    key: null,
    label: 'id',
    parents: { consumer: 'consumers', consumer_group: 'consumer_groups' },
    required: ['consumer', 'consumer_group'],
    unique: [],
    uniqueTogether: ['consumer', 'consumer_group'],
  },
  keyauth_credentials: credential('keyauth_credentials', 'keyauth_credential', 'key'),
  basicauth_credentials: credential('basicauth_credentials', 'basicauth_credential', 'username', {
    transform: (value, parentId) => ({
      ...value,
      password: passwordHash(value.password as string, parentId('consumer')),
    }),
  }),
  hmacauth_credentials: credential('hmacauth_credentials', 'hmacauth_credential', 'username'),
  jwt_secrets: credential('jwt_secrets', 'jwt_secret', 'key', { label: 'key' }),
  acls: credential('acls', 'acl', null, {
    label: 'group',
    uniqueTogether: ['consumer', 'group'],
  }),
  oauth2_credentials: credential('oauth2_credentials', 'oauth2_credential', 'client_id', {
    label: 'name',
    transform: (value) =>
      value.hash_secret && typeof value.client_secret === 'string'
        ? { ...value, client_secret: hashSecret(value.client_secret) }
        : { ...value },
  }),
  oauth2_tokens: credential('oauth2_tokens', 'oauth2_token', 'access_token', {
    parents: { credential: 'oauth2_credentials', service: 'services' },
    required: ['credential'],
    unique: ['access_token', 'refresh_token'],
  }),
  oauth2_authorization_codes: credential(
    'oauth2_authorization_codes',
    'oauth2_authorization_code',
    'code',
    {
      parents: { credential: 'oauth2_credentials', service: 'services', plugin: 'plugins' },
      required: ['credential'],
    },
  ),
  key_sets: {
    collection: 'key_sets',
    type: 'key_set',
    key: 'name',
    label: 'name',
    parents: {},
    unique: ['name'],
  },
  keys: {
    collection: 'keys',
    type: 'key',
    key: 'name',
    label: 'kid',
    parents: { set: 'key_sets' },
    unique: ['name'],
    uniqueTogether: ['set', 'kid'],
  },
  workspaces: {
    collection: 'workspaces',
    type: 'workspace',
    key: 'name',
    label: 'name',
    parents: {},
    unique: ['name'],
  },
  vaults: {
    collection: 'vaults',
    type: 'vault',
    key: 'prefix',
    label: 'prefix',
    parents: {},
    unique: ['prefix'],
  },
  routes: {
    collection: 'routes',
    type: 'route',
    key: 'name',
    label: 'name',
    parents: { service: 'services' },
    unique: ['name'],
  },
  filter_chains: {
    collection: 'filter_chains',
    type: 'filter_chain',
    key: 'name',
    label: 'name',
    parents: { service: 'services', route: 'routes' },
    unique: ['name'],
  },
  plugins: {
    collection: 'plugins',
    type: 'plugin',
    key: 'instance_name',
    label: 'name',
    parents: {
      service: 'services',
      route: 'routes',
      consumer: 'consumers',
      consumer_group: 'consumer_groups',
    },
    unique: ['instance_name'],
  },
};

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

const schemas: Readonly<Partial<Record<Collection, RecordSchema>>> = {
  certificates: certificateSchema,
  snis: sniSchema,
  ca_certificates: caCertificateSchema,
  upstreams: upstreamSchema,
  targets: targetSchema,
  services: serviceSchema,
  consumers: consumerSchema,
  consumer_groups: consumerGroupSchema,
  consumer_group_consumers: membershipSchema,
  keyauth_credentials: keyAuthSchema,
  basicauth_credentials: basicAuthSchema,
  hmacauth_credentials: hmacAuthSchema,
  jwt_secrets: jwtSecretSchema,
  acls: aclSchema,
  oauth2_credentials: oauth2CredentialSchema,
  oauth2_tokens: oauth2TokenSchema,
  oauth2_authorization_codes: oauth2CodeSchema,
  key_sets: keySetSchema,
  keys: keySchema,
  workspaces: workspaceSchema,
  vaults: vaultSchema,
  filter_chains: filterChainSchema,
};

/** The schema of one entity; that of a plugin depends on its name. */
export function schemaOf(
  collection: Collection,
  options: { flavor: string; plugins: PluginSchemas; pluginName?: unknown },
): RecordSchema {
  if (collection === 'routes') return routeSchema(options.flavor);
  return (
    schemas[collection] ??
    pluginEntitySchema(options.plugins.get(options.pluginName as string)?.schema)
  );
}
