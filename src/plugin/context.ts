/**
 * The objects that handlers get: views of the exchange plus the config and the logger of the
 * plugin. A step object is made per call, so that a handler which is still busy never sees
 * another's config; its parts are made when they are asked for.
 */
import type { Route } from '../config/model.js';
import type { AccessContext, HeaderFilterContext, RewriteContext } from './context-types.js';
import type { PhaseName } from './define.js';
import type { Exchange } from './exchange.js';
import { cacheOf } from './pdk/cache.js';
import { StepClient } from './pdk/client.js';
import { StepEntities } from './pdk/entities.js';
import { bareHost, isTrusted, node } from './pdk/host.js';
import { StepLog } from './pdk/log.js';
import { StepResponse } from './pdk/response.js';
import { type AnswerReads, StepService } from './pdk/service.js';
import { StepTracing } from './pdk/tracing.js';
import { StepVault } from './pdk/vault.js';
import { StepSocket } from './pdk/websocket.js';
import type {
  NodeReader,
  PluginCache,
  PluginEntities,
  PluginInstance,
  PluginLog,
  PluginTracing,
  PluginVault,
} from './pdk-types.js';
import type { PlanStep } from './plan.js';
import type { RouterReader } from './service-types.js';

/** Every part of the PDK for one call of one handler; each part knows the phases it is for. */
export class StepContext {
  protected readonly exchange: Exchange;
  protected readonly step: PlanStep;
  protected readonly phase: PhaseName;
  readonly #live: AnswerReads | null;

  /** `live`: the answer, in phases that have one. */
  constructor(exchange: Exchange, step: PlanStep, phase: PhaseName, live: AnswerReads | null) {
    this.exchange = exchange;
    this.step = step;
    this.phase = phase;
    this.#live = live;
  }

  get request() {
    return this.exchange.request;
  }

  get client(): StepClient {
    return new StepClient(this.exchange, this.step, this.phase);
  }

  get service(): StepService {
    return new StepService(this.exchange, this.phase, this.#live);
  }

  get response(): StepResponse {
    return new StepResponse(this.exchange, this.phase, this.#live, this.step.plugin.name);
  }

  get route(): Route | null {
    return this.exchange.plan?.route ?? null;
  }

  get router(): RouterReader {
    const { plan } = this.exchange;
    return { route: plan?.route ?? null, service: plan?.service ?? null };
  }

  /** Typed by the plugin's schema, which only its author knows. */
  get config(): never {
    return this.step.config as never;
  }

  get instance(): PluginInstance {
    const { id, name, instance_name, route, service, consumer } = this.step.entity;
    return {
      id,
      name,
      instanceName: instance_name,
      routeId: route?.id ?? null,
      serviceId: service?.id ?? null,
      consumerId: consumer?.id ?? null,
    };
  }

  get shared(): Record<string, unknown> {
    return this.exchange.state.shared;
  }

  get plugin(): Record<string, unknown> {
    return this.exchange.state.local(this.step.plugin.name);
  }

  get log(): PluginLog {
    return new StepLog(this.step.logger, this.exchange.request.id);
  }

  get node(): NodeReader {
    return node;
  }

  get cache(): PluginCache {
    return cacheOf(this.step.plugin);
  }

  get vault(): PluginVault {
    return new StepVault(this.#host.env, this.log);
  }

  get entities(): PluginEntities {
    return new StepEntities(this.exchange.plan?.entities);
  }

  get ip() {
    const { trusted } = this.#host;
    return { isTrusted: (address: string) => isTrusted(trusted, address) };
  }

  get tracing(): PluginTracing {
    return new StepTracing(this.exchange);
  }

  get websocket(): StepSocket {
    return new StepSocket(this.exchange, this.phase);
  }

  get #host() {
    return this.exchange.plan?.host ?? bareHost;
  }
}

export class AccessStep extends StepContext implements AccessContext, RewriteContext {
  constructor(exchange: Exchange, step: PlanStep, phase: 'access' | 'rewrite' = 'access') {
    super(exchange, step, phase, null);
  }
}

export class HeaderFilterStep extends StepContext implements HeaderFilterContext {
  constructor(exchange: Exchange, step: PlanStep, live: AnswerReads) {
    super(exchange, step, 'header_filter', live);
  }
}
