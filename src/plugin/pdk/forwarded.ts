/**
 * The request as it was before proxies in front of the gateway: `X-Forwarded-*`, where the peer of
 * the connection is trusted, else the connection itself.
 */
import type { ForwardedReader, RequestReader } from '../request-types.js';

type Request = Pick<RequestReader, 'scheme' | 'host' | 'port' | 'path' | 'header'>;

export class Forwarded implements ForwardedReader {
  readonly #request: Request;
  readonly #trusted: boolean;
  readonly #strippedPath: string | null;

  /** `strippedPath`: what the route takes off the path. */
  constructor(request: Request, trusted: boolean, strippedPath: string | null) {
    this.#request = request;
    this.#trusted = trusted;
    this.#strippedPath = strippedPath;
  }

  get scheme(): string {
    return this.#header('x-forwarded-proto')?.toLowerCase() ?? this.#request.scheme;
  }

  get host(): string {
    const given = this.#header('x-forwarded-host');
    return given === null ? this.#request.host : splitAuthority(given).host;
  }

  get port(): number {
    const port = portOf(this.#header('x-forwarded-port'));
    if (port !== null) return port;
    const host = this.#header('x-forwarded-host');
    return portOf(host === null ? null : splitAuthority(host).port) ?? this.#request.port;
  }

  get path(): string {
    return this.#header('x-forwarded-path') ?? this.#request.path;
  }

  get prefix(): string | null {
    return this.#header('x-forwarded-prefix') ?? this.#strippedPath;
  }

  #header(name: string): string | null {
    return this.#trusted ? this.#request.header(name) : null;
  }
}

/** `user@host:port` and IPv6 in brackets; the host in lower case. */
export function splitAuthority(authority: string): { host: string; port: string | null } {
  const text = authority.slice(authority.lastIndexOf('@') + 1);
  const end = text.startsWith('[') ? text.indexOf(']') + 1 : text.indexOf(':');
  if (end <= 0) return { host: text.toLowerCase(), port: null };
  const port = text[end] === ':' ? text.slice(end + 1) : null;
  return { host: text.slice(0, end).toLowerCase(), port };
}

function portOf(text: string | null): number | null {
  if (text === null || !/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65535 ? port : null;
}
