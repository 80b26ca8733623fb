/**
 * What plugins add to an exchange in core and shell, without sockets: the same rows as the scenario
 * `plugins` of bench/e2e, each compiled into the core where it can be, and in the shell.
 */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { type AnyPlugin, definePlugin } from '../src/plugin/define.js';
import { bundledPlugins } from '../src/plugin/registry.js';
import { BATCH, ExchangeCycle } from './lib/exchange-cycle.js';
import type { BenchSuite } from './lib/suite.js';

const userPlugin = definePlugin({
  name: 'user-sync',
  version: '1.0.0',
  priority: 1000,
  schema: { fields: {} },
  access(ctx) {
    ctx.service.request.setHeader('X-Tenant', ctx.request.header('host') ?? 'none');
  },
});

/** The same behind key-auth and rate-limiting. */
const latePlugin = definePlugin({ ...userPlugin, name: 'user-late', priority: 500 });

const plugins = new Map<string, AnyPlugin>([
  ...bundledPlugins.map((plugin) => [plugin.name, plugin] as const),
  [userPlugin.name, userPlugin as AnyPlugin],
  [latePlugin.name, latePlugin as AnyPlugin],
]);

interface Row {
  readonly name: string;
  readonly plugins: readonly object[];
  readonly consumers?: number;
  /** Value of Authorization; default: none. */
  readonly authorization?: string;
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = (alg: string) => `${part({ alg, typ: 'JWT' })}.${part({ iss: alg })}`;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const bySecret = createHmac('sha256', 'secret').update(unsigned('HS256')).digest('base64url');
const byKey = sign('sha256', Buffer.from(unsigned('RS256')), rsa.privateKey).toString('base64url');

/** What the first consumer has besides its key. */
const credentials = {
  acls: [{ group: 'users' }],
  basicauth_credentials: [{ username: 'bench', password: 'secret' }],
  jwt_secrets: [
    { key: 'HS256', secret: 'secret' },
    {
      key: 'RS256',
      algorithm: 'RS256',
      rsa_public_key: rsa.publicKey.export({ type: 'spki', format: 'pem' }),
    },
  ],
};

const keyed = { name: 'key-auth' };
const limited = { name: 'rate-limiting', config: { hour: 4_000_000_000, policy: 'local' } };
const rows: readonly Row[] = [
  { name: 'none', plugins: [] },
  { name: 'key-auth', plugins: [keyed] },
  { name: 'rate-limiting', plugins: [limited] },
  { name: 'both, 1 consumer', plugins: [keyed, limited] },
  { name: 'both, 1,000 consumers', plugins: [keyed, limited], consumers: 1000 },
  {
    name: 'key-auth and acl',
    plugins: [keyed, { name: 'acl', config: { allow: ['users'] } }],
  },
  {
    name: 'basic-auth',
    plugins: [{ name: 'basic-auth' }],
    authorization: `Basic ${btoa('bench:secret')}`,
  },
  {
    name: 'jwt, HS256',
    plugins: [{ name: 'jwt' }],
    authorization: `Bearer ${unsigned('HS256')}.${bySecret}`,
  },
  {
    name: 'jwt, RS256',
    plugins: [{ name: 'jwt' }],
    authorization: `Bearer ${unsigned('RS256')}.${byKey}`,
  },
  { name: 'cors', plugins: [{ name: 'cors' }] },
  {
    name: 'ip-restriction',
    plugins: [{ name: 'ip-restriction', config: { allow: ['127.0.0.0/8'] } }],
  },
  {
    name: 'correlation-id',
    plugins: [{ name: 'correlation-id', config: { echo_downstream: true } }],
  },
  {
    name: 'request-transformer',
    plugins: [
      {
        name: 'request-transformer',
        config: { add: { headers: ['X-Added:1'] }, remove: { headers: ['X-Removed'] } },
      },
    ],
  },
  {
    name: 'termination untriggered',
    plugins: [{ name: 'request-termination', config: { trigger: 'x-stop' } }],
  },
  {
    name: 'response-transformer',
    plugins: [{ name: 'response-transformer', config: { add: { headers: ['X-Added:1'] } } }],
  },
  { name: 'bot-detection', plugins: [{ name: 'bot-detection' }] },
  { name: "a user's", plugins: [{ name: 'user-sync' }] },
  { name: "both, then a user's", plugins: [keyed, limited, { name: 'user-late' }] },
];

const keyOf = (index: number) => `key-${String(index).padStart(4, '0')}`;

function cycleOf(row: Row, compiled: boolean): ExchangeCycle {
  const { consumers: keys = 1, authorization } = row;
  const more = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
  return new ExchangeCycle({
    name: row.name,
    plugins,
    service: { plugins: row.plugins },
    consumers: Array.from({ length: keys }, (_, index) => ({
      username: `consumer-${index}`,
      keyauth_credentials: [{ key: keyOf(index) }],
      ...(index === 0 && credentials),
    })),
    settings: { compiled_plugins: compiled ? 'on' : 'off' },
    request: (n) =>
      `GET /bench HTTP/1.1\r\nHost: 127.0.0.1:8000\r\napikey: ${keyOf(n % keys)}\r\n${more}\r\n`,
  });
}

function suiteOf(name: string, compiled: boolean): BenchSuite {
  return {
    name,
    quickest: true,
    cases: rows.map((row) => {
      return { name: row.name, fn: cycleOf(row, compiled).run, operations: BATCH };
    }),
  };
}

export const suites: readonly BenchSuite[] = [
  suiteOf('An exchange with plugins, compiled into the core where they can be', true),
  suiteOf('An exchange with plugins in the shell', false),
];
