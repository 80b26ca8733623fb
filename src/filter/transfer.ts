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

export function sentFilters(registry: FilterRegistry): SentFilter[] {
  return [...registry.values()].map(({ name, host, module }) => {
    const { compiled, callbacks, ...rest } = module;
    return { name, host, handle: compiled.handle, callbacks: [...callbacks], module: rest };
  });
}

export function receivedFilters(sent: readonly SentFilter[]): FilterRegistry {
  return new Map(
    sent.map(({ name, host, handle, callbacks, module }) => {
      const compiled = adoptForeign(handle);
      const whole = { ...module, compiled, callbacks: new Set(callbacks) };
      return [name, { name, host, meta: noMeta, module: whole }];
    }),
  );
}
