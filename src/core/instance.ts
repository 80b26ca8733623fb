/**
 * Loads the Wasm core, compares layouts, and holds the only views of its memory. This folder is the
 * one door: nothing outside `src/core/` names `WebAssembly`. The memory never grows, so a view
 * taken at start stays valid for the life of the instance.
 */
import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GatewayError } from '../errors.js';
import { layoutHash, memoryPages, PhaseVerdict } from './layout.js';

export type CoreBuild = 'release' | 'checked' | 'debug';

/** Called synchronously by the core for routes whose plan has code; returns a PhaseVerdict. */
export type PhaseCall = (connection: number, phase: number) => number;

/** The export surface, documented in `assembly/index.ts`; a test compares it with the module. */
export interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  layout_hash(): number;
  init(seedLow: number, seedHigh: number): void;
  process(eventCount: number): number;
  route_stage(): number;
  route_commit(): number;
  balancer_stage(): number;
  balancer_commit(): number;
  balancer_report(balancer: number, peer: number, event: number, limit: number): void;
  balancer_set_health(balancer: number, peer: number, healthy: boolean): void;
  balancer_hash(text: number, length: number): number;
  route_match(query: number): number;
  route_target(query: number, route: number, out: number): number;
  regex_scratch(): number;
  regex_search(pattern: number, bytes: number, text: number, length: number): number;
  generation_users(generation: number): number;
  log_rings(connection: number, sequence: number, count: number, low: number, high: number): void;
  log_text(
    entry: number,
    routed: number,
    entities: number,
    peer: number,
    client: number,
    secure: number,
    out: number,
    limit: number,
  ): number;
  ring_open(ring: number, maxEntries: number, maxBytes: number): number;
  ring_close(ring: number): void;
  ring_reserve(ring: number, size: number): number;
  ring_commit(ring: number, size: number): void;
  ring_count(ring: number): number;
  ring_bytes(ring: number): number;
  ring_dropped(ring: number): number;
  ring_head(ring: number): number;
  ring_first(ring: number): number;
  ring_next(ring: number, entry: number): number;
  ring_release(ring: number, count: number): void;
  parse_request(start: number, end: number): number;
  parse_response(start: number, end: number): number;
  normalize_path(start: number, length: number, out: number): number;
}

export interface Core {
  readonly exports: CoreExports;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  /** The same bytes as `u8`, with Buffer's text methods. */
  readonly buffer: Buffer;
  /** Replaces the handler of phase calls; the default answers CONTINUE. */
  onPhase: PhaseCall;
}

const modules = new Map<string, WebAssembly.Module>();

export interface CoreOptions {
  readonly build?: CoreBuild;
  readonly seed?: [number, number];
  /** Called with the results of each batch of events, before anything of them leaves. Quick. */
  readonly afterBatch?: () => void;
}

/**
 * Instantiates the core. `build` defaults to `release`, or to the environment's HEADGATE_CORE.
 * @throws GatewayError GW_E_LAYOUT_MISMATCH where module and shell were built from different
 * layouts
 */
export function createCore(options: CoreOptions = {}): Core {
  const build = options.build ?? (process.env.HEADGATE_CORE as CoreBuild | undefined) ?? 'release';
  let core: Core;
  const imports = {
    env: {
      phase: (connection: number, phase: number) => core.onPhase(connection, phase),
      abort: (_message: number, _file: number, line: number, column: number) => {
        throw new GatewayError('GW_E_CORE_TRAP', `assertion in the core at ${line}:${column}`);
      },
    },
  };
  const instance = new WebAssembly.Instance(loadModule(build), imports);
  const exports = withHook(instance.exports as unknown as CoreExports, options.afterBatch);
  const memory = exports.memory.buffer;
  if (exports.layout_hash() >>> 0 !== layoutHash || memory.byteLength !== memoryPages * 65536) {
    throw new GatewayError(
      'GW_E_LAYOUT_MISMATCH',
      `the ${build} core and the shell differ; rebuild`,
    );
  }
  core = {
    exports,
    u8: new Uint8Array(memory),
    u16: new Uint16Array(memory),
    u32: new Uint32Array(memory),
    i32: new Int32Array(memory),
    f64: new Float64Array(memory),
    buffer: Buffer.from(memory),
    onPhase: () => PhaseVerdict.CONTINUE,
  };
  const seed = options.seed ?? randomFillSync(new Uint32Array(2));
  exports.init(seed[0], seed[1]);
  return core;
}

function withHook(exports: CoreExports, afterBatch: (() => void) | undefined): CoreExports {
  if (!afterBatch) return exports;
  const { process } = exports;
  const hooked = (eventCount: number): number => {
    const commandCount = process(eventCount);
    afterBatch();
    return commandCount;
  };
  return { ...exports, process: hooked };
}

function loadModule(build: CoreBuild): WebAssembly.Module {
  const known = modules.get(build);
  if (known) return known;
  const path = fileURLToPath(new URL(`../../build/${build}.wasm`, import.meta.url));
  const module = new WebAssembly.Module(readFileSync(path));
  modules.set(build, module);
  return module;
}
