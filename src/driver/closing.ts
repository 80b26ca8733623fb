/**
 * Connections that the core has dropped with CLOSE and that are on their way out: first what is
 * held is flushed, then a FIN is sent, then what the peer still sends is read and discarded for
 * limits.lingerMs. Closing a socket with unread bytes would reset it, and the reset may overtake
 * the answer that says what was wrong. A peer that has announced its last request sends none
 * (RFC 9112 9.6): such connections do not come here where nothing is left to flush.
 */
import { limits } from '../limits.js';
import type { Connection } from './connection.js';

/** `unsentAtCheck` of a connection whose FIN is out. */
const FLUSHED = -1;

export class ClosingConnections {
  readonly #members = new Set<Connection>();

  get count(): number {
    return this.#members.size;
  }

  add(connection: Connection, nowMs: number, sendTimeoutMs: number): void {
    if (connection.closed) return;
    const flushed = !connection.connecting && connection.unsentBytes === 0;
    connection.unsentAtCheck = flushed ? FLUSHED : connection.kernelUnsentBytes;
    connection.cutAtMs = nowMs + (flushed ? limits.lingerMs.value : sendTimeoutMs);
    this.#members.add(connection);
    connection.end();
    connection.resume();
  }

  delete(connection: Connection): void {
    this.#members.delete(connection);
  }

  /** Cuts those that are due; one that takes bytes gets another `sendTimeoutMs`. */
  sweep(nowMs: number, sendTimeoutMs: number): void {
    for (const connection of this.#members) {
      if (connection.unsentAtCheck !== FLUSHED) this.#checkFlush(connection, nowMs, sendTimeoutMs);
      if (nowMs < connection.cutAtMs) continue;
      this.#members.delete(connection);
      connection.destroy();
    }
  }

  #checkFlush(connection: Connection, nowMs: number, sendTimeoutMs: number): void {
    if (connection.finished) {
      connection.unsentAtCheck = FLUSHED;
      connection.cutAtMs = nowMs + limits.lingerMs.value;
      return;
    }
    const unsent = connection.kernelUnsentBytes;
    if (unsent === connection.unsentAtCheck) return;
    connection.unsentAtCheck = unsent;
    connection.cutAtMs = nowMs + sendTimeoutMs;
  }

  /** Resets all of them. */
  clear(): void {
    for (const connection of this.#members) connection.reset();
    this.#members.clear();
  }
}
