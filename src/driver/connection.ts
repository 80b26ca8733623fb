/**
 * One connection of the net driver, of either side, as the rest of the driver sees it. Behind it is
 * a socket of `node:net` or `node:tls` (`socket-connection.ts`) or a bare handle
 * (`bare/connection.ts`).
 */

/** What a connection tells the driver. */
export interface ConnectionOwner {
  /** `bytes` were read into the core's read region. */
  received(connection: Connection, bytes: number): void;
  /** The connection that was asked for is there. */
  connected(connection: Connection): void;
  /** The peer's FIN. */
  ended(connection: Connection): void;
  /** Reset, failed connect, or closed without both FINs; at most once. */
  failed(connection: Connection, cause: number): void;
  /** Everything that was held has gone to the kernel. */
  drained(connection: Connection): void;
  /** It is closed. Always the last call. */
  closed(connection: Connection): void;
}

export interface Connection {
  /** The core's id: index | generation << 16. */
  readonly id: number;
  readonly index: number;
  /** The core has dropped it: events are not for it any more, bytes are discarded. */
  gone: boolean;
  /** BLOCKED was reported and DRAINED was not. */
  blocked: boolean;
  /** While it is closing: when to cut it, and what was unsent when that was decided. */
  cutAtMs: number;
  unsentAtCheck: number;
  /** Bytes that may be unsent before the connection counts as blocked. */
  readonly slackBytes: number;
  /** Bytes that the kernel has not taken. */
  readonly unsentBytes: number;
  /** The same, but falling while one long write is under way. */
  readonly kernelUnsentBytes: number;
  /** True until the connection is there. */
  readonly connecting: boolean;
  /** The FIN is with the kernel. */
  readonly finished: boolean;
  readonly closed: boolean;
  /** Writes; returns false where bytes are left that the kernel did not take at once. */
  write(data: Buffer | string): boolean;
  /** Stops reading. */
  pause(): void;
  resume(): void;
  /** Sends a FIN behind what is unsent. */
  end(): void;
  /**
   * Closes where that loses nothing that was written; returns false where it would. Bytes that the
   * peer sends afterwards are answered with a reset.
   */
  closeFlushed(): boolean;
  /** Closes without further ado. */
  destroy(): void;
  /** Resets the connection: the peer sees that what it got is cut short. */
  reset(): void;
}
