/** The small service that `npm start` proxies to: it answers with what it received, as JSON. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EchoService {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts the echo service on a loopback port; 0: any free one. */
export async function startEcho(port = 0): Promise<EchoService> {
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('error', () => response.destroy());
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method, url, headers } = request;
      const body = Buffer.concat(parts).toString('utf8');
      const text = `${JSON.stringify({ method, url, headers, body }, null, 2)}\n`;
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      });
      response.end(text);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
