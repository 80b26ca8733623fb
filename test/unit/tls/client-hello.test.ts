import { createServer } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serverNameOf } from '../../../src/tls/client-hello.js';
import { listenOn } from '../../support/raw.js';

/** The first message of a real client. */
async function helloOf(servername: string): Promise<Buffer> {
  const hello = new Promise<Buffer>((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        socket.destroy();
        resolve(bytes);
      });
    });
    void listenOn(server).then((port) => {
      connect({ host: '127.0.0.1', port, servername }).on('error', () => {});
    });
  });
  return hello;
}

/** The same message in records of at most `size` bytes. */
function split(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    const head = Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]);
    records.push(Buffer.concat([head, part]));
  }
  return Buffer.concat(records);
}

describe('the server name of a ClientHello', () => {
  test('is read in lower case, and only when all of the message is there', async () => {
    const hello = await helloOf('Shop.Example');
    expect(serverNameOf(hello)).toBe('shop.example');
    for (let n = 0; n < hello.length; n++) {
      expect(serverNameOf(hello.subarray(0, n))).toBeUndefined();
    }
    for (const size of [1, 3, 100]) expect(serverNameOf(split(hello, size))).toBe('shop.example');
  });

  test('is null where there is none', async () => {
    expect(serverNameOf(await helloOf(''))).toBeNull();
    expect(serverNameOf(Buffer.from('GET / HTTP/1.1\r\n'))).toBeNull();
    expect(serverNameOf(Buffer.from([22, 3, 1, 0, 0]))).toBeNull();
    expect(serverNameOf(Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]))).toBeNull();
  });

  test('any bytes give a name, null or a wish for more, and never a fault', async () => {
    const hello = await helloOf('shop.example');
    const edits = fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(edits, (places) => {
        const bytes = Buffer.from(hello);
        for (const [at, value] of places) bytes[at] = value;
        const name = serverNameOf(bytes);
        expect(name === null || name === undefined || typeof name === 'string').toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
