/**
 * Listening sockets of the net driver: binding, accepting, and the address that was really bound.
 */
import { unlink } from 'node:fs/promises';
import net from 'node:net';
import { GatewayError } from '../errors.js';
import { acceptsWithoutDelay, divertAccepts } from './bare/accept.js';
import type { BareHandle } from './bare/handles.js';
import type { BoundListener, ListenSpec } from './contract.js';
import { asListenError, describeListen, socketAnswers } from './listen-address.js';
import type { ProxiedAddresses } from './proxy-protocol.js';

/** What the handshake of a connection told. */
export interface TlsFacts {
  /** Empty: the client named no server. */
  readonly serverName: string;
  /** Number of src/tls/session-names.ts. */
  readonly session: number;
}

/** What is known of a connection before it is looked at. */
export interface BareListener {
  /** What AcceptInfo.listener will say. */
  readonly index: number;
  readonly unix: boolean;
  /** Small writes of its connections go at once already. */
  readonly noDelay: boolean;
  /** Null where each connection has to be asked, because the listener takes any address. */
  readonly local: { readonly address: string; readonly port: number } | null;
}

/** Who takes accepted connections. */
export interface AcceptOwner {
  /** A connection that no socket was made of. */
  acceptBare(handle: BareHandle, listener: BareListener): void;
  /** A ready socket, read through its 'data' events. */
  acceptSocket(
    socket: net.Socket,
    listener: number,
    addresses?: ProxiedAddresses | null,
    tls?: TlsFacts,
  ): unknown;
  /** The same, and its first bytes must be a PROXY header. */
  acceptProxied(socket: net.Socket, listener: number): void;
  /** accept(2) failed: no file descriptors are left, or the peer was gone already. */
  acceptFailed(): void;
}

export interface Listener extends BoundListener {
  readonly server: net.Server;
  /** Ends connections that the owner has not heard of yet. */
  readonly halt?: () => void;
}

/**
 * Binds one address. `index` is what AcceptInfo.listener will say; `bare`: connections come as
 * handles where that is possible.
 * @throws GatewayError GW_E_LISTEN where the address cannot be bound or the kind is not supported
 */
export async function openListener(
  spec: ListenSpec,
  index: number,
  owner: AcceptOwner,
  bare: boolean,
): Promise<Listener> {
  refuseUnsupported(spec);
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    spec.proxyProtocol ? owner.acceptProxied(socket, index) : owner.acceptSocket(socket, index),
  );
  await bind(server, spec);
  server.on('error', () => owner.acceptFailed());
  const bound = boundTo(spec, server);
  if (bare && !spec.proxyProtocol) {
    const { address, port } = bound;
    const any = spec.unix || address === '::' || address === '0.0.0.0';
    const local = any ? null : { address, port };
    const noDelay = spec.unix || acceptsWithoutDelay(server);
    const listener: BareListener = { index, unix: spec.unix, noDelay, local };
    divertAccepts(server, {
      accept: (handle) => owner.acceptBare(handle, listener),
      failed: () => owner.acceptFailed(),
    });
  }
  return { server, ...bound };
}

/** Where a listening server really listens. */
export function boundTo(spec: ListenSpec, server: net.Server): BoundListener {
  const bound = server.address();
  if (typeof bound === 'string' || bound === null) return { spec, address: spec.host, port: 0 };
  return { spec, address: bound.address, port: bound.port };
}

/** @throws GatewayError GW_E_LISTEN for flags that no listener of this driver has */
export function refuseUnsupported(spec: ListenSpec): void {
  const mixed = spec.ssl && spec.proxyProtocol;
  if (!spec.http2 && !mixed) return;
  const what = spec.http2 ? 'http2' : 'proxy_protocol together with ssl';
  throw new GatewayError(
    'GW_E_LISTEN',
    `listener ${describeListen(spec)}: ${what} is not supported yet`,
  );
}

/**
 * Binds a server; a stale Unix socket is replaced.
 * @throws GatewayError GW_E_LISTEN
 */
export async function bind(server: net.Server, spec: ListenSpec): Promise<void> {
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
