import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';

async function headersWith(config: object): Promise<Headers> {
  const upstream = await startUpstream((_request, response) => {
    response.setHeader('X-A', ['1', '2']);
    response.end();
  });
  const document = oneService(upstream.url, [{ name: 'response-transformer', config }]);
  return (await fetch((await startGateway({ config: document })).proxy)).headers;
}

test('presence is judged on the headers as they came', async () => {
  const headers = await headersWith({
    remove: { headers: ['x-a'] },
    add: { headers: ['X-A:3', 'X-B:4'] },
    append: { headers: ['x-b:5'] },
  });
  expect([headers.get('x-a'), headers.get('x-b')]).toEqual([null, '4, 5']);
});

test('a renamed header keeps every value', async () => {
  const headers = await headersWith({ rename: { headers: ['x-a:X-C'] } });
  expect([headers.get('x-a'), headers.get('x-c')]).toEqual([null, '1, 2']);
});

test('replace changes what is there only', async () => {
  const headers = await headersWith({ replace: { headers: ['x-a:3', 'x-b:4'] } });
  expect([headers.get('x-a'), headers.get('x-b')]).toEqual(['3', null]);
});
