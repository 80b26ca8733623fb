/**
 * The phases of an answer: `response` with the whole of it, then the header filters, then the body
 * filters, part by part. They see the upstream's answer and the gateway's own ones alike.
 */
import type { BodyPort } from '../core/body-port.js';
import { writeEdits, writeReply } from '../core/exchange-edits.js';
import type { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import { PhaseVerdict, ResponseSource, VerdictFlag } from '../core/layout.js';
import { GatewayError } from '../errors.js';
import { StepContext } from './context.js';
import type { Exchange, PluginReply } from './exchange.js';
import type { PlanStep } from './plan.js';
import { amendReply, linesOf } from './reply.js';
import { isPromise, refusePromise, type StepFaults } from './step-faults.js';
import { passedTrailers } from './trailers.js';
import type { SocketPhases } from './websocket/phases.js';

export interface AnswerPhasesOptions {
  readonly core: Core;
  readonly port: BodyPort;
  /** The phase that the core is in. */
  readonly live: ExchangeView;
  readonly faults: StepFaults;
  /** Bytes of an answer that is collected for `response` handlers. */
  readonly collectBytes: number;
  readonly sockets: SocketPhases;
  /** Makes the core ask for news of the exchange. */
  readonly wake: (exchange: Exchange) => void;
}

export class AnswerPhases {
  readonly #options: AnswerPhasesOptions;

  constructor(options: AnswerPhasesOptions) {
    this.#options = options;
  }

  /** A head is there, an upstream's or one of ours. */
  head(exchange: Exchange): number {
    const { live, sockets } = this.#options;
    exchange.answer.begin();
    if (live.status === 101) {
      const frames = exchange.plan?.webSocket?.decodes ?? false;
      // What filters say of a body is of no meaning here.
      const verdict = frames ? sockets.open(exchange) : PhaseVerdict.CONTINUE;
      if (verdict !== PhaseVerdict.CUT) this.#filterHead(exchange, live, null);
      return verdict;
    }
    const service = live.source === ResponseSource.SERVICE;
    if ((exchange.plan?.bodyFilter.length ?? 0) > 0) exchange.answer.keepHead();
    if (!service) exchange.state.source ??= live.source === ResponseSource.EXIT ? 'exit' : 'error';
    const { plan } = exchange;
    if (service && ((plan?.response.length ?? 0) > 0 || exchange.buffered)) {
      exchange.answer.collect();
      return PhaseVerdict.PARK | VerdictFlag.RESPONSE_BODY;
    }
    return this.#filterHead(exchange, live, null);
  }

  /** Body bytes of an answer. */
  body(exchange: Exchange): number {
    const { port, collectBytes } = this.#options;
    const { answer } = exchange;
    const { last } = port;
    answer.trailers += port.trailers();
    try {
      if (answer.collecting) {
        answer.take(port.chunk(), last, collectBytes);
        if (last) void this.#respond(exchange);
        return PhaseVerdict.CONTINUE;
      }
      this.#filterBody(exchange, port.chunk(), last);
    } catch (error) {
      return this.#bodyFault(exchange, error);
    }
    // Where all of it is known before the head leaves the client is told the length.
    if (last && answer.output.ended) port.promise(answer.output.length);
    const waited = answer.staged && !exchange.cut && !exchange.reply && !exchange.stage?.waits;
    if (waited) return this.#leaveStage(exchange) | VerdictFlag.GO_ON;
    return PhaseVerdict.CONTINUE | holdOf(exchange);
  }

  /** Room for body bytes. */
  pull(exchange: Exchange): number {
    const { output } = exchange.answer;
    this.#options.port.give(output);
    if (output.drained) return PhaseVerdict.CONTINUE | VerdictFlag.END;
    if (output.waiting > 0) this.#options.wake(exchange);
    return PhaseVerdict.CONTINUE | holdOf(exchange);
  }

  /** A held head: waits for `response` handlers, then goes through the filters. */
  resumed(exchange: Exchange): number {
    const { answer } = exchange;
    if (exchange.cut) return PhaseVerdict.CUT;
    if (answer.staged) return this.#leaveStage(exchange);
    if (!answer.collecting) return PhaseVerdict.CONTINUE | holdOf(exchange);
    if (exchange.parked || answer.body === null) return PhaseVerdict.PARK;
    answer.collecting = false;
    return this.#filterHead(exchange, answer.view, answer.body);
  }

  /** Runs the `response` handlers; never rejects. */
  async #respond(exchange: Exchange): Promise<void> {
    const { sequence, connection } = exchange;
    let step: PlanStep | undefined;
    exchange.parked = true;
    try {
      for (step of exchange.plan?.response ?? []) {
        const context = new StepContext(exchange, step, 'response', exchange.answer.view);
        const result: unknown = step.plugin.response?.(context);
        if (isPromise(result)) await result;
        if (exchange.reply) break;
      }
    } catch (error) {
      this.#options.faults.fail(exchange, step, error);
    }
    exchange.parked = false;
    const same = exchange.connection === connection && exchange.sequence === sequence;
    if (same) this.#options.wake(exchange);
  }

  /**
   * Runs the header filters. `body`: the whole body where it is here already. A reply that `view`
   * does not show takes the answer's place and goes through the filters as well.
   */
  #filterHead(exchange: Exchange, view: ExchangeView, body: Uint8Array | null): number {
    const { core, faults } = this.#options;
    const replaced = body !== null && exchange.reply !== null;
    const before = exchange.reply;
    let step: PlanStep | undefined;
    try {
      for (step of exchange.plan?.headerFilter ?? []) {
        const context = new StepContext(exchange, step, 'header_filter', view);
        const result: unknown = step.plugin.headerFilter?.(context);
        if (isPromise(result)) refusePromise(step, 'headerFilter', result);
        if (exchange.reply !== before) break;
      }
      const { reply } = exchange;
      if (reply && (replaced || reply !== before)) return this.#replace(exchange, reply);
      if (exchange.stage && this.#enterStage(exchange, body)) {
        if (exchange.reply && exchange.reply !== before) {
          return this.#replace(exchange, exchange.reply);
        }
        if (exchange.cut) return PhaseVerdict.CUT;
        return PhaseVerdict.PARK | VerdictFlag.RESPONSE_BODY;
      }
      writeEdits(core, exchange.clientEdits);
      return this.#bodyVerdict(exchange, body);
    } catch (error) {
      faults.fail(exchange, step, error);
      const reply = faults.errorFor(exchange);
      writeReply(core, reply.status, linesOf(reply), reply.body);
      return PhaseVerdict.REPLY;
    }
  }

  /** Shows the head to the stage; true: it does not simply go on. */
  #enterStage(exchange: Exchange, body: Uint8Array | null): boolean {
    const { stage, reply, answer } = exchange;
    if (!stage) return false;
    stage.responseHead(this.#options.port.last);
    if (exchange.cut || exchange.reply !== reply) return true;
    if (!stage.waits) return false;
    answer.staged = true;
    if (body !== null) {
      this.#filterBody(exchange, body, true);
      if (!stage.waits) this.#options.wake(exchange);
    }
    return true;
  }

  /** A head that a stage holds, or held. */
  #leaveStage(exchange: Exchange): number {
    const { answer, stage } = exchange;
    if (stage?.waits && !exchange.reply) return PhaseVerdict.PARK | holdOf(exchange);
    answer.staged = false;
    try {
      if (exchange.reply) return this.#replace(exchange, exchange.reply);
      writeEdits(this.#options.core, exchange.clientEdits);
    } catch (error) {
      this.#options.faults.report(exchange, undefined, error);
      return PhaseVerdict.CUT;
    }
    const { output } = answer;
    this.#options.port.promise(output.ended ? output.length : (stage?.response?.length ?? -1));
    return PhaseVerdict.CONTINUE | VerdictFlag.RESPONSE_BODY;
  }

  #bodyVerdict(exchange: Exchange, body: Uint8Array | null): number {
    const { port } = this.#options;
    if (body !== null) {
      this.#filterBody(exchange, body, true);
      const { output } = exchange.answer;
      if (output.ended) port.promise(output.length);
    } else {
      // Where no body follows the stage knows already.
      const stage = port.last ? null : (exchange.stage?.response ?? null);
      if (!filtersBody(exchange) && !stage) return PhaseVerdict.CONTINUE;
      if (stage) port.promise(stage.length);
      const length = lengthOf(exchange, this.#options.live);
      if (length && /^\d{1,15}$/.test(length)) port.promise(Number(length));
    }
    return PhaseVerdict.CONTINUE | VerdictFlag.RESPONSE_BODY;
  }

  /** A plugin's answer instead of the one at hand. */
  #replace(exchange: Exchange, given: PluginReply): number {
    const reply = amendReply(given, exchange.clientEdits);
    const { output } = exchange.answer;
    exchange.answer.begin();
    output.push(this.#filtered(exchange, reply.body, true));
    const body = output.all();
    output.clear();
    writeReply(this.#options.core, reply.status, linesOf(reply), body);
    return PhaseVerdict.REPLY;
  }

  /** Runs the body filters on a part and queues what they and the stage make of it. */
  #filterBody(exchange: Exchange, chunk: Uint8Array, last: boolean): void {
    const bytes = this.#filtered(exchange, chunk, last);
    const { output, trailers } = exchange.answer;
    const stage = exchange.stage?.response;
    if (stage) return stage.take(bytes, last, output, last ? trailers : '');
    output.push(bytes);
    if (last) output.end(passedTrailers(trailers));
  }

  #filtered(exchange: Exchange, chunk: Uint8Array, last: boolean): Uint8Array {
    const { view } = exchange.answer;
    let bytes = chunk;
    for (const step of exchange.plan?.bodyFilter ?? []) {
      if (exchange.state.skipsBody(step.plugin.name)) continue;
      try {
        const context = new StepContext(exchange, step, 'body_filter', view);
        const result: unknown = step.plugin.bodyFilter?.(context, bytes, last);
        if (isPromise(result)) refusePromise(step, 'bodyFilter', result);
        if (result !== undefined) bytes = bytesOf(result);
      } catch (error) {
        throw new BodyFilterFault(step, error);
      }
    }
    return bytes;
  }

  #bodyFault(exchange: Exchange, error: unknown): number {
    const { faults, core } = this.#options;
    const { answer } = exchange;
    if (!answer.collecting) {
      const fault = error instanceof BodyFilterFault ? error : null;
      faults.report(exchange, fault?.step, fault?.reason ?? error);
      return PhaseVerdict.CUT;
    }
    // Nothing has left yet: the client is told.
    answer.begin();
    faults.fail(exchange, exchange.plan?.response[0], error);
    const reply = faults.errorFor(exchange);
    writeReply(core, reply.status, linesOf(reply), reply.body);
    return PhaseVerdict.REPLY;
  }
}

/** Content-Length as plugins set it, or as it came where they only look at the body. */
function lengthOf({ plan, clientEdits, request, stage }: Exchange, live: ExchangeView) {
  const edited = clientEdits.effect('content-length');
  if (edited !== undefined || stage || request.method === 'HEAD') return edited;
  const only = plan?.bodyFilter.every(({ plugin }) => plugin.observesBody);
  return only ? live.header('content-length', 'response') : null;
}

/** Whether some plugin wants to see the body. */
function filtersBody({ plan, state }: Exchange): boolean {
  return plan?.bodyFilter.some(({ plugin }) => !state.skipsBody(plugin.name)) ?? false;
}

const holdOf = (exchange: Exchange): number =>
  exchange.answer.hold(exchange.stage?.response?.full ?? false);

class BodyFilterFault extends Error {
  readonly step: PlanStep;
  readonly reason: unknown;

  constructor(step: PlanStep, reason: unknown) {
    super('a body filter failed');
    this.step = step;
    this.reason = reason;
  }
}

/** What a body filter returned, as bytes. */
function bytesOf(result: unknown): Uint8Array {
  if (result === null) return new Uint8Array(0);
  if (typeof result === 'string') return Buffer.from(result);
  if (result instanceof Uint8Array) return result;
  throw new GatewayError('GW_E_PLUGIN_FAILED', 'bodyFilter: expected bytes, a string or null');
}
