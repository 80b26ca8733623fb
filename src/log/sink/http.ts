/** Submits log batches over HTTP: one undici pool per origin, kept open between batches. */
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { GatewayError } from '../../errors.js';

export interface HttpSubmission {
  /** http or https; user info becomes basic authorization, query and fragment are not sent. */
  readonly endpoint: string;
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly contentType: string;
  /** Further fields; they never replace Host, those of the body, or the user info's. */
  readonly headers: Readonly<Record<string, string>> | null;
  /** For connecting, for the answer's head and between two reads of its body. */
  readonly timeoutMs: number;
  /** How long an idle connection is kept. */
  readonly keepaliveMs: number;
  readonly body: string | Uint8Array;
  readonly signal?: AbortSignal;
}

/** A request as it goes out. */
export interface HttpExchange {
  readonly url: URL;
  /** With the query, where that is to be sent. */
  readonly path: string;
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly timeouts: HttpTimeouts;
  readonly signal?: AbortSignal;
}

export interface HttpTimeouts {
  /** For connecting, with the handshake of TLS. */
  readonly connectMs: number;
  /** For the answer's head, and between two reads of its body. */
  readonly readMs: number;
  /** How long an idle connection is kept. */
  readonly keepaliveMs: number;
}

export interface HttpOutcome {
  readonly status: number;
  readonly text: string;
  /** The kernel has all of the body: its memory is nobody's any more. */
  readonly isFlushed: boolean;
}

/** Bytes of an answer's body that an error message quotes. */
const quotedBytes = 1024;
/** Pools are kept for origins that were used within this time. */
const unusedMs = 300_000;
const fixedHeaders = new Set(['content-type', 'content-length', 'host']);

interface UsedPool {
  readonly pool: Pool;
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>;
  usedMs: number;
}

export class HttpSink {
  readonly #pools = new Map<string, UsedPool>();

  /**
   * Sends one body. The answer's body is read to its end, so that the connection can be used again.
   * @returns as HttpOutcome.isFlushed
   * @throws GatewayError GW_E_SUBMIT with Kong's text for transport errors and statuses from 300 on
   */
  async submit(submission: HttpSubmission): Promise<boolean> {
    const { url, authority } = parseEndpoint(submission.endpoint);
    const { timeoutMs, keepaliveMs, method, body, signal } = submission;
    const timeouts = { connectMs: timeoutMs, readMs: timeoutMs, keepaliveMs };
    const headers = headersOf(submission);
    const request = { url, path: url.pathname, method, headers, body, timeouts, signal };
    const outcome = await this.exchange(request, `failed request to ${authority}: `);
    const { status, text, isFlushed } = outcome;
    if (status < 300) return isFlushed;
    throw new GatewayError(
      'GW_E_SUBMIT',
      `request to ${authority} returned status code ${status} and body ${text}`,
    );
  }

  /**
   * Sends one request and reads its answer to the end, so that the connection can be used again.
   * @param failed what the message of a transport error begins with
   * @returns the status and the beginning of the body
   * @throws GatewayError GW_E_SUBMIT for transport errors
   */
  async exchange(request: HttpExchange, failed: string): Promise<HttpOutcome> {
    const { url, path, method, headers, body, timeouts, signal } = request;
    try {
      const { pool, sockets } = this.#poolFor(url, timeouts);
      const answer = await new Promise<Answered>((resolve, reject) => {
        pool.dispatch({ path, method, headers, body }, new Answer(resolve, reject, signal));
      });
      // A server may answer before it has read all of the body.
      const isFlushed = [...sockets].every((socket) => socket.writableLength === 0);
      // The pool has its connection back a moment later, and would open another one until then.
      await nextTurn();
      return { ...answer, isFlushed };
    } catch (cause) {
      throw new GatewayError('GW_E_SUBMIT', failed + reasonOf(cause), { cause });
    }
  }

  /** Closes idle connections, waits for running submissions. The sink can be used again. */
  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map(({ pool }) => pool.close()));
  }

  #poolFor(url: URL, { connectMs, readMs, keepaliveMs }: HttpTimeouts): UsedPool {
    const nowMs = performance.now();
    const key = `${url.origin} ${connectMs} ${readMs} ${keepaliveMs}`;
    let used = this.#pools.get(key);
    if (!used) {
      this.#closeUnused(nowMs);
      const sockets = new Set<Socket>();
      const pool = new Pool(url.origin, {
        connections: 8,
        headersTimeout: readMs,
        bodyTimeout: readMs,
        keepAliveTimeout: Math.max(1, keepaliveMs),
        connect: connectorInto(sockets, connectMs),
      });
      used = { pool, sockets, usedMs: nowMs };
      this.#pools.set(key, used);
    }
    used.usedMs = nowMs;
    return used;
  }

  #closeUnused(nowMs: number): void {
    for (const [key, { pool, usedMs }] of this.#pools) {
      if (nowMs - usedMs < unusedMs) continue;
      this.#pools.delete(key);
      void pool.close();
    }
  }
}

/** Undici's own connector, which keeps the set of its open connections. */
function connectorInto(sockets: Set<Socket>, timeoutMs: number): buildConnector.connector {
  // Kong does not verify the certificates of log servers either.
  const connect = buildConnector({ timeout: timeoutMs, rejectUnauthorized: false });
  return (options, callback) => {
    connect(options, (...outcome) => {
      const socket = outcome[1];
      if (socket) {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      }
      callback(...outcome);
    });
  };
}

type Answered = Omit<HttpOutcome, 'isFlushed'>;

/** Takes an answer as it comes: no stream and no listeners, of which a batch has no use. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #resolve: (outcome: Answered) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  #status = 0;
  #text = '';

  constructor(
    resolve: (outcome: Answered) => void,
    reject: (reason: unknown) => void,
    signal: AbortSignal | undefined,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (!this.#signal) return;
    if (this.#signal.aborted) controller.abort(abortReason(this.#signal));
    else runningOf(this.#signal).add(controller);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // Bytes beyond ASCII may be cut in two: what is quoted is for people.
    if (this.#text.length < quotedBytes) this.#text += chunk.toString('utf8', 0, quotedBytes);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#end(controller);
    this.#resolve({ status: this.#status, text: this.#text.slice(0, quotedBytes) });
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(controller);
    this.#reject(error);
  }

  #end(controller: Dispatcher.DispatchController): void {
    if (this.#signal) running.get(this.#signal)?.delete(controller);
  }
}

/** What each signal ends; one listener per signal, which lives as long as its queue. */
const running = new WeakMap<AbortSignal, Set<Dispatcher.DispatchController>>();

function runningOf(signal: AbortSignal): Set<Dispatcher.DispatchController> {
  let controllers = running.get(signal);
  if (controllers) return controllers;
  controllers = new Set();
  running.set(signal, controllers);
  const all = controllers;
  const end = () => {
    for (const controller of all) controller.abort(abortReason(signal));
  };
  signal.addEventListener('abort', end, { once: true });
  return controllers;
}

const abortReason = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error('aborted');

/** Endpoints are few, and each is used for every batch of its queue. */
const endpoints = new Map<string, { url: URL; authority: string }>();
const endpointsMax = 256;

/** Splits an endpoint; `authority` is `host:port` with the port always shown. */
export function parseEndpoint(endpoint: string): { url: URL; authority: string } {
  let parsed = endpoints.get(endpoint);
  if (parsed) return parsed;
  const url = new URL(endpoint);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  parsed = { url, authority: `${url.hostname}:${port}` };
  if (endpoints.size >= endpointsMax) endpoints.clear();
  endpoints.set(endpoint, parsed);
  return parsed;
}

function headersOf({ endpoint, headers, contentType }: HttpSubmission): Record<string, string> {
  const all: Record<string, string> = { 'content-type': contentType };
  // As it stands in the endpoint, escapes and all: Kong does not decode it.
  const userInfo = /^[a-z]+:\/\/([^/?#]*)@/i.exec(endpoint)?.[1];
  if (userInfo) all.authorization = `Basic ${Buffer.from(userInfo).toString('base64')}`;
  for (const [name, value] of Object.entries(headers ?? {})) {
    const lower = name.toLowerCase();
    if (!fixedHeaders.has(lower) && all[lower] === undefined) all[lower] = value;
  }
  return all;
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // A connect error of several addresses has an empty message of its own.
  const inner = cause instanceof AggregateError ? cause.errors[0] : undefined;
  return cause.message || (inner instanceof Error ? inner.message : cause.name);
}
