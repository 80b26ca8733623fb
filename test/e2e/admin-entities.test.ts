/** Entities over the Admin API: by what they refer to. */
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.js';

test('entities are found by what they refer to, consumers by custom_id', async () => {
  const { admin } = await startGateway({
    config: `
_format_version: "3.0"
services:
- name: s
  host: a.test
  routes:
  - name: r
    paths: [/]
  plugins:
  - name: cors
    instance_name: c
consumers:
- username: u
  custom_id: "7"
  keyauth_credentials: [{ key: k }]
key_sets: [{ name: ks }]
`,
  });
  const get = async (path: string) => {
    const response = await fetch(`${admin}${path}`);
    return { status: response.status, body: await response.json() };
  };
  expect(await get('/routes/r/service')).toMatchObject({ status: 200, body: { name: 's' } });
  expect(await get('/plugins/c/service')).toMatchObject({ status: 200, body: { name: 's' } });
  expect(await get('/plugins/c/route')).toMatchObject({ status: 404 });
  expect(await get('/key-auths/k/consumer')).toMatchObject({ body: { username: 'u' } });
  expect(await get('/consumers?custom_id=7')).toMatchObject({
    body: { data: [{ username: 'u' }] },
  });
  expect(await get('/consumers?custom_id=8')).toMatchObject({ body: { data: [], next: null } });
  expect((await get('/consumers?custom_id=')).status).toBe(400);
  expect(await get('/key-sets/ks')).toMatchObject({ body: { name: 'ks' } });
});
