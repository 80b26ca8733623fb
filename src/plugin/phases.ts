/**
 * Runs the plugins of an exchange when the core calls out. Synchronous handlers run inside the
 * call; one that returns a promise parks the exchange, and what it decided goes back with RESUME.
 */

import { writeEdits, writeReply } from '../core/exchange-edits.js';
import { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import { Event, Phase, PhaseVerdict } from '../core/layout.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { AccessStep, HeaderFilterStep } from './context.js';
import { Exchange, type PluginReply } from './exchange.js';
import type { Plan, PlanStep } from './plan.js';
import { errorReply, linesOf } from './reply.js';

export interface PhaseOptions {
  readonly core: Core;
  /** The plan of a route; undefined where the generation is gone. */
  readonly planOf: (generation: number, route: number) => Plan | undefined;
  /** `Driver.post`. */
  readonly post: (event: number, connection: number, a: number, b: number) => void;
}

const failure = 'An unexpected error occurred';
const indexMask = 0xffff;

export class PhaseRunner {
  readonly #core: Core;
  readonly #options: PhaseOptions;
  /** The phase that the core is in, for what header filters read of the answer. */
  readonly #live: ExchangeView;
  /** By downstream connection index: a connection has one exchange at a time. */
  readonly #exchanges: (Exchange | undefined)[] = [];

  constructor(options: PhaseOptions) {
    this.#core = options.core;
    this.#options = options;
    this.#live = new ExchangeView(options.core);
  }

  /** The `onPhase` of the core. Never throws. */
  readonly call = (connection: number, phase: number): number => {
    if (phase === Phase.RESUMED) return this.#resumed(connection);
    if (phase !== Phase.ACCESS && phase !== Phase.HEADER_FILTER) return PhaseVerdict.CONTINUE;
    const plan = this.#options.planOf(this.#live.generation, this.#live.route);
    if (!plan) return PhaseVerdict.CONTINUE;
    return phase === Phase.ACCESS ? this.#access(plan, connection) : this.#filter(plan, connection);
  };

  /** What has become of an exchange that was parked. */
  #resumed(connection: number): number {
    const exchange = this.#exchanges[connection & indexMask];
    const same = exchange?.connection === connection && exchange.sequence === this.#live.sequence;
    if (!exchange || !same || exchange.parked) return PhaseVerdict.PARK;
    return this.#verdict(exchange);
  }

  #access(plan: Plan, connection: number): number {
    const exchange = this.#take(connection);
    exchange.begin(plan, connection);
    for (let i = 0; i < plan.access.length; i++) {
      const step = plan.access[i];
      let pending: unknown;
      try {
        pending = step.plugin.access?.(new AccessStep(exchange, step));
      } catch (error) {
        this.#fail(exchange, step, error);
        break;
      }
      if (isPromise(pending)) {
        exchange.parked = true;
        exchange.view.detach();
        void this.#park(exchange, i, pending);
        return PhaseVerdict.PARK;
      }
      if (exchange.reply) break;
    }
    if (plan.headerFilter.length > 0) exchange.view.detach();
    return this.#verdict(exchange);
  }

  /** Goes on with the plan after a promise; never rejects. */
  async #park(exchange: Exchange, index: number, pending: PromiseLike<unknown>): Promise<void> {
    const steps = exchange.plan?.access ?? [];
    let at = index;
    try {
      await pending;
      while (!exchange.reply && ++at < steps.length) {
        await steps[at].plugin.access?.(new AccessStep(exchange, steps[at]));
      }
    } catch (error) {
      this.#fail(exchange, steps[at], error);
    }
    exchange.parked = false;
    this.#options.post(Event.RESUME, exchange.connection, 0, exchange.sequence);
  }

  /** Writes edits or the answer into their regions and says which. */
  #verdict(exchange: Exchange): number {
    try {
      if (!exchange.reply) {
        writeEdits(this.#core, exchange.upstreamEdits);
        return PhaseVerdict.CONTINUE;
      }
    } catch (error) {
      this.#fail(exchange, exchange.plan?.access[0], error);
    }
    try {
      this.#writeReply(exchange.reply ?? this.#errorFor(exchange));
    } catch (error) {
      this.#fail(exchange, exchange.plan?.access[0], error);
      this.#writeReply(this.#errorFor(exchange));
    }
    return PhaseVerdict.REPLY;
  }

  #writeReply(reply: PluginReply): void {
    writeReply(this.#core, reply.status, linesOf(reply), reply.body);
  }

  #filter(plan: Plan, connection: number): number {
    const exchange = this.#continued(plan, connection);
    let step: PlanStep | undefined;
    try {
      for (step of plan.headerFilter) {
        const result: unknown = step.plugin.headerFilter?.(
          new HeaderFilterStep(exchange, step, this.#live),
        );
        if (isPromise(result)) this.#refusePromise(step, result);
      }
      writeEdits(this.#core, exchange.clientEdits);
    } catch (error) {
      this.#fail(exchange, step, error);
      this.#writeReply(this.#errorFor(exchange));
      exchange.end();
      return PhaseVerdict.REPLY;
    }
    exchange.end();
    return PhaseVerdict.CONTINUE;
  }

  /** The exchange that access began, or a new one where access did not run (errors, no route). */
  #continued(plan: Plan, connection: number): Exchange {
    const known = this.#exchanges[connection & indexMask];
    const same = known?.connection === connection && known.fingerprint === this.#live.fingerprint;
    if (known && same) return known;
    const exchange = this.#take(connection);
    exchange.begin(plan, connection);
    return exchange;
  }

  #take(connection: number): Exchange {
    const index = connection & indexMask;
    const known = this.#exchanges[index];
    if (known && !known.parked) return known;
    const exchange = new Exchange(this.#core);
    if (index < limits.downstreamConnections.value) this.#exchanges[index] = exchange;
    return exchange;
  }

  #fail(exchange: Exchange, step: PlanStep | undefined, error: unknown): void {
    this.#report(exchange, step, error);
    exchange.clientEdits.clear();
    exchange.reply = this.#errorFor(exchange);
  }

  #errorFor(exchange: Exchange): PluginReply {
    const { request } = exchange;
    return errorReply(500, failure, request.id, request.header('accept'));
  }

  #report(exchange: Exchange, step: PlanStep | undefined, error: unknown): void {
    const name = step?.plugin.name ?? 'unknown';
    const fields = { err: error, request_id: exchange.request.id };
    step?.logger.error(fields, `plugin ${name} failed: ${messageOf(error)}`);
  }

  #refusePromise(step: PlanStep, promise: PromiseLike<unknown>): void {
    promise.then(undefined, () => {});
    throw new GatewayError(
      'GW_E_PLUGIN_PHASE',
      `headerFilter of ${step.plugin.name} returned a promise; it must be synchronous`,
    );
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
