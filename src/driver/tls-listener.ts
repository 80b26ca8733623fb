/** Listening sockets with TLS: handshakes by `node:tls`, plain streams from then on. */
import { createServer, type Socket } from 'node:net';
import {
  createSecureContext,
  type SecureContext,
  TLSSocket,
  type TLSSocketOptions,
} from 'node:tls';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { serverNameOf } from '../tls/client-hello.js';
import type { ServerContexts } from '../tls/server-contexts.js';
import { tlsSessionNumber } from '../tls/session-names.js';
import type { ListenSpec } from './contract.js';
import {
  type AcceptOwner,
  bind,
  boundTo,
  type Listener,
  refuseUnsupported,
  type TlsFacts,
} from './listener.js';

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
  const handshakes = new Handshakes(contexts, (socket, secure) => {
    owner.acceptSocket(socket, index, null, secure);
  });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (!handshakes.begin(socket)) owner.acceptFailed();
  });
  await bind(server, spec);
  server.on('error', () => owner.acceptFailed());
  return { server, ...boundTo(spec, server), halt: () => handshakes.halt() };
}

/** Handshakes of one listener that have not ended, the wait for their first message included. */
class Handshakes {
  readonly #contexts: ServerContexts;
  readonly #options: TLSSocketOptions;
  readonly #done: (socket: TLSSocket, secure: TlsFacts) => void;
  readonly #pending = new Set<Handshake>();

  constructor(contexts: ServerContexts, done: (socket: TLSSocket, secure: TlsFacts) => void) {
    const options = contexts.serverOptions();
    const secureContext = createSecureContext(options);
    this.#contexts = contexts;
    this.#options = { ...options, isServer: true, secureContext };
    this.#done = done;
  }

  /** Begins the handshake of an accepted connection; false: too many are under way. */
  begin(raw: Socket): boolean {
    if (this.#pending.size >= limits.tlsHandshakes.value) {
      raw.destroy();
      return false;
    }
    const timer = setTimeout(() => handshake.socket.destroy(), limits.tlsHandshakeMs.value);
    timer.unref();
    const handshake: Handshake = { socket: raw, timer };
    this.#pending.add(handshake);
    const release = this.#watch(handshake, raw);
    const go = (name: string | null, chosen: SecureContext | null) => {
      release();
      try {
        this.#secure(handshake, new TLSSocket(raw, this.#optionsFor(name, chosen)));
      } catch {
        // A certificate that OpenSSL does not take is no reason to stop.
        this.#end(handshake);
        raw.destroy();
      }
    };
    awaitServerName(raw, (name) => {
      const { prepare } = this.#contexts;
      if (!prepare) return go(name, null);
      const facts = { serverName: name, ip: raw.remoteAddress ?? '', port: raw.remotePort ?? 0 };
      void prepare(facts).then((chosen) => {
        if (!raw.destroyed) go(name, chosen);
      });
    });
    return true;
  }

  halt(): void {
    for (const { socket } of this.#pending) socket.destroy();
  }

  #optionsFor(name: string | null, chosen: SecureContext | null): TLSSocketOptions {
    if (name === null && !chosen) return this.#options;
    const secureContext = chosen ?? this.#contexts.find(name ?? '');
    return { ...this.#options, SNICallback: undefined, secureContext };
  }

  #secure(handshake: Handshake, socket: TLSSocket): void {
    handshake.socket = socket;
    const release = this.#watch(handshake, socket);
    socket.once('secure', () => {
      this.#end(handshake);
      const { servername } = socket as TLSSocket & { servername?: string | false };
      const session = tlsSessionNumber(socket.getProtocol(), socket.getCipher()?.name);
      this.#done(socket, { serverName: servername || '', session });
      // what happens from here on is the owner's to hear
      release();
    });
  }

  /** Ends the handshake with its socket; returns what takes the listeners away again. */
  #watch(handshake: Handshake, socket: Socket): () => void {
    const end = () => this.#end(handshake);
    const failed = () => {
      end();
      socket.destroy();
    };
    socket.once('error', failed);
    socket.once('end', failed);
    socket.once('close', end);
    return () => {
      socket.off('error', failed);
      socket.off('end', failed);
      socket.off('close', end);
    };
  }

  #end(handshake: Handshake): void {
    clearTimeout(handshake.timer);
    this.#pending.delete(handshake);
  }
}

interface Handshake {
  socket: Socket;
  readonly timer: NodeJS.Timeout;
}

/** Tells the server name of the first message, and leaves the bytes where TLS will read them. */
function awaitServerName(socket: Socket, done: (name: string | null) => void): void {
  let bytes: Buffer = Buffer.alloc(0);
  const look = () => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const name = serverNameOf(bytes);
    if (name === undefined) return;
    socket.off('readable', look);
    socket.unshift(bytes);
    done(name);
  };
  socket.on('readable', look);
}
