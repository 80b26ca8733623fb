/** proxy-cache. */
import type { Scenario } from '../../support/scenario.js';
import { ask, plugin, scenario } from './build.js';

const cached = (config: object = {}, more: readonly object[] = []) => ({
  plugins: [
    plugin('proxy-cache', { strategy: 'memory', content_type: ['application/json'], ...config }),
    ...more,
  ],
});
const is = (status: string | null, rest: object = {}) => ({
  headers: { 'x-cache-status': status, ...rest },
});
const key = { re: '^[0-9a-f]{64}$' };
const fresh = { 'x-echo-resp-cache-control': 'max-age=600' };

export const cacheDetails: readonly Scenario[] = [
  scenario(
    'a hit counts as proxied',
    cached(),
    ask(
      { headers: { 'x-echo-resp-x-up': '1', 'x-echo-resp-x-ratelimit-remaining-hour': '9' } },
      {
        ...is('Miss', { 'x-cache-key': key, age: null }),
      },
    ),
    ask(
      {},
      {
        status: 200,
        ...is('Hit', {
          'x-cache-key': key,
          age: { re: '^[01]$' },
          'x-up': '1',
          'x-ratelimit-remaining-hour': null,
          via: { re: '^1\\.1 ' },
          'x-kong-proxy-latency': { re: '^\\d+$' },
          'x-kong-upstream-latency': { re: '^\\d+$' },
          'x-kong-response-latency': null,
        }),
        upstream_saw: null,
      },
    ),
  ),
  scenario(
    'headers switched off, and on again for debugging',
    cached({ response_headers: { age: false, 'X-Cache-Status': false, 'X-Cache-Key': false } }),
    ask({}, is(null, { 'x-cache-key': null })),
    ask({}, { ...is(null, { age: null }), upstream_saw: null }),
    ask(
      { headers: { 'kong-debug': '1' } },
      {
        ...is('Hit', { 'x-cache-key': key, age: { re: '^[01]$' } }),
        upstream_saw: null,
      },
    ),
  ),
  scenario(
    'methods, statuses and types that are not kept',
    cached(),
    ask({ method: 'POST', body: 'x' }, is('Bypass', { 'x-cache-key': null })),
    ask({ headers: { 'x-echo-status': '500' } }, is('Bypass', { 'x-cache-key': key })),
    ask(
      { headers: { 'x-echo-resp-content-type': 'application/json; charset=utf-8' } },
      is('Bypass'),
    ),
    ask({ method: 'HEAD' }, is('Miss')),
    ask({ method: 'HEAD' }, { ...is('Hit'), upstream_saw: null }),
    ask({}, is('Miss')),
  ),
  scenario(
    'arguments: order and repetition do not matter, values do',
    cached(),
    ask({ path: '/p?a=1&b=2&a=3' }, is('Miss')),
    ask({ path: '/p?b=2&a=3&a=1' }, is('Hit')),
    ask({ path: '/p?b=2&a=3' }, is('Miss')),
    ask({ path: '/P?b=2&a=3' }, is('Miss')),
  ),
  scenario(
    'chosen arguments, chosen headers, any case',
    cached({ vary_query_params: ['a'], vary_headers: ['x-v'], ignore_uri_case: true }),
    ask({ path: '/p?a=1&b=2' }, is('Miss')),
    ask({ path: '/P?a=1&b=3' }, is('Hit')),
    ask({ path: '/p?a=1', headers: { 'x-v': '1' } }, is('Miss')),
    ask({ path: '/p?a=1', headers: { 'X-V': '1' } }, is('Hit')),
  ),
  scenario(
    'cache_control of the request',
    cached({ cache_control: true }),
    ask(
      { headers: { 'cache-control': 'only-if-cached' } },
      {
        status: 504,
        ...is(null, { 'x-cache-key': key }),
        upstream_saw: null,
      },
    ),
    ask({ headers: { 'cache-control': 'no-cache' } }, is('Bypass')),
    ask({ headers: { 'cache-control': 'no-store' } }, is('Bypass')),
    ask({}, is('Bypass')),
    ask({ headers: fresh }, is('Miss')),
    ask({ headers: { 'cache-control': 'min-fresh=900' } }, is('Bypass')),
    ask({ headers: { 'cache-control': 'min-fresh=10' } }, is('Hit')),
    ask({ headers: { authorization: 'x' } }, is('Hit')),
  ),
  scenario(
    'what the upstream does not want kept',
    cached({ cache_control: true }),
    ...['private, max-age=9', 'no-cache, max-age=9', 'max-age=0'].map((value) =>
      ask({ headers: { 'x-echo-resp-cache-control': value } }, is('Bypass')),
    ),
    ask(
      { headers: { 'x-echo-resp-expires': new Date(Date.now() + 60_000).toUTCString() } },
      {
        ...is('Miss'),
      },
    ),
    ask({}, is('Hit')),
  ),
  scenario(
    'an entry that is kept longer than it is fresh',
    cached({ cache_ttl: 1, storage_ttl: 60 }),
    ask({}, is('Miss')),
    ask({ waitMs: 2500 }, { ...is('Refresh'), upstream_saw: {} }),
    ask({}, { ...is('Hit'), upstream_saw: null }),
  ),
  scenario(
    'later plugins do not run for hits, earlier ones do',
    cached({}, [plugin('rate-limiting', { hour: 2 }), plugin('request-transformer', {})]),
    ask({}, is('Miss', { 'x-ratelimit-remaining-hour': '1' })),
    ask({}, is('Hit', { 'x-ratelimit-remaining-hour': '0' })),
    ask({}, { status: 429, ...is(null) }),
  ),
  scenario(
    'answers of plugins are marked, too',
    cached({}, [plugin('request-termination', { status_code: 503 })]),
    ask({}, { status: 503, ...is('Bypass', { 'x-cache-key': key }) }),
  ),
];
