/** An upstream that answers with what it saw, or as headers of the request ask for. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { joined, type Seen } from './scenario.js';

export interface Echo {
  readonly port: number;
  /** A list that gets what comes from now on. */
  watch(): readonly Seen[];
  close(): Promise<void>;
}

/**
 * `X-Echo-Status` and `X-Echo-Body` set the answer, `X-Echo-Resp-NAME` a field of it; by default
 * the body is what was seen, as JSON.
 */
export async function openEcho(): Promise<Echo> {
  let seen: Seen[] = [];
  const server = createServer((request, response) => {
    void answer(request, response, (one) => seen.push(one));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    watch() {
      seen = [];
      return seen;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  note: (seen: Seen) => void,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = joined(request.rawHeaders);
  const body = Buffer.concat(chunks).toString('utf8');
  const seen = { method: request.method, path: request.url, headers, body };
  note(seen);
  const fields: Record<string, string | number> = { 'content-type': 'application/json' };
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-echo-resp-')) fields[name.slice('x-echo-resp-'.length)] = value;
  }
  const text = headers['x-echo-body'] ?? JSON.stringify(seen);
  fields['content-length'] = Buffer.byteLength(text);
  response.writeHead(Number(headers['x-echo-status'] ?? 200), fields);
  response.end(request.method === 'HEAD' ? undefined : text);
}
