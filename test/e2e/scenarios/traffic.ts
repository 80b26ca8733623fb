/** cors, ip-restriction, rate limits, size limits, bots, correlation, termination, redirect. */
import type { Scenario } from '../../support/scenario.js';
import { ask, errorBody, host, plugin, scenario } from './build.js';

const from = (origin: string, rest: object = {}) => ({ headers: { origin, ...rest } });
const preflight = (origin: string, rest: object = {}) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'PUT', ...rest },
});
const allowed = (value: string | null, vary: string | null, rest: object = {}) => ({
  headers: { 'access-control-allow-origin': value, vary, ...rest },
});
const cors = (config: object) => ({ plugins: [plugin('cors', config)] });

const origins: Scenario[] = [
  scenario(
    'a preflight answer has nothing but its headers',
    cors({ max_age: 10, private_network: true, headers: ['a', 'b'] }),
    ask(preflight('http://a.test', { 'access-control-request-private-network': 'true' }), {
      status: 200,
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT',
        'access-control-allow-headers': 'a,b',
        'access-control-max-age': '10',
        'access-control-allow-private-network': 'true',
        'access-control-allow-credentials': null,
        'content-length': '0',
        'content-type': null,
        vary: null,
      },
      body_matches: '^$',
      upstream_saw: null,
    }),
    ask({ method: 'OPTIONS', headers: { origin: 'http://a.test' } }, { upstream_saw: {} }),
    ask(
      { method: 'OPTIONS', headers: { 'access-control-request-method': 'PUT' } },
      {
        upstream_saw: {},
      },
    ),
  ),
  scenario(
    'several origins',
    cors({ origins: ['http://a.test', 'https://b.test:8443', 'c.test'], credentials: true }),
    ask(
      from('http://a.test:80'),
      allowed('http://a.test', 'Origin', { 'access-control-allow-credentials': 'true' }),
    ),
    ask(from('https://b.test:8443'), allowed('https://b.test:8443', 'Origin')),
    ask(from('https://b.test'), allowed(null, 'Origin')),
    ask(from('http://c.test'), allowed(null, 'Origin')),
    ask({}, allowed(null, 'Origin')),
    ask(preflight('http://a.test'), allowed('http://a.test', 'Origin')),
  ),
  scenario(
    'patterns',
    cors({ origins: ['(.*\\.)?a\\.test', '^https://.*\\.b\\.test$', '(?i)http://UP\\.test'] }),
    ask(from('http://x.a.test:99'), allowed('http://x.a.test:99', 'Origin')),
    ask(from('http://xa.test'), allowed(null, 'Origin')),
    ask(from('https://x.b.test'), allowed('https://x.b.test', 'Origin')),
    ask(from('http://x.b.test'), allowed(null, 'Origin')),
    ask(from('http://up.test'), allowed('http://up.test', 'Origin')),
  ),
  scenario(
    'a star among others, with credentials',
    cors({ origins: ['http://a.test', '*'], credentials: true }),
    ask(from('http://z.test'), allowed('http://z.test', 'Origin, Origin')),
    ask(preflight('http://z.test'), allowed('http://z.test', 'Origin')),
  ),
  scenario(
    'exposed headers and absent origins',
    cors({ exposed_headers: ['x-a', 'x-b'], allow_origin_absent: false }),
    ask(from('http://z.test'), allowed('*', null, { 'access-control-expose-headers': 'x-a,x-b' })),
    ask({}, allowed(null, null, { 'access-control-expose-headers': null })),
  ),
  scenario(
    'preflight_continue adds nothing',
    cors({ preflight_continue: true }),
    ask(preflight('http://a.test'), {
      headers: { 'access-control-allow-origin': null },
      upstream_saw: { method: 'OPTIONS' },
    }),
  ),
  scenario(
    'refusals of other plugins carry the headers',
    { plugins: [plugin('cors'), plugin('key-auth')] },
    ask(from('http://a.test'), { status: 401, ...allowed('*', null) }),
    ask(preflight('http://a.test'), { status: 200, ...allowed('*', null) }),
  ),
];

const limited = (config: object) => ({ plugins: [plugin('rate-limiting', config)] });

const limits: Scenario[] = [
  scenario(
    'two periods, the draft headers tell of the tighter one',
    limited({ minute: 2, hour: 3, policy: 'local' }),
    ask(
      {},
      {
        status: 200,
        headers: {
          'x-ratelimit-limit-minute': '2',
          'x-ratelimit-remaining-minute': '1',
          'x-ratelimit-limit-hour': '3',
          'x-ratelimit-remaining-hour': '2',
          'ratelimit-limit': '2',
          'ratelimit-remaining': '1',
          'ratelimit-reset': { re: '^[0-9]+$' },
          'retry-after': null,
        },
      },
    ),
  ),
  scenario(
    'hidden headers, and a code and a text of its own',
    limited({ hour: 1, hide_client_headers: true, error_code: 418, error_message: 'enough' }),
    ask({}, { status: 200, headers: { 'x-ratelimit-limit-hour': null, 'ratelimit-reset': null } }),
    ask({}, { status: 418, headers: { 'retry-after': null }, ...errorBody('enough') }),
  ),
  scenario(
    'by path, by header, by address',
    limited({ hour: 1, limit_by: 'header', header_name: 'x-user' }),
    ask({ headers: { 'x-user': 'a' } }, { status: 200 }),
    ask({ headers: { 'x-user': 'b' } }, { status: 200 }),
    ask({ headers: { 'x-user': 'a' } }, { status: 429 }),
    ask({}, { status: 200 }),
    ask({}, { status: 429 }),
  ),
  scenario(
    'by path',
    limited({ hour: 1, limit_by: 'path', path: '/one' }),
    ask({ path: '/one?x=1' }, { status: 200 }),
    ask({ path: '/two' }, { status: 200 }),
    ask({ path: '/one' }, { status: 429 }),
    ask({ path: '/three' }, { status: 429 }),
  ),
  scenario(
    'what the upstream says that it cost',
    {
      plugins: [
        plugin('response-ratelimiting', { limits: { video: { hour: 3 }, image: { hour: 5 } } }),
      ],
    },
    ask(
      { headers: { 'x-echo-resp-x-kong-limit': 'video=2, image=1, other=9' } },
      {
        status: 200,
        headers: {
          'x-ratelimit-limit-video-hour': '3',
          'x-ratelimit-remaining-video-hour': '1',
          'x-ratelimit-remaining-image-hour': '4',
          'x-kong-limit': null,
        },
        upstream_saw: { headers: { 'x-ratelimit-remaining-video': '3' } },
      },
    ),
    ask(
      { headers: { 'x-echo-resp-x-kong-limit': 'video=2' } },
      {
        status: 200,
        headers: { 'x-ratelimit-remaining-video-hour': '0' },
      },
    ),
    ask(
      { headers: { 'x-echo-resp-x-kong-limit': 'video=1' } },
      {
        status: 429,
        body_matches: '^$',
        upstream_saw: {},
      },
    ),
    ask({}, { status: 200 }),
  ),
  scenario(
    'block_on_first_violation',
    {
      plugins: [
        plugin('response-ratelimiting', {
          limits: { video: { hour: 1 } },
          block_on_first_violation: true,
        }),
      ],
    },
    ask({ headers: { 'x-echo-resp-x-kong-limit': 'video=1' } }, { status: 200 }),
    ask({}, { status: 429, ...errorBody("API rate limit exceeded for 'video'") }),
  ),
];

const sizes: Scenario[] = [
  scenario(
    'chunked bodies are measured, large ones are not kept',
    {
      plugins: [
        plugin('request-size-limiting', { allowed_payload_size: 2, size_unit: 'kilobytes' }),
      ],
    },
    ask({ method: 'POST', body: 'x'.repeat(2048), chunked: true }, { status: 200 }),
    ask(
      { method: 'POST', body: 'x'.repeat(2049), chunked: true },
      {
        status: 413,
        ...errorBody('Request size limit exceeded'),
      },
    ),
  ),
  scenario(
    'a chunked body beyond what plugins may read',
    { plugins: [plugin('request-size-limiting', {})] },
    ask(
      { method: 'POST', body: 'x'.repeat(1_500_000), chunked: true },
      {
        status: 200,
        upstream_saw: { headers: { 'transfer-encoding': 'chunked' } },
      },
    ),
  ),
];

const others: Scenario[] = [
  scenario(
    'ip-restriction with a status and a text of its own',
    { plugins: [plugin('ip-restriction', { deny: ['127.0.0.0/8'], status: 418, message: 'no' })] },
    ask({}, { status: 418, ...errorBody('no') }),
  ),
  scenario(
    'ip-restriction, IPv6 list',
    { plugins: [plugin('ip-restriction', { allow: ['::/0'] })] },
    ask({}, { status: 403, ...errorBody('IP address not allowed: 127.0.0.1') }),
  ),
  scenario(
    'bots by pattern',
    { plugins: [plugin('bot-detection', { allow: ['(?i)^googlebot'], deny: ['evil'] })] },
    ask({ headers: { 'user-agent': 'Googlebot/2.1' } }, { status: 200 }),
    ask({ headers: { 'user-agent': 'an evil one' } }, { status: 403, ...errorBody('Forbidden') }),
    ask({ headers: { 'user-agent': 'EVIL' } }, { status: 200 }),
  ),
  scenario(
    'correlation: a tracker, echoed also when another plugin answers',
    {
      plugins: [
        plugin('correlation-id', { generator: 'tracker', echo_downstream: true }),
        plugin('request-termination', { status_code: 200 }),
      ],
    },
    ask(
      {},
      {
        status: 200,
        headers: {
          'kong-request-id': { re: '^127\\.0\\.0\\.1-\\d+-\\d+-\\d+-\\d+-\\d+\\.\\d{3}$' },
        },
      },
    ),
  ),
  scenario(
    'correlation: what the client sent',
    { plugins: [plugin('correlation-id', { echo_downstream: true, header_name: 'x-id' })] },
    ask(
      { headers: { 'x-id': 'mine' } },
      {
        headers: { 'x-id': 'mine' },
        upstream_saw: { headers: { 'x-id': 'mine' } },
      },
    ),
    ask({ headers: { 'x-id': '' } }, { headers: { 'x-id': { re: '#\\d+$' } } }),
  ),
  scenario(
    'termination shows the request as other plugins left it',
    {
      plugins: [
        plugin('key-auth'),
        plugin('request-termination', { echo: true, status_code: 404 }),
      ],
      consumers: [{ username: 'bob', keyauth_credentials: [{ key: 'k' }] }],
    },
    ask(
      {
        method: 'POST',
        path: '/p?a=1&b&a=2',
        headers: { apikey: 'k', 'content-type': 'application/json' },
        body: '{"x":1}',
      },
      {
        status: 404,
        body_json_subset: {
          message: 'Not found',
          request: {
            method: 'POST',
            path: '/p',
            host,
            query: { a: ['1', '2'], b: true },
            body: { x: 1 },
            raw_body: '{"x":1}',
            headers: { 'x-consumer-username': 'bob' },
          },
        },
        upstream_saw: null,
      },
    ),
  ),
  scenario(
    'redirect keeps path, query and fragment apart',
    {
      plugins: [
        plugin('redirect', {
          location: 'https://new.test:444/old?q=1#part',
          keep_incoming_path: true,
          status_code: 302,
        }),
      ],
    },
    ask(
      { path: '/a//b/../c?x=%20y' },
      {
        status: 302,
        headers: { location: 'https://new.test:444/a/c?x=%20y#part' },
        body_matches: '^redirecting$',
        upstream_saw: null,
      },
    ),
  ),
];

export const trafficDetails: readonly Scenario[] = [...origins, ...limits, ...sizes, ...others];
