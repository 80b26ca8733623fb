/** What proxy-cache keeps, seen and dropped over the Admin API. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage } from '../support/scenario-stage.js';
import { ask, plugin, scenario } from './scenarios/build.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage.close());

const config = { strategy: 'memory', content_type: ['application/json'], vary_headers: ['x-v'] };
const id = '7f4f0f6b-8f8d-40d2-a504-473544ee190b';
const cached = { plugins: [{ ...plugin('proxy-cache', config), id, instance_name: 'mine' }] };

async function keyOf(value: string): Promise<string> {
  let key = '';
  const remember = { re: '^[0-9a-f]{64}$' };
  const headers = { 'x-v': value, 'x-echo-body': '{"a":1}' };
  const step = ask({ headers }, { headers: { 'x-cache-key': remember } });
  await stage.play(scenario('kept', cached, step), (answer) => {
    key = answer.headers['x-cache-key'];
  });
  return key;
}

const call = async (path: string, method = 'GET') => {
  const answer = await fetch(`${stage.admin}${path}`, { method });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : JSON.parse(text) };
};

test('an answer is shown and dropped by its key', async () => {
  const key = await keyOf('1');
  const { status, body } = await call(`/proxy-cache/${key}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 200, body: '{"a":1}', body_len: 7, ttl: 300 });
  expect((await call(`/proxy-cache/${key}`, 'DELETE')).status).toBe(204);
  expect(await call(`/proxy-cache/${key}`)).toEqual({ status: 404, body: null });
  expect((await call(`/proxy-cache/${key}`, 'DELETE')).status).toBe(404);
});

test('one configuration is addressed by id or instance name', async () => {
  const key = await keyOf('2');
  expect((await call(`/proxy-cache/${id}/caches/${key}`)).status).toBe(200);
  expect((await call(`/proxy-cache/mine/caches/${key}`)).status).toBe(200);
  expect((await call(`/proxy-cache/other/caches/${key}`)).status).toBe(404);
});

test('all of it is dropped at once', async () => {
  const key = await keyOf('3');
  expect((await call('/proxy-cache', 'DELETE')).status).toBe(204);
  expect((await call(`/proxy-cache/${key}`)).status).toBe(404);
  expect((await call('/proxy-cache')).status).toBe(405);
  expect((await call('/proxy-cache/a/b')).status).toBe(404);
});
