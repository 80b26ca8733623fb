/**
 * The request and the client as plugins read them, decoded on each use out of the exchange view.
 */
import type { ExchangeView } from '../core/exchange-view.js';
import type { ClientReader, RequestReader } from './context-types.js';

export class RequestView implements RequestReader {
  readonly #view: ExchangeView;

  constructor(view: ExchangeView) {
    this.#view = view;
  }

  get method(): string {
    return this.#view.method;
  }

  get path(): string {
    return this.#view.path;
  }

  get rawPath(): string {
    const target = originForm(this.#view.target);
    const mark = target.indexOf('?');
    return mark < 0 ? target : target.slice(0, mark);
  }

  get rawQuery(): string {
    const { target } = this.#view;
    const mark = target.indexOf('?');
    return mark < 0 ? '' : target.slice(mark + 1);
  }

  get scheme(): 'http' | 'https' {
    return this.#view.tls ? 'https' : 'http';
  }

  get host(): string {
    return hostOf(authorityOf(this.#view.target) ?? this.#view.header('host') ?? '');
  }

  get port(): number {
    return this.#view.localPort;
  }

  get id(): string {
    return this.#view.requestId;
  }

  query(name: string): string | null {
    const { rawQuery } = this;
    if (rawQuery === '') return null;
    for (const part of rawQuery.split('&')) {
      const equals = part.indexOf('=');
      if (unescapeText(equals < 0 ? part : part.slice(0, equals)) !== name) continue;
      return equals < 0 ? '' : unescapeText(part.slice(equals + 1));
    }
    return null;
  }

  header(name: string): string | null {
    return this.#view.header(name);
  }

  headers(): Record<string, string | string[]> {
    const headers: Record<string, string | string[]> = Object.create(null);
    this.#view.eachHeader('request', (name, value) => {
      const known = headers[name];
      if (known === undefined) headers[name] = value;
      else if (typeof known === 'string') headers[name] = [known, value];
      else known.push(value);
    });
    return headers;
  }
}

export class ClientView implements ClientReader {
  readonly #view: ExchangeView;

  constructor(view: ExchangeView) {
    this.#view = view;
  }

  get ip(): string {
    return this.#view.clientAddress;
  }

  get peerIp(): string {
    return this.#view.peerAddress;
  }

  get port(): number {
    return this.#view.peerPort;
  }
}

const absolute = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

/** Path and query of a target; of an absolute-form one (RFC 9112 3.2.2) what follows the host. */
function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const match = absolute.exec(target);
  if (!match) return target;
  const rest = target.slice(match[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function authorityOf(target: string): string | null {
  return target.startsWith('/') ? null : (absolute.exec(target)?.[1] ?? null);
}

function hostOf(authority: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  return (end > 0 ? host.slice(0, end) : host).toLowerCase();
}

/** Decodes `+` and percent escapes (UTF-8); text with broken escapes is returned as it is. */
function unescapeText(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const blanks = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(blanks);
  } catch {
    return blanks;
  }
}
