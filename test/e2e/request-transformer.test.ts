import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';

interface Seen {
  readonly url: string;
  readonly body: string;
}

async function transformed(config: object, path: string, type: string, body: string) {
  const seen: Seen[] = [];
  const upstream = await startUpstream((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      seen.push({ url: request.url ?? '', body: text });
      response.end();
    });
  });
  const document = oneService(upstream.url, [{ name: 'request-transformer', config }]);
  const { proxy } = await startGateway({ config: document });
  const init = { method: 'POST', headers: { 'content-type': type }, body };
  expect((await fetch(proxy + path, init)).status).toBe(200);
  return seen[0];
}

const json = 'application/json';
const form = 'application/x-www-form-urlencoded';

test.each([
  ['nothing applies', { replace: { body: ['b:2'] } }, '{ "a": 1 }', '{ "a": 1 }'],
  ['an empty body', { remove: { body: ['a'] } }, '', ''],
  ['an empty body that gets something', { add: { body: ['a:1'] } }, '', '{"a":"1"}'],
  ['append to nothing', { append: { body: ['b:2'] } }, '{"a":1}', '{"a":1,"b":["2"]}'],
  ['append to a text', { append: { body: ['a:2'] } }, '{"a":"1"}', '{"a":["1","2"]}'],
  ['append to a list', { append: { body: ['a:2'] } }, '{"a":["1"]}', '{"a":["1","2"]}'],
  [
    'add over false, not over null',
    { add: { body: ['a:1', 'b:2'] } },
    '{"a":false,"b":null}',
    '{"a":"1","b":null}',
  ],
  ['no object', { add: { body: ['a:1'] } }, '[1]', '[1]'],
])('json: %s', async (_name, config, body, expected) => {
  expect((await transformed(config, '/', json, body)).body).toBe(expected);
});

test('a form goes into the query of a method without body, beside what is there', async () => {
  const config = { http_method: 'GET', add: { querystring: ['z:1'] } };
  const seen = await transformed(config, '/p?a=1&b=2', form, 'a=3&c=%20');
  expect(seen).toEqual({ url: '/p?a=1&a=3&b=2&c=%20&z=1', body: 'a=3&c=%20' });
});

test('names of a prototype are names like others', async () => {
  const config = { http_method: 'GET' };
  const seen = await transformed(config, '/p?toString=1', form, 'constructor=2&toString=3');
  expect(seen.url).toBe('/p?constructor=2&toString=1&toString=3');
});
