/**
 * What handlers are given: the request, the client, edits towards the upstream and the client, and
 * the answer in place. Everything is decoded when it is asked for; nothing is read ahead.
 */
import type { Route, Service } from '../config/model.js';

export interface RequestReader {
  /** Upper-case as sent by the client. */
  readonly method: string;
  /** Normalised path, without the query. */
  readonly path: string;
  /** The path as sent, without the query. */
  readonly rawPath: string;
  /** The query as sent, without the question mark; empty where there is none. */
  readonly rawQuery: string;
  readonly scheme: 'http' | 'https';
  /** Host without port, lower-case; empty where HTTP/1.0 sent none. */
  readonly host: string;
  /** Port of the listener, as clients see it. */
  readonly port: number;
  /** Hexadecimal id, the one of X-Kong-Request-Id and of the log record. */
  readonly id: string;
  /** First value of a query argument, decoded; null where it is absent. */
  query(name: string): string | null;
  /** First value of a header field, case ignored; null where it is absent. */
  header(name: string): string | null;
  /** Every field: lower-case name to its value, or to an array where the field is repeated. */
  headers(): Record<string, string | string[]>;
}

export interface ClientReader {
  /** Address after `trusted_ips` and `real_ip_header`. */
  readonly ip: string;
  /** Address of the peer of the connection. */
  readonly peerIp: string;
  readonly port: number;
}

export interface UpstreamRequestWriter {
  setHeader(name: string, value: string): void;
  addHeader(name: string, value: string): void;
  removeHeader(name: string): void;
  /** Path for the upstream, without query; it must start with a slash. */
  setPath(path: string): void;
  /** Query for the upstream without the question mark; empty removes it. */
  setQuery(query: string): void;
  setMethod(method: string): void;
}

export interface ServiceView {
  /** The service of the matched route; null where there is none. */
  readonly entity: Service | null;
}

export interface PluginLog {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

interface CommonContext<Config> {
  readonly request: RequestReader;
  readonly client: ClientReader;
  /** The matched route; null where nothing matched. */
  readonly route: Route | null;
  readonly config: Config;
  /** An object of this exchange that every plugin sees. */
  readonly shared: Record<string, unknown>;
  readonly log: PluginLog;
}

export interface AccessContext<Config = unknown> extends CommonContext<Config> {
  readonly service: ServiceView & { readonly request: UpstreamRequestWriter };
  readonly response: ResponseWriter & {
    /**
     * Answers the client here and now; later access plugins do not run, header filters do.
     * A string or bytes are sent as they are, an object as JSON.
     * @throws GatewayError GW_E_REPLY_TOO_LARGE above limits.replyBodyBytes
     */
    exit(
      status: number,
      body?: string | Uint8Array | object | null,
      headers?: Readonly<Record<string, string | readonly string[]>>,
    ): void;
  };
}

export interface ResponseWriter {
  setHeader(name: string, value: string): void;
  addHeader(name: string, value: string): void;
  removeHeader(name: string): void;
}

export interface HeaderFilterContext<Config = unknown> extends CommonContext<Config> {
  readonly service: ServiceView;
  readonly response: ResponseWriter & {
    /** Assigning changes the status that the client sees. */
    status: number;
    /** First value of a response header, case ignored; null where it is absent. */
    header(name: string): string | null;
  };
}
