/** How messages are framed behind filters that look at bodies: what they leave alone stays. */
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startGateway, startUpstream, type Upstream } from '../support/gateway.js';
import { filterModule, type Step } from '../unit/filter/wat.js';

const untilEnd: Step = { raw: '(if (i32.eqz (local.get 2)) (then (return (i32.const 1))))' };
const looking = {
  proxy_on_request_headers: [],
  proxy_on_request_body: [],
  proxy_on_response_headers: [],
  proxy_on_response_body: [],
  proxy_on_log: [],
};
/** A custom section that names a language whose SDK cannot drop parts of a body. */
const section = (name: string, value: string) => {
  const text = (one: string) => [one.length, ...Buffer.from(one)];
  const body = [...text('producers'), 1, ...text('language'), 1, ...text(name), ...text(value)];
  return Buffer.from([0, body.length, ...body]);
};
const madeOf = (language: string, on: Record<string, readonly Step[]>) =>
  Buffer.concat([filterModule({ on }), section(language, '1')]);

const appendBang: Step = ['proxy_set_buffer_bytes', 1, 1_000_000, 0, '!'];

async function behind(filter: Uint8Array, upstream: Upstream, route: object = {}) {
  const chain = [{ filters: [{ name: 'one' }] }];
  const { proxyPort } = await startGateway({
    filters: { one: filter },
    config: {
      _format_version: '3.0',
      services: [
        {
          name: 'one',
          url: upstream.url,
          routes: [{ name: 'all', paths: ['/'], filter_chains: chain, ...route }],
        },
      ],
    },
  });
  return proxyPort;
}

/** Everything that a server sends to one request, as text. */
function ask(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (part) => {
      text += part;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(text));
  });
}

const request = (method: string, extra = '', body = '') =>
  `${method} / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n${extra}\r\n${body}`;

/** The head goes first, the parts of the body come in turns of their own. */
const inParts = (parts: readonly string[]) =>
  startUpstream(async (request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Length': parts.join('').length });
    response.flushHeaders();
    for (const part of parts) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      response.write(part);
    }
    response.end();
  });

describe('answers', () => {
  test.each([
    ['any', filterModule({ on: looking })],
    ['rust', madeOf('Rust', looking)],
  ])('of known length keep it where nothing changes them (%s)', async (_name, filter) => {
    const port = await behind(filter, await inParts(['one ', 'two ', 'three']));
    const text = await ask(port, request('GET'));
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text.toLowerCase()).toContain('content-length: 13\r\n');
    expect(text.toLowerCase()).not.toContain('transfer-encoding');
    expect(text).toMatch(/\r\n\r\none two three$/);
  });

  test('get the new length where a filter changes a short one', async () => {
    const on = { ...looking, proxy_on_response_body: [appendBang] };
    const port = await behind(filterModule({ on }), await inParts(['one', 'two']));
    const text = await ask(port, request('GET'));
    expect(text.toLowerCase()).toContain('content-length: 8\r\n');
    expect(text).toMatch(/\r\n\r\none!two!$/);
  });

  test('get the new length where a filter collects a short one first', async () => {
    const on = { ...looking, proxy_on_response_body: [untilEnd, appendBang] };
    const port = await behind(filterModule({ on }), await inParts(['one', 'two']));
    expect(await ask(port, request('GET'))).toMatch(/content-length: 7\r\n[^]*\r\n\r\nonetwo!$/i);
  });

  test('that are long go in chunks where a filter may change them', async () => {
    const long = 'x'.repeat(100_000);
    const upstream = await inParts([long, long]);
    const on = { ...looking, proxy_on_response_body: [appendBang] };
    const changed = await ask(await behind(filterModule({ on }), upstream), request('GET'));
    expect(changed.toLowerCase()).toContain('transfer-encoding: chunked');
    const kept = await ask(await behind(madeOf('Go', looking), upstream), request('GET'));
    expect(kept.toLowerCase()).toContain('content-length: 200000\r\n');
    expect(kept).toHaveLength(kept.indexOf('\r\n\r\n') + 4 + 200_000);
  });

  test('without body keep the head of one', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.setHeader('Content-Length', 5);
      response.end();
    });
    for (const filter of [filterModule({ on: looking }), madeOf('Rust', looking)]) {
      const text = await ask(await behind(filter, upstream), request('HEAD'));
      expect(text).toMatch(/^HTTP\/1\.1 200 [^]*content-length: 5\r\n[^]*\r\n\r\n$/i);
      expect(text.toLowerCase()).not.toContain('transfer-encoding');
    }
  });

  test('are 500 where a filter fails on a short one, and cut where it is long', async () => {
    const fail: Step = { raw: 'unreachable' };
    const filter = filterModule({ on: { ...looking, proxy_on_response_body: [untilEnd, fail] } });
    const short = await ask(await behind(filter, await inParts(['one', 'two'])), request('GET'));
    expect(short).toMatch(/^HTTP\/1\.1 500 /);
    const long = await inParts(['x'.repeat(100_000), 'y']);
    const text = await ask(await behind(filter, long), request('GET')).catch(() => 'reset');
    expect(text.endsWith('0\r\n\r\n')).toBe(false);
  });

  test('that break off while they are measured are 502', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { 'Content-Length': 10 });
      response.write('five.');
      setTimeout(() => response.destroy(), 20);
    });
    const text = await ask(await behind(filterModule({ on: looking }), upstream), request('GET'));
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
  });
});

describe('requests', () => {
  const echo = () =>
    startUpstream((request, response) => {
      const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      request.on('end', () => response.end(JSON.stringify({ length, coding, size })));
    });
  const body = 'a body of some length';
  const post = request('POST', `Content-Length: ${body.length}\r\n`, body);
  const seen = (text: string) => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));

  test('keep their length where the route buffers them', async () => {
    const port = await behind(filterModule({ on: looking }), await echo());
    expect(seen(await ask(port, post))).toEqual({ length: '21', size: 21 });
  });

  test('keep their length without buffering where no filter can change them', async () => {
    const upstream = await echo();
    const route = { request_buffering: false };
    const kept = await behind(madeOf('Rust', looking), upstream, route);
    expect(seen(await ask(kept, post))).toEqual({ length: '21', size: 21 });
  });
});
