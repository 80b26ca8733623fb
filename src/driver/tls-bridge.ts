/**
 * TLS toward upstreams for a driver that moves plain bytes only: a private Unix socket per target,
 * and behind it one TLS connection for each connection that comes. Both ends are piped, so that
 * back-pressure, ends and cuts pass through.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { UpstreamTls } from '../tls/upstream.js';
import type { TargetAddress } from './contract.js';

interface Gate {
  readonly server: Server;
  /** Null: it cannot listen. */
  readonly path: Promise<string | null>;
}

export class TlsBridge {
  readonly #gates = new Map<string, Gate>();
  readonly #sockets = new Set<Socket>();
  #folder: string | null = null;

  /** Where to connect to for a target with TLS, or null where that is impossible. */
  pathTo({ host, port, tls }: TargetAddress): Promise<string | null> {
    if (!tls) return Promise.resolve(null);
    const key = `${host} ${port} ${tls.key}`;
    let gate = this.#gates.get(key);
    if (!gate) {
      gate = this.#open(host, port, tls);
      this.#gates.set(key, gate);
    }
    return gate.path;
  }

  close(): void {
    for (const { server } of this.#gates.values()) server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#gates.clear();
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = null;
  }

  #open(host: string, port: number, security: UpstreamTls): Gate {
    const server = createServer({ allowHalfOpen: true }, (inner) => {
      const options = { host, port, allowHalfOpen: true, noDelay: true };
      const outer = connect({ ...options, ...security.connectOptions() });
      security.watch(outer);
      this.#join(inner, outer);
    });
    server.unref();
    const path = new Promise<string | null>((resolve) => {
      try {
        // readable by this user only
        this.#folder ??= mkdtempSync(join(tmpdir(), 'headgate-tls-'));
      } catch {
        resolve(null);
        return;
      }
      const file = join(this.#folder, String(this.#gates.size));
      server.once('error', () => resolve(null));
      server.listen(file, () => resolve(file));
    });
    return { server, path };
  }

  #join(inner: Socket, outer: Socket): void {
    for (const [from, to] of [[inner, outer] as const, [outer, inner] as const]) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        // an end was passed on already; anything else is a cut
        if (!from.readableEnded) to.destroy();
      });
      from.pipe(to);
    }
  }
}
