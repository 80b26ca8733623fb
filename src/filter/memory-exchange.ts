/**
 * One exchange without sockets: a request, a chain of filters, and an answer that a function gives
 * in the upstream's place. `headgate filter run` and tests use it.
 */
import type { LocalReply, PropertyValue, StreamAdapter, StreamMap } from './adapter.js';
import type { FilterChain } from './chain.js';
import type { HeaderMap } from './header-map.js';
import type { Lane } from './lane.js';
import type { FilterStream } from './stream.js';
import type { StreamHeaders } from './stream-headers.js';

export type FieldList = readonly (readonly [name: string, value: string])[];

export interface MemoryRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly scheme?: string;
  readonly authority: string;
  readonly headers: FieldList;
  /** Chunks, in the order they arrive. */
  readonly body?: readonly Uint8Array[];
  readonly trailers?: FieldList;
}

export interface MemoryResponse {
  readonly status: number;
  readonly headers: FieldList;
  readonly body?: readonly Uint8Array[];
  readonly trailers?: FieldList;
}

export interface MemoryOptions {
  readonly chain: FilterChain;
  readonly request: MemoryRequest;
  /** Gets the request as filters left it; it is not called where one of them answered. */
  readonly upstream: (request: MemoryRequest) => MemoryResponse | Promise<MemoryResponse>;
  /** Further properties by path. */
  readonly properties?: Readonly<Record<string, PropertyValue>>;
}

export interface MemoryResult {
  /** What the upstream got, null where it was not asked. */
  readonly sent: MemoryRequest | null;
  /** What the client got; null: the connection was cut. */
  readonly received: MemoryResponse | null;
  readonly reply: LocalReply | null;
}

/** Runs one exchange to its end, pauses included. */
export async function runExchange(options: MemoryOptions): Promise<MemoryResult> {
  const exchange = new MemoryExchange(options);
  try {
    return await exchange.run();
  } finally {
    exchange.stream.finish();
  }
}

class MemoryExchange implements StreamAdapter {
  readonly stream: FilterStream;
  readonly #options: MemoryOptions;
  #response: MemoryResponse | null = null;
  #notify: () => void = () => {};

  constructor(options: MemoryOptions) {
    this.#options = options;
    this.stream = options.chain.take(this);
  }

  async run(): Promise<MemoryResult> {
    const { stream } = this;
    const sent = await this.#request();
    if (stream.cutSide !== null && !stream.reply) return { sent, received: null, reply: null };
    const early = stream.reply;
    if (early) this.#response = responseOf(early);
    else if (sent) this.#response = await this.#options.upstream(sent);
    const received = await this.#respond();
    return { sent: early ? null : sent, received, reply: stream.reply };
  }

  load(map: StreamMap, into: HeaderMap): boolean {
    const { request } = this.#options;
    const response = this.#response;
    if (map === 0) {
      into.appendText(':method', request.method);
      into.appendText(':path', request.path);
      into.appendText(':scheme', request.scheme ?? 'http');
      into.appendText(':authority', request.authority);
      return fill(into, [['host', request.authority], ...request.headers]);
    }
    if (map === 1) return request.trailers ? fill(into, request.trailers) : false;
    if (!response) return false;
    if (map === 3) return response.trailers ? fill(into, response.trailers) : false;
    into.appendText(':status', String(response.status));
    return fill(into, response.headers);
  }

  show(): boolean {
    return false;
  }

  property(path: string): PropertyValue {
    return this.#options.properties?.[path];
  }

  setProperty(): boolean {
    return false;
  }

  wake(): void {
    this.#notify();
  }

  async #request(): Promise<MemoryRequest | null> {
    const { request } = this.#options;
    const { body = [], trailers } = request;
    const { stream } = this;
    const chunks: Uint8Array[] = [];
    await this.#feed(stream.request, chunks, body, trailers !== undefined, {
      headers: (end) => stream.requestHeaders(end),
      body: (bytes, end) => stream.requestBody(bytes, end),
      trailers: () => stream.requestTrailers(),
    });
    if (stream.reply || stream.cutSide) return null;
    return editedRequest(request, stream, chunks);
  }

  async #respond(): Promise<MemoryResponse | null> {
    const response = this.#response;
    if (!response) return null;
    const { stream } = this;
    const chunks: Uint8Array[] = [];
    await this.#feed(
      stream.response,
      chunks,
      response.body ?? [],
      response.trailers !== undefined,
      {
        headers: (end) => stream.responseHeaders(end),
        body: (bytes, end) => stream.responseBody(bytes, end),
        trailers: () => stream.responseTrailers(),
      },
    );
    if (stream.cutSide) return null;
    const { reply } = stream;
    if (reply && (stream.response.replaced || reply.failed)) return responseOf(reply);
    return editedResponse(response, stream, chunks);
  }

  /** Pushes one message through its lane and waits until all of it has come out, or never will. */
  async #feed(
    lane: Lane,
    output: Uint8Array[],
    body: readonly Uint8Array[],
    hasTrailers: boolean,
    push: {
      headers: (end: boolean) => void;
      body: (bytes: Uint8Array, end: boolean) => void;
      trailers: () => void;
    },
  ): Promise<void> {
    const { stream } = this;
    const isEmpty = body.length === 0 && !hasTrailers;
    const over = () =>
      stream.cutSide !== null ||
      (stream.reply !== null && (lane === stream.request || lane.replaced || stream.reply.failed));
    push.headers(isEmpty);
    for (const [index, chunk] of body.entries()) {
      if (over()) return;
      push.body(chunk, index === body.length - 1 && !hasTrailers);
      drain(lane, output);
    }
    if (hasTrailers && !over()) push.trailers();
    while (!over() && !(lane.out.headersIn && (lane.out.ended || lane.out.trailersIn))) {
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
      drain(lane, output);
    }
    drain(lane, output);
  }
}

function drain(lane: Lane, output: Uint8Array[]): void {
  const { buffer } = lane.out;
  if (buffer.size > 0) output.push(buffer.take());
}

function fill(into: HeaderMap, fields: FieldList): true {
  for (const [name, value] of fields) into.appendText(name, value);
  return true;
}

function editedRequest(
  request: MemoryRequest,
  stream: FilterStream,
  body: readonly Uint8Array[],
): MemoryRequest {
  const headers = stream.headers[0];
  const map = headers.get();
  const value = (name: string, otherwise: string) => map?.text(name) ?? otherwise;
  return {
    method: value(':method', request.method),
    path: value(':path', request.path),
    scheme: request.scheme,
    authority: value(':authority', request.authority),
    headers: plainFields(headers),
    body,
    trailers: request.trailers && plainFields(stream.headers[1]),
  };
}

function editedResponse(
  response: MemoryResponse,
  stream: FilterStream,
  body: readonly Uint8Array[],
): MemoryResponse {
  const headers = stream.headers[2];
  return {
    status: Number(headers.get()?.text(':status') ?? response.status),
    headers: plainFields(headers),
    body,
    trailers: response.trailers && plainFields(stream.headers[3]),
  };
}

function plainFields(headers: StreamHeaders): FieldList {
  const map = headers.get();
  const fields: [string, string][] = [];
  for (let i = 0; map && i < map.count; i++) {
    const name = map.nameText(i);
    if (!name.startsWith(':') && name !== 'host') fields.push([name, map.valueText(i)]);
  }
  return fields;
}

function responseOf(reply: LocalReply): MemoryResponse {
  const { status, headers, body } = reply;
  const fields: [string, string][] = [];
  for (let i = 0; i < headers.count; i++) fields.push([headers.nameText(i), headers.valueText(i)]);
  return { status, headers: fields, body: body.length > 0 ? [body] : [] };
}
