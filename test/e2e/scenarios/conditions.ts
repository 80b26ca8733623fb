/** `condition` of plugins: an expression that is evaluated for each request. */
import type { Scenario } from '../../support/scenario.js';
import { ask, host, plugin, scenario } from './build.js';

const when = (condition: string, name: string, config: object = {}) => ({
  ...plugin(name, config),
  condition,
});
const stop = (status: number) => ({ status_code: status });
const only = (condition: string) => ({
  plugins: [when(condition, 'request-termination', stop(418))],
});
const holds = { status: 418 };
const fails = { status: 200 };

export const conditionDetails: readonly Scenario[] = [
  scenario(
    'method, path and segments',
    only('http.method == "POST" && (http.path ^= "/a" || http.path.segments.1 == "b")'),
    ask({ method: 'POST', path: '/a' }, holds),
    ask({ method: 'POST', path: '/x/b' }, holds),
    ask({ method: 'POST', path: '/x' }, fails),
    ask({ path: '/a' }, fails),
  ),
  scenario(
    'headers, arguments, host',
    only(
      `any(lower(http.headers.x_a)) == "yes" && http.queries.q != "no" && http.host == "${host}"`,
    ),
    ask({ path: '/p?q=1', headers: { 'X-A': 'YES' } }, holds),
    ask({ path: '/p?q=no', headers: { 'x-a': 'yes' } }, fails),
    ask({ path: '/p?q=1' }, fails),
  ),
  scenario(
    'numbers, addresses, patterns, negation',
    only(
      'http.path.segments.len >= 2 && net.src.ip in 127.0.0.0/8 && !(http.path ~ r#"^/no"#)' +
        ' && net.dst.port > 1 && net.protocol == "http"',
    ),
    ask({ path: '/a/b' }, holds),
    ask({ path: '/no/b' }, fails),
    ask({ path: '/a' }, fails),
  ),
  scenario(
    'what comes later is left out, too, and the others run',
    {
      plugins: [
        when('http.headers.x_on == "1"', 'response-transformer', { add: { headers: ['x-t:1'] } }),
        when('http.headers.x_on == "1"', 'correlation-id', { echo_downstream: true }),
        plugin('rate-limiting', { hour: 9 }),
      ],
    },
    ask(
      { headers: { 'x-on': '1' } },
      {
        headers: { 'x-t': '1', 'kong-request-id': { re: '.' }, 'x-ratelimit-limit-hour': '9' },
      },
    ),
    ask(
      {},
      {
        headers: { 'x-t': null, 'kong-request-id': null, 'x-ratelimit-limit-hour': '9' },
      },
    ),
  ),
  scenario(
    'of a consumer',
    {
      plugins: [plugin('key-auth')],
      consumers: [
        {
          username: 'bob',
          keyauth_credentials: [{ key: 'k' }],
          plugins: [when('http.method == "PUT"', 'request-termination', stop(403))],
        },
      ],
    },
    ask({ headers: { apikey: 'k' } }, { status: 200 }),
    ask({ method: 'PUT', headers: { apikey: 'k' } }, { status: 403 }),
  ),
  scenario(
    'of the whole node, where nothing matches',
    {
      more: {
        plugins: [when('http.path == "/seen"', 'correlation-id', { echo_downstream: true })],
      },
      route: { paths: ['/only'] },
    },
    ask({ path: '/seen' }, { status: 404, headers: { 'kong-request-id': { re: '.' } } }),
    ask({ path: '/other' }, { status: 404, headers: { 'kong-request-id': null } }),
  ),
];
