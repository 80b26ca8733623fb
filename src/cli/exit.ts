/** Exit codes, and how a command reports that it failed. */
import { GatewayError } from '../errors.js';

export const exitCodes = { done: 0, config: 1, running: 2 } as const;

/** Writes a message for people to standard error; returns the exit code for bad input. */
export function fail(message: string): number {
  process.stderr.write(`${message.trimEnd()}\n`);
  return exitCodes.config;
}

/** Reports an error: what the user can mend as its lines, anything else with its stack. */
export function failWith(error: unknown): number {
  if (error instanceof GatewayError) {
    fail(error.message);
    return error.side === 'config' || error.code === 'GW_E_PLUGIN_DEFINITION'
      ? exitCodes.config
      : exitCodes.running;
  }
  fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return exitCodes.running;
}

/** Options that several commands share. */
export interface CommonOptions {
  readonly conf?: string;
  readonly set?: readonly string[];
}

/**
 * `--set name=value` pairs as settings.
 * @throws GatewayError GW_E_SETTING_VALUE where a pair has no name
 */
export function givenSettings(set: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    set.map((pair) => {
      const split = pair.indexOf('=');
      if (split > 0) return [pair.slice(0, split).trim(), pair.slice(split + 1).trim()];
      throw new GatewayError('GW_E_SETTING_VALUE', `--set ${pair}: expected NAME=VALUE`);
    }),
  );
}
