/** What goes to the upstream and what came from it (Kong's `kong.service`). */
import type { Service } from '../../config/model.js';
import { EditOp } from '../../core/layout.js';
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
    const { reply } = this.#exchange;
    return new UpstreamAnswer(reply ? null : this.#live);
  }
}

/** What is read of an answer, while the core shows it. */
export interface AnswerReads extends HeaderReads {
  readonly status: number;
  header(name: string, side: 'response'): string | null;
}

class UpstreamAnswer {
  readonly #live: AnswerReads | null;

  constructor(live: AnswerReads | null) {
    this.#live = live;
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
    const { upstreamEdits, request } = this.#exchange;
    const at = upstreamEdits.ops.lastIndexOf(EditOp.SET_QUERY);
    this.setQuery(withoutArgument(at < 0 ? request.rawQuery : upstreamEdits.values[at], name));
  }

  setMethod(method: string): void {
    if (!/^[A-Z][A-Z0-9_-]{0,31}$/.test(method) || method === 'CONNECT') {
      throw invalidArgument(`setMethod: ${JSON.stringify(method)} is not allowed`);
    }
    this.#exchange.upstreamEdits.push(EditOp.SET_METHOD, '', method);
  }

  #push(op: number, name: string, value: string): void {
    this.#exchange.upstreamEdits.push(op, name, checkHeader(name, value));
  }
}

/** Calls `push` for every field of a table of headers. */
export function eachEdit(
  headers: Readonly<Record<string, string | readonly string[] | null>>,
  push: (op: number, name: string, value: string) => void,
): void {
  for (const [name, value] of Object.entries(headers)) {
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
