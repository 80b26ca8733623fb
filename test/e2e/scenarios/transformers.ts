/** request-transformer and response-transformer. */
import type { Scenario } from '../../support/scenario.js';
import { ask, errorBody, plugin, scenario } from './build.js';

const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const request = (config: object, rest: object = {}) => ({
  plugins: [plugin('request-transformer', config)],
  ...rest,
});
const response = (config: object) => ({ plugins: [plugin('response-transformer', config)] });
const saw = (headers: Readonly<Record<string, unknown>>) => ({
  status: 200,
  upstream_saw: { headers },
});
const nested = '['.repeat(5000) + ']'.repeat(5000);

const heads: Scenario[] = [
  scenario(
    'headers: remove, rename, replace, add, append, in this order',
    request({
      remove: { headers: ['X-A'] },
      rename: { headers: ['x-b:X-C'] },
      replace: { headers: ['x-c:r', 'x-none:r', 'host:up.test'] },
      add: { headers: ['x-a:new', 'x-c:no', 'x-url:http://a:1/'] },
      append: { headers: ['x-c:more', 'x-new:1'] },
    }),
    ask(
      { headers: { 'x-a': '1', 'x-b': '2' } },
      saw({
        'x-a': 'new',
        'x-b': null,
        'x-c': 'r, more',
        'x-none': null,
        host: 'up.test',
        'x-url': 'http://a:1/',
        'x-new': '1',
      }),
    ),
  ),
  scenario(
    'a header renamed over another',
    request({ rename: { headers: ['x-old:x-new'] } }),
    ask({ headers: { 'x-old': '1', 'x-new': '2' } }, saw({ 'x-old': null, 'x-new': '1' })),
  ),
  scenario(
    'entries without value',
    request({ add: { headers: ['x-a:'] }, replace: { headers: ['x-b:'] } }),
    ask({ headers: { 'x-b': '1' } }, saw({ 'x-a': null, 'x-b': '1' })),
  ),
  scenario(
    'queries are written anew, sorted',
    request({
      remove: { querystring: ['r'] },
      rename: { querystring: ['o:n', 'gone:z'] },
      replace: { querystring: ['p:2', 'none:1'] },
      add: { querystring: ['a:1', 'z:no'] },
      append: { querystring: ['z:2', 'flag:1'] },
    }),
    ask(
      { path: '/p?z=1&r=1&o=x%20y&p=1&flag' },
      {
        upstream_saw: { path: '/p?a=1&flag=1&n=x%20y&p=2&z=1&z=2' },
      },
    ),
  ),
  scenario(
    'the method, with the form in the query',
    request({ http_method: 'GET' }),
    ask(
      { method: 'POST', path: '/p?a=1', headers: form, body: 'a=2&b=3' },
      {
        upstream_saw: { method: 'GET', path: '/p?a=1&a=2&b=3' },
      },
    ),
  ),
  scenario(
    'templates',
    request(
      {
        replace: { uri: "/u/$(uri_captures['id'])/$(uri_captures[1])" },
        add: {
          headers: [
            "x-or:$(headers['x-none'] or 'none')",
            "x-and:$(headers['x-a'] and 'yes' or 'no')",
            "x-is:$(query_params.q == '1' and 'one' or 'other')",
            'x-join:a-$(headers["x-a"] .. "-" .. query_params.q)-z',
            'x-len:$(#query_params.q + 1)',
            'x-nil:[$(nobody)]',
            'x-type:$(type(headers.host))',
            'x-not:$(not query_params.q)',
          ],
        },
      },
      { route: { paths: ['~/users/(?<id>\\d+)'] } },
    ),
    ask(
      { path: '/users/42?q=1', headers: { 'x-a': 'A' } },
      {
        status: 200,
        upstream_saw: {
          path: '/u/42/42?q=1',
          headers: {
            'x-or': 'none',
            'x-and': 'yes',
            'x-is': 'one',
            'x-join': 'a-A-1-z',
            'x-len': '2',
            'x-nil': '[]',
            'x-type': 'string',
          },
        },
      },
    ),
  ),
  scenario(
    'a template that fails',
    request({ add: { headers: ['x-a:$(nobody.there)'] } }),
    ask({}, { status: 500, ...errorBody('An unexpected error occurred') }),
  ),
];

const bodies: Scenario[] = [
  scenario(
    'JSON: values are texts, other members stay as they are',
    request({
      remove: { body: ['r'] },
      rename: { body: ['o:n'] },
      replace: { body: ['p:2', 'f:x'] },
      add: { body: ['a:1', 'deep:no'] },
      append: { body: ['list:z', 'n:more', 'fresh:1', 'deep:y'] },
    }),
    ask(
      {
        method: 'POST',
        headers: json,
        body: '{"r":1,"o":"x","p":1,"f":false,"deep":{"b":[]},"list":[1],"e":{}}',
      },
      {
        upstream_saw: {
          body_json_equals: {
            n: ['x', 'more'],
            p: '2',
            f: false,
            deep: ['y'],
            list: [1, 'z'],
            e: {},
            a: '1',
            fresh: ['1'],
          },
        },
      },
    ),
    ask(
      { method: 'POST', headers: json, body: '' },
      {
        upstream_saw: {
          body_json_equals: {
            a: '1',
            deep: ['no', 'y'],
            list: ['z'],
            n: ['more'],
            fresh: ['1'],
          },
        },
      },
    ),
    ask({ method: 'POST', headers: json, body: '{bad' }, { upstream_saw: { body: '{bad' } }),
    ask(
      { method: 'POST', headers: json, body: nested },
      {
        status: 200,
        upstream_saw: { body: nested },
      },
    ),
    ask({ method: 'POST', headers: json, body: `{"a":${nested}}` }, { status: 200 }),
  ),
  scenario(
    'forms',
    request({
      remove: { body: ['r'] },
      rename: { body: ['o:n'] },
      replace: { body: ['p:2'] },
      add: { body: ['a:x y'] },
      append: { body: ['p:3'] },
    }),
    ask(
      { method: 'POST', headers: form, body: 'z=1&r=1&o=2&p=1' },
      {
        upstream_saw: { body: 'a=x%20y&n=2&p=2&p=3&z=1', headers: { 'content-length': '23' } },
      },
    ),
  ),
  scenario(
    'multipart: nothing is appended',
    request({ rename: { body: ['o:n'] }, add: { body: ['a:1'] }, append: { body: ['n:2'] } }),
    ask(
      {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=B' },
        body: '--B\r\nContent-Disposition: form-data; name="o"\r\n\r\nx\r\n--B--\r\n',
      },
      {
        upstream_saw: {
          body: {
            re:
              '^--B\\r\\nContent-Disposition: form-data; name="n"\\r\\n\\r\\nx\\r\\n' +
              '--B\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1\\r\\n--B--\\r\\n$',
          } as never,
        },
      },
    ),
  ),
];

const answers: Scenario[] = [
  scenario(
    'answer headers are judged as they came',
    response({
      remove: { headers: ['x-a'] },
      rename: { headers: ['x-b:x-c'] },
      replace: { headers: ['x-d:r', 'x-none:r'] },
      add: { headers: ['x-a:no', 'x-e:1'] },
      append: { headers: ['x-e:2', 'set-cookie:a=1'] },
    }),
    ask(
      {
        headers: {
          'x-echo-resp-x-a': '1',
          'x-echo-resp-x-b': '2',
          'x-echo-resp-x-d': '3',
        },
      },
      {
        headers: {
          'x-a': null,
          'x-b': null,
          'x-c': '2',
          'x-d': 'r',
          'x-none': null,
          'x-e': '1, 2',
          'set-cookie': 'a=1',
        },
      },
    ),
  ),
  scenario(
    'answer JSON with types',
    response({
      remove: { json: ['r'] },
      rename: { json: ['o:n'] },
      replace: { json: ['p:5', 'zero:true', 'none:1'], json_types: ['number', 'boolean'] },
      add: { json: ['a:\\/x', 'falsy:1', 'bad:x'], json_types: ['string', 'number', 'number'] },
      append: {
        json: ['list:2', 's:t', 'fresh:false'],
        json_types: ['number', 'string', 'boolean'],
      },
    }),
    ask(
      {
        headers: {
          'x-echo-body':
            '{"r":1,"o":2,"p":1,"zero":0,"falsy":false,"list":[1],"s":"a","deep":{"a":[]}}',
          'x-echo-resp-content-type': 'application/problem+json; charset=utf-8',
        },
      },
      {
        headers: { 'content-length': null },
        body_json_equals: {
          n: 2,
          p: 5,
          zero: true,
          falsy: 1,
          a: '/x',
          list: [1, 2],
          s: ['a', 't'],
          fresh: [false],
          deep: { a: [] },
        },
      },
    ),
    ask({ headers: { 'x-echo-body': '{bad' } }, { body_matches: '^\\{bad$' }),
    ask(
      { headers: { 'x-echo-body': '{"r":1}', 'x-echo-resp-content-type': 'text/plain' } },
      {
        body_matches: '^\\{"r":1\\}$',
      },
    ),
  ),
];

export const transformerDetails: readonly Scenario[] = [...heads, ...bodies, ...answers];
