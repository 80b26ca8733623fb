/** Filters on their way to the thread of a worker: compiled once, functions left behind. */
import { adoptForeign } from '../core/foreign-module.js';
import type { CallbackName } from './abi.js';
import { noMeta } from './meta.js';
import type { FilterModule } from './module.js';
import type { FilterDefinition, FilterRegistry } from './registry.js';

/** Everything of a definition that crosses threads; configurations have been checked before. */
export interface SentFilter {
  readonly name: string;
  readonly host: FilterDefinition['host'];
  readonly handle: object;
  readonly callbacks: readonly CallbackName[];
  readonly module: Omit<FilterModule, 'compiled' | 'callbacks'>;
}

/** A module by itself. */
export type SentModule = Pick<SentFilter, 'handle' | 'callbacks' | 'module'>;

export function sentModule({ compiled, callbacks, ...rest }: FilterModule): SentModule {
  return { handle: compiled.handle, callbacks: [...callbacks], module: rest };
}

export function receivedModule({ handle, callbacks, module }: SentModule): FilterModule {
  return { ...module, compiled: adoptForeign(handle), callbacks: new Set(callbacks) };
}

export function sentFilters(registry: FilterRegistry): SentFilter[] {
  return [...registry.values()].map(({ name, host, module }) => {
    return { name, host, ...sentModule(module) };
  });
}

export function receivedFilters(sent: readonly SentFilter[]): FilterRegistry {
  return new Map(
    sent.map(({ name, host, ...module }) => {
      return [name, { name, host, meta: noMeta, module: receivedModule(module) }];
    }),
  );
}
