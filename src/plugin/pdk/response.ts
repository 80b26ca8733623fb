/** The answer to the client (Kong's `kong.response`). */
import { EditOp } from '../../core/layout.js';
import type { PhaseName } from '../define.js';
import type { Exchange } from '../exchange.js';
import { checkHeader } from '../header-check.js';
import { errorReply, replyHeader, replyOf } from '../reply.js';
import type { BufferedResponse, ExitingResponse, ExitOptions } from '../service-types.js';
import { errorText } from './error-texts.js';
import { addTo, headersOf, withEdits } from './headers.js';
import { beforeAnswer, invalidArgument, mayExit, requirePhase, withAnswer } from './phase-guard.js';
import { type AnswerReads, eachEdit } from './service.js';

type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>;

export class StepResponse implements ExitingResponse, BufferedResponse {
  readonly #exchange: Exchange;
  readonly #phase: PhaseName;
  readonly #live: AnswerReads | null;
  readonly #plugin: string;

  /** `plugin`: name of the plugin that is given this. */
  constructor(exchange: Exchange, phase: PhaseName, live: AnswerReads | null, plugin = '') {
    this.#plugin = plugin;
    this.#exchange = exchange;
    this.#phase = phase;
    this.#live = live;
  }

  setHeader(name: string, value: string): void {
    this.#edit('setHeader', EditOp.SET, name, value);
  }

  addHeader(name: string, value: string): void {
    this.#edit('addHeader', EditOp.ADD, name, value);
  }

  removeHeader(name: string): void {
    this.#edit('removeHeader', EditOp.REMOVE, name, '');
  }

  setHeaders(headers: Readonly<Record<string, string | readonly string[] | null>>): void {
    eachEdit(headers, (op, name, value) => this.#edit('setHeaders', op, name, value));
  }

  exit(
    status: number,
    body?: string | Uint8Array | object | null,
    headers?: ReplyHeaders,
    options: ExitOptions = {},
  ): void {
    requirePhase(this.#phase, 'response.exit', mayExit);
    const { clientEdits, state } = this.#exchange;
    const reply = replyOf(status, body ?? null, headers ?? {}, clientEdits);
    this.#exchange.reply = options.proxied ? { ...reply, proxied: true } : reply;
    state.source = 'exit';
  }

  error(status: number, message?: string | null, headers?: ReplyHeaders): void {
    requirePhase(this.#phase, 'response.error', mayExit);
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw invalidArgument(`error: expected a status of 400 to 599, got ${status}`);
    }
    const { request, clientEdits, state } = this.#exchange;
    const type = contentType(headers);
    const text = message ?? errorText(status);
    const made = errorReply(status, text, request.id, type ?? request.header('accept'));
    const given = replyOf(status, made.body, headers ?? {}, clientEdits);
    for (const [name, lines] of made.fields) given.fields.set(name, lines);
    this.#exchange.reply = given;
    state.source = 'exit';
  }

  get source(): 'service' | 'exit' | 'error' {
    requirePhase(this.#phase, 'response.source', withAnswer);
    const { reply, state } = this.#exchange;
    return state.source ?? (reply ? 'exit' : 'service');
  }

  get status(): number {
    requirePhase(this.#phase, 'response.status', withAnswer);
    const edited = this.#exchange.clientEdits.last(EditOp.STATUS);
    if (edited !== undefined) return Number(edited);
    return this.#exchange.reply?.status ?? this.#live?.status ?? 0;
  }

  set status(status: number) {
    requirePhase(this.#phase, 'response.status', beforeAnswer);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw invalidArgument(`status: expected 200 to 599, got ${status}`);
    }
    this.#exchange.clientEdits.push(EditOp.STATUS, '', String(status));
  }

  skipBodyFilter(): void {
    requirePhase(this.#phase, 'response.skipBodyFilter', ['header_filter']);
    this.#exchange.state.skipBody(this.#plugin);
  }

  setBody(body: string | Uint8Array): void {
    requirePhase(this.#phase, 'response.setBody', ['response']);
    this.#exchange.answer.body = typeof body === 'string' ? Buffer.from(body) : body;
  }

  header(name: string): string | null {
    requirePhase(this.#phase, 'response.header', withAnswer);
    const key = name.toLowerCase();
    const { clientEdits, reply } = this.#exchange;
    const edited = clientEdits.effect(key);
    if (edited !== undefined) return edited;
    return reply ? replyHeader(reply, key) : (this.#live?.header(name, 'response') ?? null);
  }

  headers(max?: number): Record<string, string | string[]> {
    requirePhase(this.#phase, 'response.headers', withAnswer);
    const { clientEdits, reply } = this.#exchange;
    let headers: Record<string, string | string[]> = {};
    if (reply) {
      for (const [name, lines] of reply.fields) {
        for (const line of lines) addTo(headers, name, line.slice(name.length + 2, -2));
      }
    } else if (this.#live) headers = headersOf(this.#live, 'response', max);
    return withEdits(headers, clientEdits);
  }

  #edit(name: string, op: number, field: string, value: string): void {
    requirePhase(this.#phase, `response.${name}`, beforeAnswer);
    this.#exchange.clientEdits.push(op, field, checkHeader(field, value));
  }
}

function contentType(headers: ReplyHeaders | undefined): string | null {
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (name.toLowerCase() === 'content-type') return String(value);
  }
  return null;
}
