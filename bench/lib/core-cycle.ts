/** Whole exchanges in the core without sockets: the events of a driver, put into its memory. */
import type { Core } from '../../src/core/instance.js';
import { AcceptInfo, Command, Control, Event, Region } from '../../src/core/layout.js';
import { headRoomBytes } from '../../src/core/port.js';

export const requestText =
  'GET /bench HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n\r\n';
const answerText =
  'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 19:15:29 GMT\r\n' +
  'Content-Type: text/plain\r\nContent-Length: 100\r\nConnection: keep-alive\r\n\r\n' +
  'x'.repeat(100);

const events = Region.events.offset >> 2;
const commands = Region.commands.offset >> 2;
const control = Region.control.offset;
const stepBytes = 1024;
const idOf = (index: number) => index | (1 << 16);

/** Connections of clients to a core, each with an exchange behind it. */
export class CoreCycle {
  readonly #core: Core;
  readonly #request = Buffer.from(requestText);
  readonly #answer = Buffer.from(answerText);

  /** @throws Error where the core does not answer `clients` requests */
  constructor(core: Core, clients: number) {
    this.#core = core;
    this.#open(clients);
  }

  /** One exchange on each of the first `count` connections, in two batches. */
  run(count: number): void {
    const { exports, u32 } = this.#core;
    for (let i = 0; i < count; i++) this.#give(i, Event.DATA, idOf(i), this.#request);
    exports.process(count);
    const upstream: number[] = [];
    for (let i = 0; i < count; i++) {
      // Head and body of the gateway's own making: one SEND each.
      upstream.push(u32[commands + i * 4 + 1]);
    }
    for (let i = 0; i < count; i++) this.#give(i, Event.DATA, upstream[i], this.#answer);
    exports.process(count);
  }

  #give(index: number, type: number, id: number, bytes: Uint8Array): void {
    const { u8, u32 } = this.#core;
    const from = Region.read.offset + index * stepBytes + headRoomBytes;
    u8.set(bytes, from);
    const at = events + index * 4;
    u32[at] = type;
    u32[at + 1] = id;
    u32[at + 2] = from;
    u32[at + 3] = bytes.length;
  }

  /** Connection ids that a run of commands names, in order; throws where there are not `count`. */
  #idsOf(commandCount: number, type: number, count: number): number[] {
    const { u32 } = this.#core;
    const ids: number[] = [];
    for (let i = 0; i < commandCount; i++) {
      const at = commands + i * 4;
      if (u32[at] === type && ids.at(-1) !== u32[at + 1]) ids.push(u32[at + 1]);
    }
    if (ids.length !== count) throw new Error(`${ids.length} connections, not ${count}`);
    return ids;
  }

  #open(clients: number): void {
    const { exports, f64 } = this.#core;
    f64[(control + Control.nowMs) >> 3] = 1000;
    f64[(control + Control.wallMs) >> 3] = 1.8e12;
    const info = new Uint8Array(AcceptInfo.size);
    // ::ffff:127.0.0.1, on both sides
    for (const at of [AcceptInfo.peerAddress, AcceptInfo.localAddress]) {
      info.set([255, 255, 127, 0, 0, 1], at + 10);
    }
    for (let i = 0; i < clients; i++) this.#give(i, Event.ACCEPT, idOf(i), info);
    exports.process(clients);
    for (let i = 0; i < clients; i++) this.#give(i, Event.DATA, idOf(i), this.#request);
    const upstream = this.#idsOf(exports.process(clients), Command.CONNECT, clients);
    const nothing = new Uint8Array(0);
    for (let i = 0; i < clients; i++) this.#give(i, Event.CONNECTED, upstream[i], nothing);
    this.#idsOf(exports.process(clients), Command.SEND, clients);
    for (let i = 0; i < clients; i++) this.#give(i, Event.DATA, upstream[i], this.#answer);
    this.#idsOf(exports.process(clients), Command.SEND, clients);
  }
}
