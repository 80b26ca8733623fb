/**
 * The objects that handlers get: views of the exchange plus the config and the logger of the
 * plugin. A step object is made per call, so that a handler which is still busy never sees
 * another's config.
 */
import type { Route, Service } from '../config/model.js';
import { EditOp } from '../core/layout.js';
import { GatewayError } from '../errors.js';
import type {
  AccessContext,
  HeaderFilterContext,
  PluginLog,
  UpstreamRequestWriter,
} from './context-types.js';
import type { Exchange } from './exchange.js';
import { checkHeader } from './header-check.js';
import type { PlanStep } from './plan.js';
import { replyHeader, replyOf } from './reply.js';

abstract class StepContext {
  protected readonly exchange: Exchange;
  protected readonly step: PlanStep;

  constructor(exchange: Exchange, step: PlanStep) {
    this.exchange = exchange;
    this.step = step;
  }

  get request() {
    return this.exchange.request;
  }

  get client() {
    return this.exchange.client;
  }

  get route(): Route | null {
    return this.exchange.plan?.route ?? null;
  }

  /** Typed by the plugin's schema, which only its author knows. */
  get config(): never {
    return this.step.config as never;
  }

  get shared(): Record<string, unknown> {
    return this.exchange.shared;
  }

  get log(): PluginLog {
    return new StepLog(this.step, this.exchange.request.id);
  }
}

export class AccessStep extends StepContext implements AccessContext {
  get service() {
    return new AccessService(this.exchange);
  }

  get response() {
    return new AccessResponse(this.exchange);
  }
}

export class HeaderFilterStep extends StepContext implements HeaderFilterContext {
  readonly #live: ResponseReads;

  constructor(exchange: Exchange, step: PlanStep, live: ResponseReads) {
    super(exchange, step);
    this.#live = live;
  }

  get service(): { readonly entity: Service | null } {
    return { entity: this.exchange.plan?.service ?? null };
  }

  get response() {
    return new FilterResponse(this.exchange, this.#live);
  }
}

/** What a header filter reads of the answer, while the core shows it. */
export interface ResponseReads {
  readonly status: number;
  header(name: string, side: 'response'): string | null;
}

class AccessService {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get entity(): Service | null {
    return this.#exchange.plan?.service ?? null;
  }

  get request(): UpstreamRequestWriter {
    return new UpstreamWriter(this.#exchange);
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

  setPath(path: string): void {
    if (!path.startsWith('/')) throw invalid('setPath: the path must start with a slash');
    this.#exchange.upstreamEdits.push(EditOp.SET_PATH, '', targetText('setPath', path, /[?#]/));
  }

  setQuery(query: string): void {
    this.#exchange.upstreamEdits.push(EditOp.SET_QUERY, '', targetText('setQuery', query, /#/));
  }

  setMethod(method: string): void {
    if (!/^[A-Z][A-Z0-9_-]{0,31}$/.test(method) || method === 'CONNECT') {
      throw invalid(`setMethod: ${JSON.stringify(method)} is not allowed`);
    }
    this.#exchange.upstreamEdits.push(EditOp.SET_METHOD, '', method);
  }

  #push(op: number, name: string, value: string): void {
    this.#exchange.upstreamEdits.push(op, name, checkHeader(name, value));
  }
}

/** Edits of the answer, shared by both phases that can make them. */
class ResponseEdits {
  protected readonly exchange: Exchange;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  setHeader(name: string, value: string): void {
    this.exchange.clientEdits.push(EditOp.SET, name, checkHeader(name, value));
  }

  addHeader(name: string, value: string): void {
    this.exchange.clientEdits.push(EditOp.ADD, name, checkHeader(name, value));
  }

  removeHeader(name: string): void {
    this.exchange.clientEdits.push(EditOp.REMOVE, name, checkHeader(name, ''));
  }
}

class AccessResponse extends ResponseEdits {
  exit(
    status: number,
    body?: string | Uint8Array | object | null,
    headers?: Readonly<Record<string, string | readonly string[]>>,
  ): void {
    this.exchange.reply = replyOf(status, body ?? null, headers ?? {}, this.exchange.clientEdits);
  }
}

class FilterResponse extends ResponseEdits {
  readonly #live: ResponseReads;

  constructor(exchange: Exchange, live: ResponseReads) {
    super(exchange);
    this.#live = live;
  }

  get status(): number {
    const { ops, values } = this.exchange.clientEdits;
    const at = ops.lastIndexOf(EditOp.STATUS);
    return at < 0 ? this.#live.status : Number(values[at]);
  }

  set status(status: number) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw invalid(`status: expected 200 to 599, got ${status}`);
    }
    this.exchange.clientEdits.push(EditOp.STATUS, '', String(status));
  }

  header(name: string): string | null {
    const key = name.toLowerCase();
    const { clientEdits, reply } = this.exchange;
    const edited = clientEdits.effect(key);
    if (edited !== undefined) return edited;
    return reply ? replyHeader(reply, key) : this.#live.header(name, 'response');
  }
}

class StepLog implements PluginLog {
  readonly #step: PlanStep;
  readonly #requestId: string;

  constructor(step: PlanStep, requestId: string) {
    this.#step = step;
    this.#requestId = requestId;
  }

  debug(message: string, fields?: object): void {
    this.#step.logger.debug({ ...fields, request_id: this.#requestId }, message);
  }

  info(message: string, fields?: object): void {
    this.#step.logger.info({ ...fields, request_id: this.#requestId }, message);
  }

  warn(message: string, fields?: object): void {
    this.#step.logger.warn({ ...fields, request_id: this.#requestId }, message);
  }

  error(message: string, fields?: object): void {
    this.#step.logger.error({ ...fields, request_id: this.#requestId }, message);
  }
}

/** Escapes what must not stand in a request target; refuses what would change its structure. */
function targetText(what: string, text: string, forbidden: RegExp): string {
  if (forbidden.test(text)) throw invalid(`${what}: ${JSON.stringify(text)} is not allowed`);
  return text.replace(/[^\x21-\x7e]+/gu, (run) =>
    Array.from(
      Buffer.from(run),
      (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
  );
}

const invalid = (message: string): GatewayError => new GatewayError('GW_E_PLUGIN_FAILED', message);
