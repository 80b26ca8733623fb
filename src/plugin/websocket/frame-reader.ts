/**
 * Takes the frames of one direction of a WebSocket apart (RFC 6455 5): messages in fragments come
 * out whole, control frames between fragments at once. What a peer sends is believed as far as it
 * has arrived: memory grows with the bytes, not with the length that a frame claims.
 */
import { isUtf8 } from 'node:buffer';
import type { WebSocketFrame } from '../context-types.js';
import { closeFault, controlBytes, opcodeTypes, SocketFault, Status } from './protocol.js';

export interface FrameReaderOptions {
  /** Frames of clients are masked, those of servers are not (RFC 6455 5.1). */
  readonly masked: boolean;
  /** Bytes of a text or binary message, all fragments together. */
  readonly limit: number;
  readonly deliver: (frame: WebSocketFrame) => void;
}

/** Bytes of the longest frame head: two, a length of eight, a mask of four. */
const headBytes = 14;
const firstBytes = 4096;
const nothing = new Uint8Array(0);

export class FrameReader {
  readonly #options: FrameReaderOptions;
  readonly #head = new Uint8Array(headBytes);
  /** Bytes of the head so far. */
  #headSize = 0;
  /** Payload bytes of the frame to come; -1: its head is not complete. */
  #left = -1;
  /** Where the mask goes on. */
  #maskAt = 0;
  readonly #message = new Growing();
  readonly #control = new Growing();
  /** Of the message whose fragments come; 0: none. */
  #opcode = 0;
  #closed = false;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /**
   * Takes bytes as they came and delivers what is complete with them. Bytes behind a close frame
   * are dropped.
   * @throws SocketFault where the peer breaks the protocol; nothing may follow
   */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.#closed) {
      if (this.#left < 0) {
        at = this.#takeHead(bytes, at);
        if (this.#left < 0) continue;
      }
      at = this.#takePayload(bytes, at);
      if (this.#left === 0) this.#endFrame();
    }
  }

  #takeHead(bytes: Uint8Array, from: number): number {
    const head = this.#head;
    let at = from;
    while (at < bytes.length) {
      head[this.#headSize++] = bytes[at++];
      if (this.#headSize >= 2 && this.#headSize === headLength(head)) {
        this.#beginFrame();
        break;
      }
    }
    return at;
  }

  #beginFrame(): void {
    const head = this.#head;
    const opcode = head[0] & 0x0f;
    if ((head[0] & 0x70) !== 0) throw violation('reserved bits are set');
    if (((head[1] & 0x80) !== 0) !== this.#options.masked) throw violation('wrong masking');
    if (!(opcode in opcodeTypes) && opcode !== 0) throw violation('unknown opcode');
    const length = payloadLength(head);
    if (opcode >= 8) {
      if ((head[0] & 0x80) === 0) throw violation('a control frame in fragments');
      if (length > controlBytes) throw violation('a control frame is too long');
    } else {
      if ((opcode === 0) !== (this.#opcode !== 0)) throw violation('fragments out of order');
      if (this.#message.size + length > this.#options.limit) {
        throw new SocketFault(Status.TOO_BIG, 'the message is too big');
      }
      if (opcode !== 0) this.#opcode = opcode;
    }
    this.#left = length;
    this.#maskAt = 0;
  }

  #takePayload(bytes: Uint8Array, from: number): number {
    const size = Math.min(this.#left, bytes.length - from);
    const target = this.#isControl ? this.#control : this.#message;
    const whole = this.#left === size && this.#isFinal;
    const at = target.reserve(size, whole);
    if (this.#options.masked) {
      const mask = this.#headSize - 4;
      for (let i = 0; i < size; i++) {
        target.bytes[at + i] = bytes[from + i] ^ this.#head[mask + ((this.#maskAt + i) & 3)];
      }
      this.#maskAt += size;
    } else target.bytes.set(bytes.subarray(from, from + size), at);
    this.#left -= size;
    return from + size;
  }

  get #isControl(): boolean {
    return (this.#head[0] & 8) !== 0;
  }

  get #isFinal(): boolean {
    return (this.#head[0] & 0x80) !== 0;
  }

  #endFrame(): void {
    const control = this.#isControl;
    const final = this.#isFinal;
    const opcode = control ? this.#head[0] & 0x0f : this.#opcode;
    this.#headSize = 0;
    this.#left = -1;
    if (!final) return;
    const data = (control ? this.#control : this.#message).release();
    if (!control) this.#opcode = 0;
    const type = opcodeTypes[opcode];
    if (type === 'close') return this.#close(data);
    if (type === 'text' && !isUtf8(data)) {
      throw new SocketFault(Status.NOT_UTF8, 'a text is not UTF-8');
    }
    this.#options.deliver({ type, data, status: null });
  }

  #close(data: Uint8Array): void {
    const fault = closeFault(data);
    if (fault) throw fault;
    this.#closed = true;
    const status = data.length === 0 ? null : (data[0] << 8) | data[1];
    this.#options.deliver({ type: 'close', data: data.subarray(2), status });
  }
}

/** Bytes that come in parts. */
class Growing {
  bytes: Uint8Array = nothing;
  size = 0;

  /** Makes room for so many more; `last`: nothing comes behind them. Returns where they go. */
  reserve(more: number, last: boolean): number {
    const at = this.size;
    this.size += more;
    if (this.size > this.bytes.length) {
      const room = last ? this.size : Math.max(firstBytes, this.size, this.bytes.length * 2);
      const grown = new Uint8Array(room);
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
    }
    return at;
  }

  release(): Uint8Array {
    const whole = this.bytes.subarray(0, this.size);
    this.bytes = nothing;
    this.size = 0;
    return whole;
  }
}

/** Bytes of a head of which the first two are known. */
function headLength(head: Uint8Array): number {
  const short = head[1] & 0x7f;
  return 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + ((head[1] & 0x80) === 0 ? 0 : 4);
}

function payloadLength(head: Uint8Array): number {
  const short = head[1] & 0x7f;
  if (short < 126) return short;
  const view = new DataView(head.buffer);
  const length = short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
  // The shortest form only (RFC 6455 5.2).
  if (length < (short === 126 ? 126 : 65_536)) throw violation('a length is not in its short form');
  return length;
}

const violation = (text: string) => new SocketFault(Status.PROTOCOL_ERROR, text);
