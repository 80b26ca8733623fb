/** A frame on its way through the plugins of its direction, as they have changed it so far. */
import { isUtf8 } from 'node:buffer';
import type { WebSocketFrame } from '../context-types.js';
import { invalidArgument } from '../pdk/phase-guard.js';
import { controlBytes, isCloseStatus, opcodes, Status } from './protocol.js';

export class FrameState {
  dropped = false;
  #frame: WebSocketFrame;

  constructor(frame: WebSocketFrame) {
    this.#frame = frame;
  }

  get frame(): WebSocketFrame {
    return this.#frame;
  }

  /** Takes what a handler returned: nothing, null to drop it, or what goes on instead. */
  apply(result: unknown): void {
    if (result === undefined) return;
    if (result === null) return this.drop();
    const { type, data, status } = result as WebSocketFrame;
    const known = this.#frame.type;
    const message = (name: string) => name === 'text' || name === 'binary';
    if (!(type in opcodes) || (type !== known && !(message(type) && message(known)))) {
      throw invalidArgument(`a ${known} frame cannot become ${type}`);
    }
    this.#frame = { ...this.#frame, type };
    if (data !== this.#frame.data) this.setData(data);
    if (type === 'close' && status !== null) this.setStatus(status);
  }

  setData(data: Uint8Array | string): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (!(bytes instanceof Uint8Array)) throw invalidArgument('frame data: expected bytes or text');
    const { type } = this.#frame;
    const most = type === 'close' ? controlBytes - 2 : controlBytes;
    if (opcodes[type] >= 8 && bytes.length > most) {
      throw invalidArgument(`frame data: a ${type} frame has at most ${most} bytes`);
    }
    if ((type === 'text' || type === 'close') && !isUtf8(bytes)) {
      throw invalidArgument(`frame data: the bytes of a ${type} frame must be UTF-8`);
    }
    const status = type === 'close' ? (this.#frame.status ?? Status.NORMAL) : null;
    this.#frame = { type, data: bytes, status };
  }

  setStatus(status: number): void {
    if (this.#frame.type !== 'close') {
      throw invalidArgument(`setStatus: a ${this.#frame.type} frame has no status`);
    }
    if (!isCloseStatus(status)) throw invalidArgument(`setStatus: ${status} is no close code`);
    this.#frame = { ...this.#frame, status };
  }

  drop(): void {
    if (this.#frame.type === 'close') throw invalidArgument('a close frame cannot be dropped');
    this.dropped = true;
  }
}
