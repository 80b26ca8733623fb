/** `headgate schema`: the JSON Schema of the declarative format with the bundled plugins. */
import { jsonSchema } from '../config/index.js';
import { loadPlugins } from '../plugin/registry.js';
import { exitCodes } from './exit.js';

/** Prints the schema. */
export async function printSchema(): Promise<number> {
  const plugins = await loadPlugins({ names: ['bundled'] });
  process.stdout.write(`${JSON.stringify(jsonSchema(plugins), null, 2)}\n`);
  return exitCodes.done;
}
