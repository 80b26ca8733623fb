/** What becomes of a handler that fails: a line in the log with its name, and a plain 500. */
import { errorTable, GatewayError } from '../errors.js';
import type { Exchange, PluginReply } from './exchange.js';
import type { PlanStep } from './plan.js';
import { errorReply } from './reply.js';

const failure = 'An unexpected error occurred';
const tooLarge = 'Payload too large';

export class StepFaults {
  /** Logs it and makes the error the answer of the exchange. */
  fail(exchange: Exchange, step: PlanStep | undefined, error: unknown): void {
    this.report(exchange, step, error);
    exchange.clientEdits.clear();
    exchange.state.source = 'error';
    // Before the answer it can only be the client's body that is too large.
    const clients = !exchange.answering && isTooLarge(error);
    exchange.reply = clients ? this.answer(exchange, 413, tooLarge) : this.errorFor(exchange);
  }

  /** The answer where plugins failed. */
  errorFor(exchange: Exchange): PluginReply {
    return this.answer(exchange, 500, failure);
  }

  report(exchange: Exchange, step: PlanStep | undefined, error: unknown): void {
    const name = step?.plugin.name ?? 'unknown';
    const fields = { err: error, request_id: exchange.request.id };
    const level = exchange.answering ? 'error' : levelOf(error);
    step?.logger[level](fields, `plugin ${name} failed: ${messageOf(error)}`);
  }

  /** An error answer in the form that the client asks for. */
  answer(exchange: Exchange, status: number, message: string): PluginReply {
    const { request } = exchange;
    return errorReply(status, message, request.id, request.header('accept'));
  }
}

/** @throws GatewayError GW_E_PLUGIN_PHASE always: this handler must not return a promise */
export function refusePromise(step: PlanStep, handler: string, promise: PromiseLike<unknown>) {
  promise.then(undefined, () => {});
  throw new GatewayError(
    'GW_E_PLUGIN_PHASE',
    `${handler} of ${step.plugin.name} returned a promise; it must be synchronous`,
  );
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}

const isTooLarge = (error: unknown): boolean =>
  error instanceof GatewayError && error.code === 'GW_E_BODY_TOO_LARGE';

/** Before the answer: what clients do is no fault of a plugin, and must not fill the log. */
const levelOf = (error: unknown) =>
  error instanceof GatewayError && error.side === 'downstream'
    ? errorTable[error.code].level
    : 'error';

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
