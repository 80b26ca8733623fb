/** Where a gateway's configuration comes from, and how its text becomes a snapshot. */
import { readFile } from 'node:fs/promises';
import { loadSteps } from './config/load.js';
import type { Snapshot } from './config/model.js';
import { problemsError } from './config/problems.js';
import type { Settings } from './config/settings.js';
import { emptySnapshot } from './config/snapshot.js';
import { GatewayError } from './errors.js';
import type { FilterRegistry } from './filter/registry.js';
import { limits } from './limits.js';
import type { PluginRegistry } from './plugin/registry.js';
import type { Steps } from './slices.js';

/** A configuration document with what reading it needs. */
export interface ConfigText {
  readonly text: string;
  /** For messages; its extension decides the format where `format` is absent. */
  readonly file?: string;
  readonly format?: 'json' | 'yaml';
  /** Whether `${NAME}` is replaced: in the operator's files, not in what the Admin API is sent. */
  readonly interpolate: boolean;
}

export interface ConfigContext {
  readonly plugins: PluginRegistry;
  readonly filters?: FilterRegistry;
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nowMs: number;
}

/** A configuration ready to be installed. */
export interface ReadyConfig {
  readonly snapshot: Snapshot;
  readonly text: string;
  /** For the log: what is in it that will not work for long, or does not. */
  readonly warnings: readonly string[];
}

/** The configuration of a node that was given none: every request is answered 404. */
export const emptyConfig: ReadyConfig = { snapshot: emptySnapshot, text: '', warnings: [] };

const fileName = /^[^\n]+\.(ya?ml|json)$/;

/**
 * Turns a given document, text or file name into something to parse.
 * @throws GatewayError GW_E_CONFIG_READ, GW_E_CONFIG_LIMIT
 */
export async function givenConfig(config: string | object): Promise<ConfigText> {
  if (typeof config === 'string') {
    return fileName.test(config) ? readConfigFile(config) : { text: config, interpolate: true };
  }
  return { text: JSON.stringify(config), format: 'json', interpolate: true };
}

/** @throws GatewayError GW_E_CONFIG_READ, GW_E_CONFIG_LIMIT */
export async function readConfigFile(file: string): Promise<ConfigText> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new GatewayError('GW_E_CONFIG_READ', `${file}: cannot be read (${reason})`, { cause });
  }
  if (text.length > limits.configBytes.value) {
    const message = `${file}: larger than ${limits.configBytes.value} bytes`;
    throw new GatewayError('GW_E_CONFIG_LIMIT', message);
  }
  return { text, file, interpolate: true };
}

/**
 * Parses and validates, in steps.
 * @throws GatewayError GW_E_CONFIG_PARSE or GW_E_CONFIG_INVALID: one line per problem as
 * `file:line:column: message`, the problems themselves in `details`
 */
export function* parseSteps(source: ConfigText, context: ConfigContext): Steps<ReadyConfig> {
  const result = yield* loadSteps({
    text: source.text,
    file: source.file,
    format: source.format,
    env: source.interpolate ? context.env : undefined,
    vaultEnv: context.env,
    pluginSchemas: context.plugins,
    filters: context.filters,
    routerFlavor: context.settings.routerFlavor,
    nowMs: context.nowMs,
  });
  if (result.ok) {
    return { snapshot: result.snapshot, text: source.text, warnings: result.warnings };
  }
  throw problemsError(result.problems, source.file);
}
