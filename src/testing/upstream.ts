/** An upstream for tests of plugins: keeps what it is asked, answers as it is told. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, as they arrived. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type UpstreamAnswer = (request: UpstreamRequest, response: ServerResponse) => void;

export interface MockUpstream {
  readonly url: string;
  /** What was asked so far, oldest first. */
  readonly requests: readonly UpstreamRequest[];
  /** Answers from now on; by default 200 with the request as JSON. */
  respond(answer: UpstreamAnswer): void;
  close(): Promise<void>;
}

const echo: UpstreamAnswer = (request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(request));
};

/** Starts an upstream on a free port of the loopback address. */
export async function startUpstream(first: UpstreamAnswer = echo): Promise<MockUpstream> {
  const requests: UpstreamRequest[] = [];
  let answer = first;
  const server = createServer(async (incoming, response) => {
    const parts: Buffer[] = [];
    for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
    const { method = '', url = '', headers } = incoming;
    const request = { method, path: url, headers, body: Buffer.concat(parts).toString() };
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    respond(next) {
      answer = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
