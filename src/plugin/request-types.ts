/** The client's request as plugins read it (Kong's `kong.request`). */

/** A query or form argument: text, `true` where it has no value, an array where it is repeated. */
export type Argument = string | true | readonly (string | true)[];

/** What the groups of the route's patterns matched; both empty where none did. */
export interface UriCaptures {
  /** By position, `0` being the whole match; groups that took no part are left out. */
  readonly unnamed: readonly string[];
  readonly named: Readonly<Record<string, string>>;
}

export interface RequestReader {
  /** Worked out at each use, from the patterns of the matched route. */
  readonly uriCaptures: UriCaptures;
  /** Upper-case as sent by the client. */
  readonly method: string;
  /** Normalised path, without the query. */
  readonly path: string;
  /** The path as sent, without the query. */
  readonly rawPath: string;
  /** The query as sent, without the question mark; empty where there is none. */
  readonly rawQuery: string;
  /** The raw path, and the query with its question mark where there is one. */
  readonly pathWithQuery: string;
  readonly scheme: 'http' | 'https';
  /** Host without port, lower-case; empty where HTTP/1.0 sent none. */
  readonly host: string;
  /** Port of the listener, as clients see it. */
  readonly port: number;
  /** 1.0 or 1.1. */
  readonly httpVersion: number;
  /** Epoch milliseconds of the first byte. */
  readonly startTimeMs: number;
  /** Hexadecimal id, the one of X-Kong-Request-Id and of the log record. */
  readonly id: string;
  /** As above, but after `X-Forwarded-*` where the peer is in `trusted_ips`. */
  readonly forwarded: ForwardedReader;
  /** First value of a query argument, decoded; empty where it has no value, null if absent. */
  query(name: string): string | null;
  /** First value of a query argument: `true` where it has no value, null where it is absent. */
  queryArgument(name: string): string | true | null;
  /**
   * The query arguments, decoded, by name. Those after the first `max` (1 to 1000, default 100)
   * are left out.
   * @throws GatewayError GW_E_PLUGIN_FAILED for another `max`
   */
  queryArguments(max?: number): Record<string, Argument>;
  /** First value of a header field; case ignored, `_` and `-` are equal. Null if absent. */
  header(name: string): string | null;
  /**
   * Fields by lower-case name: a value, or an array where the field is repeated. Fields after the
   * first `max` (1 to 1000, default 100) are left out.
   * @throws GatewayError GW_E_PLUGIN_FAILED for another `max`
   */
  headers(max?: number): Record<string, string | string[]>;
  /** Every value of a field, in order; empty where it is absent. */
  headerValues(name: string): string[];
  /**
   * The whole body, read from the client when it is asked for; in `rewrite` and `access` only.
   * Rejects with GW_E_BODY_TOO_LARGE above `nginx_http_client_body_buffer_size`: a handler that
   * lets that pass makes the gateway answer 413.
   */
  body(): Promise<Uint8Array>;
  /** The same as UTF-8 text. */
  text(): Promise<string>;
}

export interface ForwardedReader {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Null where there is none. */
  readonly prefix: string | null;
}
