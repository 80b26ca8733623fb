/**
 * Compiles and instantiates Wasm modules written by others (filters). They have memories of their
 * own and get only the imports that they are handed; nothing here knows the core.
 */

/** A compiled module; opaque outside this folder, and it may be posted to another thread. */
export interface ForeignModule {
  readonly handle: object;
  readonly imports: readonly ForeignItem[];
  readonly exports: readonly ForeignItem[];
}

export interface ForeignItem {
  /** Of an import: the name space, such as `env`; empty for exports. */
  readonly module: string;
  readonly name: string;
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
}

/** The memory of an instance; `buffer` is another object after each growth. */
export interface ForeignMemory {
  readonly buffer: ArrayBuffer;
}

export type ForeignExports = Readonly<Record<string, unknown>>;

/** Functions by name space and name. */
export type ForeignImports = Record<string, Record<string, (...values: never[]) => unknown>>;

/** @throws Error with the engine's reason where the bytes are not a valid module */
export function compileForeign(bytes: Uint8Array): ForeignModule {
  return describe(new WebAssembly.Module(bytes));
}

/** Wraps a compiled module that came from another thread. */
export function adoptForeign(handle: object): ForeignModule {
  return describe(handle as WebAssembly.Module);
}

/** Runs the module's start section, too. @throws Error where linking fails or the start traps */
export function instantiateForeign(module: ForeignModule, imports: ForeignImports): ForeignExports {
  return new WebAssembly.Instance(module.handle as WebAssembly.Module, imports).exports;
}

function describe(module: WebAssembly.Module): ForeignModule {
  const item = (entry: { module?: string; name: string; kind: string }): ForeignItem => ({
    module: entry.module ?? '',
    name: entry.name,
    kind: entry.kind as ForeignItem['kind'],
  });
  return {
    handle: module,
    imports: WebAssembly.Module.imports(module).map(item),
    exports: WebAssembly.Module.exports(module).map(item),
  };
}
