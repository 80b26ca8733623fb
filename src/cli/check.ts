/** `headgate check FILE`: every problem of a configuration at once, without starting anything. */
import { readFileSync } from 'node:fs';
import { resolveSettings } from '../config/index.js';
import { parseConfig, readConfigFile } from '../config-source.js';
import { loadPlugins } from '../plugin/registry.js';
import { type CommonOptions, exitCodes, fail, failWith, givenSettings } from './exit.js';

/** Returns 0 where the file is valid, 1 with its problems where it is not. */
export async function check(file: string | undefined, options: CommonOptions): Promise<number> {
  if (file === undefined) return fail('check needs the name of a file');
  try {
    const settings = resolveSettings({
      confText: options.conf === undefined ? undefined : readFileSync(options.conf, 'utf8'),
      confFile: options.conf,
      env: process.env,
      options: givenSettings(options.set),
    });
    const plugins = await loadPlugins({
      names: settings.plugins,
      untrustedJs: settings.untrustedJs,
    });
    const { snapshot } = parseConfig(await readConfigFile(file), {
      plugins,
      settings,
      env: process.env,
      nowMs: Date.now(),
    });
    const { services, routes, plugins: configured } = snapshot;
    const counts = [
      `${services.length} services`,
      `${routes.length} routes`,
      `${configured.length} plugins`,
    ].join(', ');
    process.stdout.write(`${file}: valid (${counts})\n`);
    return exitCodes.done;
  } catch (error) {
    return failWith(error);
  }
}
