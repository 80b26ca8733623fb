/** Receivers of log plugins: sockets of this process, and real daemons started for one test. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';

/** A folder of its own, removed with the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface TlsPair {
  readonly key: string;
  readonly cert: string;
  readonly keyFile: string;
  readonly certFile: string;
}

/** A self-signed certificate for localhost. */
export function selfSigned(folder: string): TlsPair {
  const keyFile = join(folder, 'key.pem');
  const certFile = join(folder, 'cert.pem');
  const args = 'req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2';
  const files = ['-subj', '/CN=localhost', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', [...args.split(' '), ...files], { stdio: 'ignore' });
  return {
    keyFile,
    certFile,
    key: readFileSync(keyFile, 'utf8'),
    cert: readFileSync(certFile, 'utf8'),
  };
}

export interface TcpReceiver {
  readonly port: number;
  /** Everything received, and the connections it came over. */
  readonly text: () => string;
  readonly sockets: readonly Socket[];
  /** Names that TLS clients asked for. */
  readonly names: readonly (string | false | null)[];
}

/** A TCP or TLS server; `reads: false` accepts connections and never reads from them. */
export async function startTcpReceiver(
  options: { readonly tls?: TlsPair; readonly reads?: boolean } = {},
): Promise<TcpReceiver> {
  let text = '';
  const sockets: Socket[] = [];
  const names: (string | false | null)[] = [];
  const accept = (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    if (options.reads === false) return;
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
  };
  const acceptTls = (socket: TLSSocket) => {
    names.push((socket as TLSSocket & { servername?: string | false }).servername ?? null);
    accept(socket);
  };
  const server = options.tls
    ? createTlsServer({ key: options.tls.key, cert: options.tls.cert }, acceptTls)
    : createServer({ pauseOnConnect: options.reads === false }, accept);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, text: () => text, sockets, names };
}

export interface UdpReceiver {
  readonly port: number;
  readonly datagrams: readonly string[];
}

export async function startUdpReceiver(): Promise<UdpReceiver> {
  const datagrams: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message) => void datagrams.push(message.toString('utf8')));
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void socket.close());
  return { port: socket.address().port, datagrams };
}

/** A port that was free a moment ago, for daemons that cannot choose one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

/** A daemon in the foreground; ended with the test. */
export function startDaemon(program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore' });
  child.on('error', () => {});
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  });
  return child;
}

/** What a line protocol over TCP answers to one command, up to `end`; null: nobody listens. */
export function ask(port: number, command: string, end: string): Promise<string | null> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\n`));
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      if (!text.includes(end)) return;
      socket.destroy();
      resolve(text);
    });
    socket.on('error', () => resolve(null));
  });
}
