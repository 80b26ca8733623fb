/**
 * Plugins that the core runs, beside the same plugins in the shell: the same requests get the same
 * answers, and the upstream sees the same.
 */
import { expect, onTestFinished, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import {
  config,
  keyAuth,
  limited,
  mixed,
  pair,
  type Request,
  send,
  transformer,
  uuid,
} from '../support/compiled-pair.js';
import { openEcho } from '../support/echo-upstream.js';
import { startGateway, until } from '../support/gateway.js';

const keyRequests: readonly Request[] = [
  {},
  { headers: ['apikey', 'open'] },
  { headers: ['APIKEY', 'open'] },
  { headers: ['apikey', 'open', 'X-Consumer-ID', 'forged', 'X-Anonymous-Consumer', 'true'] },
  { headers: ['apikey', ''] },
  { headers: ['apikey', 'wrong'] },
  { headers: ['apikey', 'ended'] },
  { headers: ['apikey', 'unspeakable'] },
  { headers: ['apikey', 'custom'] },
  { headers: ['apikey', 'k'.repeat(300)] },
  { headers: ['apikey', 'k'.repeat(20_000)] },
  { headers: ['apikey', 'caf\u00e9'] },
  { headers: ['apikey', 'open', 'apikey', 'open'] },
  { headers: ['apikey', 'wrong'], path: '/p?apikey=open' },
  { path: '/p?apikey=open' },
  { path: '/p?a=b&apikey=open&c' },
  { path: '/p?apikey=open&apikey=open' },
  { path: '/p?apikey=open&apikey=other' },
  { path: '/p?apikey' },
  { path: '/p?apikey=' },
  { path: '/p?apikey=op%65n' },
  { path: '/p?apikey=caf%C3%A9' },
  { path: '/p?%61pikey=open' },
  { path: '/p?apiKey=open' },
  { path: `/p?${'a=1&'.repeat(600)}apikey=open` },
  { method: 'OPTIONS', headers: ['apikey', 'open'] },
  { method: 'OPTIONS' },
  { headers: ['x_key', 'open'] },
  { headers: ['X-Key', 'open', 'apikey', 'wrong'] },
  { headers: ['apikey', 'open', 'Connection', 'apikey'] },
];

test.each([
  ['as it is', keyAuth()],
  ['hidden', keyAuth({ hide_credentials: true })],
  ['two names', keyAuth({ key_names: ['x-key', 'apikey'] })],
  ['header only', keyAuth({ key_in_query: false })],
  ['query only', keyAuth({ key_in_header: false })],
  ['in bodies', keyAuth({ key_in_body: true })],
  ['not for preflight requests', keyAuth({ run_on_preflight: false })],
  ['with somebody for the rest', keyAuth({ anonymous: 'jo' })],
  ['with nobody for the rest', keyAuth({ anonymous: 'gone', realm: 'r' })],
])('key-auth, %s', { timeout: 60_000 }, async (_what, plugin) => {
  const { both } = await pair([plugin]);
  for (const request of keyRequests) {
    const [compiled, shell] = await both(request);
    expect(compiled, JSON.stringify(request).slice(0, 100)).toEqual(shell);
  }
});

test.each<[string, readonly object[]]>([
  ['cors', [{ name: 'cors' }]],
  ['cors with one origin', [{ name: 'cors', config: { origins: ['https://a.example'] } }]],
  [
    'cors for those that name an origin',
    [
      {
        name: 'cors',
        config: {
          origins: ['https://a.example'],
          credentials: true,
          allow_origin_absent: false,
          exposed_headers: ['X-A', 'X-B'],
        },
      },
    ],
  ],
  ['cors with credentials', [{ name: 'cors', config: { credentials: true } }]],
  ['cors with several origins', [{ name: 'cors', config: { origins: ['a.example', '.*b'] } }]],
  ['ids', [{ name: 'correlation-id', config: { echo_downstream: true } }]],
  ['ids for the upstream', [{ name: 'correlation-id' }]],
  ['termination', [{ name: 'request-termination', config: { trigger: 'X-Stop' } }]],
  ['termination of all', [{ name: 'request-termination', config: { status_code: 418 } }]],
  ['a transformer', [transformer]],
  ['who may come', [{ name: 'ip-restriction', config: { allow: ['127.0.0.0/8', '::1'] } }]],
  ['who may not', [{ name: 'ip-restriction', config: { deny: ['10.0.0.0/8', '127.0.0.2'] } }]],
  ['who may never', [{ name: 'ip-restriction', config: { deny: ['127.0.0.1/32'] } }]],
  [
    'who may not in IPv6',
    [{ name: 'ip-restriction', config: { deny: ['::/0', '::ffff:0:0/96'] } }],
  ],
  ['who may in IPv6', [{ name: 'ip-restriction', config: { allow: ['2001:db8::/32'] } }]],
  ['limits', [limited({ second: 900, hour: 2000, month: 3000, year: 4000, day: 2500 })]],
  ['hidden limits', [limited({ hide_client_headers: true })]],
  ['limits by header', [limited({ limit_by: 'header', header_name: 'X_Old' })]],
  ['limits by path', [limited({ limit_by: 'path', path: '/p' })]],
  ['limits by service', [limited({ limit_by: 'service' })]],
  ['limits of a fraction', [limited({ second: 2.5, minute: 10.5 })]],
  [
    'all of them',
    [
      { name: 'cors' },
      keyAuth({ anonymous: 'jo' }),
      { name: 'ip-restriction', config: { allow: ['127.0.0.1'] } },
      limited({ limit_by: 'credential' }),
      transformer,
      { name: 'correlation-id', config: { echo_downstream: true } },
      { name: 'request-termination', config: { trigger: 'x-stop', status_code: 403 } },
    ],
  ],
])('%s', { timeout: 60_000 }, async (_what, plugins) => {
  const { both } = await pair(plugins);
  for (const request of mixed) {
    const [compiled, shell] = await both(request);
    expect(compiled, JSON.stringify(request)).toEqual(shell);
  }
});

/** Waits where a second, or a minute, is about to end: eight requests fit into what is left. */
async function windowsBegun(): Promise<void> {
  const passed = () => Date.now() % 60_000;
  const isNearEnd = () => passed() > 57_000 || passed() % 1000 > 100;
  while (isNearEnd()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test.each([
  ['second', 'ip', {}],
  ['minute', 'consumer', {}],
  ['hour', 'credential', {}],
  ['day', 'service', {}],
  ['month', 'header', { header_name: 'x-tenant' }],
  ['year', 'path', { path: '/p' }],
])('core and shell count in the same counters: %s by %s', async (period, by, more) => {
  const limit = { limit_by: by, policy: 'local', [period]: 6, ...more };
  const plugins = [keyAuth(), { name: 'rate-limiting', config: limit }];
  const { gateways } = await pair(plugins);
  await windowsBegun();
  const statuses: number[] = [];
  const left: string[] = [];
  for (let i = 0; i < 8; i++) {
    // An escaped argument is the shell's.
    const path = by === 'path' || i % 2 === 0 ? '/p' : '/p?a=%20';
    const headers = ['apikey', 'open', 'x-tenant', 'tenant'];
    const { proxyPort } = gateways[by === 'path' ? i % 2 : 0];
    const answer = await send(proxyPort, { path, headers });
    statuses.push(answer.status);
    left.push(answer.headers['ratelimit-remaining']);
  }
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 429]);
  expect(left).toEqual(['5', '4', '3', '2', '1', '0', '0', '0']);
});

test('a key that is gone with a new configuration opens nothing, one that came does', async () => {
  const echo = await openEcho();
  onTestFinished(() => echo.close());
  const given = (key: string) =>
    config(echo.port, [keyAuth()], {
      consumers: [{ username: 'jo', keyauth_credentials: [{ key }] }],
    });
  const { admin, proxyPort } = await startGateway({ config: given('k-0') });
  let current = 'k-0';
  let former = '';
  let running = true;
  const faults: string[] = [];
  const asking = Array.from({ length: 4 }, async () => {
    while (running) {
      const [now, before] = [current, former];
      if (now === '') {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const [good, bad] = await Promise.all([
        send(proxyPort, { headers: ['apikey', now] }),
        send(proxyPort, { headers: ['apikey', before] }),
      ]);
      if (current !== now) continue;
      if (good.status !== 200 || bad.status !== 401) faults.push(`${good.status} ${bad.status}`);
    }
  });
  for (let i = 1; i <= 20; i++) {
    const body = JSON.stringify(given(`k-${i}`));
    const headers = { 'content-type': 'application/json' };
    // While it is loaded either key may be the right one.
    current = '';
    const response = await fetch(`${admin}/config`, { method: 'POST', headers, body });
    expect(response.status).toBe(201);
    former = `k-${i - 1}`;
    current = `k-${i}`;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  running = false;
  await Promise.all(asking);
  expect(faults).toEqual([]);
});

test('log plugins learn who the client is', async () => {
  const echo = await openEcho();
  onTestFinished(() => echo.close());
  const entries: Record<string, unknown>[] = [];
  const logged = definePlugin({
    name: 'kept',
    version: '1.0.0',
    priority: 5,
    schema: { fields: {} },
    log(entry) {
      entries.push(entry as Record<string, unknown>);
    },
  });
  const plugins = [keyAuth(), { name: 'kept' }];
  const seen: unknown[] = [];
  for (const compiled_plugins of ['on', 'off']) {
    entries.length = 0;
    const { proxyPort } = await startGateway({
      config: config(echo.port, plugins),
      plugins: [logged],
      settings: { compiled_plugins },
    });
    await send(proxyPort, { headers: ['apikey', 'open'] });
    await send(proxyPort, { headers: ['apikey', 'wrong'] });
    await until(() => entries.length === 2);
    const ids = /"(id|consumer_id|created_at|updated_at)":("[^"]*"|\d+)/g;
    seen.push(
      entries.map(({ consumer, authenticated_entity }) =>
        JSON.stringify({ consumer, authenticated_entity }).replace(ids, '"$1"'),
      ),
    );
    expect(entries[0]).toMatchObject({ consumer: { username: 'jo' } });
    expect(entries[0].authenticated_entity).toMatchObject({ id: expect.stringMatching(uuid) });
  }
  expect(seen[0]).toEqual(seen[1]);
});
