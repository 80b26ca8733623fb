import { request } from 'undici';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.js';

/** A tenth of the routes with a pattern, a tenth with a header. */
function manyRoutes(count: number): object {
  const routes = Array.from({ length: count }, (_, index) => ({
    hosts: [`tenant-${index % 300}.example.com`],
    paths: [`${index % 10 === 3 ? '~' : ''}/resource-${Math.floor(index / 300)}/`],
    ...(index % 10 === 7 && { headers: { 'x-canary': ['on', '~*^o'] } }),
  }));
  return { _format_version: '3.0', routes };
}

/** Answers 404 before, 503 (a route without a service) behind the new configuration. */
test.each(['traditional_compatible', 'traditional', 'expressions'])(
  'requests are answered while 10,000 routes are compiled for %s',
  { timeout: 240_000 },
  async (flavor) => {
    const { gateway, proxy } = await startGateway({ settings: { router_flavor: flavor } });
    const ask = async () => {
      const headers = { host: 'tenant-1.example.com' };
      const { statusCode, body } = await request(`${proxy}/resource-0/x`, { headers });
      await body.dump();
      return statusCode;
    };
    expect(await ask()).toBe(404);
    let isLoading = true;
    const loading = gateway.reload(manyRoutes(10_000)).finally(() => {
      isLoading = false;
    });
    let answeredMeanwhile = 0;
    while (isLoading) {
      await ask();
      if (isLoading) answeredMeanwhile++;
    }
    await loading;
    expect(answeredMeanwhile).toBeGreaterThan(10);
    expect(await ask()).toBe(503);
  },
);
