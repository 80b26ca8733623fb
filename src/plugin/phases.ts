/**
 * Runs the plugins of an exchange when the core calls out. Synchronous handlers run inside the
 * call; one that returns a promise parks the exchange, and the core asks for its verdict after
 * RESUME. The phases of the answer are in answer-phases.ts.
 */
import { BodyPort } from '../core/body-port.js';
import { answerCount } from '../core/counter-asks.js';
import { writeBothEdits, writeEdits, writeReply } from '../core/exchange-edits.js';
import { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import { Event, Phase, PhaseVerdict, VerdictFlag } from '../core/layout.js';
import type { RouterFlavor } from '../core/router.js';
import { limits } from '../limits.js';
import { type Clock, systemClock } from '../time.js';
import { sharedCounters } from '../workers/counters.js';
import { AnswerPhases } from './answer-phases.js';
import { planFor } from './conditions.js';
import { StepContext } from './context.js';
import { DirectStages, isDirect } from './direct-stage.js';
import { Exchange, type PluginReply } from './exchange.js';
import { isSettled, looksBack } from './hand-over.js';
import { addHashInputs } from './hash-inputs.js';
import type { Plan, PlanStep } from './plan.js';
import { adoptPolicy, type CredentialOf } from './policy/adopt.js';
import { linesOf } from './reply.js';
import type { ExchangeStage, StageSource, StagesOf } from './stage.js';
import { isPromise, StepFaults } from './step-faults.js';
import { beginHandshake } from './websocket/handshake.js';
import { SocketPhases } from './websocket/phases.js';

export interface PhaseOptions {
  readonly core: Core;
  /** The plan of a route; undefined where the generation is gone. */
  readonly planOf: (generation: number, route: number) => Plan | undefined;
  /** `Driver.post`. */
  readonly post: (event: number, connection: number, a: number, b: number) => void;
  /** Finds the credential that a policy names; default: there is none. */
  readonly credentialOf?: CredentialOf;
  /** Tells how the patterns of routes are meant. Default `traditional_compatible`. */
  readonly routerFlavor?: RouterFlavor;
  /** `nginx_http_client_body_buffer_size`: what a plugin may read of a request. */
  readonly requestBodyBytes: number;
  /** `response_buffer_size`: what is collected for `response` handlers. */
  readonly responseBodyBytes: number;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Finds what makes the stages behind the plugins; default none. */
  readonly stagesOf?: StagesOf;
}

type RequestPhase = 'rewrite' | 'access';

const indexMask = 0xffff;

export class PhaseRunner {
  readonly #core: Core;
  readonly #options: PhaseOptions;
  /** The phase that the core is in. */
  readonly #live: ExchangeView;
  readonly #port: BodyPort;
  readonly #faults = new StepFaults();
  readonly #answers: AnswerPhases;
  readonly #sockets: SocketPhases;
  readonly #direct: DirectStages;
  /** By downstream connection index: a connection has one exchange at a time. */
  readonly #exchanges: (Exchange | undefined)[] = [];

  constructor(options: PhaseOptions) {
    const { core } = options;
    this.#core = core;
    this.#options = options;
    this.#live = new ExchangeView(core);
    this.#port = new BodyPort(core);
    this.#sockets = new SocketPhases({
      port: this.#port,
      faults: this.#faults,
      clock: options.clock ?? systemClock,
      wake: this.#wake,
    });
    this.#direct = new DirectStages({
      core,
      live: this.#live,
      take: (plan, connection) => {
        const exchange = this.#take(plan, connection);
        exchange.route(plan);
        return exchange;
      },
      goOn: (exchange) => {
        if (exchange.stage) this.#enter(exchange, exchange.stage);
        return this.#verdict(exchange);
      },
      fail: (exchange, error) => this.#faults.fail(exchange, undefined, error),
    });
    this.#answers = new AnswerPhases({
      core,
      port: this.#port,
      live: this.#live,
      faults: this.#faults,
      sockets: this.#sockets,
      collectBytes: options.responseBodyBytes,
      wake: this.#wake,
    });
  }

  /** The `onPhase` of the core. Never throws. */
  readonly call = (connection: number, phase: number): number => {
    if (phase < Phase.RESUMED) return this.#begin(connection, phase);
    if (phase === Phase.COUNT) return answerCount(this.#core, sharedCounters());
    const exchange = this.#known(connection);
    if (!exchange) return PhaseVerdict.CONTINUE;
    if (exchange.socket) return this.#sockets.call(exchange, exchange.socket, phase);
    switch (phase) {
      case Phase.RESUMED:
        exchange.woken = false;
        return exchange.answering ? this.#answers.resumed(exchange) : this.#resumed(exchange);
      case Phase.REQUEST_BODY:
        return this.#takeRequest(exchange);
      case Phase.REQUEST_PULL:
        return this.#pull(exchange);
      case Phase.RESPONSE_BODY:
        return this.#answers.body(exchange);
      case Phase.RESPONSE_PULL:
        return this.#answers.pull(exchange);
      default:
        exchange.end();
        return PhaseVerdict.CONTINUE;
    }
  };

  /** The phases that show a head. */
  #begin(connection: number, phase: number): number {
    let plan = this.#options.planOf(this.#live.generation, this.#live.route);
    if (!plan) return PhaseVerdict.CONTINUE;
    const known = plan;
    if (plan.conditional.length > 0 && (phase === Phase.REWRITE || phase === Phase.ACCESS)) {
      plan = planFor(this.#core, plan, this.#live);
    }
    if (phase === Phase.ACCESS) {
      const source = this.#sourceOf(plan);
      if (source?.brief && plan.stages.isDirect) return this.#direct.run(plan, source, connection);
    }
    const exchange = this.#known(connection) ?? this.#take(plan, connection);
    if (phase === Phase.REWRITE) return this.#run(exchange, 'rewrite');
    if (phase === Phase.ACCESS) {
      exchange.route(plan);
      if (plan.log !== known.log) exchange.chooseLogs(plan);
      if (plan.webSocket && !beginHandshake(exchange)) return this.#verdict(exchange);
      const { credentialOf = () => null } = this.#options;
      const ran = adoptPolicy(this.#core, exchange, plan, credentialOf);
      return this.#run(exchange, 'access', ran);
    }
    exchange.answering = true;
    const verdict = this.#answers.head(exchange);
    if (verdict !== PhaseVerdict.CONTINUE) exchange.expectsEnd ||= verdict !== PhaseVerdict.REPLY;
    // The core tells of the end only where the exchange was held or its bodies came through here.
    if (!exchange.expectsEnd) exchange.end();
    return verdict;
  }

  /** `first`: the step to begin with. */
  #run(exchange: Exchange, phase: RequestPhase, first = 0): number {
    let { plan } = exchange;
    let steps = stepsOf(exchange, phase);
    for (let i = first; i < steps.length; i++) {
      const step = steps[i];
      let pending: unknown;
      try {
        pending = handle(exchange, step, phase);
      } catch (error) {
        this.#faults.fail(exchange, step, error);
        break;
      }
      if (isPromise(pending)) {
        exchange.view.detach();
        exchange.parked = exchange.expectsEnd = true;
        void this.#park(exchange, phase, step, pending);
        return PhaseVerdict.PARK;
      }
      if (exchange.reply) break;
      if (exchange.plan === plan) continue;
      // Where a client was authenticated its own configurations apply to what comes later.
      plan = exchange.plan;
      steps = stepsOf(exchange, phase);
      i = steps.indexOf(step);
    }
    if (looksBack(exchange.plan)) exchange.view.detach();
    return this.#verdict(exchange);
  }

  /** Goes on with the plan after a promise; never rejects. */
  async #park(
    exchange: Exchange,
    phase: RequestPhase,
    first: PlanStep,
    pending: PromiseLike<unknown>,
  ): Promise<void> {
    const { sequence, connection } = exchange;
    const lives = () => exchange.sequence === sequence && exchange.connection === connection;
    let step: PlanStep | undefined = first;
    try {
      await pending;
      while (!exchange.reply && lives()) {
        const steps: readonly PlanStep[] = stepsOf(exchange, phase);
        step = steps[steps.indexOf(step) + 1];
        if (!step) break;
        await handle(exchange, step, phase);
      }
    } catch (error) {
      this.#faults.fail(exchange, step, error);
    }
    exchange.parked = false;
    if (lives()) this.#wake(exchange);
  }

  /** News of an exchange whose answer has not begun. */
  #resumed(exchange: Exchange): number {
    const { requestBody } = exchange;
    if (exchange.parked) {
      return PhaseVerdict.PARK | requestBody.hold | (requestBody.wanted ? VerdictFlag.READ : 0);
    }
    if (exchange.forwarded) {
      if (exchange.cut) return PhaseVerdict.CUT;
      if (!exchange.reply) return PhaseVerdict.CONTINUE | requestBody.hold;
    }
    return this.#verdict(exchange);
  }

  #takeRequest(exchange: Exchange): number {
    const port = this.#port;
    const { requestBody: body } = exchange;
    const flags = body.take(port.chunk(), port.last, port.trailers());
    const { refusal } = body;
    if (!refusal || exchange.reply) return flags;
    exchange.reply = this.#faults.answer(exchange, refusal.status, refusal.message);
    exchange.state.source = 'exit';
    return this.#verdict(exchange);
  }

  #pull(exchange: Exchange): number {
    const queue = exchange.requestBody.output(this.#port.restart);
    this.#port.give(queue);
    if (queue.drained) return PhaseVerdict.CONTINUE | VerdictFlag.END;
    if (queue.waiting > 0) this.#wake(exchange);
    return PhaseVerdict.CONTINUE | exchange.requestBody.hold;
  }

  /** Writes edits or the answer into their regions and says which. */
  #verdict(exchange: Exchange): number {
    try {
      if (this.#staged(exchange)) return PhaseVerdict.PARK | readFlag(exchange);
      if (exchange.cut) return PhaseVerdict.CUT;
      if (!exchange.reply) return this.#goOn(exchange);
    } catch (error) {
      this.#faults.fail(exchange, exchange.plan?.access[0], error);
    }
    try {
      this.#writeReply(exchange.reply ?? this.#faults.errorFor(exchange));
    } catch (error) {
      this.#faults.fail(exchange, exchange.plan?.access[0], error);
      this.#writeReply(this.#faults.errorFor(exchange));
    }
    return PhaseVerdict.REPLY;
  }

  /** The request goes to its upstream; often that is the last that is heard of it here. */
  #goOn(exchange: Exchange): number {
    if (exchange.routed) addHashInputs(exchange);
    const { upstreamEdits, clientEdits, stageEdits } = exchange;
    const isOnly = upstreamEdits.count === 0 && stageEdits !== null;
    if (!isOnly) stageEdits?.appendTo(upstreamEdits);
    if (exchange.routed && isSettled(exchange)) {
      if (isOnly) stageEdits.appendTo(upstreamEdits);
      writeBothEdits(this.#core, upstreamEdits, clientEdits);
      exchange.end();
      return PhaseVerdict.CONTINUE | VerdictFlag.SETTLED;
    }
    if (isOnly) stageEdits.writeTo(this.#core);
    else writeEdits(this.#core, upstreamEdits);
    exchange.stageEdits = null;
    if (!exchange.routed) return PhaseVerdict.CONTINUE;
    exchange.forwarded = true;
    const flags = exchange.requestBody.goOn(this.#promise);
    if (flags !== 0) exchange.expectsEnd = true;
    return PhaseVerdict.CONTINUE | flags;
  }

  readonly #promise = (length: number): void => this.#port.promise(length);

  /** Shows the request to its stage; true: that lets it wait. */
  #staged(exchange: Exchange): boolean {
    const { plan, reply, routed } = exchange;
    if (!plan || reply || !routed) return false;
    if (!exchange.stage) {
      const stage = this.#sourceOf(plan)?.take(exchange) ?? null;
      if (!stage) return false;
      exchange.stage = stage;
      if (!stage.brief) exchange.view.detach();
      exchange.expectsEnd = true;
      stage.requestHead();
      this.#enter(exchange, stage);
    }
    return exchange.stage.waits && !exchange.reply && !exchange.cut;
  }

  #sourceOf(plan: Plan): StageSource | null {
    const { stages } = plan;
    if (stages.source === undefined) {
      stages.source = this.#options.stagesOf?.(plan) ?? null;
      stages.isDirect = isDirect(plan);
    }
    return stages.source;
  }

  /** The stage has seen the request's head. */
  #enter(exchange: Exchange, stage: ExchangeStage): void {
    if (stage.brief && !isSettled(exchange)) {
      stage.keep();
      exchange.view.detach();
    }
    const { request } = stage;
    if (request && exchange.view.contentLength !== 0) exchange.requestBody.attach(request);
    // Reading begins with the next look: the core knows of no exchange that waits yet.
    if (stage.waits && readFlag(exchange)) this.#wake(exchange);
  }

  #writeReply(reply: PluginReply): void {
    writeReply(this.#core, reply.status, linesOf(reply), reply.body, reply.proxied);
  }

  /** Makes the core ask for news, once for any number of reasons. */
  readonly #wake = (exchange: Exchange): void => {
    if (exchange.woken) return;
    exchange.woken = true;
    this.#options.post(Event.RESUME, exchange.connection, 0, exchange.sequence);
  };

  /** The exchange that an earlier phase began. */
  #known(connection: number): Exchange | undefined {
    const known = this.#exchanges[connection & indexMask];
    const same = known?.connection === connection && known.sequence === this.#live.sequence;
    return same ? known : undefined;
  }

  #take(plan: Plan, connection: number): Exchange {
    const index = connection & indexMask;
    let exchange = this.#exchanges[index];
    if (!exchange || exchange.parked) {
      const { requestBodyBytes, routerFlavor = 'traditional_compatible' } = this.#options;
      exchange = new Exchange(this.#core, routerFlavor, requestBodyBytes, this.#wake);
      if (index < limits.downstreamConnections.value) this.#exchanges[index] = exchange;
    }
    exchange.begin(plan, connection);
    return exchange;
  }
}

/** Runs the handler of one plugin; what it returns may be a promise. */
function handle(exchange: Exchange, step: PlanStep, phase: RequestPhase): unknown {
  const { plugin } = step;
  if (phase === 'access' && exchange.plan?.webSocket && plugin.wsHandshake) {
    return plugin.wsHandshake(new StepContext(exchange, step, 'ws_handshake', null) as never);
  }
  const context = new StepContext(exchange, step, phase, null) as never;
  // By name, not by a variable: that is what engines make fast.
  return phase === 'access' ? plugin.access?.(context) : plugin.rewrite?.(context);
}

/** Whether a stage that waits wants the body meanwhile. */
const readFlag = (exchange: Exchange): number =>
  exchange.stage?.request && exchange.view.contentLength !== 0
    ? VerdictFlag.READ | exchange.requestBody.hold
    : 0;

const none: readonly PlanStep[] = [];

const stepsOf = (exchange: Exchange, phase: RequestPhase): readonly PlanStep[] =>
  exchange.plan?.[phase] ?? none;
