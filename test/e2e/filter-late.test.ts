/** Contexts that outlive their exchange, because the filter asked for time. */
import { Agent, request } from 'node:http';
import { expect, test } from 'vitest';
import { startGateway, startUpstream } from '../support/gateway.js';
import { filterModule } from '../unit/filter/wat.js';

const out = (index: number) => ({ out: index });

/** Adds what the last property and field were, and forgets them. */
const tell = {
  raw: `(drop (call $proxy_set_effective_context (local.get 0)))
    (drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0x7000) (i32.const 6)
      (i32.load (i32.const 0x1000)) (i32.load (i32.const 0x1008))))
    (drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0x7008) (i32.const 6)
      (i32.load (i32.const 0x1010)) (i32.load (i32.const 0x1018))))
    (global.set $heap (i32.const 0x8000))`,
};
const forget = { raw: '(memory.fill (i32.const 0x1000) (i32.const 0) (i32.const 32))' };

test('see what their own exchange was, never the next on the connection', async () => {
  const upstream = await startUpstream((_, response) => response.end('ok'));
  const late = filterModule({
    more: '(data (i32.const 0x7000) "x-path") (data (i32.const 0x7008) "x-name")',
    on: {
      proxy_on_request_headers: [
        forget,
        // The context of the first exchange.
        ['proxy_set_effective_context', 2],
        ['proxy_get_property', 'request.path', out(0), out(1)],
        ['proxy_get_header_map_value', 0, 'x-client', out(2), out(3)],
        ['proxy_add_header_map_value', 2, 'x-unused', ''],
        tell,
      ],
      proxy_on_done: [{ result: 0 }],
    },
  });
  const route = { paths: ['/'], filter_chains: [{ filters: [{ name: 'late' }] }] };
  const { proxy } = await startGateway({
    filters: { late },
    config: {
      _format_version: '3.0',
      services: [{ name: 'one', url: upstream.url, routes: [route] }],
    },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const client of ['one', 'two', 'three']) {
    await new Promise<void>((resolve, reject) => {
      request(`${proxy}/${client}`, { agent, headers: { 'x-client': client } }, (response) => {
        response.resume().on('end', resolve).on('error', reject);
      })
        .on('error', reject)
        .end();
    });
  }
  agent.destroy();
  const seen = upstream.requests.map(({ headers }) => [headers['x-path'], headers['x-name']]);
  expect(seen).toEqual([
    ['/one', 'one'],
    ['', 'one'],
    ['', 'one'],
  ]);
});
