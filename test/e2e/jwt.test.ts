/** jwt over sockets, where a token is shown more than once: what was true must still be true. */
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { startGateway, startUpstream } from '../support/gateway.js';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(claims: object, secret: string): string {
  const text = `${part({ typ: 'JWT', alg: 'HS256' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const config = (url: string, secret: string, claims: readonly string[] = []) => ({
  _format_version: '3.0',
  services: [
    {
      name: 'one',
      url,
      routes: [{ name: 'all', paths: ['/'] }],
      plugins: [{ name: 'jwt', config: { claims_to_verify: claims } }],
    },
  ],
  consumers: [{ username: 'ann', jwt_secrets: [{ key: 'k', secret }] }],
});

async function ask(proxy: string, token: string): Promise<string> {
  const answer = await fetch(proxy, { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  return answer.status === 200 ? '200' : `${answer.status} ${text}`;
}

test('a token of a secret that a reload has taken away is refused', async () => {
  const upstream = await startUpstream();
  const { gateway, proxy } = await startGateway({ config: config(upstream.url, 'old') });
  const [old, fresh] = [signed({ iss: 'k' }, 'old'), signed({ iss: 'k' }, 'new')];
  expect(await ask(proxy, old)).toBe('200');
  expect(await ask(proxy, old)).toBe('200');
  expect(await ask(proxy, fresh)).toContain('401 {"message":"Invalid signature"}');
  await gateway.reload(config(upstream.url, 'new'));
  expect(await ask(proxy, old)).toContain('401 {"message":"Invalid signature"}');
  expect(await ask(proxy, fresh)).toBe('200');
});

test('a token that expires meanwhile is refused', async () => {
  const upstream = await startUpstream();
  const { proxy } = await startGateway({ config: config(upstream.url, 's', ['exp']) });
  const exp = Math.ceil(Date.now() / 1000) + 1;
  const token = signed({ iss: 'k', exp }, 's');
  expect(await ask(proxy, token)).toBe('200');
  await expect.poll(() => ask(proxy, token), { timeout: 10_000 }).toContain('token expired');
});
