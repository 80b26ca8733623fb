/**
 * Writes small filter modules as WebAssembly text: each callback is a list of host calls, whose
 * statuses are noted in the module's memory, so that a test reads what the filter saw.
 *
 *   0x0000  statuses, 4 bytes for each host call that ran     0x1000  output cells (`out`)
 *   0x2000  strings                                           0x8000  blocks of the allocator
 */
import binaryen from 'binaryen';

/** An argument: a number, text or bytes (pointer and size), or an output cell. */
export type Argument = number | bigint | string | Uint8Array | { readonly out: number };

/** A host call, a raw instruction in text form, or what a callback returns. */
export type Step =
  | readonly [name: string, ...args: Argument[]]
  | { readonly raw: string }
  | { readonly result: number };

export interface FilterText {
  /** Name of the marker's version; default 0.2.1. */
  readonly abi?: string | null;
  readonly on: Readonly<Record<string, readonly Step[]>>;
  /** Further definitions, such as functions or a start section. */
  readonly more?: string;
  /** Text of the allocator's body; default a bump allocator. */
  readonly allocate?: string;
  readonly memory?: string;
}

const signatures: Readonly<Record<string, string>> = {
  proxy_on_context_create: 'ii:',
  proxy_on_vm_start: 'ii:i',
  proxy_on_configure: 'ii:i',
  proxy_on_tick: 'i:',
  proxy_on_queue_ready: 'ii:',
  proxy_on_request_headers: 'iii:i',
  proxy_on_request_body: 'iii:i',
  proxy_on_request_trailers: 'ii:i',
  proxy_on_response_headers: 'iii:i',
  proxy_on_response_body: 'iii:i',
  proxy_on_response_trailers: 'ii:i',
  proxy_on_http_call_response: 'iiiii:',
  proxy_on_grpc_receive_initial_metadata: 'iii:',
  proxy_on_grpc_receive: 'iii:',
  proxy_on_grpc_receive_trailing_metadata: 'iii:',
  proxy_on_grpc_close: 'iii:',
  proxy_on_foreign_function: 'iii:',
  proxy_on_done: 'i:i',
  proxy_on_log: 'i:',
  proxy_on_delete: 'i:',
};

const callbackResult: Readonly<Record<string, number>> = {
  proxy_on_vm_start: 1,
  proxy_on_configure: 1,
  proxy_on_done: 1,
};

/** Names that begin so are functions of WASI. */
const wasi = 'wasi.';
export const outputs = 0x1000;
const strings = 0x2000;
const blocks = 0x8000;

/** Bytes of a module. */
export function filterModule(text: FilterText): Uint8Array {
  return assemble(moduleText(text));
}

export function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  try {
    module.setFeatures(binaryen.Features.All);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

export function moduleText(text: FilterText): string {
  const data = new Data();
  const imports = new Map<string, string>();
  const bodies = Object.entries(text.on).map(([name, steps]) =>
    callbackText(name, steps, data, imports),
  );
  const abi = text.abi === undefined ? '0_2_1' : text.abi?.replaceAll('.', '_');
  const marker = abi ? `(func (export "proxy_abi_version_${abi}"))` : '';
  const allocate =
    text.allocate ??
    `(local $at i32) (local.set $at (global.get $heap))
     (global.set $heap (i32.add (global.get $heap) (local.get $size)))
     (local.get $at)`;
  return `(module
    ${importsText(imports)}
    (memory (export "memory") ${text.memory ?? '2'})
    (global $heap (mut i32) (i32.const ${blocks}))
    (global $calls (mut i32) (i32.const 0))
    (func $note (param $status i32)
      (i32.store (global.get $calls) (local.get $status))
      (global.set $calls (i32.add (global.get $calls) (i32.const 4))))
    ${marker}
    (func (export "proxy_on_memory_allocate") (param $size i32) (result i32) ${allocate})
    ${text.more ?? ''}
    ${bodies.join('\n')}
    ${data.text()})`;
}

function importsText(imports: ReadonlyMap<string, string>): string {
  return [...imports]
    .map(([name, type]) => {
      const place = name.startsWith(wasi)
        ? `"wasi_snapshot_preview1" "${name.slice(wasi.length)}"`
        : `"env" "${name}"`;
      return `(import ${place} (func $${name} ${type}))`;
    })
    .join('\n');
}

function callbackText(
  name: string,
  steps: readonly Step[],
  data: Data,
  imports: Map<string, string>,
): string {
  const [params, result] = (signatures[name] ?? ':').split(':');
  const lines: string[] = [];
  let answer = callbackResult[name] ?? 0;
  for (const step of steps) {
    if ('raw' in step) lines.push(step.raw);
    else if ('result' in step) answer = step.result;
    else lines.push(callText(step, data, imports));
  }
  const taken = params === '' ? '' : `(param ${[...params].map(() => 'i32').join(' ')})`;
  const head = `${taken} ${result === '' ? '' : '(result i32)'}`;
  const tail = result === '' ? '' : `(i32.const ${answer})`;
  return `(func $${name} (export "${name}") ${head} ${lines.join('\n')} ${tail})`;
}

function callText(
  step: readonly [name: string, ...args: Argument[]],
  data: Data,
  imports: Map<string, string>,
): string {
  const [name, ...args] = step;
  const values: string[] = [];
  for (const arg of args) {
    if (typeof arg === 'number') values.push(`(i32.const ${arg | 0})`);
    else if (typeof arg === 'bigint') values.push(`(i64.const ${arg})`);
    else if (typeof arg === 'string' || arg instanceof Uint8Array) {
      const bytes = Buffer.from(arg as string);
      values.push(`(i32.const ${data.add(bytes)}) (i32.const ${bytes.length})`);
    } else values.push(`(i32.const ${outputs + 8 * arg.out})`);
  }
  const types = values.join(' ').match(/i(?:32|64)(?=\.const)/g) ?? [];
  imports.set(name, `${types.length > 0 ? `(param ${types.join(' ')})` : ''} (result i32)`);
  return `(call $note (call $${name} ${values.join(' ')}))`;
}

class Data {
  readonly #parts: string[] = [];
  #at = strings;

  add(bytes: Uint8Array): number {
    const at = this.#at;
    const hex = [...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
    this.#parts.push(`(data (i32.const ${at}) "${hex}")`);
    this.#at += bytes.length;
    return at;
  }

  text(): string {
    return this.#parts.join('\n');
  }
}

/** A serialised header list. */
export function pairs(fields: readonly (readonly [string, string])[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const word = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  parts.push(word(fields.length));
  for (const [name, value] of fields) parts.push(word(name.length), word(value.length));
  for (const [name, value] of fields) parts.push(Buffer.from(`${name}\0${value}\0`, 'latin1'));
  return Buffer.concat(parts);
}
