/** Chains that look at requests only: the exchange is out of their hands once its head goes on. */
import { expect, test } from 'vitest';
import { startGateway, startUpstream } from '../support/gateway.js';
import { filterModule, pairs, type Step } from '../unit/filter/wat.js';

const add = (map: number, name: string, value: string): Step => [
  'proxy_add_header_map_value',
  map,
  name,
  value,
];
const out = (index: number) => ({ out: index });

async function through(on: Record<string, readonly Step[]>) {
  const upstream = await startUpstream((request, response) => {
    response.setHeader('X-Own', '1');
    response.end(JSON.stringify(request.headers));
  });
  const route = { paths: ['/'], filter_chains: [{ filters: [{ name: 'one' }] }] };
  const running = await startGateway({
    filters: { one: filterModule({ on }) },
    config: {
      _format_version: '3.0',
      services: [{ name: 'one', url: upstream.url, routes: [route] }],
    },
  });
  return { upstream, ...running };
}

test('many exchanges on a connection keep their edits apart', async () => {
  const { proxy } = await through({
    proxy_on_request_headers: [
      ['proxy_get_header_map_value', 0, 'x-number', out(0), out(1)],
      add(0, 'x-filter', 'yes'),
      {
        raw: `(drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0x7000)
          (i32.const 6) (i32.load (i32.const 0x1000)) (i32.load (i32.const 0x1008))))
          (global.set $heap (i32.const 0x8000)) (global.set $calls (i32.const 0))`,
      },
    ],
    proxy_on_configure: [
      { raw: '(i32.store (i32.const 0x7000) (i32.const 0x6f632d78))' },
      {
        raw: '(i32.store16 (i32.const 0x7004) (i32.const 0x7970))',
      },
    ],
  });
  for (let i = 0; i < 20; i++) {
    const response = await fetch(proxy, { headers: { 'x-number': `${i}` } });
    const seen = (await response.json()) as Record<string, string>;
    expect([seen['x-filter'], seen['x-copy']]).toEqual(['yes', `${i}`]);
  }
});

test('what is done to the answer ahead of it is applied', async () => {
  const { proxy } = await through({ proxy_on_request_headers: [add(2, 'x-early', 'yes')] });
  for (let i = 0; i < 3; i++) {
    const { headers } = await fetch(proxy);
    expect([headers.get('x-early'), headers.get('x-own')]).toEqual(['yes', '1']);
  }
});

test('a pause outlives the head that the core shows', async () => {
  const head = pairs([
    [':method', 'GET'],
    [':path', '/other'],
  ]);
  const { proxy, upstream } = await through({
    proxy_on_request_headers: [
      add(0, 'x-before', 'yes'),
      ['proxy_http_call', 'one', head, '', '', 5000, out(0)],
      { result: 1 },
    ],
    proxy_on_http_call_response: [
      ['proxy_set_effective_context', 2],
      add(0, 'x-after', 'yes'),
      ['proxy_continue_stream', 0],
    ],
  });
  const response = await fetch(proxy, { headers: { 'x-mine': 'kept' } });
  const seen = (await response.json()) as Record<string, string>;
  expect([seen['x-before'], seen['x-after'], seen['x-mine']]).toEqual(['yes', 'yes', 'kept']);
  expect(upstream.requests.map(({ url }) => url)).toEqual(['/other', '/']);
});

test('what was edited before a property was asked for is not lost', async () => {
  const { proxy } = await through({
    proxy_on_request_headers: [
      add(0, 'x-before', 'yes'),
      ['proxy_get_property', 'request.path', out(0), out(1)],
      ['proxy_set_property', 'kong.ctx.shared.key', 'value'],
      add(0, 'x-after', 'yes'),
    ],
  });
  for (let i = 0; i < 3; i++) {
    const seen = (await (await fetch(proxy)).json()) as Record<string, string>;
    expect([seen['x-before'], seen['x-after']]).toEqual(['yes', 'yes']);
  }
});

test('an answer of its own, a trap and edits that are too long end as with plugins', async () => {
  const answer = ['proxy_send_local_response', 418, '', 'tea', '', -1] as const;
  const long = { raw: '(memory.fill (i32.const 0x9000) (i32.const 97) (i32.const 0x10000))' };
  const addLong = {
    raw: `(drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0x9000)
      (i32.const 4) (i32.const 0x9000) (i32.const 0x10000)))`,
  };
  const many = [add(0, 'x-first', ''), long, ...Array.from({ length: 5 }, () => addLong)];
  const chains: [readonly Step[], number][] = [
    [[add(0, 'x-unused', ''), answer, { result: 1 }], 418],
    [[add(0, 'x-unused', ''), { raw: '(unreachable)' }], 500],
    [many, 500],
  ];
  for (const [steps, status] of chains) {
    const { proxy, upstream } = await through({ proxy_on_request_headers: steps });
    for (let i = 0; i < 2; i++) expect((await fetch(proxy)).status).toBe(status);
    expect(upstream.requests).toEqual([]);
  }
});
