/** Schema of session (kong-bundled-plugins reference, section 27). */
import type { Faults } from '../../../config/schema/field.js';

const headerNames = {
  type: 'set',
  elements: {
    type: 'string',
    one_of: [
      'id',
      'audience',
      'subject',
      'timeout',
      'idling-timeout',
      'rolling-timeout',
      'absolute-timeout',
    ],
  },
} as const;

const seconds = (value: number, description: string) =>
  ({ type: 'number', default: value, description }) as const;

export const fields = {
  secret: {
    type: 'string',
    required: true,
    auto: true,
    encrypted: true,
    referenceable: true,
    description: 'What cookies are encrypted with; without it they end with the next reload.',
  },
  storage: { type: 'string', one_of: ['cookie', 'kong'], default: 'cookie' },
  audience: { type: 'string', default: 'default' },
  idling_timeout: seconds(900, 'Seconds without a request after which a session ends; 0: never.'),
  rolling_timeout: seconds(3600, 'Seconds after which a session is made anew; 0: never.'),
  absolute_timeout: seconds(86_400, 'Seconds after which a session ends in any case; 0: never.'),
  stale_ttl: seconds(10, 'Without effect: nothing is stored in the gateway.'),
  cookie_name: { type: 'string', format: 'header_name', default: 'session' },
  cookie_path: { type: 'string', default: '/', not_match: '[;\\r\\n]' },
  cookie_domain: { type: 'string', not_match: '[;\\r\\n]' },
  cookie_same_site: {
    type: 'string',
    one_of: ['Strict', 'Lax', 'None', 'Default'],
    default: 'Strict',
  },
  cookie_http_only: { type: 'boolean', default: true },
  cookie_secure: { type: 'boolean', default: true },
  remember: { type: 'boolean', default: false, description: 'A second cookie that lasts longer.' },
  remember_cookie_name: { type: 'string', format: 'header_name', default: 'remember' },
  remember_rolling_timeout: seconds(604_800, 'As `rolling_timeout`, for the second cookie.'),
  remember_absolute_timeout: seconds(2_592_000, 'As `absolute_timeout`, for the second cookie.'),
  response_headers: { ...headerNames, description: 'Told to the client as `Session-*`.' },
  request_headers: { ...headerNames, description: 'Told to the upstream as `Session-*`.' },
  read_body_for_logout: { type: 'boolean', default: false },
  logout_methods: {
    type: 'set',
    elements: { type: 'string', one_of: ['GET', 'POST', 'DELETE'] },
    default: ['POST', 'DELETE'],
  },
  logout_query_arg: { type: 'string', default: 'session_logout' },
  logout_post_arg: { type: 'string', default: 'session_logout' },
  hash_subject: { type: 'boolean', default: false },
  store_metadata: { type: 'boolean', default: false },
} as const;

const renamed = (name: string, type: 'number' | 'boolean' | 'string') => ({
  type,
  expand: (value: unknown) => ({ [name]: value }),
  deprecation: {
    message: `this name is deprecated, please use ${name} instead`,
    replaced_with: [{ path: [name] }],
  },
});

export const schema = {
  fields,
  shorthand_fields: {
    cookie_lifetime: renamed('rolling_timeout', 'number'),
    cookie_idletime: renamed('idling_timeout', 'number'),
    cookie_renew: {
      type: 'number',
      expand: () => ({}),
      deprecation: { message: 'this option does not exist any more; sessions renew themselves' },
    },
    cookie_samesite: {
      ...renamed('cookie_same_site', 'string'),
      expand: (value: unknown) => ({ cookie_same_site: value === 'off' ? 'Default' : value }),
    },
    cookie_httponly: renamed('cookie_http_only', 'boolean'),
    cookie_discard: renamed('stale_ttl', 'number'),
    cookie_persistent: renamed('remember', 'boolean'),
  },
  scopes: ['service', 'route', 'global'],
  check,
} as const;

function check(config: Readonly<Record<string, unknown>>): Faults {
  if (config.storage !== 'kong') return {};
  return { storage: "storage 'kong' is not supported without a database; use 'cookie'" };
}
