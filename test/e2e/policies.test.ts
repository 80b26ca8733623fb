/** Plugins that let somebody else, or a token, decide where a request may go. */

import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';

interface Asked {
  input: Record<string, unknown>;
}

/** A policy server that answers with `result`, and a gateway that asks it. */
async function withPolicy(result: unknown, config: object = {}, status = 200) {
  const asked: Asked[] = [];
  const upstream = await startUpstream();
  const policy = await startUpstream((request: IncomingMessage, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      asked.push(JSON.parse(text));
      response.statusCode = status;
      response.end(JSON.stringify({ result }));
    });
  });
  const own = { opa_host: '127.0.0.1', opa_port: policy.port, opa_path: '/v1/data/a/allow' };
  const plugin = { name: 'opa', config: { ...own, ...config } };
  const { proxy } = await startGateway({ config: oneService(upstream.url, [plugin]) });
  return { proxy, asked, upstream, policy };
}

test('opa shows the policy the request, and lets it pass', async () => {
  const { proxy, asked, upstream, policy } = await withPolicy(true, {
    include_service_in_opa_input: true,
    include_body_in_opa_input: true,
    include_parsed_json_body_in_opa_input: true,
  });
  const headers = { 'content-type': 'application/json', 'x-a': 'b' };
  const response = await fetch(`${proxy}/p?q=1`, { method: 'POST', headers, body: '{"m":1}' });
  expect(response.status).toBe(200);
  expect(upstream.requests.length).toBe(1);
  expect(policy.requests[0].url).toBe('/v1/data/a/allow');
  const [{ input }] = asked;
  expect(input).toMatchObject({
    client_ip: '127.0.0.1',
    service: { name: 'one' },
    request: {
      http: { method: 'POST', path: '/p', scheme: 'http', querystring: { q: '1' }, body_size: 7 },
    },
  });
  expect(input.request).toMatchObject({ http: { headers: { 'x-a': 'b' }, parsed_body: { m: 1 } } });
  expect(input.consumer).toBeUndefined();
});

test.each([
  [false, 403, 'Forbidden'],
  [{ allow: false, status: 418, message: 'no tea', headers: { 'X-Why': 'a' } }, 418, 'no tea'],
  ['yes', 500, 'An unexpected error occurred'],
  [undefined, 500, 'An unexpected error occurred'],
  [{ allow: 'true' }, 500, 'An unexpected error occurred'],
  [{ allow: false, status: 7 }, 500, 'An unexpected error occurred'],
])('opa: the result %j answers %i %s', async (result, status, message) => {
  const { proxy, upstream } = await withPolicy(result);
  const response = await fetch(proxy);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ message });
  if (status === 418) expect(response.headers.get('x-why')).toBe('a');
  expect(upstream.requests.length).toBe(0);
});

test('opa: headers of a decision go upstream; a server that fails refuses', async () => {
  const { proxy, upstream } = await withPolicy({ allow: true, headers: { 'X-Role': 'reader' } });
  expect((await fetch(proxy)).status).toBe(200);
  expect(upstream.requests[0].headers['x-role']).toBe('reader');
  expect((await fetch((await withPolicy(true, {}, 503)).proxy)).status).toBe(500);
  expect((await fetch((await withPolicy(true, { opa_port: 1 })).proxy)).status).toBe(500);
});

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function tokenOf(claims: object): string {
  const signed = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(claims)}`;
  return `${signed}.${createHmac('sha256', 's').update(signed).digest('base64url')}`;
}

async function byClaim(config: object, plugins: readonly object[] = [{ name: 'jwt' }]) {
  const upstream = await startUpstream();
  const other = await startUpstream((_request, response) => void response.end('other'));
  const text = JSON.stringify(config).replaceAll('"PORT"', String(other.port));
  const own = { name: 'route-by-claim', config: JSON.parse(text) };
  const consumers = [{ username: 'ann', jwt_secrets: [{ key: 'ann', secret: 's' }] }];
  const document = { ...oneService(upstream.url, [...plugins, own]), consumers };
  const { proxy } = await startGateway({ config: document });
  const ask = async (claims: object | null, headers: Record<string, string> = {}) => {
    if (claims) headers.authorization = `Bearer ${tokenOf({ iss: 'ann', ...claims })}`;
    const response = await fetch(`${proxy}/p?q=1`, { headers });
    return { status: response.status, body: await response.text() };
  };
  return { ask, upstream };
}

test('route-by-claim chooses upstream, path and headers by the claim', async () => {
  const { ask, upstream } = await byClaim({
    claim: 'org.plan',
    claim_header: 'x-plan',
    rules: [
      { value: 'gold', host: '127.0.0.1', port: 'PORT' },
      { value: 'silver', path: '/silver', headers: { 'x-tier': '2' } },
    ],
  });
  expect((await ask({ org: { plan: 'gold' } })).body).toBe('other');
  expect((await ask({ org: { plan: ['bronze', 'silver'] } })).body).toBe('GET /silver?q=1');
  const { headers } = upstream.requests[0];
  expect(headers).toMatchObject({ 'x-tier': '2', 'x-plan': 'bronze, silver' });
  expect((await ask({ 'org.plan': 'silver' })).body).toBe('GET /silver?q=1');
  expect((await ask({ org: 1 }, { 'x-plan': 'gold' })).body).toBe('GET /p?q=1');
  expect(upstream.requests[2].headers['x-plan']).toBeUndefined();
  expect((await ask({ org: { plan: 'a\r\nx: y' } })).status).toBe(200);
});

test('route-by-claim believes no token that nobody has verified', async () => {
  const rules = [{ value: 'gold', path: '/gold' }];
  const strict = await byClaim({ claim: 'plan', rules, otherwise: 'refuse' }, []);
  expect((await strict.ask({ plan: 'gold' })).status).toBe(403);
  const open = await byClaim({ claim: 'plan', rules, allow_unverified: true }, []);
  expect((await open.ask({ plan: 'gold' })).body).toBe('GET /gold?q=1');
  expect((await open.ask(null)).body).toBe('GET /p?q=1');
  expect((await open.ask(null, { authorization: 'Bearer a.b.c' })).body).toBe('GET /p?q=1');
});
