/** Takes the connections of a listening `net.Server` as bare handles: no socket is made of them. */
import type net from 'node:net';
import type { BareHandle } from './handles.js';

interface ListeningHandle {
  onconnection?: (status: number, client: BareHandle | undefined) => void;
  setNoDelay?: (on: boolean) => number;
}

/** Where new connections go. */
export interface BareAcceptor {
  accept(handle: BareHandle): void;
  /** accept(2) failed, such as for want of file descriptors. */
  failed(): void;
}

/** False where node's internals differ: then the server goes on making sockets. */
export function divertAccepts(server: net.Server, to: BareAcceptor): boolean {
  const handle = (server as unknown as { _handle?: ListeningHandle })._handle;
  if (typeof handle?.onconnection !== 'function') return false;
  handle.onconnection = (status, client) => {
    if (status !== 0 || client === undefined) to.failed();
    else to.accept(client);
  };
  return true;
}

/**
 * Turns Nagle's algorithm off for a listening socket, which Linux hands down to what it accepts:
 * one system call less for each connection. False where each has to be told.
 */
export function acceptsWithoutDelay(server: net.Server): boolean {
  if (process.platform !== 'linux') return false;
  const handle = (server as unknown as { _handle?: ListeningHandle })._handle;
  return handle?.setNoDelay?.(true) === 0;
}
