import { describe, expect, test } from 'vitest';
import { readEntities } from '../../../src/admin/entities.js';
import { loadConfig } from '../../../src/config/index.js';
import { bundledPlugins } from '../../../src/plugin/registry.js';

const result = loadConfig({
  text: JSON.stringify({
    _format_version: '3.0',
    services: [
      {
        name: 'a',
        url: 'http://127.0.0.1:1',
        tags: ['red', 'big'],
        routes: [{ name: 'ra', paths: ['/a'] }],
      },
      { name: 'b', url: 'http://127.0.0.1:1', tags: ['red'] },
      { name: 'c', url: 'http://127.0.0.1:1' },
    ],
    consumers: [{ username: 'jo' }],
    plugins: [{ name: 'request-termination', instance_name: 'stop', service: 'a' }],
  }),
  pluginSchemas: new Map(bundledPlugins.map((plugin) => [plugin.name, plugin])),
});
if (!result.ok) throw new Error(JSON.stringify(result.problems));
const { snapshot } = result;

function get(path: string) {
  const url = new URL(path, 'http://admin');
  return readEntities(url.pathname.slice(1).split('/'), url.searchParams, snapshot);
}

interface Page {
  data: { id: string; name?: string }[];
  next: string | null;
  offset?: string;
}

const page = (path: string) => get(path)?.body as Page;
const names = (path: string) =>
  page(path)
    .data.map((row) => row.name)
    .sort();

describe('lists', () => {
  test('one page holds everything by default and says so', () => {
    expect(names('/services')).toEqual(['a', 'b', 'c']);
    expect(page('/services').next).toBeNull();
    expect(page('/services')).not.toHaveProperty('offset');
  });

  test('pages follow each other without gap or repetition, and keep size and tags', () => {
    const seen: (string | undefined)[] = [];
    let next: string | null = '/services?size=1&tags=red';
    while (next) {
      const body: Page = page(next);
      seen.push(...body.data.map((row) => row.name));
      if (body.next) expect(body.next).toContain('size=1&tags=red');
      next = body.next;
    }
    expect(seen.sort()).toEqual(['a', 'b']);
  });

  test('tags with commas must all be there, with slashes one of them', () => {
    expect(names('/services?tags=red,big')).toEqual(['a']);
    expect(names('/services?tags=big/none')).toEqual(['a']);
    expect(names('/services?tags=none')).toEqual([]);
  });

  test.each([
    ['/services?size=x', 9, 'size must be a number'],
    ['/services?size=0', 9, 'size must be an integer between 1 and 1000'],
    ['/services?size=1001', 9, 'size must be an integer between 1 and 1000'],
    ['/services?offset=%25', 7, 'is not a valid offset'],
    ['/services?tags=a,b/c', 11, 'invalid filter syntax'],
    ['/services?tags=', 11, 'cannot be null'],
    ['/services?tags=1,2,3,4,5,6', 11, 'cannot query more than 5 tags'],
  ])('%s is error %i', (path, code, message) => {
    const answer = get(path);
    expect(answer?.status).toBe(400);
    expect(answer?.body).toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe('one entity', () => {
  test.each([
    ['/services/a', 'name', 'a'],
    ['/consumers/jo', 'username', 'jo'],
    ['/plugins/stop', 'instance_name', 'stop'],
  ])('%s is found by its name', (path, field, value) => {
    expect(get(path)?.body).toMatchObject({ [field]: value });
  });

  test('is found by its id', () => {
    const [first] = page('/services').data;
    expect(get(`/services/${first.id}`)?.body).toEqual(first);
  });

  test('that does not exist is not found; a path that does not exist is nothing', () => {
    expect(get('/services/none')).toMatchObject({ status: 404, body: { message: 'Not found' } });
    expect(get('/nothing')).toBeNull();
    expect(get('/services/a/nothing')).toBeNull();
    expect(get('/services/a/routes/ra/plugins')).toBeNull();
  });

  test('lists what belongs to it', () => {
    expect(names('/services/a/routes')).toEqual(['ra']);
    expect(names('/services/b/routes')).toEqual([]);
    expect(names('/services/a/plugins')).toEqual(['request-termination']);
  });
});

test.each(['/constructor', '/__proto__', '/toString', '/services/a/constructor'])(
  '%s is no collection',
  (path) => {
    expect(get(path)).toBeNull();
  },
);

describe('credentials', () => {
  const loaded = loadConfig({
    text: JSON.stringify({
      _format_version: '3.0',
      consumers: [{ username: 'jo', keyauth_credentials: [{ key: 'k1' }], acls: [{ group: 'g' }] }],
    }),
    pluginSchemas: new Map(),
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const view = (path: string) =>
    readEntities(path.split('/').slice(1), new URLSearchParams(), loaded.snapshot)?.body;

  test.each(['/key-auths', '/consumers/jo/key-auth', '/consumers/jo/key-auths'])('%s', (path) => {
    expect(view(path)).toMatchObject({ data: [{ key: 'k1' }] });
  });

  test('one is found by its unique field', () => {
    expect(view('/key-auths/k1')).toMatchObject({ key: 'k1' });
    expect(view('/acls/g')).toMatchObject({ group: 'g' });
  });
});
