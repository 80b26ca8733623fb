/** Frames of WebSockets taken apart, however the bytes arrive (RFC 6455 5). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BodyQueue } from '../../../src/plugin/body-queue.js';
import type { WebSocketFrame } from '../../../src/plugin/socket-types.js';
import { FrameReader } from '../../../src/plugin/websocket/frame-reader.js';
import { putFrame } from '../../../src/plugin/websocket/frame-writer.js';
import { SocketFault } from '../../../src/plugin/websocket/protocol.js';

const key = [0x37, 0xfa, 0x21, 0x3d];

/** A frame by the book; `masked` with a fixed key. */
function frame(opcode: number, payload: string | Buffer, fin = true, masked = false): Buffer {
  const data = Buffer.from(payload);
  const size = Buffer.alloc(data.length < 126 ? 0 : data.length < 65_536 ? 2 : 8);
  if (size.length === 2) size.writeUInt16BE(data.length);
  if (size.length === 8) size.writeBigUInt64BE(BigInt(data.length));
  const short = size.length === 0 ? data.length : size.length === 2 ? 126 : 127;
  const head = Buffer.from([(fin ? 0x80 : 0) | opcode, (masked ? 0x80 : 0) | short]);
  if (!masked) return Buffer.concat([head, size, data]);
  const mixed = data.map((byte, index) => byte ^ key[index & 3]);
  return Buffer.concat([head, size, Buffer.from(key), mixed]);
}

/** What a reader makes of parts: frames as text, and the status of a fault. */
function read(parts: readonly Uint8Array[], masked = false, limit = 100_000): string[] {
  const got: string[] = [];
  const deliver = ({ type, data, status }: WebSocketFrame) => {
    got.push(`${type}${status ?? ''}:${Buffer.from(data).toString('latin1')}`);
  };
  const reader = new FrameReader({ masked, limit, deliver });
  try {
    for (const part of parts) reader.push(part);
  } catch (error) {
    if (!(error instanceof SocketFault)) throw error;
    got.push(`fault ${error.status}`);
  }
  return got;
}

const close = (status: number, reason = '') =>
  Buffer.concat([Buffer.from([status >> 8, status & 255]), Buffer.from(reason)]);

const cases: readonly (readonly [string, readonly Buffer[], readonly string[]])[] = [
  ['a text', [frame(1, 'hello')], ['text:hello']],
  ['an empty binary', [frame(2, '')], ['binary:']],
  [
    'lengths of each form',
    [frame(1, 'a'.repeat(126)), frame(2, 'b'.repeat(65_536))],
    [`text:${'a'.repeat(126)}`, `binary:${'b'.repeat(65_536)}`],
  ],
  [
    'fragments with a ping between',
    [frame(1, 'he', false), frame(9, 'p'), frame(0, '', false), frame(0, 'llo')],
    ['ping:p', 'text:hello'],
  ],
  [
    'UTF-8 cut by a fragment',
    [frame(1, Buffer.from([0xe2, 0x82]), false), frame(0, Buffer.from([0xac]))],
    [`text:${Buffer.from('€').toString('latin1')}`],
  ],
  ['a close frame ends it', [frame(8, close(1000, 'bye')), frame(1, 'late')], ['close1000:bye']],
  ['a close frame without a status', [frame(8, '')], ['close:']],
  ['a status of an application', [frame(8, close(4999))], ['close4999:']],
  ['a close frame of one byte', [frame(8, 'x')], ['fault 1002']],
  ['a status that must not be sent', [frame(8, close(1005))], ['fault 1002']],
  ['a status of no range', [frame(8, close(2999))], ['fault 1002']],
  ['a reason that is not UTF-8', [frame(8, Buffer.from([3, 232, 0xff]))], ['fault 1007']],
  ['a text that is not UTF-8', [frame(1, Buffer.from([0xc0, 0x80]))], ['fault 1007']],
  ['a surrogate in a text', [frame(1, Buffer.from([0xed, 0xa0, 0x80]))], ['fault 1007']],
  ['reserved bits', [frame(0x41, 'x')], ['fault 1002']],
  ['an unknown opcode', [frame(3, 'x')], ['fault 1002']],
  ['an unknown control opcode', [frame(11, 'x')], ['fault 1002']],
  ['a continuation of nothing', [frame(0, 'x')], ['fault 1002']],
  ['a message within a message', [frame(1, 'a', false), frame(1, 'b')], ['fault 1002']],
  ['a ping in fragments', [frame(9, 'x', false)], ['fault 1002']],
  ['a ping above 125 bytes', [frame(9, 'x'.repeat(126))], ['fault 1002']],
  ['a frame that is masked', [frame(1, 'x', true, true)], ['fault 1002']],
  ['a length not in its short form', [Buffer.from([0x81, 126, 0, 5])], ['fault 1002']],
  [
    'a long length not in its short form',
    [Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255])],
    ['fault 1002'],
  ],
  ['a length without end', [Buffer.from([0x82, 127, ...Array(8).fill(255)])], ['fault 1009']],
  ['a message above the limit', [frame(2, 'x'.repeat(100_001))], ['fault 1009']],
  [
    'fragments above the limit',
    [frame(2, 'x'.repeat(60_000), false), frame(0, 'x'.repeat(40_001))],
    ['fault 1009'],
  ],
];

test.each(cases)('%s, in one piece and byte by byte', (_, frames, expected) => {
  const whole = Buffer.concat(frames);
  expect(read([whole])).toEqual(expected);
  expect(read(Array.from(whole, (byte) => Buffer.from([byte])))).toEqual(expected);
  expect(read(frames)).toEqual(expected);
});

test('clients mask, and must', () => {
  expect(read([frame(1, 'x'.repeat(300), true, true)], true)).toEqual([`text:${'x'.repeat(300)}`]);
  expect(read([frame(1, 'x')], true)).toEqual(['fault 1002']);
});

const part = fc.record({
  kind: fc.constantFrom<WebSocketFrame['type']>('text', 'binary', 'ping', 'pong'),
  text: fc.string({ maxLength: 90 }),
});

test('what the writer puts together the reader takes apart, cut anywhere', () => {
  fc.assert(
    fc.property(
      fc.array(part),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      (parts, masked, cut) => {
        const queue = new BodyQueue();
        for (const { kind, text } of parts) {
          const data = Buffer.from(
            Buffer.from(text).subarray(0, 125).toString('hex').slice(0, 125),
          );
          putFrame(queue, { type: kind, data, status: null }, masked);
        }
        const bytes = queue.all();
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += cut) pieces.push(bytes.subarray(at, at + cut));
        expect(read(pieces, masked)).toEqual(read([bytes], masked));
        expect(read(pieces, masked).length).toBe(parts.length);
      },
    ),
  );
});

test('memory grows with what arrives, not with what is announced', () => {
  const reader = new FrameReader({ masked: false, limit: 1 << 30, deliver: () => {} });
  const before = process.memoryUsage().arrayBuffers;
  const readers = [reader];
  for (let i = 0; i < 100; i++) {
    const one = new FrameReader({ masked: false, limit: 1 << 30, deliver: () => {} });
    one.push(Buffer.from([0x82, 127, 0, 0, 0, 0, 0x20, 0, 0, 0, 1, 2, 3]));
    readers.push(one);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  expect(readers.length).toBe(101);
});
