/**
 * A connection over a bare handle: no event emitter, no stream, nothing allocated for a read or
 * for a write that the kernel takes at once. Reads land where the driver's view begins. Callbacks
 * come from the event loop only, never from within a call.
 */
import { getSystemErrorMap } from 'node:util';
import { ErrorCause } from '../../core/layout.js';
import type { Connection, ConnectionOwner } from '../connection.js';
import { causeOfStatus } from '../error-cause.js';
import type { BareBindings, BareHandle, BareRequest } from './handles.js';

const statusOf = new Map([...getSystemErrorMap()].map(([status, [name]]) => [name, status]));
const END_OF_FILE = statusOf.get('EOF');
const NOT_CONNECTED = statusOf.get('ENOTCONN');

const nothing = new Uint8Array(0);

/** What all connections of a driver share. */
export interface BareContext {
  readonly bindings: BareBindings;
  readonly owner: ConnectionOwner;
  /** Where reads land. */
  readonly view: Uint8Array;
  /** For the next write: it is used up only where a write is left over. */
  spareWrite: BareRequest;
}

/** Called with the ErrorCause of an attempt to connect that failed. */
export type Retry = (cause: number) => void;

export class BareConnection implements Connection {
  readonly id: number;
  readonly index: number;
  gone = false;
  blocked = false;
  cutAtMs = 0;
  unsentAtCheck = 0;
  readonly slackBytes = 0;
  connecting = true;
  finished = false;
  closed = false;
  readonly #context: BareContext;
  /** Null until an attempt to connect begins, and when closed. */
  #handle: BareHandle | null = null;
  #tcp = true;
  #wantsRead = true;
  #reading = false;
  /** Writes that the kernel has not taken whole. */
  #writing = 0;
  /** end() was called. */
  #ending = false;
  /** The peer's FIN was read. */
  #ended = false;
  /** A write failed: what the peer had sent before is read, then the connection has failed. */
  #broken = false;
  #failed = false;
  #retry: Retry | null = null;

  constructor(context: BareContext, id: number) {
    this.#context = context;
    this.id = id;
    this.index = id & 0xffff;
  }

  /** Takes an accepted handle over; it reads from here on. */
  accept(handle: BareHandle, tcp: boolean): void {
    this.#own(handle, tcp);
    this.#opened();
  }

  /**
   * One attempt to connect over this handle, begun by `start`; where it fails, `retry` decides what
   * next, and `fail` where it is null.
   */
  attempt(
    handle: BareHandle,
    request: BareRequest,
    start: () => number,
    { tcp, retry }: { tcp: boolean; retry: Retry | null },
  ): void {
    this.#own(handle, tcp);
    this.#retry = retry;
    request.connection = this;
    request.oncomplete = (result) => this.#attemptEnded(handle, result);
    const status = start();
    if (status !== 0) this.#attemptFailed(causeOfStatus(status));
  }

  /** Gives the attempt over this handle up, as one that failed, if it still runs. */
  giveUp(handle: BareHandle, cause: number): void {
    if (this.connecting && this.#handle === handle) this.#attemptFailed(cause);
  }

  /** Ends it with an error, once. */
  fail(cause: number): void {
    if (!this.#failed && !this.gone) {
      this.#failed = true;
      this.#context.owner.failed(this, cause);
    }
    this.destroy();
  }

  get unsentBytes(): number {
    return this.#writing === 0 ? 0 : (this.#handle?.writeQueueSize ?? 0);
  }

  get kernelUnsentBytes(): number {
    return this.unsentBytes;
  }

  write(data: Buffer | string): boolean {
    const handle = this.#handle;
    if (handle === null || this.#ending || this.#broken) return true;
    const context = this.#context;
    const { streamState, asyncAt } = context.bindings;
    const request = context.spareWrite;
    const status =
      typeof data === 'string'
        ? handle.writeLatin1String(request, data)
        : handle.writeBuffer(request, data);
    if (status === 0 && streamState[asyncAt] === 0) return true;
    if (status !== 0) {
      this.#writeFailed(status);
      return true;
    }
    context.spareWrite = new context.bindings.Write();
    request.connection = this;
    request.data = data;
    request.oncomplete = onWritten;
    this.#writing++;
    return false;
  }

  pause(): void {
    this.#wantsRead = false;
    if (!this.#reading) return;
    this.#reading = false;
    this.#handle?.readStop();
    if (this.#broken) this.fail(ErrorCause.RESET);
  }

  resume(): void {
    this.#wantsRead = true;
    if (this.#reading || this.#ended || this.connecting || this.#handle === null) return;
    this.#reading = true;
    const status = this.#handle.readStart();
    if (status !== 0) this.fail(causeOfStatus(status));
  }

  end(): void {
    if (this.#ending || this.closed) return;
    this.#ending = true;
    this.#shutDown();
  }

  closeFlushed(): boolean {
    if (this.connecting || this.#writing > 0) return false;
    this.destroy();
    return true;
  }

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.#handle?.close();
    this.#handle = null;
    this.#context.owner.closed(this);
  }

  reset(): void {
    this.gone = true;
    // While a FIN is on its way the handle can be closed only; nothing is unsent then.
    const resets = this.#tcp && !this.connecting && (!this.#ending || this.#writing > 0);
    if (resets && this.#handle?.reset() === 0) this.#handle = null;
    this.destroy();
  }

  /** What `onWritten` tells: a write that was left over has ended. */
  written(status: number): void {
    this.#writing--;
    if (this.#handle === null) return;
    if (status !== 0) return this.#writeFailed(status);
    if (this.#writing > 0) return;
    if (this.blocked) {
      this.blocked = false;
      this.#context.owner.drained(this);
    }
    if (this.#ending) this.#shutDown();
  }

  #readHappened(): void {
    const { bindings, owner } = this.#context;
    const bytes = bindings.streamState[bindings.readAt];
    if (bytes > 0) {
      if (!this.gone) owner.received(this, bytes);
      return;
    }
    if (bytes === 0 || this.#handle === null) return;
    this.#reading = false;
    if (bytes !== END_OF_FILE) return this.fail(causeOfStatus(bytes));
    if (this.#broken || this.#wasReset()) return this.fail(ErrorCause.RESET);
    this.#ended = true;
    owner.ended(this);
    if (this.finished) this.destroy();
  }

  /**
   * A reset that comes right behind bytes is reported as an end: libuv concludes that from POLLHUP.
   * Writing nothing asks the kernel, which still knows.
   */
  #wasReset(): boolean {
    if (!this.#tcp || this.#ending || this.#writing > 0 || this.#handle === null) return false;
    return this.#handle.writeBuffer(this.#context.spareWrite, nothing) !== 0;
  }

  #own(handle: BareHandle, tcp: boolean): void {
    this.#handle = handle;
    this.#tcp = tcp;
    // A function of its own costs less than a field more on an object that node has made.
    handle.onread = () => this.#readHappened();
    handle.useUserBuffer(this.#context.view);
  }

  #opened(): void {
    this.connecting = false;
    if (this.#wantsRead) this.resume();
  }

  #attemptEnded(handle: BareHandle, status: number): void {
    if (this.#handle !== handle) return;
    if (status !== 0) return this.#attemptFailed(causeOfStatus(status));
    this.#retry = null;
    this.#opened();
    if (!this.gone) this.#context.owner.connected(this);
    if (this.#ending) this.#shutDown();
  }

  #attemptFailed(cause: number): void {
    const retry = this.#retry;
    this.#retry = null;
    this.#handle?.close();
    this.#handle = null;
    if (retry === null || this.gone) this.fail(cause);
    else retry(cause);
  }

  #shutDown(): void {
    const handle = this.#handle;
    if (handle === null || this.connecting || this.#writing > 0 || this.#broken) return;
    if (this.#ended) {
      // Closing sends the FIN, and nothing is left to read that would make it a reset.
      this.finished = true;
      this.destroy();
      return;
    }
    // Nothing is unsent, so the FIN leaves in the next turn; the request needs no one to tell.
    const status = handle.shutdown(new this.#context.bindings.Shutdown());
    if (status < 0 && status !== NOT_CONNECTED) return this.#writeFailed(status);
    this.finished = true;
  }

  #writeFailed(status: number): void {
    if (this.gone || !this.#reading) this.fail(causeOfStatus(status));
    else this.#broken = true;
  }
}

function onWritten(this: BareRequest, status: number): void {
  (this.connection as BareConnection).written(status);
}
