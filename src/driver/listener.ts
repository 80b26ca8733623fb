/**
 * Listening sockets of the net driver: binding, accepting, and the address that was really bound.
 */
import { unlink } from 'node:fs/promises';
import net from 'node:net';
import { GatewayError } from '../errors.js';
import type { BoundListener, ListenSpec } from './contract.js';
import { asListenError, describeListen, socketAnswers } from './listen-address.js';
import { divertAccepts, type PendingAccept, rawAcceptWorks } from './raw-accept.js';

/** Who takes accepted connections. */
export interface AcceptOwner {
  /** A connection whose socket can still be built to read into the core's memory. */
  acceptRaw(pending: PendingAccept, listener: number): void;
  /** A ready socket, read through its 'data' events. */
  acceptSocket(socket: net.Socket, listener: number): unknown;
  /** The same, and its first bytes must be a PROXY header. */
  acceptProxied(socket: net.Socket, listener: number): void;
  /** accept(2) failed: no file descriptors are left, or the peer was gone already. */
  acceptFailed(): void;
}

export interface Listener extends BoundListener {
  readonly server: net.Server;
}

/**
 * Binds one address. `index` is what AcceptInfo.listener will say.
 * @throws GatewayError GW_E_LISTEN where the address cannot be bound or the kind is not supported
 */
export async function openListener(
  spec: ListenSpec,
  index: number,
  owner: AcceptOwner,
): Promise<Listener> {
  if (spec.ssl || spec.http2) {
    const what = spec.ssl ? 'ssl' : 'http2';
    throw new GatewayError(
      'GW_E_LISTEN',
      `listener ${describeListen(spec)}: ${what} is not supported yet`,
    );
  }
  const raw = await rawAcceptWorks();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    spec.proxyProtocol ? owner.acceptProxied(socket, index) : owner.acceptSocket(socket, index),
  );
  await bind(server, spec);
  server.on('error', () => owner.acceptFailed());
  if (raw && !spec.proxyProtocol) {
    divertAccepts(
      server,
      (pending) => owner.acceptRaw(pending, index),
      () => owner.acceptFailed(),
    );
  }
  const bound = server.address();
  if (typeof bound === 'string' || bound === null) {
    return { spec, server, address: spec.host, port: 0 };
  }
  return { spec, server, address: bound.address, port: bound.port };
}

async function bind(server: net.Server, spec: ListenSpec): Promise<void> {
  try {
    await listenOnce(server, spec);
  } catch (error) {
    const stale = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' && spec.unix;
    if (!stale || (await socketAnswers(spec.host))) throw asListenError(spec, error);
    // A socket file that nobody listens on is what a killed process leaves behind.
    await unlink(spec.host).catch(() => {});
    await listenOnce(server, spec).catch((again) => {
      throw asListenError(spec, again);
    });
  }
}

function listenOnce(server: net.Server, spec: ListenSpec): Promise<void> {
  const { host, port, backlog } = spec;
  const address = spec.unix ? { path: host } : { host, port, ipv6Only: net.isIPv6(host) };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...address, backlog, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
