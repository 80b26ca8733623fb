/** The same plugins in the core and in the shell, and requests that tell them apart. */
import { request as ask } from 'node:http';
import { onTestFinished } from 'vitest';
import type { AnyPlugin } from '../../src/plugin/define.js';
import { openEcho } from './echo-upstream.js';
import { startGateway } from './gateway.js';
import { joined, type Seen } from './scenario.js';

export interface Request {
  readonly path?: string;
  readonly method?: string;
  /** Names and values in turn, so that a field may be repeated. */
  readonly headers?: readonly string[];
}

export const consumers = [
  {
    username: 'jo',
    custom_id: 'c-1',
    keyauth_credentials: [{ key: 'open' }, { key: 'k'.repeat(300) }, { key: 'caf\u00e9' }],
  },
  { username: 'z\u0142y', keyauth_credentials: [{ key: 'unspeakable' }] },
  { custom_id: 'only-custom', keyauth_credentials: [{ key: 'custom' }] },
  { username: 'late', keyauth_credentials: [{ key: 'ended', ttl: 1, created_at: 1 }] },
];

export const config = (port: number, plugins: readonly object[], more: object = {}) => ({
  _format_version: '3.0',
  services: [
    {
      name: 'one',
      url: `http://127.0.0.1:${port}`,
      routes: [{ name: 'all', paths: ['/'], plugins }],
    },
  ],
  consumers,
  ...more,
});

export async function send(port: number, given: Request) {
  const { path = '/p', method = 'GET', headers = [] } = given;
  const options = { port, host: '127.0.0.1', path, method, agent: false };
  return new Promise<{ status: number; headers: Record<string, string>; body: string }>(
    (resolve, reject) => {
      const sent = ask({ ...options, headers: ['Host', 'a.example', ...headers] }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (part) => {
          body += part;
        });
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          resolve({ status, headers: joined(response.rawHeaders), body });
        });
      });
      sent.on('error', reject).end();
    },
  );
}

/** Ids, times and what differs between two connections. */
const volatile =
  /^(date|x-kong-|(x-)?ratelimit-(remaining|reset)|retry-after|x-forwarded-port|content-length)/;
const withoutVolatile = (headers: Readonly<Record<string, unknown>> = {}) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !volatile.test(name)));
export const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
/** Texts that are made anew for each request are compared by their form. */
const masked = (value: object): unknown =>
  JSON.parse(JSON.stringify(value).replace(/[0-9a-f]{32}/g, 'ID'));
const idsMasked = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value).replace(new RegExp(`${uuid.source}#\\d+`, 'g'), 'COUNTED'));

export async function pair(plugins: readonly object[], own: readonly AnyPlugin[] = []) {
  const echo = await openEcho();
  onTestFinished(() => echo.close());
  const given = config(echo.port, plugins);
  const start = (compiled_plugins: string) =>
    startGateway({ config: given, plugins: own, settings: { compiled_plugins } });
  const gateways = [await start('on'), await start('off')];
  /** What both of them make of a request. */
  const both = async (request: Request) => {
    const results = [];
    for (const { proxyPort } of gateways) {
      const seen: readonly Seen[] = echo.watch();
      const answer = await send(proxyPort, request);
      const upstream = seen.map((one) => ({ ...one, headers: withoutVolatile(one.headers) }));
      const body = upstream.length > 0 ? '' : answer.body;
      results.push(
        idsMasked(masked({ ...answer, body, headers: withoutVolatile(answer.headers), upstream })),
      );
    }
    return results;
  };
  return { both, gateways, echo };
}

export const keyAuth = (more: object = {}) => ({ name: 'key-auth', config: more });

export const limited = (more: object = {}) => ({
  name: 'rate-limiting',
  config: { policy: 'local', minute: 1000, ...more },
});

export const transformer = {
  name: 'request-transformer',
  config: {
    remove: { headers: ['X-Old', 'X-Consumer-Custom-ID'] },
    replace: { headers: ['X-New:replaced', 'X-Consumer-Username:somebody'] },
    add: { headers: ['X-Old:again', 'X-Added:1', 'X-Consumer-Username:nobody'] },
    append: { headers: ['X-Added:2', 'X-Many::3', 'X-None:'] },
  },
};

export const mixed: readonly Request[] = [
  {},
  { headers: ['apikey', 'open'] },
  { headers: ['apikey', 'open', 'Origin', 'https://a.example'] },
  { headers: ['Origin', 'https://other.example', 'X-Old', '1', 'x-new', '2'] },
  { method: 'OPTIONS', headers: ['Origin', 'https://a.example'] },
  {
    method: 'OPTIONS',
    headers: ['Origin', 'https://a.example', 'Access-Control-Request-Method', 'PUT'],
  },
  { headers: ['x-stop', ''] },
  { path: '/p?x-stop' },
  { path: '/p?x%2Dstop=1' },
  { path: '/p?a=%20b' },
  { headers: ['Kong-Request-ID', 'given', 'apikey', 'open'] },
  { headers: ['Kong-Request-ID', 'caf\u00e9'] },
  { headers: ['Kong-Request-ID', ''] },
  { headers: ['X-Echo-Status', '404'] },
  { headers: ['X-Echo-Resp-Access-Control-Allow-Origin', 'mine', 'X-Echo-Resp-Vary', 'Accept'] },
  { headers: ['X-Echo-Resp-RateLimit-Limit', '7'] },
  { method: 'HEAD', headers: ['X-Old', '1', 'X-Old', '2'] },
];
