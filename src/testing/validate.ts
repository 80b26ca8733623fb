/** Tries schemas of plugins in unit tests, without a gateway. */
import { validateRecord } from '../config/schema/validate.js';
import type { Fields, Infer, PluginSchema } from '../plugin/schema.js';

/**
 * The config that a plugin would get, and what is wrong with the input as `path: text`; the config
 * is of no use where there are errors.
 */
export function validateConfig<const F extends Fields>(
  schema: PluginSchema<F>,
  input: object,
): { readonly config: Infer<F>; readonly errors: readonly string[] } {
  const { value, errors } = validateRecord(schema, input);
  const texts = errors.map(({ path, message }) => [path.join('.'), message].join(': '));
  return { config: value as Infer<F>, errors: texts };
}
