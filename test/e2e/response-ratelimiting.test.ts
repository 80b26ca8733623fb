import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';

/** The upstream costs what the query says. */
async function limited(config: object) {
  const upstream = await startUpstream((request, response) => {
    const cost = new URL(request.url ?? '/', 'http://upstream').searchParams.get('cost');
    if (cost !== null) response.setHeader('X-Kong-Limit', cost);
    response.end('made');
  });
  const plugin = { name: 'response-ratelimiting', config };
  const { proxy } = await startGateway({ config: oneService(upstream.url, [plugin]) });
  const ask = async (cost: string) => {
    const response = await fetch(`${proxy}/?cost=${encodeURIComponent(cost)}`);
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { ask, upstream };
}

test('what the upstream says is counted, and an answer over the limit is replaced', async () => {
  const { ask, upstream } = await limited({ limits: { videos: { hour: 5 }, images: { day: 9 } } });
  const first = await ask('videos=3, images = 1, other=4, images');
  expect(first).toMatchObject({ status: 200, body: 'made' });
  expect(first.headers.get('x-ratelimit-limit-videos-hour')).toBe('5');
  expect(first.headers.get('x-ratelimit-remaining-videos-hour')).toBe('2');
  expect(first.headers.get('x-ratelimit-remaining-images-day')).toBe('8');
  expect(first.headers.get('x-kong-limit')).toBeNull();
  expect((await ask('videos=3')).headers.get('x-ratelimit-remaining-videos-hour')).toBe('0');
  expect(await ask('videos=1')).toMatchObject({ status: 429, body: '' });
  const free = await ask('images=1');
  expect(free.status).toBe(200);
  expect(free.headers.get('x-ratelimit-remaining-images-day')).toBe('7');
  const seen = upstream.requests.map(({ headers }) => headers['x-ratelimit-remaining-videos']);
  expect(seen).toEqual(['5', '2', '-1', '-1']);
});

test('block_on_first_violation refuses before the upstream is asked', async () => {
  const config = { block_on_first_violation: true, limits: { films: { hour: 1 }, a: { day: 9 } } };
  const { ask, upstream } = await limited(config);
  await ask('films=1');
  const refused = await ask('a=1');
  expect(refused.status).toBe(429);
  expect(JSON.parse(refused.body).message).toBe("API rate limit exceeded for 'films'");
  expect(upstream.requests.length).toBe(1);
});

test('hidden headers still count', async () => {
  const { ask } = await limited({ hide_client_headers: true, limits: { v: { hour: 1 } } });
  const first = await ask('v=1');
  expect(first.headers.get('x-ratelimit-limit-v-hour')).toBeNull();
  expect(first.headers.get('x-kong-limit')).toBeNull();
  expect((await ask('v=1')).status).toBe(429);
});

test.each([
  [{}, 'required field missing'],
  [{ limits: {} }, 'length must be at least 1'],
  [{ limits: { v: { hour: 0 } } }, 'value must be greater than 0'],
  [{ limits: { v: { minute: 9, hour: 2 } } }, 'The limit for hour(2.0) cannot be lower'],
  [{ limits: { v: { hour: 2 } }, policy: 'redis' }, 'required field missing'],
  [{ limits: { v: { hour: 2 } }, policy: 'cluster' }, 'not supported without a database'],
])('%j is refused', async (config, reason) => {
  const plugin = { name: 'response-ratelimiting', config };
  const document = oneService('http://127.0.0.1:1', [plugin]);
  await expect(startGateway({ config: document })).rejects.toThrow(reason);
});
