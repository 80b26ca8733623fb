/** The schemas of consumers' credentials and of the entities that belong to them. */
import { createPublicKey } from 'node:crypto';
import { tags, uuid } from './common.js';
import type { Faults, Fields, ForeignField, NumberField, RecordSchema } from './field.js';

const base = {
  id: { ...uuid, description: 'UUID; made from the unique field if absent.' },
  created_at: { type: 'integer', description: 'Epoch seconds; set at load if absent.' },
  tags,
} as const satisfies Fields;

const consumer: ForeignField = {
  type: 'foreign',
  reference: 'consumers',
  description: 'Whose it is; left out where it is nested in the consumer.',
};

const ttl: NumberField = {
  type: 'integer',
  between: [0, 100_000_000],
  description: 'Seconds after `created_at` that it is valid; 0 or absent: for ever.',
};

export const keyAuthSchema: RecordSchema = {
  fields: {
    ...base,
    consumer,
    key: {
      type: 'string',
      auto: true,
      encrypted: true,
      description: 'Unique key; 32 random characters if absent.',
    },
    ttl,
  },
};

export const basicAuthSchema: RecordSchema = {
  fields: {
    ...base,
    consumer,
    username: { type: 'string', required: true, description: 'Unique.' },
    password: {
      type: 'string',
      required: true,
      encrypted: true,
      description: 'Kept as a hash; with `_transform: false` it is one already.',
    },
  },
};

export const hmacAuthSchema: RecordSchema = {
  fields: {
    ...base,
    consumer,
    username: { type: 'string', required: true, description: 'Unique.' },
    secret: { type: 'string', auto: true, encrypted: true, description: 'Random if absent.' },
  },
};

const jwtAlgorithms = ['HS', 'RS', 'ES', 'PS'].flatMap((family) =>
  [256, 384, 512].map((bits) => `${family}${bits}`),
);
/** Those that Kong wants a public key for. */
const needKey = jwtAlgorithms.filter((name) => /^[RP]S/.test(name)).concat('EdDSA');

export const jwtSecretSchema: RecordSchema = {
  fields: {
    ...base,
    consumer,
    key: { type: 'string', auto: true, description: 'Unique; what tokens carry as `iss`.' },
    secret: { type: 'string', auto: true, encrypted: true, description: 'Random if absent.' },
    rsa_public_key: {
      type: 'string',
      description: 'PEM, for every algorithm but HS256, HS384 and HS512.',
    },
    algorithm: { type: 'string', default: 'HS256', one_of: [...jwtAlgorithms, 'EdDSA'] },
  },
  entity_checks: needKey.map((algorithm) => ({
    conditional: {
      if_field: 'algorithm',
      if_match: { eq: algorithm },
      then_field: 'rsa_public_key',
      then_match: { required: true },
    },
  })),
  check: ({ algorithm, rsa_public_key: pem }): Faults =>
    needKey.includes(algorithm as string) && !isPublicKey(pem as string)
      ? { rsa_public_key: 'invalid key' }
      : {},
};

function isPublicKey(pem: string): boolean {
  try {
    createPublicKey(pem);
    return true;
  } catch {
    return false;
  }
}

export const aclSchema: RecordSchema = {
  fields: {
    ...base,
    consumer,
    group: { type: 'string', required: true, description: 'Unique for the consumer.' },
  },
};

export const oauth2CredentialSchema: RecordSchema = {
  fields: {
    ...base,
    consumer,
    name: { type: 'string', required: true, description: 'Of the application.' },
    client_id: { type: 'string', auto: true, description: 'Unique; random if absent.' },
    client_secret: { type: 'string', auto: true, encrypted: true },
    hash_secret: {
      type: 'boolean',
      required: true,
      default: false,
      description: 'Keep only a hash of the secret.',
    },
    redirect_uris: {
      type: 'array',
      elements: { type: 'string', check: redirectFault },
      description: 'Absolute, without fragment.',
    },
    client_type: {
      type: 'string',
      required: true,
      default: 'confidential',
      one_of: ['confidential', 'public'],
    },
  },
};

function redirectFault(value: string): string | undefined {
  if (!URL.canParse(value)) return `cannot parse '${value}'`;
  if (value.includes('#')) return `fragment not allowed in '${value}'`;
  return undefined;
}

export const oauth2TokenSchema: RecordSchema = {
  fields: {
    ...base,
    credential: { type: 'foreign', reference: 'oauth2_credentials' },
    service: { type: 'foreign', reference: 'services' },
    token_type: { type: 'string', required: true, default: 'bearer', one_of: ['bearer'] },
    expires_in: { type: 'integer', required: true, description: 'Seconds; 0: for ever.' },
    access_token: { type: 'string', auto: true, encrypted: true, description: 'Unique.' },
    refresh_token: { type: 'string', encrypted: true, description: 'Unique.' },
    authenticated_userid: { type: 'string' },
    scope: { type: 'string' },
    ttl,
  },
};

export const oauth2CodeSchema: RecordSchema = {
  fields: {
    ...base,
    credential: { type: 'foreign', reference: 'oauth2_credentials' },
    service: { type: 'foreign', reference: 'services' },
    plugin: { type: 'foreign', reference: 'plugins' },
    code: { type: 'string', auto: true, encrypted: true, description: 'Unique; good once.' },
    authenticated_userid: { type: 'string' },
    scope: { type: 'string' },
    challenge: { type: 'string', description: 'Of PKCE (RFC 7636).' },
    challenge_method: { type: 'string', one_of: ['S256'] },
    ttl,
  },
};

export const consumerGroupSchema: RecordSchema = {
  fields: {
    ...base,
    updated_at: { type: 'integer', description: 'Epoch seconds; set at load if absent.' },
    name: { type: 'string', required: true, description: 'Unique.' },
  },
};

export const membershipSchema: RecordSchema = {
  fields: {
    ...base,
    consumer,
    consumer_group: { type: 'foreign', reference: 'consumer_groups' },
  },
};
