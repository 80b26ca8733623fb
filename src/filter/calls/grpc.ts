/** gRPC calls of filters over HTTP/2: one session for each origin, messages framed and unframed. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { limits } from '../../limits.js';
import { GrpcStatus } from '../abi.js';
import { HeaderMap } from '../header-map.js';

export interface GrpcRequest {
  readonly origin: string;
  readonly authority: string;
  readonly service: string;
  readonly method: string;
  readonly metadata: readonly (readonly [name: string, value: string])[];
}

/** What happens on a call, in the order of the ABI's callbacks. */
export interface GrpcEvents {
  readonly onInitialMetadata: (headers: HeaderMap) => void;
  readonly onMessage: (message: Uint8Array) => void;
  readonly onTrailingMetadata: (headers: HeaderMap) => void;
  /** Once, last. */
  readonly onClose: (status: number, text: string) => void;
}

const prefixBytes = 5;

export class GrpcCall {
  readonly #stream: ClientHttp2Stream;
  readonly #events: GrpcEvents;
  #received = Buffer.alloc(0);
  #status: number | null = null;
  #text = '';
  #closed = false;

  constructor(stream: ClientHttp2Stream, events: GrpcEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on('response', (headers) => {
      events.onInitialMetadata(mapOf(headers));
      this.#takeStatus(headers);
    });
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('trailers', (headers) => {
      this.#takeStatus(headers);
      events.onTrailingMetadata(mapOf(headers));
    });
    stream.on('error', (error: Error) => this.close(GrpcStatus.UNAVAILABLE, error.message));
    stream.on('close', () => {
      if (this.#status === null) this.close(GrpcStatus.UNAVAILABLE, 'the stream ended early');
      else this.close(this.#status, this.#text);
    });
  }

  /** Sends one message; `end` says that no more follow. An empty end has no message. */
  send(message: Uint8Array, end: boolean): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    if (message.length > 0 || !end) {
      const framed = Buffer.alloc(prefixBytes + message.length);
      framed.writeUInt32BE(message.length, 1);
      framed.set(message, prefixBytes);
      this.#stream.write(framed);
    }
    if (end) this.#stream.end();
  }

  /** Resets the stream; nothing is reported any more. */
  cancel(): void {
    this.#closed = true;
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  close(status: number, text: string): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#stream.destroyed) this.#stream.close();
    this.#events.onClose(status, text);
  }

  #takeStatus(headers: Record<string, unknown>): void {
    const status = headers['grpc-status'];
    if (status === undefined) return;
    this.#status = Number(status) >>> 0;
    this.#text = decodeMessage(String(headers['grpc-message'] ?? ''));
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= prefixBytes && !this.#closed) {
      const size = this.#received.readUInt32BE(1);
      if (this.#received[0] !== 0) return this.close(GrpcStatus.INTERNAL, 'a compressed message');
      if (size > limits.filterCallBodyBytes.value) {
        return this.close(GrpcStatus.INTERNAL, 'a message is too large');
      }
      if (this.#received.length < prefixBytes + size) return;
      const message = this.#received.subarray(prefixBytes, prefixBytes + size);
      this.#received = this.#received.subarray(prefixBytes + size);
      this.#events.onMessage(message);
    }
  }
}

/** Sessions by origin, opened on first use. */
export class GrpcSessions {
  readonly #sessions = new Map<string, ClientHttp2Session>();

  open(request: GrpcRequest, events: GrpcEvents): GrpcCall {
    const headers: Record<string, string | string[]> = {
      ':method': 'POST',
      ':path': `/${request.service}/${request.method}`,
      ':authority': request.authority,
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    for (const [name, value] of request.metadata) {
      if (name.startsWith(':') || name === 'host' || name === 'content-length') continue;
      const known = headers[name];
      if (known === undefined || name === 'content-type') headers[name] = value;
      else headers[name] = [known, value].flat();
    }
    return new GrpcCall(this.#session(request.origin).request(headers), events);
  }

  close(): void {
    for (const session of this.#sessions.values()) session.destroy();
    this.#sessions.clear();
  }

  #session(origin: string): ClientHttp2Session {
    const known = this.#sessions.get(origin);
    if (known && !known.closed && !known.destroyed) return known;
    const session = connect(origin);
    // Streams report the failure one by one.
    session.on('error', () => {});
    session.on('close', () => {
      if (this.#sessions.get(origin) === session) this.#sessions.delete(origin);
    });
    session.unref();
    this.#sessions.set(origin, session);
    return session;
  }
}

function mapOf(headers: Record<string, unknown>): HeaderMap {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) {
    for (const text of [value].flat()) map.appendText(name, String(text));
  }
  return map;
}

/** The status text of gRPC is percent-encoded UTF-8. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
