/**
 * The core's whole cycle of a proxied request without sockets: a client's bytes in, the upstream's
 * request out, its answer in, the client's answer out. Baseline: parsing the two heads alone.
 */
import { AcceptInfo, Command, Control, Event, Region } from '../src/core/layout.js';
import { headRoomBytes } from '../src/core/port.js';
import type { Driver } from '../src/driver/contract.js';
import { createPlane } from '../test/support/plane.js';
import type { BenchSuite } from './lib/suite.js';

const requestText =
  'GET /bench HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n\r\n';
const answerText =
  'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 19:15:29 GMT\r\n' +
  'Content-Type: text/plain\r\nContent-Length: 100\r\nConnection: keep-alive\r\n\r\n' +
  'x'.repeat(100);

const target = { host: '127.0.0.1', port: 9 };
const { core } = createPlane({
  services: [{ prefix: '/bench', target }],
  makeDriver: () => ({ close: async () => {} }) as unknown as Driver,
});
const { exports, u8, u32, f64 } = core;
const events = Region.events.offset >> 2;
const commands = Region.commands.offset >> 2;
const control = Region.control.offset;
const stepBytes = 1024;

const idOf = (index: number) => index | (1 << 16);
const request = Buffer.from(requestText);
const answer = Buffer.from(answerText);

function give(index: number, type: number, id: number, bytes: Uint8Array): void {
  const from = Region.read.offset + index * stepBytes + headRoomBytes;
  u8.set(bytes, from);
  const at = events + index * 4;
  u32[at] = type;
  u32[at + 1] = id;
  u32[at + 2] = from;
  u32[at + 3] = bytes.length;
}

/** Connection ids that a run of commands names, in order; throws where there are not `count`. */
function idsOf(commandCount: number, type: number, count: number): number[] {
  const ids: number[] = [];
  for (let i = 0; i < commandCount; i++) {
    const at = commands + i * 4;
    if (u32[at] === type && ids.at(-1) !== u32[at + 1]) ids.push(u32[at + 1]);
  }
  if (ids.length !== count) throw new Error(`${ids.length} connections, not ${count}`);
  return ids;
}

function open(clients: number): number[] {
  f64[(control + Control.nowMs) >> 3] = 1000;
  f64[(control + Control.wallMs) >> 3] = 1.8e12;
  const info = new Uint8Array(AcceptInfo.size);
  // ::ffff:127.0.0.1, on both sides
  for (const at of [AcceptInfo.peerAddress, AcceptInfo.localAddress]) {
    info.set([255, 255, 127, 0, 0, 1], at + 10);
  }
  for (let i = 0; i < clients; i++) give(i, Event.ACCEPT, idOf(i), info);
  exports.process(clients);
  for (let i = 0; i < clients; i++) give(i, Event.DATA, idOf(i), request);
  const upstream = idsOf(exports.process(clients), Command.CONNECT, clients);
  for (let i = 0; i < clients; i++) give(i, Event.CONNECTED, upstream[i], new Uint8Array(0));
  idsOf(exports.process(clients), Command.SEND, clients);
  for (let i = 0; i < clients; i++) give(i, Event.DATA, upstream[i], answer);
  idsOf(exports.process(clients), Command.SEND, clients);
  return upstream;
}

const clients = 64;
open(clients);

/** One exchange on each of `count` connections, in two batches. */
function cycle(count: number): void {
  for (let i = 0; i < count; i++) give(i, Event.DATA, idOf(i), request);
  exports.process(count);
  const upstream: number[] = [];
  for (let i = 0; i < count; i++) {
    // Head and body of the gateway's own making: one SEND each.
    upstream.push(u32[commands + i * 4 + 1]);
  }
  for (let i = 0; i < count; i++) give(i, Event.DATA, upstream[i], answer);
  exports.process(count);
}

function parse(): void {
  u8.set(request, Region.read.offset);
  exports.parse_request(Region.read.offset, Region.read.offset + request.length);
}

export const suite: BenchSuite = {
  name: 'the core from a request to its answer',
  cases: [
    { name: 'parsing the request alone', fn: parse, baseline: true },
    { name: '1 exchange at a time', fn: () => cycle(1) },
    { name: '8 at a time', fn: () => cycle(8), operations: 8 },
    { name: '64 at a time', fn: () => cycle(64), operations: 64 },
  ],
};
