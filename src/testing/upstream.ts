/** An upstream for tests of plugins: keeps what it is asked, answers as it is told. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
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

/** Answers with the request as JSON. */
export const echo: UpstreamAnswer = (request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(request));
};

/** An upstream whose server listens nowhere yet. */
export class UpstreamServer {
  readonly server: Server;
  readonly requests: UpstreamRequest[] = [];
  #answer: UpstreamAnswer;

  constructor(answer: UpstreamAnswer) {
    this.#answer = answer;
    this.server = createServer((request, response) => {
      void this.#take(request, response);
    });
  }

  readonly respond = (answer: UpstreamAnswer): void => {
    this.#answer = answer;
  };

  async #take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of incoming as AsyncIterable<Buffer>) parts.push(part);
    } catch {
      // The gateway broke the request off: nobody is there to be answered.
      return;
    }
    const { method = '', url = '', headers } = incoming;
    const request = { method, path: url, headers, body: Buffer.concat(parts).toString() };
    this.requests.push(request);
    this.#answer(request, response);
  }
}

/** Starts an upstream on a free port of the loopback address. */
export async function startUpstream(first: UpstreamAnswer = echo): Promise<MockUpstream> {
  const { server, requests, respond } = new UpstreamServer(first);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    respond,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
