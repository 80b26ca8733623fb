/**
 * A connection over a socket of `node:net` or `node:tls`: its listeners, what it still has to send.
 * Made where the socket is made, so that no error event is ever without a listener.
 */
import type { Socket } from 'node:net';
import { ErrorCause } from '../core/layout.js';
import type { Connection, ConnectionOwner } from './connection.js';
import { causeOfCode } from './error-cause.js';

/** What a few full records need on their way through `node:tls`. */
const tlsSlackBytes = 65536;

export class SocketConnection implements Connection {
  readonly id: number;
  readonly index: number;
  gone = false;
  blocked = false;
  cutAtMs = 0;
  unsentAtCheck = 0;
  socket!: Socket;
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
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(causeOfCode(error.code)));
    socket.on('close', () => {
      if (!socket.writableFinished || !socket.readableEnded) this.#fail(ErrorCause.RESET);
      owner.closed(this);
    });
  }

  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  /** Where node tells: its own idle time-out looks at this field. */
  get kernelUnsentBytes(): number {
    const handle = (this.socket as { _handle?: { writeQueueSize?: number } })._handle;
    return handle?.writeQueueSize ?? this.socket.writableLength;
  }

  get connecting(): boolean {
    return this.socket.connecting;
  }

  get finished(): boolean {
    return this.socket.writableFinished;
  }

  get closed(): boolean {
    return this.socket.destroyed;
  }

  write(data: Buffer | string): boolean {
    const { socket } = this;
    if (socket.writableEnded || socket.destroyed) return true;
    socket.write(data as string, 'latin1', this.#written);
    return socket.writableLength === 0;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  /** Sockets never: TLS has an end of its own to send. */
  closeFlushed(): boolean {
    return false;
  }

  destroy(): void {
    this.socket.destroy();
  }

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
