/** Problems of a configuration in the form that Kong's `POST /config` answers with. */
import type { Problem } from './load.js';

export interface KongError {
  readonly code: 14;
  readonly name: 'invalid declarative configuration';
  readonly message: string;
  readonly fields: Record<string, unknown>;
  readonly flattened_errors?: readonly unknown[];
}

/** The body of the 400 answer; `flatten`: the query argument `flatten_errors=1`. */
export function kongError(problems: readonly Problem[], options?: { flatten?: boolean }): KongError {
  throw new Error(`not there yet: ${problems.length} ${options?.flatten}`);
}
