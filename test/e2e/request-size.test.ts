/** request-size-limiting with bodies of unknown length, larger than plugins may hold. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { oneService, startGateway, startUpstream } from '../support/gateway.js';

/** Sends `bytes` in chunks of 10,000; resolves with the status and what the upstream got. */
async function upload(bytes: number, config: object, more = '') {
  const sizes: number[] = [];
  const upstream = await startUpstream((request, response) => {
    let size = 0;
    request.on('data', (part: Buffer) => {
      size += part.length;
    });
    request.on('error', () => {});
    request.on('end', () => {
      sizes.push(size);
      response.end('taken');
    });
  });
  const plugins = [{ name: 'request-size-limiting', config }];
  const { proxyPort } = await startGateway({ config: oneService(upstream.url, plugins) });
  const text = await new Promise<string>((resolve) => {
    const socket = connect({ port: proxyPort, host: '127.0.0.1' });
    let answer = '';
    socket.on('data', (part) => {
      answer += part;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    const head = `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}`;
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    for (let sent = 0; sent < bytes; sent += 10_000) {
      socket.write(`2710\r\n${'x'.repeat(10_000)}\r\n`);
    }
    socket.write('0\r\n\r\n');
  });
  const status = Number(/^HTTP\/1.1 (?!100)(\d+)/m.exec(text)?.[1]);
  return { status, text, sizes };
}

const kilobytes = (size: number) => ({ allowed_payload_size: size, size_unit: 'kilobytes' });

test('a body within the limit passes, however large', async () => {
  const { status, sizes } = await upload(500_000, kilobytes(500));
  expect({ status, sizes }).toEqual({ status: 200, sizes: [500_000] });
});

test('a body above it is refused where that shows, before the upstream has all of it', async () => {
  const { status, text, sizes } = await upload(520_000, kilobytes(500));
  expect({ status, sizes }).toEqual({ status: 413, sizes: [] });
  expect(text).toContain('Request size limit exceeded');
});

test('a client that waits for 100 is told 417', async () => {
  const { status } = await upload(520_000, kilobytes(500), 'Expect: 100-continue\r\n');
  expect(status).toBe(417);
});
