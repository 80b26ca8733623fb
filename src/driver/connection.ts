/**
 * One socket of the net driver, of either side: its id, its listeners, what it still has to send.
 * Made where the socket is made, so that no error event is ever without a listener.
 */
import type { Socket } from 'node:net';
import { ErrorCause } from '../core/layout.js';

/** What a few full records need on their way through `node:tls`. */
const tlsSlackBytes = 65536;

/** What a connection tells the driver. */
export interface ConnectionOwner {
  /** `bytes` were read into the core's read region. */
  received(connection: NetConnection, bytes: number): void;
  /** The peer's FIN. */
  ended(connection: NetConnection): void;
  /** Reset, failed connect, or destroyed without both FINs; at most once. */
  failed(connection: NetConnection, cause: number): void;
  /** Everything that was held has gone to the kernel. */
  drained(connection: NetConnection): void;
  /** The socket is closed. Always the last call. */
  closed(connection: NetConnection): void;
}

export class NetConnection {
  /** The core's id: index | generation << 16. */
  readonly id: number;
  readonly index: number;
  /** The core has dropped it: events are not for it any more, bytes are discarded. */
  gone = false;
  /** BLOCKED was reported and DRAINED was not. */
  blocked = false;
  /** While it is closing: when to cut it, and what was unsent when that was decided. */
  cutAtMs = 0;
  unsentAtCheck = 0;
  socket!: Socket;
  /** Bytes that may be unsent before the connection counts as blocked. */
  slackBytes = 0;
  readonly #owner: ConnectionOwner;
  #failed = false;
  /** One function for all writes, so that a write allocates none. */
  readonly #written = (): void => {
    if (this.blocked && this.socket.writableLength === 0) {
      this.blocked = false;
      this.#owner.drained(this);
    }
  };

  constructor(owner: ConnectionOwner, id: number) {
    this.#owner = owner;
    this.id = id;
    this.index = id & 0xffff;
  }

  /** The `onread` option of a socket that reads straight into the core's memory. */
  onread(view: Uint8Array): { buffer: Uint8Array; callback: (bytes: number) => boolean } {
    return {
      buffer: view,
      callback: (bytes) => {
        if (!this.gone) this.#owner.received(this, bytes);
        return true;
      },
    };
  }

  /** Takes a socket over; must run in the turn of the event loop in which it was made. */
  attach(socket: Socket): void {
    this.socket = socket;
    if ('encrypted' in socket) this.slackBytes = tlsSlackBytes;
    const owner = this.#owner;
    socket.on('end', () => owner.ended(this));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(causeOf(error)));
    socket.on('close', () => {
      if (!socket.writableFinished || !socket.readableEnded) this.#fail(ErrorCause.RESET);
      owner.closed(this);
    });
  }

  /** Bytes that the kernel has not taken. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  /**
   * The same, but falling while one long write is under way, where node tells (its own idle
   * time-out looks at this field).
   */
  get kernelUnsentBytes(): number {
    const handle = (this.socket as { _handle?: { writeQueueSize?: number } })._handle;
    return handle?.writeQueueSize ?? this.socket.writableLength;
  }

  /** Writes; returns false where bytes are left that the kernel did not take at once. */
  write(data: Buffer | string): boolean {
    const { socket } = this;
    if (socket.writableEnded || socket.destroyed) return true;
    socket.write(data as string, 'latin1', this.#written);
    return socket.writableLength === 0;
  }

  /** Resets the connection: the peer sees that what it got is cut short. */
  reset(): void {
    this.gone = true;
    const { socket } = this;
    if (socket.destroyed) return;
    // A socket that is connecting would wait for the connection; pipes know no reset, and TLS cuts
    // visibly by leaving out its own end.
    const plain = !('encrypted' in socket) && socket.remotePort !== undefined;
    if (socket.connecting || !plain) socket.destroy();
    else socket.resetAndDestroy();
  }

  #fail(cause: number): void {
    if (this.#failed || this.gone) return;
    this.#failed = true;
    this.#owner.failed(this, cause);
  }
}

function causeOf(error: NodeJS.ErrnoException): number {
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return ErrorCause.REFUSED;
    case 'ECONNRESET':
    case 'EPIPE':
      return ErrorCause.RESET;
    case 'ETIMEDOUT':
      return ErrorCause.TIMEOUT;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return ErrorCause.RESOLVE;
    default:
      return ErrorCause.OTHER;
  }
}
