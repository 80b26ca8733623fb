/** TLS ends for tests: a client that writes raw requests, an upstream with a certificate. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { KeyPair } from '../../src/tls/key-pair.js';
import { selfSigned } from '../../src/tls/self-signed.js';

export interface TlsAnswer {
  /** Everything that came until the end, latin1. */
  readonly text: string;
  readonly body: string;
  /** Of the certificate that was shown. */
  readonly fingerprint: string;
}

/** Opens a connection; resolves after the handshake. */
export function openTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    onTestFinished(() => void socket.destroy());
    socket.once('error', reject);
    socket.once('secureConnect', () => resolve(socket));
  });
}

/** Sends one request with `Connection: close` and reads to the end. */
export async function askTls(
  port: number,
  path = '/',
  options: ConnectionOptions = {},
): Promise<TlsAnswer> {
  const socket = await openTls(port, options);
  const fingerprint = fingerprintOf(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: any.test\r\nConnection: close\r\n\r\n`);
  const text = await readAll(socket);
  return { text, body: text.slice(text.indexOf('\r\n\r\n') + 4), fingerprint };
}

export function readAll(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.once('error', reject);
    socket.once('end', () => resolve(Buffer.concat(parts).toString('latin1')));
    socket.resume();
  });
}

export function fingerprintOf(raw: Buffer): string {
  return createHash('sha256').update(raw).digest('hex');
}

/** The fingerprint of a PEM certificate. */
export function pemFingerprint({ cert }: KeyPair): string {
  const base64 = cert.replace(/-----[A-Z ]+-----|\s/g, '');
  return fingerprintOf(Buffer.from(base64, 'base64'));
}

export interface TlsUpstream {
  readonly port: number;
  readonly pair: KeyPair;
  /** Server name of each connection, false: none. */
  readonly names: (string | false | undefined)[];
}

/** An HTTPS server with a certificate for `localhost` that it signed itself. */
export async function startTlsUpstream(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: object = {},
): Promise<TlsUpstream> {
  const pair = selfSigned(Date.now() - 60_000);
  const names: TlsUpstream['names'] = [];
  const server = createServer({ ...pair, ...options }, answer);
  server.on('secureConnection', (socket: TLSSocket & { servername?: string | false }) => {
    names.push(socket.servername);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, pair, names };
}
