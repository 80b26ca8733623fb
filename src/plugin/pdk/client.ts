/** The client as the plugins of one exchange see it (Kong's `kong.client`). */

import type { Consumer, ConsumerGroup, Credential } from '../../config/model.js';
import { requestNotes } from '../../log/notes.js';
import type { PhaseName } from '../define.js';
import type { Exchange } from '../exchange.js';
import type { ClientAccess } from '../pdk-types.js';
import type { PlanStep } from '../plan.js';
import { isTrusted } from './host.js';
import { invalidArgument, requirePhase } from './phase-guard.js';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export class StepClient implements ClientAccess {
  readonly #exchange: Exchange;
  readonly #step: PlanStep;
  readonly #phase: PhaseName;

  constructor(exchange: Exchange, step: PlanStep, phase: PhaseName) {
    this.#exchange = exchange;
    this.#step = step;
    this.#phase = phase;
  }

  get ip(): string {
    return this.#exchange.client.ip;
  }

  get forwardedIp(): string {
    return this.#exchange.client.ip;
  }

  get peerIp(): string {
    return this.#exchange.client.peerIp;
  }

  get port(): number {
    return this.#exchange.client.port;
  }

  get consumer(): Consumer | null {
    return this.#exchange.state.consumer;
  }

  get credential(): Credential | null {
    return this.#exchange.state.credential;
  }

  get groups(): readonly ConsumerGroup[] {
    return this.#exchange.state.groups;
  }

  authenticate(consumer: Consumer | null, credential: Credential | null): void {
    requirePhase(this.#phase, 'client.authenticate', ['access']);
    if (!consumer && !credential) {
      throw invalidArgument('authenticate: either a consumer or a credential must be given');
    }
    const { plan, state } = this.#exchange;
    state.consumer = consumer;
    state.credential = credential;
    // For log records only, where there may be one.
    if (!plan || plan.possibleLog.length > 0) {
      requestNotes.setClient(this.#exchange.request.id, consumer, credential);
    }
    state.groups = (consumer && plan?.entities.groupsOf(consumer.id)) || [];
    if (plan) this.#exchange.follow(plan.forClient(this.#step, consumer, state.groups));
  }

  loadConsumer(idOrUsername: string, byUsername = false): Consumer | null {
    const entities = this.#exchange.plan?.entities;
    if (uuid.test(idOrUsername)) {
      const found = entities?.consumer('id', idOrUsername);
      if (found || !byUsername) return found ?? null;
    } else if (!byUsername) {
      throw invalidArgument('loadConsumer: expected the id of a consumer');
    }
    return entities?.consumer('username', idOrUsername) ?? null;
  }

  protocol(allowTerminated = false): string {
    const { request, plan, client } = this.#exchange;
    const protocols = plan?.route?.protocols;
    if (protocols?.length === 1) return protocols[0];
    const forwarded = allowTerminated ? request.header('x-forwarded-proto') : null;
    const trusted = forwarded !== null && isTrusted(plan?.host.trusted ?? [], client.peerIp);
    return trusted ? forwarded : request.scheme;
  }
}
