/**
 * The request and the client as plugins read them, decoded on each use out of the exchange view.
 * What plugins changed of method, query and header fields on the way to the upstream shows at once,
 * as in Kong, where both are one request; the path is always the client's.
 */
import { EditList } from '../core/exchange-edits.js';
import type { ExchangeView } from '../core/exchange-view.js';
import { EditOp } from '../core/layout.js';
import type { CaptureSource, Captures } from '../core/route-captures.js';
import { argumentsDefault, checkMax, firstArgument, parseArguments } from './pdk/arguments.js';
import { Forwarded, splitAuthority } from './pdk/forwarded.js';
import { headersOf, withEdits } from './pdk/headers.js';
import { isTrusted } from './pdk/host.js';
import type { Plan } from './plan.js';
import type { Argument, ForwardedReader, RequestReader, UriCaptures } from './request-types.js';

export class RequestView implements RequestReader {
  readonly #view: ExchangeView;
  readonly #readBody: () => Promise<Uint8Array>;
  readonly #captures: (source: CaptureSource) => Captures | null;
  readonly #plan: () => Plan | null;
  readonly #edits: EditList;

  /** `plan`: that of the exchange, null before routing; `edits`: those towards the upstream. */
  constructor(
    view: ExchangeView,
    readBody: () => Promise<Uint8Array>,
    captures: (source: CaptureSource) => Captures | null = () => null,
    plan: () => Plan | null = () => null,
    edits = new EditList(),
  ) {
    this.#view = view;
    this.#readBody = readBody;
    this.#captures = captures;
    this.#plan = plan;
    this.#edits = edits;
  }

  get uriCaptures(): UriCaptures {
    const { path } = this.#view;
    const found = this.#captures({ path, headers: (name) => this.#sent(name) });
    const unnamed: string[] = [];
    const named: Record<string, string> = {};
    for (const [key, text] of Object.entries(found ?? {})) {
      if (/^[0-9]+$/.test(key)) unnamed[Number(key)] = text;
      else named[key] = text;
    }
    return { unnamed, named };
  }

  body(): Promise<Uint8Array> {
    return this.#readBody();
  }

  async text(): Promise<string> {
    return Buffer.from(await this.#readBody()).toString();
  }

  get method(): string {
    return this.#edits.last(EditOp.SET_METHOD) ?? this.#view.method;
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
    const edited = this.#edits.last(EditOp.SET_QUERY);
    if (edited !== undefined) return edited;
    const { target } = this.#view;
    const mark = target.indexOf('?');
    return mark < 0 ? '' : target.slice(mark + 1);
  }

  get scheme(): 'http' | 'https' {
    return this.#view.tls ? 'https' : 'http';
  }

  get host(): string {
    return splitAuthority(authorityOf(this.#view.target) ?? this.#view.header('host') ?? '').host;
  }

  get port(): number {
    return this.#view.localPort;
  }

  get id(): string {
    return this.#view.requestId;
  }

  get pathWithQuery(): string {
    return originForm(this.#view.target);
  }

  get httpVersion(): number {
    return 1 + this.#view.minorVersion / 10;
  }

  get startTimeMs(): number {
    return this.#view.startWallMs;
  }

  get forwarded(): ForwardedReader {
    const plan = this.#plan();
    const trusted = isTrusted(plan?.host.trusted ?? [], this.#view.peerAddress);
    const length = plan?.route?.strip_path ? this.#view.prefixLength : 0;
    return new Forwarded(this, trusted, length > 1 ? this.path.slice(0, length) : null);
  }

  query(name: string): string | null {
    const value = this.queryArgument(name);
    return value === true ? '' : value;
  }

  queryArgument(name: string): string | true | null {
    return firstArgument(this.rawQuery, name);
  }

  queryArguments(max = argumentsDefault): Record<string, Argument> {
    return parseArguments(this.rawQuery, checkMax('queryArguments', max));
  }

  header(name: string): string | null {
    if (this.#edits.count === 0) return this.#view.header(name);
    return this.headerValues(name)[0] ?? null;
  }

  headers(max?: number): Record<string, string | string[]> {
    return withEdits(headersOf(this.#view, 'request', max), this.#edits);
  }

  headerValues(name: string): string[] {
    const wanted = foldName(name);
    let values = this.#sent(name);
    const { count, ops, names, values: edited } = this.#edits;
    for (let i = 0; i < count; i++) {
      if (ops[i] > EditOp.REMOVE || foldName(names[i]) !== wanted) continue;
      if (ops[i] !== EditOp.ADD) values = [];
      if (ops[i] !== EditOp.REMOVE) values.push(edited[i]);
    }
    return values;
  }

  /** What the client itself sent. */
  #sent(name: string): string[] {
    const wanted = foldName(name);
    const values: string[] = [];
    this.#view.eachHeader('request', (known, value) => {
      if (foldName(known) === wanted) values.push(value);
    });
    return values;
  }
}

const foldName = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** Addresses of the client. */
export class ClientView {
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
