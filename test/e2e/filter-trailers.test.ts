/** Trailers of requests and answers through filters, as bytes on the wire. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startGateway, startUpstream } from '../support/gateway.js';
import { filterModule, type Step } from '../unit/filter/wat.js';

const body = '5\r\nhello\r\n';
const head = (more = '') =>
  `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}Transfer-Encoding: chunked\r\n\r\n`;
const filter = (on: Record<string, readonly Step[]>) => filterModule({ on });

/** Answers with what it got, and with trailers where `trailers` are given. */
const upstreamWith = (trailers: Record<string, string>) =>
  startUpstream((request, response) => {
    request.resume();
    request.on('end', () => {
      response.write(JSON.stringify({ trailers: request.rawTrailers }));
      response.addTrailers(trailers);
      // A chunk of its own, so that the trailers come behind the head.
      setImmediate(() => response.end('end'));
    });
  });

async function through(
  module: Uint8Array,
  options: { trailers?: Record<string, string>; buffering?: boolean } = {},
) {
  const upstream = await upstreamWith(options.trailers ?? {});
  const route = {
    paths: ['/'],
    request_buffering: options.buffering ?? true,
    filter_chains: [{ filters: [{ name: 'one' }] }],
  };
  const config = {
    _format_version: '3.0',
    services: [{ name: 'one', url: upstream.url, routes: [route] }],
  };
  return startGateway({ config, filters: { one: module } });
}

/** Sends parts in writes of their own and resolves with everything that came. */
async function talk(port: number, parts: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.latin1Slice();
  });
  const closed = once(socket, 'close');
  for (const part of parts) {
    socket.write(part, 'latin1');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  return text;
}

const seenTrailers = (answer: string): string[] => {
  const found = /"trailers":(\[[^\]]*\])/.exec(answer);
  if (!found) throw new Error(`no answer of the upstream: ${answer}`);
  return JSON.parse(found[1]) as string[];
};

const edits = (map: number): Step[] => [
  ['proxy_add_header_map_value', map, 'x-added', 'by filter'],
  ['proxy_replace_header_map_value', map, 'x-sum', 'replaced'],
  ['proxy_remove_header_map_value', map, 'x-gone'],
];
const reads = (map: number): Step[] => [
  ['proxy_get_header_map_value', map, 'x-sum', { out: 0 }, { out: 1 }],
];

describe('trailers of a request', () => {
  const section = '0\r\nX-Sum:  abc \r\nx-gone: 1\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\n';
  const edited = ['x-sum', 'replaced', 'x-twice', '1', 'x-twice', '2', 'x-added', 'by filter'];

  test('are shown and edited, the body in one piece or not', async () => {
    const module = filter({ proxy_on_request_trailers: edits(1) });
    for (const buffering of [true, false]) {
      const { proxyPort } = await through(module, { buffering });
      const answer = await talk(proxyPort, [head() + body + section]);
      expect(seenTrailers(answer), `buffering ${buffering}`).toEqual(edited);
    }
  });

  test('may come in pieces cut anywhere', async () => {
    const { proxyPort } = await through(filter({ proxy_on_request_trailers: edits(1) }));
    const bytes = head() + body + section;
    const from = bytes.length - section.length;
    const cuts = Array.from({ length: section.length - 1 }, (_, i) => from + i + 1);
    const answers = await Promise.all(
      cuts.map((cut) => talk(proxyPort, [bytes.slice(0, cut), bytes.slice(cut)])),
    );
    for (const [i, answer] of answers.entries()) {
      expect(seenTrailers(answer), `cut ${cuts[i]}`).toEqual(edited);
    }
    expect(seenTrailers(await talk(proxyPort, [...bytes]))).toEqual(edited);
  });

  test('that frame, route or name a client are not sent on', async () => {
    const { proxyPort } = await through(filter({ proxy_on_request_trailers: reads(1) }));
    const evil = 'Content-Length: 3\r\nHost: y\r\nAuthorization: a\r\nTrailer: b\r\nX-Ok: 1\r\n';
    expect(seenTrailers(await talk(proxyPort, [`${head()}${body}0\r\n${evil}\r\n`]))).toEqual([
      'x-ok',
      '1',
    ]);
  });

  test('stop the message where the filter pauses, and go on with it', async () => {
    const module = filter({
      proxy_on_request_body: [{ result: 1 }],
      proxy_on_request_trailers: [
        ['proxy_replace_header_map_value', 0, 'x-late', 'head'],
        ['proxy_set_buffer_bytes', 0, 0, 0, 'more '],
      ],
    });
    const { proxyPort } = await through(module);
    expect(seenTrailers(await talk(proxyPort, [head() + body + section])).slice(0, 2)).toEqual([
      'x-sum',
      'abc',
    ]);
  });

  test('end in an answer of the filter', async () => {
    const deny: Step = ['proxy_send_local_response', 403, '', 'no', '', -1];
    const { proxyPort } = await through(filter({ proxy_on_request_trailers: [deny] }));
    expect(await talk(proxyPort, [head() + body + section])).toMatch(/^HTTP\/1\.1 403 [^]*no$/);
    expect(seenTrailers(await talk(proxyPort, [`${head() + body}0\r\n\r\n`]))).toEqual([]);
  });

  test('are dropped where no filter looks at them', async () => {
    const { proxyPort } = await through(filter({ proxy_on_request_headers: [] }));
    expect(seenTrailers(await talk(proxyPort, [head() + body + section]))).toEqual([]);
  });
});

describe('trailers of an answer', () => {
  const trailers = { 'X-Sum': 'abc', 'X-Gone': '1', 'Set-Cookie': 'a=b' };

  test('are shown, edited and sent behind the last chunk', async () => {
    const { proxyPort } = await through(filter({ proxy_on_response_trailers: edits(3) }), {
      trailers,
    });
    const answer = await talk(proxyPort, [`${head() + body}0\r\n\r\n`]);
    expect(answer).toMatch(/\r\n0\r\nx-sum: replaced\r\nx-added: by filter\r\n\r\n$/);
  });

  test('of an answer without any are not called for', async () => {
    const module = filter({ proxy_on_response_trailers: edits(3) });
    const { proxyPort } = await through(module);
    expect(await talk(proxyPort, [`${head() + body}0\r\n\r\n`])).toMatch(/end\r\n0\r\n\r\n$/);
  });

  test('have no place in an answer to HTTP/1.0', async () => {
    const { proxyPort } = await through(filter({ proxy_on_response_trailers: edits(3) }), {
      trailers,
    });
    const answer = await talk(proxyPort, ['GET / HTTP/1.0\r\nHost: x\r\n\r\n']);
    expect(answer).toMatch(/"trailers":\[\]\}end$/);
  });

  test('follow a body that the filter changed', async () => {
    const module = filter({
      proxy_on_response_body: [{ result: 1 }],
      proxy_on_response_trailers: [['proxy_set_buffer_bytes', 1, 0, 0xffff, 'new body']],
    });
    const { proxyPort } = await through(module, { trailers });
    const answer = await talk(proxyPort, [`${head() + body}0\r\n\r\n`]);
    expect(answer).toMatch(/\r\n8\r\nnew body\r\n0\r\nx-sum: abc\r\nx-gone: 1\r\n\r\n$/);
  });
});
