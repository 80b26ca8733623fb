/**
 * A filter module, compiled and checked: which ABI it speaks, which callbacks it has, and that
 * everything it imports exists. All problems are found at once, at load.
 */
import { createHash } from 'node:crypto';
import { compileForeign, type ForeignItem, type ForeignModule } from '../core/foreign-module.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { type AbiVersion, abiVersions, type CallbackName, callbackNames } from './abi.js';
import { instrument } from './binary/instrument.js';
import { type Bounded, boundMemory } from './binary/memory-limit.js';
import { producersOf } from './binary/producers.js';
import { BinaryReader, magic } from './binary/reader.js';
import { hostFunctionNames } from './host/imports.js';

export interface FilterModule {
  readonly name: string;
  /** SHA-256 of the bytes, lower-case hex. */
  readonly hash: string;
  readonly abi: AbiVersion;
  readonly compiled: ForeignModule;
  readonly callbacks: ReadonlySet<CallbackName>;
  readonly memoryPages: { readonly min: number; readonly max: number };
  readonly bytes: number;
  /** It has no way to change or drop a part of a body. */
  readonly keepsBodies: boolean;
  /** It stops itself when it runs for too long. */
  readonly watched: boolean;
}

export interface ModuleLimits {
  /** Pages of 64 KiB per instance; default and upper bound limits.filterMemoryPages. */
  readonly memoryPages?: number;
  /** False: the module is not made to stop itself; a loop without end then stops the worker. */
  readonly watchdog?: boolean;
}

const marker = /^proxy_abi_version_(\d+)_(\d+)_(\d+)$/;

/**
 * Compiles a module and checks it against the host.
 * @throws GatewayError GW_E_FILTER_MODULE with every problem in one message
 */
export function loadModule(name: string, bytes: Uint8Array, options: ModuleLimits = {}) {
  const fail = (problems: readonly string[]): never => {
    throw new GatewayError('GW_E_FILTER_MODULE', `filter '${name}': ${problems.join('; ')}`, {
      details: problems,
    });
  };
  const format = formatFault(bytes);
  if (format) return fail([format]);
  let bounded: Bounded | null = null;
  let compiled: ForeignModule;
  let watched = false;
  const pagesMax = options.memoryPages ?? limits.filterMemoryPages.value;
  try {
    bounded = boundMemory(bytes, pagesMax);
    const limited = bounded?.bytes ?? bytes;
    compiled = compileForeign(limited);
    // Only a module that is valid is taken apart.
    const stoppable = options.watchdog === false ? null : instrument(limited);
    if (stoppable) compiled = compileForeign(stoppable);
    watched = stoppable !== null;
  } catch (error) {
    return fail([`not a valid module (${(error as Error).message})`]);
  }
  const problems = [...exportFaults(compiled.exports), ...importFaults(compiled.imports)];
  if (bounded && bounded.minPages > pagesMax) {
    problems.push(`needs ${bounded.minPages} pages of memory at start, ${pagesMax} are allowed`);
  }
  const abi = abiOf(compiled.exports);
  if (problems.length > 0 || !abi) return fail(problems);
  const exported = new Set(functionsOf(compiled.exports));
  const module: FilterModule = {
    name,
    hash: moduleHash(bytes),
    abi,
    compiled,
    callbacks: new Set(callbackNames.filter((callback) => exported.has(callback))),
    memoryPages: { min: bounded?.minPages ?? 0, max: bounded?.maxPages ?? 0 },
    bytes: bytes.length,
    keepsBodies: keepsBodies(bytes, compiled.imports),
    watched,
  };
  return module;
}

/** What a module is known by: SHA-256 of its bytes, hexadecimal. */
export const moduleHash = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** The newest ABI that a module says it speaks and that this host knows. */
export function abiOf(exports: readonly ForeignItem[]): AbiVersion | null {
  const found = new Set(functionsOf(exports));
  const named = (version: AbiVersion) =>
    found.has(`proxy_abi_version_${version.replaceAll('.', '_')}`);
  return abiVersions.find(named) ?? null;
}

function formatFault(bytes: Uint8Array): string | null {
  if (bytes.length > limits.filterModuleBytes.value) {
    return `${bytes.length} bytes, more than ${limits.filterModuleBytes.value}`;
  }
  if (bytes.length < 8 || new BinaryReader(bytes).word() !== magic) return 'not a Wasm module';
  const version = new BinaryReader(bytes, 4).word();
  if (version === 0x0001000d) {
    return 'a component, which no Proxy-Wasm host can run: build a core module';
  }
  return version === 1 ? null : `unknown version ${version} of the Wasm format`;
}

function exportFaults(exports: readonly ForeignItem[]): string[] {
  const faults: string[] = [];
  const functions = functionsOf(exports);
  if (!abiOf(exports)) {
    const found = functions.filter((name) => marker.test(name));
    const others = found.length > 0 ? `; it exports ${found.join(', ')}` : '';
    const known = abiVersions.map((version) => version).join(', ');
    faults.push(`exports no proxy_abi_version_* of a version known here (${known})${others}`);
  }
  if (!exports.some(({ name, kind }) => name === 'memory' && kind === 'memory')) {
    faults.push('exports no memory');
  }
  if (!functions.includes('proxy_on_memory_allocate') && !functions.includes('malloc')) {
    faults.push('exports neither proxy_on_memory_allocate nor malloc');
  }
  return faults;
}

function importFaults(imports: readonly ForeignItem[]): string[] {
  const unknown = new Set<string>();
  for (const { module, name, kind } of imports) {
    const known = kind === 'function' && hostFunctionNames(module)?.has(name);
    if (!known) unknown.add(`${module}.${name}${kind === 'function' ? '' : ` (${kind})`}`);
  }
  return unknown.size === 0 ? [] : [`imports what no host here offers: ${[...unknown].join(', ')}`];
}

/**
 * True only where that is certain: nothing is written to buffers, and the SDKs of these languages
 * have no action that drops bytes.
 */
function keepsBodies(bytes: Uint8Array, imports: readonly ForeignItem[]): boolean {
  if (imports.some(({ name }) => name === 'proxy_set_buffer_bytes')) return false;
  return producersOf(bytes).some((producer) => producer === 'Rust' || producer === 'Go');
}

const functionsOf = (items: readonly ForeignItem[]): string[] =>
  items.filter(({ kind }) => kind === 'function').map(({ name }) => name);
