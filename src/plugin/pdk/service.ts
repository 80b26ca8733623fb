/** What goes to the upstream and what came from it (Kong's `kong.service`). */
import type { Service } from '../../config/model.js';
import { EditOp } from '../../core/layout.js';
import { GatewayError } from '../../errors.js';
import { limits } from '../../limits.js';
import { chooseUpstream } from '../choose-upstream.js';
import type { PhaseName } from '../define.js';
import type { Exchange } from '../exchange.js';
import { checkHeader } from '../header-check.js';
import type { ServiceAccess, ServiceReader, UpstreamRequestWriter } from '../service-types.js';
import { withoutArgument, writeArguments } from './arguments.js';
import { type HeaderReads, headersOf } from './headers.js';
import { beforeUpstream, invalidArgument, requirePhase, withAnswer } from './phase-guard.js';

export class StepService implements ServiceAccess, ServiceReader {
  readonly #exchange: Exchange;
  readonly #phase: PhaseName;
  readonly #live: AnswerReads | null;

  /** `live`: the answer, in phases that have one. */
  constructor(exchange: Exchange, phase: PhaseName, live: AnswerReads | null) {
    this.#exchange = exchange;
    this.#phase = phase;
    this.#live = live;
  }

  get entity(): Service | null {
    return this.#exchange.plan?.service ?? null;
  }

  get request(): UpstreamRequestWriter {
    requirePhase(this.#phase, 'service.request', beforeUpstream);
    return new UpstreamWriter(this.#exchange);
  }

  get response(): ServiceReader['response'] {
    requirePhase(this.#phase, 'service.response', withAnswer);
    const { reply, answer } = this.#exchange;
    return new UpstreamAnswer(reply ? null : this.#live, answer.body);
  }

  setTarget(host: string, port: number): void {
    requirePhase(this.#phase, 'service.setTarget', ['access']);
    if (!/^[^\s/@?#]+$/.test(host)) throw invalidArgument(`setTarget: bad host ${host}`);
    checkWhole('setTarget: port', port, 1, 65535);
    const index = this.#exchange.plan?.host.internTarget?.(host, port);
    if (index === undefined) throw invalidArgument('setTarget: there is no data plane');
    const edits = this.#exchange.upstreamEdits;
    edits.push(EditOp.SET_TARGET, '', String(index));
    this.#exchange.upstream = null;
    const name = host.includes(':') ? `[${host}]` : host;
    edits.push(EditOp.SET, 'Host', checkHeader('Host', port === 80 ? name : `${name}:${port}`));
  }

  setUpstream(name: string): void {
    requirePhase(this.#phase, 'service.setUpstream', ['access']);
    if (chooseUpstream(this.#exchange, name)) return;
    throw invalidArgument(`setUpstream: could not find an Upstream named '${name}'`);
  }

  setRetries(count: number): void {
    requirePhase(this.#phase, 'service.setRetries', ['access']);
    checkWhole('setRetries', count, 0, 32767);
    this.#exchange.upstreamEdits.push(EditOp.SET_RETRIES, '', String(count));
  }

  setTimeouts(connectMs: number, writeMs: number, readMs: number): void {
    requirePhase(this.#phase, 'service.setTimeouts', ['access']);
    const edits = this.#exchange.upstreamEdits;
    for (const ms of [connectMs, writeMs, readMs]) checkWhole('setTimeouts', ms, 1, 2147483646);
    edits.push(EditOp.SET_CONNECT_TIMEOUT, '', String(connectMs));
    edits.push(EditOp.SET_WRITE_TIMEOUT, '', String(writeMs));
    edits.push(EditOp.SET_READ_TIMEOUT, '', String(readMs));
  }
}

/** What is read of an answer, while the core shows it. */
export interface AnswerReads extends HeaderReads {
  readonly status: number;
  header(name: string, side: 'response'): string | null;
}

class UpstreamAnswer {
  readonly #live: AnswerReads | null;
  readonly #body: Uint8Array | null;

  constructor(live: AnswerReads | null, body: Uint8Array | null) {
    this.#live = live;
    this.#body = body;
  }

  get body(): Uint8Array {
    if (this.#body) return this.#body;
    throw new GatewayError('GW_E_PLUGIN_PHASE', 'service.response.body: nothing was buffered');
  }

  get status(): number | null {
    return this.#live?.status ?? null;
  }

  header(name: string): string | null {
    return this.#live?.header(name, 'response') ?? null;
  }

  headers(max?: number): Record<string, string | string[]> {
    return this.#live ? headersOf(this.#live, 'response', max) : {};
  }
}

class UpstreamWriter implements UpstreamRequestWriter {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  headers(): Record<string, string | string[]> {
    return this.#exchange.request.headers(limits.argumentsRead.value);
  }

  setHeader(name: string, value: string): void {
    this.#push(EditOp.SET, name, value);
  }

  addHeader(name: string, value: string): void {
    this.#push(EditOp.ADD, name, value);
  }

  removeHeader(name: string): void {
    this.#push(EditOp.REMOVE, name, '');
  }

  setHeaders(headers: Readonly<Record<string, string | readonly string[] | null>>): void {
    eachEdit(headers, (op, name, value) => this.#push(op, name, value));
  }

  setPath(path: string): void {
    if (!path.startsWith('/')) {
      throw invalidArgument('setPath: the path must start with a slash');
    }
    this.#exchange.upstreamEdits.push(EditOp.SET_PATH, '', targetText('setPath', path, /[?#]/));
  }

  setQuery(query: string): void {
    this.#exchange.upstreamEdits.push(EditOp.SET_QUERY, '', targetText('setQuery', query, /#/));
  }

  setQueryArguments(values: Parameters<UpstreamRequestWriter['setQueryArguments']>[0]): void {
    this.setQuery(writeArguments(values));
  }

  removeQueryArgument(name: string): void {
    this.setQuery(withoutArgument(this.#exchange.request.rawQuery, name));
  }

  setMethod(method: string): void {
    if (!/^[A-Z][A-Z0-9_-]{0,31}$/.test(method) || method === 'CONNECT') {
      throw invalidArgument(`setMethod: ${JSON.stringify(method)} is not allowed`);
    }
    this.#exchange.upstreamEdits.push(EditOp.SET_METHOD, '', method);
  }

  setBody(body: string | Uint8Array): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.#exchange.requestBody.replace(bytes);
  }

  limitBody(bytes: number, status = 413, message = 'Payload too large'): void {
    checkWhole('limitBody', bytes, 0, Number.MAX_SAFE_INTEGER);
    checkWhole('limitBody: status', status, 400, 599);
    this.#exchange.requestBody.limit(bytes, { status, message });
  }

  enableBuffering(): void {
    this.#exchange.buffered = true;
  }

  #push(op: number, name: string, value: string): void {
    this.#exchange.upstreamEdits.push(op, name, checkHeader(name, value));
  }
}

function checkWhole(what: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw invalidArgument(`${what}: expected ${low} to ${high}, got ${value}`);
}

/** Calls `push` for every field of a table of headers. */
export function eachEdit(
  headers: Readonly<Record<string, string | readonly string[] | null>>,
  push: (op: number, name: string, value: string) => void,
): void {
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === null) push(EditOp.REMOVE, name, '');
    else if (typeof value === 'string') push(EditOp.SET, name, value);
    else {
      push(EditOp.REMOVE, name, '');
      for (const item of value) push(EditOp.ADD, name, item);
    }
  }
}

/** Escapes what must not stand in a request target; refuses what would change its structure. */
function targetText(what: string, text: string, forbidden: RegExp): string {
  if (forbidden.test(text)) {
    throw invalidArgument(`${what}: ${JSON.stringify(text)} is not allowed`);
  }
  return text.replace(/[^\x21-\x7e]+/gu, (run) =>
    Array.from(
      Buffer.from(run),
      (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
  );
}
