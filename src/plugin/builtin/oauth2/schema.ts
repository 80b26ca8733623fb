/** Schema of oauth2 (kong-bundled-plugins reference, section 20). */
import type { Faults } from '../../../config/schema/field.js';

const flag = { type: 'boolean', required: true, default: false } as const;

const grants = [
  'enable_authorization_code',
  'enable_implicit_grant',
  'enable_client_credentials',
  'enable_password_grant',
] as const;

export const fields = {
  scopes: { type: 'array', elements: { type: 'string' } },
  mandatory_scope: flag,
  provision_key: { type: 'string', auto: true, encrypted: true },
  token_expiration: { type: 'number', required: true, default: 7200, description: 'Seconds.' },
  enable_authorization_code: flag,
  enable_implicit_grant: flag,
  enable_client_credentials: flag,
  enable_password_grant: flag,
  hide_credentials: flag,
  accept_http_if_already_terminated: flag,
  anonymous: { type: 'string' },
  global_credentials: flag,
  auth_header_name: { type: 'string', default: 'authorization' },
  refresh_token_ttl: {
    type: 'number',
    required: true,
    between: [0, 100_000_000],
    default: 1_209_600,
    description: 'Seconds; 0: for ever.',
  },
  reuse_refresh_token: flag,
  pkce: { type: 'string', default: 'lax', one_of: ['none', 'lax', 'strict'] },
  realm: { type: 'string' },
} as const;

export const schema = {
  fields,
  scopes: ['service', 'route', 'global'],
  protocols: ['http', 'https', 'grpc', 'grpcs'],
  entity_checks: [
    {
      conditional: {
        if_field: 'mandatory_scope',
        if_match: { eq: true },
        then_field: 'scopes',
        then_match: { required: true },
      },
    },
  ],
  check(config: Readonly<Record<string, unknown>>): Faults {
    if (grants.some((name) => config[name] === true)) return {};
    const message = `at least one of these fields must be true: ${grants.join(', ')}`;
    return { '@entity': message };
  },
} as const;
