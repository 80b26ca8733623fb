import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FilterInput } from '../../src/filter/registry.js';
import { definePlugin } from '../../src/plugin/define.js';
import { startGateway, startUpstream, type Upstream } from '../support/gateway.js';
import { filterModule, pairs, type Step } from '../unit/filter/wat.js';

const add = (map: number, name: string, value: string): Step => [
  'proxy_add_header_map_value',
  map,
  name,
  value,
];
const reply = (status: number, body: string, headers = pairs([])): Step => [
  'proxy_send_local_response',
  status,
  '',
  body,
  headers,
  -1,
];
const out = (index: number) => ({ out: index });
const pause: Step = { result: 1 };
/** Pauses until the end of the message. */
const untilEnd: Step = { raw: '(if (i32.eqz (local.get 2)) (then (return (i32.const 1))))' };
const filter = (on: Record<string, readonly Step[]>, more = '') => filterModule({ on, more });

const echo = () =>
  startUpstream((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ method, url, headers, body }));
    });
  });

interface Echo {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** One route with these filters in a chain, in front of an echoing upstream. */
async function withFilters(
  filters: Record<string, FilterInput>,
  options: { chain?: readonly object[]; upstream?: Upstream; route?: object } = {},
) {
  const upstream = options.upstream ?? (await echo());
  const chain = options.chain ?? Object.keys(filters).map((name) => ({ name }));
  const route = {
    name: 'all',
    paths: ['/'],
    filter_chains: [{ filters: chain }],
    ...options.route,
  };
  const config = {
    _format_version: '3.0',
    services: [{ name: 'one', url: upstream.url, routes: [route] }],
  };
  return { upstream, config, ...(await startGateway({ config, filters })) };
}

describe('heads', () => {
  test('are edited both ways, in the order of the chain, behind the plugins', async () => {
    const plugin = definePlugin({
      name: 'before',
      version: '1.0.0',
      priority: 1,
      schema: { fields: {} },
      access: (ctx) => ctx.service.request.addHeader('x-way', 'plugin'),
    });
    const upstream = await echo();
    const way = (name: string) =>
      filter({
        proxy_on_request_headers: [add(0, 'x-way', name)],
        proxy_on_response_headers: [add(2, 'x-back', name)],
      });
    const route = { name: 'all', paths: ['/'], filter_chains: [{ filters: [{ name: 'second' }] }] };
    const { proxy } = await startGateway({
      plugins: [plugin],
      filters: { first: way('first'), second: way('second') },
      config: {
        _format_version: '3.0',
        services: [
          {
            name: 'one',
            url: upstream.url,
            plugins: [{ name: 'before' }],
            filter_chains: [{ filters: [{ name: 'first' }] }],
            routes: [route],
          },
        ],
      },
    });
    const response = await fetch(`${proxy}/`);
    expect(response.headers.get('x-back')).toBe('first, second');
    expect(((await response.json()) as Echo).headers['x-way']).toBe('plugin, first, second');
  });

  test('pseudo-headers change the request line and the status', async () => {
    const { proxy } = await withFilters({
      one: filter({
        proxy_on_request_headers: [
          ['proxy_replace_header_map_value', 0, ':path', '/new%20path?a=%41&b'],
          ['proxy_replace_header_map_value', 0, ':method', 'PUT'],
          ['proxy_replace_header_map_value', 0, ':authority', 'elsewhere.test'],
        ],
        proxy_on_response_headers: [['proxy_replace_header_map_value', 2, ':status', '203']],
      }),
    });
    const response = await fetch(`${proxy}/old?x`);
    const seen = (await response.json()) as Echo;
    expect(response.status).toBe(203);
    expect([seen.method, seen.url]).toEqual(['PUT', '/new%20path?a=%41&b']);
    expect(seen.headers.host).toBe('elsewhere.test');
  });

  test('framing that a filter writes never reaches the wire', async () => {
    const { proxy } = await withFilters({
      one: filter({
        proxy_on_request_headers: [
          add(0, 'transfer-encoding', 'Chunked'),
          add(0, 'content-length', '999'),
        ],
        proxy_on_response_headers: [
          ['proxy_replace_header_map_value', 2, 'content-length', '1'],
          add(2, 'transfer-encoding', 'gzip'),
        ],
      }),
    });
    const response = await fetch(`${proxy}/`, { method: 'POST', body: 'abc' });
    const seen = (await response.json()) as Echo;
    expect(seen.body).toBe('abc');
    expect(seen.headers['content-length']).toBe('3');
  });
});

describe('answers of filters', () => {
  test('take the place of the upstream, and its response callbacks see them', async () => {
    const { proxy, upstream } = await withFilters({
      one: filter({
        proxy_on_request_headers: [reply(403, 'stop', pairs([['x-why', 'so']])), pause],
        proxy_on_response_headers: [add(2, 'x-seen', '1')],
      }),
    });
    const response = await fetch(`${proxy}/`);
    expect([response.status, await response.text()]).toEqual([403, 'stop']);
    expect([response.headers.get('x-why'), response.headers.get('x-seen')]).toEqual(['so', '1']);
    expect(upstream.requests).toHaveLength(0);
  });

  test('may come instead of the upstream answer', async () => {
    const { proxy } = await withFilters({
      one: filter({ proxy_on_response_headers: [reply(502, 'hidden')] }),
    });
    const response = await fetch(`${proxy}/`);
    expect([response.status, await response.text()]).toEqual([502, 'hidden']);
  });

  test('to a body keep the upstream from being asked', async () => {
    const { proxy, upstream } = await withFilters({
      one: filter({ proxy_on_request_body: [untilEnd, reply(400, 'bad body')] }),
    });
    const response = await fetch(`${proxy}/`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([response.status, await response.text()]).toEqual([400, 'bad body']);
    expect(upstream.requests).toHaveLength(0);
  });
});

describe('bodies', () => {
  test('are changed both ways, with their length', async () => {
    const { proxy } = await withFilters({
      one: filter({
        proxy_on_request_body: [untilEnd, ['proxy_set_buffer_bytes', 0, 0, 0, 'to ']],
        proxy_on_response_body: [untilEnd, ['proxy_set_buffer_bytes', 1, 0, -1, 'from']],
      }),
    });
    const response = await fetch(`${proxy}/`, { method: 'POST', body: 'upstream' });
    expect(await response.text()).toBe('from');
    const { proxy: plain } = await withFilters({
      one: filter({ proxy_on_request_body: [['proxy_set_buffer_bytes', 0, 0, 0, 'to ']] }),
    });
    const echoed = await fetch(`${plain}/`, { method: 'POST', body: 'upstream' });
    const seen = (await echoed.json()) as Echo;
    expect(seen.body).toBe('to upstream');
    expect(seen.headers['content-length']).toBe('11');
  });

  test('stream in pieces where the route does not buffer', async () => {
    const { proxy } = await withFilters(
      { one: filter({ proxy_on_request_body: [['proxy_set_buffer_bytes', 0, 0, 0, '']] }) },
      { route: { request_buffering: false } },
    );
    const body = 'y'.repeat(3_000_000);
    const response = await fetch(`${proxy}/`, { method: 'POST', body });
    expect(((await response.json()) as Echo).body).toHaveLength(body.length);
  });
});

describe('calls', () => {
  test('hold a request until the answer is there', async () => {
    const other = await startUpstream((request, response) => {
      setTimeout(() => response.setHeader('x-user', `${request.url}`).end(), 20);
    });
    const headers = pairs([
      [':method', 'GET'],
      [':path', '/who'],
    ]);
    const { proxy } = await withFilters({
      one: filter(
        {
          proxy_on_request_headers: [
            ['proxy_http_call', `127.0.0.1:${other.port}`, headers, '', '', 1000, out(0)],
            pause,
          ],
          proxy_on_http_call_response: [
            ['proxy_get_header_map_value', 6, 'x-user', out(0), out(1)],
            ['proxy_set_effective_context', 2],
            {
              raw: `(drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0x1f00)
              (i32.const 6) (i32.load (i32.const 0x1000)) (i32.load (i32.const 0x1008))))`,
            },
            ['proxy_continue_stream', 0],
          ],
          proxy_on_log: [add(0, 'x-too-late', '1')],
        },
        '(data (i32.const 0x1f00) "x-user")',
      ),
    });
    const response = await fetch(`${proxy}/`);
    expect(((await response.json()) as Echo).headers['x-user']).toBe('/who');
  });
});

describe('failures', () => {
  const trapping = filter({ proxy_on_request_headers: [{ raw: '(unreachable)' }] });

  test('answer 500 as Kong does, and are logged', async () => {
    const { proxy, lines, upstream } = await withFilters({ bad: trapping });
    const response = await fetch(`${proxy}/`);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ message: 'An unexpected error occurred' });
    expect(upstream.requests).toHaveLength(0);
    const line = lines.find(({ msg }) => msg === 'a filter trapped');
    expect(line).toMatchObject({ filter: 'bad', callback: 'proxy_on_request_headers' });
  });

  test('are passed over with failOpen', async () => {
    const { proxy } = await withFilters({ bad: { module: trapping, failOpen: true } });
    expect((await fetch(`${proxy}/`)).status).toBe(200);
  });

  test('in a response give 500, or cut it once it has begun', async () => {
    const raw = [{ raw: '(unreachable)' }];
    const head = await withFilters({ bad: filter({ proxy_on_response_headers: raw }) });
    expect((await fetch(`${head.proxy}/`)).status).toBe(500);
    const bad = filter({ proxy_on_response_body: raw });
    const short = await withFilters({ bad });
    expect((await fetch(`${short.proxy}/`)).status).toBe(500);
    const upstream = await startUpstream((_request, response) => response.end('x'.repeat(1e5)));
    const body = await withFilters({ bad }, { upstream });
    const cut = fetch(`${body.proxy}/`).then((response) => response.text());
    await expect(cut).rejects.toThrow();
  });
});

describe('properties', () => {
  test('tell about the exchange', async () => {
    const get = (path: string, index: number): Step[] => [
      ['proxy_get_property', path, out(index), out(index + 1)],
      {
        raw: `(drop (call $proxy_add_header_map_value (i32.const 2) (i32.const 0x1f00) (i32.const 3)
          (i32.load (i32.const ${0x1000 + 8 * index}))
          (i32.load (i32.const ${0x1000 + 8 * (index + 1)}))))`,
      },
    ];
    const paths = ['request.path', 'kong.route_name', 'kong.service_name', 'ngx.remote_addr'];
    const { proxy } = await withFilters({
      one: filter(
        {
          proxy_on_request_headers: paths.flatMap((path, index) => get(path, 2 * index)),
          proxy_on_response_headers: [...get('response.code', 20), add(2, 'x-end', '')],
        },
        '(data (i32.const 0x1f00) "x-p")',
      ),
    });
    const response = await fetch(`${proxy}/some?q`);
    expect(response.headers.get('x-p')).toBe('/some?q, all, one, 127.0.0.1, 200');
  });
});

describe('configuration', () => {
  test('is checked by the schema beside the module, and given as JSON text', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'filters-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const module = filter({
      proxy_on_configure: [
        ['proxy_get_buffer_bytes', 7, 0, 99, out(0), out(1)],
        {
          raw: `(drop (call $proxy_log (i32.const 2)
            (i32.load (i32.const 0x1000)) (i32.load (i32.const 0x1008))))`,
        },
      ],
      proxy_on_log: [['proxy_log', 2, 'over']],
    });
    await writeFile(join(folder, 'checked.wasm'), module);
    const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
    await writeFile(join(folder, 'checked.meta.json'), JSON.stringify({ config_schema: schema }));
    const upstream = await echo();
    const configOf = (config: unknown, name = 'checked') => ({
      _format_version: '3.0',
      services: [{ name: 'one', url: upstream.url, routes: [{ name: 'all', paths: ['/'] }] }],
      filter_chains: [{ name: 'c', route: 'all', filters: [{ name, config }] }],
    });
    const settings = { wasm: 'on', wasm_filters_path: folder };
    const running = await startGateway({ settings, config: configOf({ n: 1 }) });
    expect(running.lines.map(({ msg }) => msg)).toContain('{"n":1}');
    const { gateway } = running;
    await expect(gateway.reload(configOf({ n: 'x' }))).rejects.toThrow(/must be number/);
    await expect(gateway.reload(configOf(null, 'no'))).rejects.toThrow(/no such filter: no/);
    expect((await fetch(`${running.proxy}/`)).status).toBe(200);
    const shown = await fetch(`${running.admin}/filter-chains/c`);
    expect(await shown.json()).toMatchObject({ name: 'c', enabled: true });
  });

  test('that a filter refuses leaves the one in use', async () => {
    const { gateway, config, proxy } = await withFilters(
      {
        one: filter({ proxy_on_response_headers: [add(2, 'x-one', '1')] }),
        no: filter({ proxy_on_configure: [{ result: 0 }] }),
      },
      { chain: [{ name: 'one' }] },
    );
    const text = JSON.stringify(config).replace('"name":"one"}]}]', '"name":"no"}]}]');
    await expect(gateway.reload(text)).rejects.toThrow(/filter 'no' refuses this configuration/);
    expect((await fetch(`${proxy}/`)).headers.get('x-one')).toBe('1');
  });

  test('a module that is no filter stops the start, naming what is wrong', async () => {
    const module = filterModule({ abi: null, on: { proxy_on_tick: [['proxy_nothing', 1]] } });
    await expect(startGateway({ filters: { bad: module } })).rejects.toThrow(
      /filter 'bad': .*proxy_abi_version.*env\.proxy_nothing/,
    );
  });

  test('is swapped without dropping a request, modules included', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'filters-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const write = (value: string) =>
      writeFile(
        join(folder, 'hot.wasm'),
        filter({ proxy_on_response_headers: [add(2, 'x-version', value)] }),
      );
    await write('1');
    const settings = { wasm: 'on', wasm_filters_path: folder };
    const upstream = await echo();
    const route = { paths: ['/'], filter_chains: [{ filters: [{ name: 'hot' }] }] };
    const config = {
      _format_version: '3.0',
      services: [{ name: 'one', url: upstream.url, routes: [route] }],
    };
    const { gateway, proxy } = await startGateway({ settings, config });
    const versions: (string | null)[] = [];
    const ask = async () => versions.push((await fetch(`${proxy}/`)).headers.get('x-version'));
    await ask();
    await write('2');
    const asked = Promise.all(Array.from({ length: 20 }, ask));
    await gateway.reload();
    await asked;
    await ask();
    expect(versions[0]).toBe('1');
    expect(versions.at(-1)).toBe('2');
    expect(versions).toHaveLength(22);
    expect(versions.every((version) => version === '1' || version === '2')).toBe(true);
  });
});
