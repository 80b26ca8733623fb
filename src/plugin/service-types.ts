/** Towards the upstream and back: what plugins read and change of both (Kong's `kong.service`). */
import type { Route, Service } from '../config/model.js';

export interface RouterReader {
  /** Null before routing, and where nothing matched. */
  readonly route: Route | null;
  readonly service: Service | null;
}

export interface UpstreamRequestWriter {
  /** Headers as the upstream will see them so far: the client's, with the edits of plugins. */
  headers(): Record<string, string | string[]>;
  setHeader(name: string, value: string): void;
  addHeader(name: string, value: string): void;
  removeHeader(name: string): void;
  /** Several at once: an array gives one field per value, null removes. */
  setHeaders(headers: Readonly<Record<string, string | readonly string[] | null>>): void;
  /** Path for the upstream, without query; it must start with a slash. */
  setPath(path: string): void;
  /** Query for the upstream without the question mark; empty removes it. */
  setQuery(query: string): void;
  /** The same from arguments, sorted by name; `true` gives a name without value. */
  setQueryArguments(
    values: Readonly<Record<string, string | number | true | readonly (string | number | true)[]>>,
  ): void;
  /** Takes every occurrence of an argument out; the order of the others stays. */
  removeQueryArgument(name: string): void;
  setMethod(method: string): void;
  /** Gives the upstream this body instead of the client's, with its length. */
  setBody(body: string | Uint8Array): void;
  /**
   * Breaks the request off once the client has sent more than so many bytes of body: it is answered
   * with `status` (default 413) where no answer has begun, and the upstream's connection is reset.
   */
  limitBody(bytes: number, status?: number, message?: string): void;
  /** Collects the whole answer, for `service.response.body` in later phases. */
  enableBuffering(): void;
}

export interface ServiceReader {
  /** The service of the matched route; null where there is none. */
  readonly entity: Service | null;
  /** What the upstream sent, whatever plugins made of it. */
  readonly response: {
    /** Null where no upstream was asked. */
    readonly status: number | null;
    header(name: string): string | null;
    headers(max?: number): Record<string, string | string[]>;
    /**
     * The whole body.
     * @throws GatewayError GW_E_PLUGIN_PHASE where the answer was not collected
     */
    readonly body: Uint8Array;
  };
}

export interface ServiceAccess {
  readonly entity: Service | null;
  readonly request: UpstreamRequestWriter;
  /**
   * Asks another host instead, whose name becomes the Host header.
   * @throws GatewayError GW_E_PLUGIN_FAILED for a bad port
   */
  setTarget(host: string, port: number): void;
  /**
   * Asks a target of this upstream instead; TLS and the rules for Host stay those of the service.
   * @throws GatewayError GW_E_PLUGIN_FAILED where there is no upstream of that name
   */
  setUpstream(name: string): void;
  /** Tries beyond the first, 0 to 32767. */
  setRetries(count: number): void;
  /** In milliseconds, 1 to 2147483646 each. */
  setTimeouts(connectMs: number, writeMs: number, readMs: number): void;
}

export interface ResponseWriter {
  setHeader(name: string, value: string): void;
  addHeader(name: string, value: string): void;
  removeHeader(name: string): void;
  setHeaders(headers: Readonly<Record<string, string | readonly string[] | null>>): void;
}

type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface ExitOptions {
  /**
   * In `access`: an upstream gave this answer once, and a cache kept it. It gets Via and the
   * latencies of proxied answers instead of X-Kong-Response-Latency. Default false.
   */
  readonly proxied?: boolean;
}

export interface ExitingResponse extends ResponseWriter {
  /**
   * Answers the client here and now; later handlers of this phase do not run, header filters do.
   * A string or bytes are sent as they are, an object as JSON.
   * @throws GatewayError GW_E_REPLY_TOO_LARGE above limits.replyBodyBytes
   */
  exit(
    status: number,
    body?: string | Uint8Array | object | null,
    headers?: ReplyHeaders,
    options?: ExitOptions,
  ): void;
  /**
   * The same with an error text in the form that the client's Accept header asks for, and the id
   * of the request. `status` is 400 to 599; `message` has Kong's default by status.
   */
  error(status: number, message?: string | null, headers?: ReplyHeaders): void;
}

/** In the `response` phase the body can be replaced, too. */
export interface BufferedResponse extends FilterResponse {
  setBody(body: string | Uint8Array): void;
}

export interface FilterResponse extends ResponseWriter {
  /** Assigning changes the status that the client sees. */
  status: number;
  /** `service`: the upstream's; `exit`: a plugin's; `error`: the gateway's. */
  readonly source: 'service' | 'exit' | 'error';
  /** First value of a response header, case ignored; null where it is absent. */
  header(name: string): string | null;
  /** As the client will see them so far. */
  headers(max?: number): Record<string, string | string[]>;
  /**
   * In `headerFilter`: this plugin's `bodyFilter` has nothing to do for this answer. Where that is
   * so for every plugin the body does not go through them, and keeps its length and trailers.
   */
  skipBodyFilter(): void;
}
