/**
 * Finds the filters of a node: the modules of a folder, each with the files that may lie beside it,
 * and those given as objects, paths or bytes.
 *
 *   NAME.wasm           the module; its name is the filter's
 *   NAME.meta.json      schema of its configuration, labels of its metrics (as Kong has it)
 *   NAME.options.json   what the host does for it: FilterHostOptions
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { GatewayError } from '../errors.js';
import { loadAside } from './load-aside.js';
import { type FilterMeta, noMeta, parseMeta } from './meta.js';
import type { FilterModule } from './module.js';
import type { FilterHostOptions } from './services.js';

export interface FilterDefinition {
  readonly name: string;
  readonly module: FilterModule;
  readonly meta: FilterMeta;
  readonly host: FilterHostOptions;
}

export type FilterRegistry = ReadonlyMap<string, FilterDefinition>;

/** A module as bytes, or where it is (a path or a `file:` URL). */
export type FilterSource = Uint8Array | string | URL;

/** A source, or one with options of the host and the contents of its `.meta.json`. */
export type FilterInput =
  | FilterSource
  | (FilterHostOptions & { readonly module: FilterSource; readonly meta?: object });

export interface FilterSources {
  /** The setting `wasm_filters_path`; null: none. */
  readonly folder: string | null;
  /** Filters given by name; they win over those of the folder. */
  readonly given?: Readonly<Record<string, FilterInput>>;
  /** Plugins of the node: `plugins` entities name filters as well, so names must differ. */
  readonly plugins?: { has(name: string): boolean };
  /** What is in use: modules that have not changed are taken over from it. */
  readonly known?: FilterRegistry;
}

const suffix = '.wasm';
const optionTypes: Readonly<Record<keyof FilterHostOptions, string>> = {
  rootId: 'string',
  vmId: 'string',
  vmConfig: 'string',
  environment: 'object',
  failOpen: 'boolean',
  properties: 'string',
  memoryPages: 'number',
  watchdog: 'boolean',
};

/**
 * Loads and checks every filter.
 * @throws GatewayError GW_E_FILTER_MODULE naming the filter or the file and what is wrong
 */
export async function loadFilters(sources: FilterSources): Promise<FilterRegistry> {
  const registry = new Map<string, FilterDefinition>();
  const { folder, given = {}, plugins, known = registry } = sources;
  for (const file of folder === null ? [] : await modulesIn(folder)) {
    const name = file.slice(0, -suffix.length);
    if (Object.hasOwn(given, name)) continue;
    registry.set(name, await fromFolder(folder as string, name, known));
  }
  for (const [name, input] of Object.entries(given))
    registry.set(name, await fromInput(name, input, known));
  for (const name of registry.keys()) {
    if (!plugins?.has(name)) continue;
    throw new GatewayError('GW_E_FILTER_MODULE', `filter '${name}': a plugin has this name`);
  }
  return registry;
}

async function modulesIn(folder: string): Promise<string[]> {
  try {
    const files = await readdir(folder);
    return files.filter((file) => file.endsWith(suffix) && file !== suffix).sort();
  } catch (cause) {
    throw unreadable(folder, cause);
  }
}

async function fromFolder(
  folder: string,
  name: string,
  known: FilterRegistry,
): Promise<FilterDefinition> {
  const metaFile = join(folder, `${name}.meta.json`);
  const metaText = await readOptional(metaFile);
  const host = hostOptions(await readOptional(join(folder, `${name}.options.json`)), name);
  const bytes = await readSource(join(folder, `${name}${suffix}`));
  return {
    name,
    module: await moduleOf(name, bytes, host, known),
    meta: metaText === null ? noMeta : parseMeta(metaText, metaFile),
    host,
  };
}

async function fromInput(
  name: string,
  input: FilterInput,
  known: FilterRegistry,
): Promise<FilterDefinition> {
  const isSource = typeof input === 'string' || input instanceof Uint8Array || input instanceof URL;
  const { module: source, meta, ...host } = isSource ? { module: input } : input;
  const checked = checkOptions(host, `filter '${name}'`);
  const bytes = await readSource(source);
  return {
    name,
    module: await moduleOf(name, bytes, checked, known),
    meta: meta === undefined ? noMeta : parseMeta(JSON.stringify(meta), `filter '${name}'`),
    host: checked,
  };
}

/** A module that has not changed is taken over. */
async function moduleOf(
  name: string,
  bytes: Uint8Array,
  host: FilterHostOptions,
  known: FilterRegistry,
): Promise<FilterModule> {
  const before = known.get(name);
  const inUse = before && isDeepStrictEqual(before.host, host) ? before.module : null;
  const task = { name, bytes, options: host, knownHash: inUse?.hash ?? null };
  const loaded = await loadAside(task);
  return loaded ?? (inUse as FilterModule);
}

function hostOptions(text: string | null, name: string): FilterHostOptions {
  if (text === null) return {};
  const file = `${name}.options.json`;
  try {
    return checkOptions(JSON.parse(text) as object, file);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError('GW_E_FILTER_MODULE', `${file}: not valid JSON`);
  }
}

function checkOptions(options: object, where: string): FilterHostOptions {
  for (const [name, value] of Object.entries(options)) {
    const type = optionTypes[name as keyof FilterHostOptions];
    const fits = typeof value === type || (name === 'vmConfig' && value instanceof Uint8Array);
    if (type === undefined || (!fits && value !== undefined)) {
      const reason = type === undefined ? 'no such option' : `expected a ${type}`;
      throw new GatewayError('GW_E_FILTER_MODULE', `${where}: ${name}: ${reason}`);
    }
  }
  return options as FilterHostOptions;
}

async function readSource(source: FilterSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const path = source instanceof URL || source.startsWith('file:') ? fileURLToPath(source) : source;
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function readOptional(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): GatewayError {
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  return new GatewayError('GW_E_FILTER_MODULE', `${path}: cannot be read (${reason})`, { cause });
}
