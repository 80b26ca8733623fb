import { describe, expect, test } from 'vitest';
import { limits } from '../../../src/limits.js';
import { cell, createHost, exchange, given, load, statuses } from './harness.js';
import type { Step } from './wat.js';

const out = (index: number) => ({ out: index });
const text = (chunks: readonly Uint8Array[] | undefined) => Buffer.concat(chunks ?? []).toString();
const chunks = (...parts: string[]) => parts.map((part) => Buffer.from(part));
/** Pauses until the end of the message. */
const untilEnd: Step = { raw: '(if (i32.eqz (local.get 2)) (then (return (i32.const 1))))' };
const sizeInto = (index: number): Step => ({
  raw: `(i32.store (i32.const ${0x1000 + 8 * index}) (local.get 1))`,
});

async function post(on: Record<string, readonly Step[]>, ...parts: string[]) {
  const host = createHost();
  const filter = load(host, { on });
  const result = await exchange(filter.chain, {
    request: { method: 'POST', body: chunks(...parts) },
  });
  return { host, filter, result, statuses: statuses(filter), sent: text(result.sent?.body) };
}

const set = (start: number, size: number, value: string): Step => [
  'proxy_set_buffer_bytes',
  0,
  start,
  size,
  value,
];

describe('reading a body', () => {
  test('a range is cut to what is there; beyond the end it is OK and empty', async () => {
    const get = (start: number, max: number, index: number): Step => [
      'proxy_get_buffer_bytes',
      0,
      start,
      max,
      out(index),
      out(index + 1),
    ];
    const ran = await post(
      {
        proxy_on_request_body: [
          get(0, -1, 0),
          get(2, 2, 2),
          get(5, 1, 4),
          get(9, 1, 6),
          get(1, -1, 8),
        ],
      },
      'hello',
    );
    expect(ran.statuses.slice(0, 5)).toEqual([0, 0, 0, 0, 2]);
    expect(given(ran.filter, 0)).toBe('hello');
    expect(given(ran.filter, 2)).toBe('ll');
    expect([cell(ran.filter, 4), cell(ran.filter, 5), cell(ran.filter, 7)]).toEqual([0, 0, 0]);
  });

  test('a stopped body is cumulative, and its size is that of all of it', async () => {
    const ran = await post(
      {
        proxy_on_request_body: [
          sizeInto(2),
          untilEnd,
          ['proxy_get_buffer_bytes', 0, 0, -1, out(0), out(1)],
          ['proxy_get_buffer_status', 0, out(3), out(4)],
        ],
      },
      'one ',
      'two ',
      'three',
    );
    expect(given(ran.filter, 0)).toBe('one two three');
    expect([cell(ran.filter, 2), cell(ran.filter, 3), cell(ran.filter, 4)]).toEqual([13, 13, 0]);
    expect(ran.sent).toBe('one two three');
  });

  test('a body that goes on is shown chunk by chunk', async () => {
    const ran = await post(
      {
        proxy_on_request_body: [sizeInto(2), ['proxy_get_buffer_bytes', 0, 0, 99, out(0), out(1)]],
      },
      'one ',
      'two',
    );
    expect(given(ran.filter, 0)).toBe('two');
    expect(cell(ran.filter, 2)).toBe(3);
  });

  test('bodies are there in body callbacks only; unknown buffers are BadArgument', async () => {
    const tries = [0, 1, 2, 3, 4, 5, 8, 9, -1].map(
      (type): Step => ['proxy_get_buffer_bytes', type, 0, 9, out(0), out(1)],
    );
    const ran = await post({ proxy_on_request_headers: tries }, 'x');
    expect(ran.statuses.slice(0, 9)).toEqual([1, 1, 1, 1, 1, 1, 1, 2, 2]);
  });

  test('a request without body has no body callback, and headers say so', async () => {
    const host = createHost();
    const filter = load(host, {
      on: {
        proxy_on_request_headers: [{ raw: '(i32.store (i32.const 0x1000) (local.get 2))' }],
        proxy_on_request_body: [['proxy_log', 2, 'body']],
      },
    });
    await exchange(filter.chain);
    expect(cell(filter, 0)).toBe(1);
    expect(host.messages()).not.toContain('body');
  });
});

describe('changing a body', () => {
  test.each<[string, Step[], string]>([
    ['prepends at 0 with size 0', [set(0, 0, '<')], '<hello'],
    ['appends at the end and beyond', [set(5, 0, '>'), set(99, 9, '!')], 'hello>!'],
    ['replaces a part', [set(1, 3, 'ipp')], 'hippo'],
    ['replaces everything', [set(0, -1, 'bye')], 'bye'],
    ['removes', [set(1, 3, '')], 'ho'],
    ['inserts', [set(2, 0, '--')], 'he--llo'],
  ])('%s', async (_name, steps, expected) => {
    const ran = await post({ proxy_on_request_body: steps }, 'hello');
    expect(ran.statuses[0]).toBe(0);
    expect(ran.sent).toBe(expected);
  });

  test('configurations and answers are read-only', async () => {
    const ran = await post(
      {
        proxy_on_request_body: [4, 5, 6, 7, 8, 9].map(
          (type): Step => ['proxy_set_buffer_bytes', type, 0, 0, 'x'],
        ),
      },
      'x',
    );
    expect(ran.statuses.slice(0, 6)).toEqual([2, 2, 2, 2, 2, 2]);
  });

  test('action 3 drops the bytes that were shown', async () => {
    const ran = await post(
      {
        proxy_on_request_body: [
          { raw: '(if (i32.eqz (local.get 2)) (then (return (i32.const 3))))' },
        ],
      },
      'dropped',
      'kept',
    );
    expect(ran.sent).toBe('kept');
  });

  test('the answer of the upstream can be rewritten', async () => {
    const filter = load(createHost(), {
      on: { proxy_on_response_body: [['proxy_set_buffer_bytes', 1, 0, -1, 'changed']] },
    });
    const result = await exchange(filter.chain);
    expect(text(result.received?.body)).toBe('changed');
  });
});

describe('bounds and trailers', () => {
  test('a filter that holds more than it may fails the exchange with 413', async () => {
    const host = createHost();
    const filter = load(host, { on: { proxy_on_request_body: [untilEnd] } });
    const big = Buffer.alloc(limits.filterBodyBytes.value);
    const result = await exchange(filter.chain, {
      request: { method: 'POST', body: [big, Buffer.from('x'), Buffer.from('end')] },
    });
    expect(result.reply).toMatchObject({ status: 413, failed: true });
    expect(result.sent).toBeNull();
  });

  test('with trailers the last body call does not end the stream, the trailers do', async () => {
    const host = createHost();
    const filter = load(host, {
      on: {
        proxy_on_request_body: [{ raw: '(i32.store (i32.const 0x1000) (local.get 2))' }],
        proxy_on_request_trailers: [
          ['proxy_get_header_map_value', 1, 'x-end', out(1), out(2)],
          ['proxy_add_header_map_value', 1, 'x-more', 'yes'],
        ],
      },
    });
    const result = await exchange(filter.chain, {
      request: { method: 'POST', body: chunks('body'), trailers: [['X-End', 'here']] },
    });
    expect(cell(filter, 0)).toBe(0);
    expect(given(filter, 1)).toBe('here');
    expect(text(result.sent?.body)).toBe('body');
    expect(result.sent?.trailers).toEqual([
      ['x-end', 'here'],
      ['x-more', 'yes'],
    ]);
  });
});
