import { describe, expect, test } from 'vitest';
import { FilterChain } from '../../../src/filter/chain.js';
import { limits } from '../../../src/limits.js';
import { VirtualClock } from '../../support/virtual-clock.js';
import { advance, createHost, exchange, type Host, load, statuses } from './harness.js';
import { pairs, type Step } from './wat.js';

const text = (body: readonly Uint8Array[] | undefined) => Buffer.concat(body ?? []).toString();
const log = (message: string): Step => ['proxy_log', 2, message];
const pause: Step = { result: 1 };
const reply = (status: number, body = '', headers = pairs([]), grpc = -1): Step => [
  'proxy_send_local_response',
  status,
  'details',
  body,
  headers,
  grpc,
];

const said = (host: Host) =>
  host.lines.filter(({ level }) => level === 'info').map(({ message }) => message);

describe('local responses', () => {
  test('answer instead of the upstream, and end the chain', async () => {
    const host = createHost();
    const first = load(host, {
      on: {
        proxy_on_request_headers: [reply(403, 'no', pairs([['x-why', 'because']])), pause],
        proxy_on_response_headers: [log('first response')],
      },
    });
    const second = load(host, {
      on: {
        proxy_on_request_headers: [log('second request')],
        proxy_on_response_headers: [log('second response')],
      },
    });
    const chain = new FilterChain([first.binding, second.binding], host.services);
    const result = await exchange(chain);
    expect(result.sent).toBeNull();
    expect(result.received).toMatchObject({
      status: 403,
      headers: [
        ['x-why', 'because'],
        ['content-type', 'text/plain'],
      ],
    });
    expect(text(result.received?.body)).toBe('no');
    expect(said(host)).toEqual(['first response']);
  });

  test('impossible statuses, damaged lists and a second answer are BadArgument', async () => {
    const filter = load(createHost(), {
      on: {
        proxy_on_request_headers: [
          reply(0),
          reply(99),
          reply(101),
          reply(600),
          reply(1000),
          reply(200, '', Buffer.from('\x09\0\0\0\0')),
          reply(200, '', pairs([['a b', 'c']])),
          reply(200, '', pairs([['a', 'b\r\nc: d']])),
          reply(200, 'first'),
          reply(500, 'second'),
        ],
      },
    });
    const result = await exchange(filter.chain);
    expect(statuses(filter).slice(0, 10)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 0, 2]);
    expect(text(result.received?.body)).toBe('first');
  });

  test('framing and pseudo-headers are left out, 204 has no body', async () => {
    const filter = load(createHost(), {
      on: {
        proxy_on_request_headers: [
          reply(
            204,
            'gone',
            pairs([
              [':status', '500'],
              ['content-length', '7'],
              ['x-a', 'b'],
            ]),
          ),
        ],
      },
    });
    const result = await exchange(filter.chain);
    expect(result.received).toEqual({ status: 204, headers: [['x-a', 'b']], body: [] });
  });

  test('a response callback may replace the answer, a body callback may not', async () => {
    const host = createHost();
    const filter = load(host, {
      on: { proxy_on_response_headers: [reply(500, 'replaced')] },
    });
    expect(text((await exchange(filter.chain)).received?.body)).toBe('replaced');
    const late = load(host, { on: { proxy_on_response_body: [reply(500, 'late')] } });
    expect(text((await exchange(late.chain)).received?.body)).toBe('hello');
    expect(statuses(late)[0]).toBe(2);
  });

  test('a gRPC status makes the answer to a gRPC request trailers-only', async () => {
    const filter = load(createHost(), {
      on: { proxy_on_request_headers: [reply(403, 'not you: 100%', pairs([]), 7)] },
    });
    const result = await exchange(filter.chain, {
      request: { headers: [['content-type', 'application/grpc+proto']] },
    });
    expect(result.received).toEqual({
      status: 200,
      headers: [
        ['content-type', 'application/grpc'],
        ['grpc-status', '7'],
        ['grpc-message', 'not you: 100%25'],
      ],
      body: [],
    });
  });
});

describe('pause and continue', () => {
  test('a request waits until a tick continues it', async () => {
    const host = createHost();
    const filter = load(host, {
      on: {
        proxy_on_configure: [['proxy_set_tick_period_milliseconds', 5]],
        proxy_on_request_headers: [log('paused'), pause],
        proxy_on_tick: [
          ['proxy_set_effective_context', 2],
          ['proxy_continue_stream', 0],
          ['proxy_set_tick_period_milliseconds', 0],
        ],
      },
    });
    const result = await exchange(filter.chain);
    expect(result.received?.status).toBe(200);
    expect(said(host)).toEqual(['paused']);
  });

  test('continue inside the callback that pauses takes effect when it has returned', async () => {
    const filter = load(createHost(), {
      on: {
        proxy_on_request_headers: [['proxy_continue_stream', 0], pause],
        proxy_on_response_headers: [['proxy_continue_stream', 1], pause],
      },
    });
    expect((await exchange(filter.chain)).received?.status).toBe(200);
    expect(statuses(filter).slice(0, 2)).toEqual([0, 0]);
  });

  test('the functions of 0.1.0 do the same', async () => {
    const filter = load(createHost(), {
      abi: '0.1.0',
      on: {
        proxy_on_request_headers: [['proxy_clear_route_cache'], ['proxy_continue_request'], pause],
        proxy_on_response_headers: [['proxy_continue_response'], pause],
      },
    });
    expect((await exchange(filter.chain)).received?.status).toBe(200);
    expect(statuses(filter).slice(0, 3)).toEqual([0, 0, 0]);
  });

  test('stream types that cannot be continued are 12, unknown ones 2', async () => {
    const filter = load(createHost(), {
      on: {
        proxy_on_request_headers: [2, 3, 4, -1].flatMap((type): Step[] => [
          ['proxy_continue_stream', type],
          ['proxy_close_stream', type],
        ]),
      },
    });
    await exchange(filter.chain);
    expect(statuses(filter).slice(0, 8)).toEqual([12, 12, 12, 12, 2, 2, 2, 2]);
  });

  test('body and head wait in order; later filters see them afterwards', async () => {
    const host = createHost();
    const first = load(host, {
      on: {
        proxy_on_configure: [['proxy_set_tick_period_milliseconds', 3]],
        proxy_on_request_headers: [log('1 head'), pause],
        proxy_on_request_body: [log('1 body')],
        proxy_on_tick: [
          ['proxy_set_effective_context', 2],
          ['proxy_continue_stream', 0],
        ],
      },
    });
    const second = load(host, {
      on: { proxy_on_request_headers: [log('2 head')], proxy_on_request_body: [log('2 body')] },
    });
    const chain = new FilterChain([first.binding, second.binding], host.services);
    const body = [Buffer.from('a'), Buffer.from('b')];
    const result = await exchange(chain, { request: { method: 'POST', body } });
    expect(said(host)).toEqual(['1 head', '2 head', '1 body', '2 body']);
    expect(text(result.sent?.body)).toBe('ab');
    first.chain.release();
  });

  test('a pause that lasts too long is answered 504', async () => {
    const clock = new VirtualClock();
    const host = createHost({ clock });
    const filter = load(host, { on: { proxy_on_request_headers: [pause] } });
    const running = exchange(filter.chain);
    await new Promise((resolve) => setImmediate(resolve));
    await advance(clock, limits.filterPauseMs.value + 1);
    expect((await running).reply).toMatchObject({ status: 504, failed: true });
  });

  test('close_stream cuts the exchange', async () => {
    const filter = load(createHost(), {
      on: { proxy_on_response_headers: [['proxy_close_stream', 1]] },
    });
    expect((await exchange(filter.chain)).received).toBeNull();
  });

  test('an unknown effective context is BadArgument', async () => {
    const filter = load(createHost(), {
      on: {
        proxy_on_request_headers: [
          ['proxy_set_effective_context', 99],
          ['proxy_set_effective_context', 0],
          ['proxy_set_effective_context', 1],
          ['proxy_add_header_map_value', 0, 'x', 'y'],
          ['proxy_continue_stream', 0],
          reply(200),
        ],
        proxy_on_response_headers: [['proxy_add_header_map_value', 2, 'x', 'y']],
      },
    });
    await exchange(filter.chain);
    expect(statuses(filter).slice(0, 7)).toEqual([2, 2, 0, 1, 2, 2, 0]);
  });
});
