import { execFile } from 'node:child_process';
import { request as send } from 'node:http';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import { startGateway, startUpstream, type Upstream } from '../support/gateway.js';
import { startTlsUpstream } from '../support/tls.js';
import { root } from '../tidy/tree.js';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, string | string[] | undefined>;
}

type Headers = Readonly<Record<string, string>>;

function get(base: string, path = '/', headers: Headers = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send(new URL(path, base), { headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

/** Servers that answer with their letter. */
const servers = (...letters: string[]): Promise<Upstream[]> =>
  Promise.all(letters.map((letter) => startUpstream((_request, response) => response.end(letter))));

const target = ({ port }: Upstream, weight = 100) => ({ target: `127.0.0.1:${port}`, weight });

interface Given {
  readonly upstream: Record<string, unknown>;
  readonly service?: Record<string, unknown>;
  readonly route?: Record<string, unknown>;
}

const configOf = ({ upstream, service = {}, route = {} }: Given) => ({
  _format_version: '3.0',
  upstreams: [{ name: 'up', ...upstream }],
  services: [
    { name: 's', host: 'up', ...service, routes: [{ name: 'r', paths: ['/'], ...route }] },
  ],
});

async function lettersOf(count: number, one: (i: number) => Promise<Answer>): Promise<string> {
  let letters = '';
  for (let i = 0; i < count; i++) letters += (await one(i)).text;
  return letters;
}

const sorted = (text: string) => [...text].sort().join('');

describe('round-robin', () => {
  test('targets take turns, each with its weight, exact in every round', async () => {
    const [a, b, c] = await servers('a', 'b', 'c');
    const targets = [target(a, 200), target(b), target(c, 0)];
    const { proxy } = await startGateway({ config: configOf({ upstream: { targets } }) });
    for (let round = 0; round < 4; round++) {
      expect(sorted(await lettersOf(3, () => get(proxy)))).toBe('aab');
    }
    expect(c.requests).toHaveLength(0);
  });

  test('Host is the target with its port, host_header or the one of the client', async () => {
    const [a] = await servers('a');
    const host = `127.0.0.1:${a.port}`;
    const { proxy, gateway } = await startGateway({
      config: configOf({ upstream: { targets: [target(a)] } }),
    });
    await get(proxy, '/', { host: 'client.test' });
    expect(a.requests.at(-1)?.headers.host).toBe(host);
    const upstream = { targets: [target(a)], host_header: 'given.test' };
    await gateway.reload(configOf({ upstream }));
    await get(proxy, '/', { host: 'client.test' });
    expect(a.requests.at(-1)?.headers.host).toBe(`given.test:${a.port}`);
    await gateway.reload(configOf({ upstream, route: { preserve_host: true } }));
    await get(proxy, '/', { host: 'client.test' });
    expect(a.requests.at(-1)?.headers.host).toBe('client.test');
  });

  test('a further try goes to another target, with its Host', async () => {
    const [a, dead] = await servers('a', 'dead');
    const targets = [target(a), target(dead)];
    await new Promise((resolve) => dead.server.close(resolve));
    const { proxy } = await startGateway({ config: configOf({ upstream: { targets } }) });
    expect(await lettersOf(8, () => get(proxy))).toBe('aaaaaaaa');
    const hosts = new Set(a.requests.map(({ headers }) => headers.host));
    expect([...hosts]).toEqual([`127.0.0.1:${a.port}`]);
  });

  test('without targets, or with none that has a weight, the answer is 503', async () => {
    const [a] = await servers('a');
    const { proxy, gateway } = await startGateway({ config: configOf({ upstream: {} }) });
    const answer = await get(proxy);
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('failure to get a peer from the ring-balancer');
    await gateway.reload(configOf({ upstream: { targets: [target(a, 0)] } }));
    expect((await get(proxy)).status).toBe(503);
  });

  test('a name is looked up; its addresses get the requests', async () => {
    const [a] = await servers('a');
    const targets = [{ target: `localhost:${a.port}` }];
    const { proxy } = await startGateway({ config: configOf({ upstream: { targets } }) });
    expect((await get(proxy)).text).toBe('a');
    expect(a.requests[0].headers.host).toBe(`localhost:${a.port}`);
  });
});

test('over TLS the name of the target is asked for, or host_header', async () => {
  const hosts: (string | undefined)[] = [];
  const { port, names } = await startTlsUpstream((request, response) => {
    hosts.push(request.headers.host);
    response.end('secure');
  });
  const targets = [{ target: `localhost:${port}` }];
  const service = { protocol: 'https' };
  const { proxy, gateway } = await startGateway({
    config: configOf({ upstream: { targets }, service }),
  });
  expect((await get(proxy)).text).toBe('secure');
  const upstream = { targets, host_header: 'other.test' };
  await gateway.reload(configOf({ upstream, service }));
  expect((await get(proxy)).text).toBe('secure');
  expect(names).toEqual(['localhost', 'other.test']);
  expect(hosts).toEqual([`localhost:${port}`, `other.test:${port}`]);
});

test('least-connections leaves a busy target out', async () => {
  const held: (() => void)[] = [];
  const slow = await startUpstream((_request, response) => held.push(() => response.end('slow')));
  const [b] = await servers('b');
  const upstream = { algorithm: 'least-connections', targets: [target(slow), target(b)] };
  const { proxy } = await startGateway({ config: configOf({ upstream }) });
  const answers = [get(proxy), get(proxy)];
  while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await lettersOf(6, () => get(proxy))).toBe('bbbbbb');
  for (const end of held) end();
  expect(sorted((await Promise.all(answers)).map(({ text }) => text).join(''))).toBe('blosw');
});

describe('consistent-hashing', () => {
  test('equal values go to one target, different ones to all', async () => {
    const list = await servers('a', 'b', 'c');
    const upstream = {
      hash_on: 'header',
      hash_on_header: 'X-User',
      targets: list.map((one) => target(one)),
    };
    const { proxy } = await startGateway({ config: configOf({ upstream }) });
    const first = await lettersOf(30, (i) => get(proxy, '/', { 'x-user': `u${i}` }));
    expect(new Set(first).size).toBe(3);
    expect(await lettersOf(30, (i) => get(proxy, '/', { 'x-user': `u${i}` }))).toBe(first);
  });

  test('a client without the cookie gets one, and stays with its target', async () => {
    const list = await servers('a', 'b', 'c');
    const upstream = {
      hash_on: 'cookie',
      hash_on_cookie: 'sticky',
      hash_on_cookie_path: '/p',
      targets: list.map((one) => target(one)),
    };
    const { proxy } = await startGateway({ config: configOf({ upstream }) });
    const first = await get(proxy);
    const [line] = first.headers['set-cookie'] as string[];
    const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
    expect(line).toMatch(new RegExp(`^sticky=${uuid}; Path=/p; Same-Site=Lax; HttpOnly$`));
    const cookie = `x=1; ${line.split(';')[0]}`;
    const again = await lettersOf(10, () => get(proxy, '/', { cookie }));
    expect(again).toBe(first.text.repeat(10));
    expect((await get(proxy, '/', { cookie })).headers['set-cookie']).toBeUndefined();
  });

  /** Whether some requests go to one target, and others to another. */
  async function tells(
    upstream: object,
    route: Record<string, unknown>,
    one: (i: number) => [string, Headers?],
  ) {
    const list = await servers('a', 'b', 'c');
    const { proxy } = await startGateway({
      config: configOf({ upstream: { ...upstream, targets: list.map((x) => target(x)) }, route }),
    });
    const ask = (i: number) => get(proxy, ...one(i));
    const first = await lettersOf(20, ask);
    expect(await lettersOf(20, ask)).toBe(first);
    return new Set(first).size > 1;
  }

  test('query arguments count decoded, sorted, and as true without a value', async () => {
    const upstream = { hash_on: 'query_arg', hash_on_query_arg: 'k' };
    expect(await tells(upstream, {}, (i) => [`/?k=${i}`])).toBe(true);
    expect(await tells(upstream, {}, (i) => [i % 2 ? '/?k=b&k=a' : '/?k=%61&x=1&k=b'])).toBe(false);
    expect(await tells(upstream, {}, (i) => [i % 2 ? '/?k' : '/?k=true'])).toBe(false);
    expect(await tells(upstream, {}, (i) => [`/?x=${i}`])).toBe(false);
  });

  test('the path counts in its normal form, the address is the client', async () => {
    expect(await tells({ hash_on: 'path' }, {}, (i) => [`/p${i}`])).toBe(true);
    expect(await tells({ hash_on: 'path' }, {}, (i) => [i % 2 ? '/a?x' : '/b/../%61'])).toBe(false);
    expect(await tells({ hash_on: 'ip' }, {}, (i) => [`/p${i}`])).toBe(false);
  });

  test('a request without the first input is hashed by the fallback', async () => {
    const upstream = {
      hash_on: 'header',
      hash_on_header: 'x-a',
      hash_fallback: 'header',
      hash_fallback_header: 'x-b',
    };
    expect(await tells(upstream, {}, (i) => ['/', { 'x-b': `${i}` }])).toBe(true);
    expect(await tells(upstream, {}, (i) => ['/', { 'x-a': 'a', 'x-b': `${i}` }])).toBe(false);
  });

  test('groups of the route by name and number', async () => {
    const route = { paths: ['~/(?<user>[^/]+)/(\\d+)'] };
    const named = { hash_on: 'uri_capture', hash_on_uri_capture: 'user' };
    expect(await tells(named, route, (i) => [`/u${i}/1`])).toBe(true);
    expect(await tells(named, route, (i) => [`/u/${i}`])).toBe(false);
    const numbered = { hash_on: 'uri_capture', hash_on_uri_capture: '2' };
    expect(await tells(numbered, route, (i) => [`/u/${i}`])).toBe(true);
  });

  test('consumers by their ids, whatever else differs', async () => {
    const list = await servers('a', 'b', 'c');
    const consumers = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8'].map((key) => ({
      username: key,
      keyauth_credentials: [{ key }],
    }));
    const upstream = { hash_on: 'consumer', targets: list.map((one) => target(one)) };
    const config = {
      ...configOf({ upstream, route: { plugins: [{ name: 'key-auth' }] } }),
      consumers,
    };
    const { proxy } = await startGateway({ config });
    const ask = (i: number) => get(proxy, `/${Math.random()}`, { apikey: `k${(i % 8) + 1}` });
    const first = await lettersOf(8, ask);
    expect(new Set(first).size).toBeGreaterThan(1);
    expect(await lettersOf(16, ask)).toBe(first.repeat(2));
  });
});

describe('ctx.service.setUpstream', () => {
  const chooser = definePlugin({
    name: 'chooser',
    version: '1.0.0',
    priority: 100,
    schema: { fields: { to: { type: 'string', required: true } } },
    access(ctx) {
      ctx.service.setUpstream((ctx.config as { to: string }).to);
    },
  });

  test('sends the request to a target of that upstream', async () => {
    const [a, b] = await servers('a', 'b');
    const base = configOf({ upstream: { targets: [target(a)] } });
    const upstreams = [...base.upstreams, { name: 'other', targets: [target(b)] }];
    const plugins = [{ name: 'chooser', config: { to: 'other' } }];
    const { proxy, gateway } = await startGateway({
      config: { ...base, upstreams, plugins },
      plugins: [chooser],
    });
    expect(await lettersOf(3, () => get(proxy))).toBe('bbb');
    expect(b.requests[0].headers.host).toBe(`127.0.0.1:${b.port}`);
    const unknown = [{ name: 'chooser', config: { to: 'nope' } }];
    await gateway.reload({ ...base, upstreams, plugins: unknown });
    expect((await get(proxy)).status).toBe(500);
  });
});

test('turns and targets go on over reloads while requests run', async () => {
  const [a, b] = await servers('a', 'b');
  const config = configOf({ upstream: { targets: [target(a), target(b)] } });
  const { proxy, gateway } = await startGateway({ config });
  let letters = '';
  let done = false;
  const reloads = (async () => {
    for (let i = 0; i < 5; i++) {
      await gateway.reload({ ...config, _comment: `${i}` });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    done = true;
  })();
  while (!done) letters += await lettersOf(4, () => get(proxy));
  await reloads;
  const counts = { a: 0, b: 0 };
  for (const letter of letters) counts[letter as 'a' | 'b']++;
  expect(counts.a).toBe(counts.b);
});

test('the log record names the target of every try', async () => {
  const [a, dead] = await servers('a', 'dead');
  await new Promise((resolve) => dead.server.close(resolve));
  const records: { tries: object[] }[] = [];
  const sink = await startUpstream((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      records.push(JSON.parse(text) as { tries: object[] });
      response.end();
    });
  });
  const config = {
    ...configOf({ upstream: { targets: [target(a), target(dead)] } }),
    plugins: [{ name: 'http-log', config: { http_endpoint: sink.url } }],
  };
  const { proxy } = await startGateway({ config });
  await lettersOf(2, () => get(proxy));
  while (records.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  const [second] = records.filter(({ tries }) => tries.length === 2);
  expect(second.tries).toMatchObject([
    { ip: '127.0.0.1', port: dead.port, state: 'failed' },
    { ip: '127.0.0.1', port: a.port },
  ]);
});

test('examples/load-balancing.mjs loses a server and gets it back', async () => {
  const output = await promisify(execFile)(process.execPath, ['examples/load-balancing.mjs'], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  expect(output.stdout.split('\n').slice(0, 3)).toEqual([
    'all are well: aaaabbcc',
    'c is not: 0 answers of c',
    'c is back: aaaabbcc',
  ]);
});
