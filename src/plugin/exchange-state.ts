/** What plugins have found out and kept during one exchange. Reset with the exchange. */
import type { Consumer, ConsumerGroup, Credential } from '../config/model.js';

const nobody: readonly ConsumerGroup[] = Object.freeze([]);

export class ExchangeState {
  consumer: Consumer | null = null;
  credential: Credential | null = null;
  /** Of the consumer, by name. */
  groups: readonly ConsumerGroup[] = nobody;
  /** Who made the answer; null: the upstream, or nobody yet. */
  source: 'exit' | 'error' | null = null;
  /** Plugins whose body filter has nothing to do in this exchange. */
  #bodyless: string[] | null = null;
  #shared: Record<string, unknown> | null = null;
  #locals: Map<string, Record<string, unknown>> | null = null;

  /** Seen by all plugins. */
  get shared(): Record<string, unknown> {
    this.#shared ??= {};
    return this.#shared;
  }

  /** Seen by one plugin. */
  local(plugin: string): Record<string, unknown> {
    this.#locals ??= new Map();
    let local = this.#locals.get(plugin);
    if (!local) {
      local = {};
      this.#locals.set(plugin, local);
    }
    return local;
  }

  /** The body filter of a plugin is not to run. */
  skipBody(plugin: string): void {
    this.#bodyless ??= [];
    this.#bodyless.push(plugin);
  }

  skipsBody(plugin: string): boolean {
    return this.#bodyless?.includes(plugin) ?? false;
  }

  reset(): void {
    this.#bodyless = null;
    this.consumer = null;
    this.credential = null;
    this.groups = nobody;
    this.source = null;
    this.#shared = null;
    this.#locals = null;
  }
}
