/** Listening sockets with TLS: handshakes by `node:tls`, plain streams from then on. */
import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { ServerContexts } from '../tls/server-contexts.js';
import type { ListenSpec } from './contract.js';
import { type AcceptOwner, bind, boundTo, type Listener, refuseUnsupported } from './listener.js';

/**
 * Binds one address with `ssl`. The owner hears of a connection when its handshake is done.
 * @throws GatewayError GW_E_LISTEN
 */
export async function openTlsListener(
  spec: ListenSpec,
  index: number,
  owner: AcceptOwner,
  contexts: ServerContexts | undefined,
): Promise<Listener> {
  refuseUnsupported(spec);
  if (!contexts) throw new GatewayError('GW_E_LISTEN', 'no certificates for a listener with ssl');
  const handshakes = new Handshakes(contexts, (socket, serverName) => {
    owner.acceptSocket(socket, index, null, { serverName });
  });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (!handshakes.begin(socket)) owner.acceptFailed();
  });
  await bind(server, spec);
  server.on('error', () => owner.acceptFailed());
  return { server, ...boundTo(spec, server), halt: () => handshakes.halt() };
}

/** Handshakes of one listener that have not ended. */
class Handshakes {
  readonly #options: TLSSocketOptions;
  readonly #done: (socket: TLSSocket, serverName: string) => void;
  readonly #pending = new Map<TLSSocket, NodeJS.Timeout>();

  constructor(contexts: ServerContexts, done: (socket: TLSSocket, serverName: string) => void) {
    const options = contexts.serverOptions();
    const secureContext = createSecureContext(options);
    this.#options = { ...options, isServer: true, secureContext };
    this.#done = done;
  }

  /** Begins the handshake of an accepted connection; false: too many are under way. */
  begin(raw: Socket): boolean {
    if (this.#pending.size >= limits.tlsHandshakes.value) {
      raw.destroy();
      return false;
    }
    const socket = new TLSSocket(raw, this.#options);
    const timer = setTimeout(() => socket.destroy(), limits.tlsHandshakeMs.value);
    timer.unref();
    this.#pending.set(socket, timer);
    const end = () => {
      clearTimeout(timer);
      this.#pending.delete(socket);
    };
    const failed = () => {
      end();
      socket.destroy();
    };
    socket.once('error', failed);
    socket.once('end', failed);
    socket.once('close', end);
    socket.once('secure', () => {
      end();
      const { servername } = socket as TLSSocket & { servername?: string | false };
      this.#done(socket, servername || '');
      // what happens from here on is the owner's to hear
      socket.off('error', failed);
      socket.off('end', failed);
      socket.off('close', end);
    });
    return true;
  }

  halt(): void {
    for (const socket of this.#pending.keys()) socket.destroy();
  }
}
