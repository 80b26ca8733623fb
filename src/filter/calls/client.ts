/**
 * Calls of filters to other services. A call belongs to the context that made it: when that ends,
 * the call is cancelled and its callbacks are never delivered. Answers arrive in a later turn of
 * the event loop, on the root context, never inside the host call.
 */
import { Agent } from 'undici';
import type { Clock } from '../../time.js';
import type { Context } from '../context.js';
import type { FilterInstance } from '../instance.js';
import type { CallAnswer } from './answer.js';
import { type GrpcCall, GrpcSessions } from './grpc.js';
import { type HttpCall, startHttpCall } from './http.js';

/** Where an upstream's name leads. */
export interface CallTarget {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  /** Value of Host where the filter gives no `:authority`. */
  readonly authority: string;
  /** Path of a Unix socket to use instead of the origin's address. */
  readonly socketPath?: string;
}

export interface CallClientOptions {
  readonly clock: Clock;
  /** Null: there is no such upstream, or filters may not call it. */
  readonly resolve: (upstream: string) => CallTarget | null;
}

/** A call under way. */
export interface PendingCall {
  readonly context: Context;
  readonly cancel: () => void;
  /** Of gRPC calls and streams. */
  readonly grpc: GrpcCall | null;
}

export class CallClient {
  readonly #options: CallClientOptions;
  readonly #pending = new Map<FilterInstance, Map<number, PendingCall>>();
  readonly #agents = new Map<string, Agent>();
  readonly sessions = new GrpcSessions();

  constructor(options: CallClientOptions) {
    this.#options = options;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  resolve(upstream: string): CallTarget | null {
    return this.#options.resolve(upstream);
  }

  /** Starts a call; its answer is given to `deliver`, unless the context has ended before. */
  http(context: Context, id: number, call: HttpCall): void {
    const cancel = startHttpCall(call, this.#agentOf(call.target), this.clock, (answer) => {
      this.#answer(context, id, answer);
    });
    this.add(context, id, { context, cancel, grpc: null });
  }

  add(context: Context, id: number, call: PendingCall): void {
    let calls = this.#pending.get(context.instance);
    if (!calls) {
      calls = new Map();
      this.#pending.set(context.instance, calls);
    }
    calls.set(id, call);
    context.calls.add(id);
  }

  find(instance: FilterInstance, id: number): PendingCall | undefined {
    return this.#pending.get(instance)?.get(id);
  }

  /** Forgets a call that has ended. @returns false where it had been cancelled before */
  finish(context: Context, id: number): boolean {
    context.calls.delete(id);
    const calls = this.#pending.get(context.instance);
    const known = calls?.delete(id) ?? false;
    if (calls?.size === 0) this.#pending.delete(context.instance);
    return known;
  }

  /** The context has ended. */
  cancel(context: Context): void {
    if (context.callCount === 0) return;
    for (const id of [...context.calls]) {
      const call = this.find(context.instance, id);
      this.finish(context, id);
      call?.cancel();
    }
  }

  cancelAll(instance: FilterInstance): void {
    const calls = this.#pending.get(instance);
    this.#pending.delete(instance);
    for (const { cancel } of calls?.values() ?? []) cancel();
  }

  async close(): Promise<void> {
    for (const instance of [...this.#pending.keys()]) this.cancelAll(instance);
    this.sessions.close();
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
    this.#agents.clear();
  }

  #answer(context: Context, id: number, answer: CallAnswer): void {
    if (!this.finish(context, id) || context.ended) return;
    const { instance, root } = context;
    if (root.ended) return;
    instance.run(() => {
      const { headerCount, bodySize, trailerCount } = answer;
      instance.answering(answer, () => {
        const name = 'proxy_on_http_call_response';
        instance.call(root, name, id, headerCount, bodySize, trailerCount);
      });
    });
  }

  #agentOf({ socketPath }: CallTarget): Agent {
    const key = socketPath ?? '';
    let agent = this.#agents.get(key);
    if (!agent) {
      agent = new Agent({ connect: socketPath === undefined ? {} : { socketPath } });
      this.#agents.set(key, agent);
    }
    return agent;
  }
}
