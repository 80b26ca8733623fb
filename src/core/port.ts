/**
 * The driver's end of the core: hands over events and carries the commands that come back to a
 * `CommandSink`. It is the guard of the boundary: a connection id must be live and of the current
 * generation, bytes to send must lie inside one region that may leave the process. A command that
 * breaks a rule is a bug in the core and stops the data plane instead of becoming a leak.
 */
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { Clock } from '../time.js';
import { putAddress } from './address.js';
import type { Core } from './instance.js';
import { AcceptInfo, Command, Control, Event, Region, Settings } from './layout.js';

/**
 * Bytes before the place where sockets read to: the core rewrites a head so that it ends where the
 * body begins, and sends both as one range.
 */
export const headRoomBytes = 256;
/** What one read takes at most: node's own choice for a socket, and the bound of a pulled tail. */
export const readBytes = 65536;
/**
 * Up to here bytes leave as a latin1 string: node copies it to the stack and tries the write at
 * once. Measured per 300-byte write: 1.1 us user time against 1.65 us with a pooled Buffer. Longer
 * ones would be copied to the heap twice, so they go as a Buffer.
 */
const latin1BytesMax = 16384;
/** A read and a head, so that nearly every long run fits. */
const longRunBytes = readBytes + limits.responseHeadBytes.value;

const downstreamCount = limits.downstreamConnections.value;
const indexCount = downstreamCount + limits.upstreamConnections.value;

/** What carries out commands: one implementation per driver. `index` is the id's low 16 bits. */
export interface CommandSink {
  /**
   * Bytes for one connection, copied out of the core; every SEND of a run in one piece. Returns
   * true where a Buffer is still needed after the call; else it is filled again for the next one.
   */
  send(index: number, data: Buffer | string): boolean;
  /** `last`: the peer has said that it sends nothing more. */
  close(index: number, last: boolean): void;
  abort(index: number): void;
  /** The id is live from here on. */
  connect(index: number, id: number, target: number): void;
  pause(index: number): void;
  resume(index: number): void;
  shutdown(index: number): void;
}

/** Facts of an accepted connection, written for the core. Ports: 0 for Unix sockets. */
export interface AcceptFacts {
  readonly peerAddress: string | undefined;
  readonly peerPort: number;
  readonly localAddress: string | undefined;
  /** After port_maps. */
  readonly localPort: number;
  readonly listener: number;
  /** AcceptFlag bits. */
  readonly flags: number;
  readonly sni?: string;
  /** Number of src/tls/session-names.ts; default 0. */
  readonly tls?: number;
}

/** Ranges of linear memory whose bytes may be sent, as [start, end) pairs, likeliest first. */
export const sendable: readonly (readonly [number, number])[] = [
  [Region.out.offset, Region.out.offset + Region.out.bytes],
  [Region.read.offset, Region.read.offset + Region.read.bytes],
  [Region.slots.offset, Region.slots.offset + Region.slots.bytes],
  [Region.reply.offset, Region.reply.offset + Region.reply.bytes],
  // Static data of the module: ready answers such as "HTTP/1.1 100 Continue".
  [Region.routeScratch.offset + Region.routeScratch.bytes, Region.edits.offset],
];

export class CorePort {
  /** Where sockets read to; its first byte is `readPointer` in the core. */
  readonly readView: Uint8Array;
  readonly readPointer = Region.read.offset + headRoomBytes;
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #sink: CommandSink;
  readonly #live = new Int32Array(indexCount);
  /** Generation that the next use of a downstream index gets. */
  readonly #generation = new Uint16Array(downstreamCount).fill(1);
  readonly #free = new Int32Array(downstreamCount);
  #freeCount = downstreamCount;
  #peerAddress: string | null = null;
  #localAddress: string | null = null;
  #long: Buffer | null = null;
  /** Where short runs of SENDs are put together. */
  readonly #scratch = Buffer.allocUnsafeSlow(latin1BytesMax);

  constructor(core: Core, clock: Clock, sink: CommandSink) {
    this.#core = core;
    this.#clock = clock;
    this.#sink = sink;
    this.readView = core.u8.subarray(this.readPointer, this.readPointer + readBytes);
    for (let i = 0; i < downstreamCount; i++) this.#free[i] = downstreamCount - 1 - i;
  }

  /** Connections that have a deadline in the core: above 0 it needs ticks. */
  get timers(): number {
    return this.#core.u32[(Region.control.offset + Control.timers) >> 2];
  }

  /** True where the core has work left over that no event will wake: send it a TICK. */
  get more(): boolean {
    return this.#core.u32[(Region.control.offset + Control.more) >> 2] !== 0;
  }

  /** How long a peer may take nothing of what is to be flushed, in milliseconds. */
  get sendTimeoutMs(): number {
    return this.#core.u32[(Region.settings.offset + Settings.sendTimeoutMs) >> 2] || 60_000;
  }

  /** How long a client may take for what comes before its request, in milliseconds; 0: no limit. */
  get clientHeaderTimeoutMs(): number {
    return this.#core.u32[(Region.settings.offset + Settings.clientHeaderTimeoutMs) >> 2];
  }

  /** A downstream id for a connection to accept, or 0 at limits.downstreamConnections. */
  open(): number {
    if (this.#freeCount === 0) return 0;
    const index = this.#free[--this.#freeCount];
    const id = index | (this.#generation[index] << 16);
    this.#live[index] = id;
    return id;
  }

  /** Forgets an id; commands that name it are faults from here on. Idempotent. */
  release(id: number): void {
    const index = id & 0xffff;
    if (this.#live[index] !== id) return;
    this.#live[index] = 0;
    if (index >= downstreamCount) return;
    // 0 is left out so that no id is ever 0.
    this.#generation[index] = this.#generation[index] === 0xffff ? 1 : this.#generation[index] + 1;
    this.#free[this.#freeCount++] = index;
  }

  isLive(id: number): boolean {
    return this.#live[id & 0xffff] === id;
  }

  countRefused(): void {
    this.#core.f64[(Region.control.offset + Control.refusedConnections) >> 3]++;
  }

  /** Writes AcceptInfo and hands ACCEPT over. */
  accept(id: number, facts: AcceptFacts): void {
    const { u8, u16, u32, buffer } = this.#core;
    const base = Region.acceptInfo.offset;
    const { peerAddress = '', localAddress = '' } = facts;
    // Only this writes there: the same address as last time still stands where it was.
    if (peerAddress !== this.#peerAddress)
      putAddress(u8, base + AcceptInfo.peerAddress, peerAddress);
    if (localAddress !== this.#localAddress) {
      putAddress(u8, base + AcceptInfo.localAddress, localAddress);
    }
    this.#peerAddress = peerAddress;
    this.#localAddress = localAddress;
    u16[(base + AcceptInfo.peerPort) >> 1] = facts.peerPort;
    u16[(base + AcceptInfo.localPort) >> 1] = facts.localPort;
    u16[(base + AcceptInfo.listener) >> 1] = facts.listener;
    u16[(base + AcceptInfo.flags) >> 1] = facts.flags;
    u32[(base + AcceptInfo.tls) >> 2] = facts.tls ?? 0;
    const sni = facts.sni?.slice(0, 255) ?? '';
    u32[(base + AcceptInfo.sniLength) >> 2] = sni.length;
    if (sni.length > 0) buffer.latin1Write(sni, base + AcceptInfo.sni);
    this.deliver(Event.ACCEPT, id, base, 0);
  }

  /**
   * Hands one event over and carries out what comes back. Not re-entrant: the driver queues.
   * @throws GatewayError GW_E_CORE_TRAP, GW_E_CORE_COMMAND; the core must not be used after either
   */
  deliver(event: number, connection: number, a: number, b: number): void {
    const { u32, i32, f64, exports } = this.#core;
    f64[(Region.control.offset + Control.nowMs) >> 3] = this.#clock.now();
    f64[(Region.control.offset + Control.wallMs) >> 3] = this.#clock.wall();
    const at = Region.events.offset >> 2;
    u32[at] = event;
    i32[at + 1] = connection;
    u32[at + 2] = a;
    u32[at + 3] = b;
    const taken = (Region.control.offset + Control.eventsTaken) >> 2;
    do {
      let commandCount: number;
      try {
        commandCount = exports.process(1);
      } catch (cause) {
        throw asTrap(cause);
      }
      if (commandCount > 0) this.#carryOut(commandCount);
      // Timers or a pipeline may have used the room for output up: then the event has its turn now.
    } while (u32[taken] === 0);
  }

  #carryOut(commandCount: number): void {
    if (commandCount > limits.commandsPerBatch.value) {
      throw new GatewayError('GW_E_CORE_COMMAND', `${commandCount} commands in one batch`);
    }
    const { u32, i32 } = this.#core;
    const live = this.#live;
    const end = (Region.commands.offset >> 2) + commandCount * 4;
    for (let at = Region.commands.offset >> 2; at < end; at += 4) {
      const type = u32[at];
      const id = i32[at + 1];
      const index = id & 0xffff;
      if (index >= indexCount || (live[index] !== id && type !== Command.CONNECT)) {
        throw this.#bad('names a connection that is gone', at);
      }
      switch (type) {
        case Command.SEND:
          at = this.#send(at, end, index);
          break;
        case Command.CLOSE:
          this.release(id);
          this.#sink.close(index, u32[at + 2] === 1);
          break;
        case Command.ABORT:
          this.release(id);
          this.#sink.abort(index);
          break;
        case Command.CONNECT:
          if (index < downstreamCount) throw this.#bad('connects a downstream id', at);
          if (live[index] !== 0) throw this.#bad('connects an index in use', at);
          live[index] = id;
          this.#sink.connect(index, id, u32[at + 2]);
          break;
        case Command.PAUSE:
          this.#sink.pause(index);
          break;
        case Command.RESUME:
          this.#sink.resume(index);
          break;
        case Command.SHUTDOWN:
          this.#sink.shutdown(index);
          break;
        default:
          throw this.#bad('is of an unknown type', at);
      }
    }
  }

  /** One write for a run of SENDs to the same connection; returns the last record of the run. */
  #send(at: number, end: number, index: number): number {
    const { u32, buffer } = this.#core;
    let total = this.#checked(at);
    let last = at;
    while (last + 4 < end && u32[last + 4] === Command.SEND && u32[last + 5] === u32[at + 1]) {
      last += 4;
      total += this.#checked(last);
    }
    const start = u32[at + 2];
    if (total <= latin1BytesMax) {
      const text =
        last === at
          ? buffer.latin1Slice(start, start + total)
          : this.#gather(this.#scratch, at, last).latin1Slice(0, total);
      this.#sink.send(index, text);
    } else {
      this.#sendLong(at, last, index, total);
    }
    return last;
  }

  /**
   * Mostly the kernel takes it all at once and the same memory serves again: fresh memory for every
   * long write costs page faults, and stays until the collector runs.
   */
  #sendLong(at: number, last: number, index: number, total: number): void {
    const own = total <= longRunBytes;
    if (own) this.#long ??= Buffer.allocUnsafeSlow(longRunBytes);
    const data = this.#gather(own ? this.#long! : Buffer.allocUnsafeSlow(total), at, last);
    const needed = this.#sink.send(index, own ? data.subarray(0, total) : data);
    if (own && needed) this.#long = null;
  }

  /** Copies the bytes of a run of SENDs one behind the other. */
  #gather(into: Buffer, at: number, last: number): Buffer {
    const { u32, buffer } = this.#core;
    let filled = 0;
    for (let record = at; record <= last; record += 4) {
      const from = u32[record + 2];
      filled += buffer.copy(into, filled, from, from + u32[record + 3]);
    }
    return into;
  }

  /** Length of the SEND at this record after its range was checked. */
  #checked(at: number): number {
    const { u32 } = this.#core;
    const start = u32[at + 2];
    const bytes = u32[at + 3];
    for (let i = 0; i < sendable.length; i++) {
      if (start >= sendable[i][0] && start + bytes <= sendable[i][1]) return bytes;
    }
    throw this.#bad('sends bytes outside the regions that may leave', at);
  }

  #bad(what: string, at: number): GatewayError {
    const [type, connection, a, b] = this.#core.u32.subarray(at, at + 4);
    return new GatewayError('GW_E_CORE_COMMAND', `command ${type} ${what}`, {
      details: { type, connection, a, b },
    });
  }
}

/** What the worker is told when `process` threw. */
export function asTrap(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError('GW_E_CORE_TRAP', `the core trapped: ${cause}`, { cause });
}
