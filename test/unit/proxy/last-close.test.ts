/** Which connections are closed without waiting for what their client may still send. */
import { expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { AcceptInfo, Command, Event, Region, Settings } from '../../../src/core/layout.js';
import { headRoomBytes } from '../../../src/core/port.js';

const client = 0 | (1 << 16);
const get = (...fields: string[]) => ['GET / HTTP/1.1', 'Host: a', ...fields, '', ''].join('\r\n');

/** Field `a` of the CLOSE that the bytes lead to; undefined: the connection stays. */
function closeAfter(text: string): number | undefined {
  const { exports, u8, u32, buffer } = createCore({ seed: [1, 2] });
  u32[(Region.settings.offset + Settings.keepaliveRequests) >> 2] = 1000;
  const from = Region.read.offset + headRoomBytes;
  const events = Region.events.offset >> 2;
  u8.fill(0, from, from + AcceptInfo.size);
  u32.set([Event.ACCEPT, client, from, 0], events);
  exports.process(1);
  u32.set([Event.DATA, client, from, buffer.latin1Write(text, from)], events);
  const count = exports.process(1);
  for (let i = 0; i < count; i++) {
    const [type, id, a] = u32.subarray((Region.commands.offset >> 2) + i * 4);
    if (type === Command.CLOSE && id === client) return a;
  }
  return undefined;
}

test.each<[string, string, number | undefined]>([
  ['a client that goes on', get(), undefined],
  ['a client that asked for the end', get('Connection: close'), 1],
  ['a client of HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 1],
  ['one whose further bytes have been read', `${get('Connection: close')}\r\n`, 1],
  ['a body that is not complete', get('Connection: close', 'Content-Length: 5'), 0],
  ['a bad request', get('Connection: close', 'Host: b'), 0],
])('%s', (_name, text, a) => {
  expect(closeAfter(text)).toBe(a);
});
