/** Rate limits whose counters are in a real Redis. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';
import { type Redis, startRedis } from '../support/redis.js';

const password = 'a password';
let redis: Redis;

beforeAll(async () => {
  redis = await startRedis(password);
});

afterAll(() => redis.stop());

interface Limited {
  ask(): Promise<{ status: number; remaining: string | null; body: string }>;
}

/** A gateway; those with the same header value share counters. */
async function limited(config: object, port = redis.port, given = password): Promise<Limited> {
  const upstream = await startUpstream();
  const shared = { redis: { host: '127.0.0.1', port, password: given, timeout: 2000 } };
  const plugin = { name: 'rate-limiting', config: { policy: 'redis', ...shared, ...config } };
  const { proxy } = await startGateway({ config: oneService(upstream.url, [plugin]) });
  return {
    async ask() {
      const response = await fetch(proxy, { headers: { who: JSON.stringify(config) } });
      const remaining = response.headers.get('ratelimit-remaining');
      return { status: response.status, remaining, body: await response.text() };
    },
  };
}

const by = { limit_by: 'header', header_name: 'who' };

describe('rate-limiting with policy redis', { timeout: 60_000 }, () => {
  test('gateways share counters, and refused requests count as well', async () => {
    const config = { ...by, hour: 3, day: 10 };
    const [one, two] = [await limited(config), await limited(config)];
    expect(await one.ask()).toMatchObject({ status: 200, remaining: '2' });
    expect(await two.ask()).toMatchObject({ status: 200, remaining: '1' });
    expect(await one.ask()).toMatchObject({ status: 200, remaining: '0' });
    const refused = await two.ask();
    expect(refused).toMatchObject({ status: 429, remaining: '0' });
    expect(JSON.parse(refused.body).message).toBe('API rate limit exceeded');
  });

  test('concurrent requests over the limit do not all pass', async () => {
    const one = await limited({ ...by, hour: 5 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => one.ask()));
    expect(answers.filter(({ status }) => status === 200).length).toBe(5);
  });

  test('sync_rate counts here and tells the others later', async () => {
    const config = { ...by, hour: 1000, sync_rate: 0.05 };
    const [one, two] = [await limited(config), await limited(config)];
    expect((await one.ask()).remaining).toBe('999');
    for (let i = 0; i < 5; i++) await one.ask();
    // What `one` counted arrives at `two` with the first exchange after it was sent.
    await until(async () => Number((await two.ask()).remaining) < 1000 - 6, 20_000);
  });

  test('without Redis requests pass without headers, or are answered 500', async () => {
    const bad: [number, string][] = [
      [1, password],
      [redis.port, 'another'],
    ];
    for (const [port, given] of bad) {
      const open = await limited({ ...by, hour: 1 }, port, given);
      expect(await open.ask()).toMatchObject({ status: 200, remaining: null });
      const closed = await limited({ ...by, hour: 1, fault_tolerant: false }, port, given);
      const refused = await closed.ask();
      expect(refused.status).toBe(500);
      expect(JSON.parse(refused.body).message).toBe('An unexpected error occurred');
    }
  });

  test('a Redis that goes away is missed at the next request', async () => {
    const own = await startRedis(password);
    const one = await limited({ ...by, hour: 7 }, own.port);
    expect((await one.ask()).remaining).toBe('6');
    await own.stop();
    expect(await one.ask()).toMatchObject({ status: 200, remaining: null });
  });
});

test('response-ratelimiting counts in Redis, too', { timeout: 60_000 }, async () => {
  const upstream = await startUpstream((_request, response) => {
    response.setHeader('x-kong-limit', 'v=2');
    response.end();
  });
  const config = {
    policy: 'redis',
    redis: { host: '127.0.0.1', port: redis.port, password },
    limits: { v: { hour: 3 } },
  };
  const plugin = { name: 'response-ratelimiting', config };
  const document = oneService(upstream.url, [plugin]);
  const gateways = [
    await startGateway({ config: document }),
    await startGateway({ config: document }),
  ];
  expect((await fetch(gateways[0].proxy)).status).toBe(200);
  const left = async () => {
    const response = await fetch(gateways[1].proxy);
    return response.status === 429;
  };
  await until(left, 20_000);
});
