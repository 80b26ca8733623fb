/** Secrets by reference, out of the environment (kong-config reference, section 7). */
import { isReference, resolveReference } from '../../config/vault.js';
import type { PluginLog, PluginVault } from '../pdk-types.js';

export class StepVault implements PluginVault {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #log: PluginLog;

  constructor(env: Readonly<Record<string, string | undefined>>, log: PluginLog) {
    this.#env = env;
    this.#log = log;
  }

  isReference(text: string): boolean {
    return isReference(text);
  }

  get(reference: string): string {
    const value = resolveReference(reference, this.#env);
    if (value === null) this.#log.warn(`${reference} stands for nothing`);
    return value ?? '';
  }
}
