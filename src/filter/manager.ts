/**
 * The filters of one worker over all generations of its configuration. A chain is made per route;
 * equal filters with equal configurations share an instance and a root context, so a reload that
 * leaves a filter as it was does not touch it.
 */
import { GatewayError } from '../errors.js';
import { FilterChain } from './chain.js';
import type { FilterDefinition, FilterRegistry } from './registry.js';
import type { FilterServices } from './services.js';
import { type FilterBinding, FilterVm } from './vm.js';

/** One entry of a chain as the configuration names it. */
export interface FilterEntry {
  readonly name: string;
  readonly enabled: boolean;
  /** Text as it is, null as nothing, other values as JSON text. */
  readonly config: unknown;
}

/** The chains of one generation. */
export class FilterGeneration {
  readonly #chains: FilterChain[] = [];
  readonly #manager: FilterManager;
  readonly #byKey = new Map<string, FilterChain>();

  constructor(manager: FilterManager) {
    this.#manager = manager;
  }

  /**
   * The chain of these entries in order; disabled ones are left out, null: nothing is left.
   * @throws GatewayError GW_E_FILTER_CONFIG, GW_E_FILTER_TRAP where a filter refuses
   */
  chain(entries: readonly FilterEntry[]): FilterChain | null {
    const enabled = entries.filter((entry) => entry.enabled);
    if (enabled.length === 0) return null;
    const key = JSON.stringify(enabled.map(({ name, config }) => [name, config]));
    const known = this.#byKey.get(key);
    if (known) return known;
    const bindings: FilterBinding[] = [];
    try {
      for (const entry of enabled) bindings.push(this.#manager.bind(entry));
    } catch (error) {
      for (const binding of bindings) binding.vm.release(binding);
      throw error;
    }
    const chain = new FilterChain(bindings, this.#manager.services);
    this.#byKey.set(key, chain);
    this.#chains.push(chain);
    return chain;
  }

  /** The generation's last exchange has ended, or it was never used. Idempotent. */
  release(): void {
    for (const chain of this.#chains.splice(0)) chain.release();
    this.#manager.sweep();
  }
}

export class FilterManager {
  readonly services: FilterServices;
  #registry: FilterRegistry;
  readonly #vms = new Map<string, FilterVm>();

  constructor(services: FilterServices, registry: FilterRegistry) {
    this.services = services;
    this.#registry = registry;
  }

  /** Modules for generations made from now on. */
  replace(registry: FilterRegistry): void {
    this.#registry = registry;
  }

  begin(): FilterGeneration {
    return new FilterGeneration(this);
  }

  bind(entry: FilterEntry): FilterBinding {
    const definition = this.#registry.get(entry.name);
    if (!definition) {
      throw new GatewayError('GW_E_FILTER_CONFIG', `no such filter: ${entry.name}`);
    }
    const vm = this.#vmOf(definition);
    const config = configBytes(entry.config);
    if (!vm.knows(config)) vm.rehearse(config);
    return vm.bind(config);
  }

  /** Forgets modules that no generation uses. */
  sweep(): void {
    for (const [key, vm] of this.#vms) if (vm.idle) this.#vms.delete(key);
  }

  async close(): Promise<void> {
    this.services.queues.close();
    await this.services.calls.close();
  }

  #vmOf({ name, module, host }: FilterDefinition): FilterVm {
    const key = `${name}\n${module.hash}\n${JSON.stringify(host)}`;
    let vm = this.#vms.get(key);
    if (!vm) {
      vm = new FilterVm({ module, services: this.services, host });
      this.#vms.set(key, vm);
    }
    return vm;
  }
}

function configBytes(config: unknown): Uint8Array {
  if (config === null || config === undefined) return new Uint8Array(0);
  return Buffer.from(typeof config === 'string' ? config : JSON.stringify(config));
}
