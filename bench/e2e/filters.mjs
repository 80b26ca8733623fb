/**
 * The rows that measure filters: small modules in WebAssembly text, which cost next to nothing
 * themselves, so that what remains is the host.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import binaryen from 'binaryen';

/** Reads one field of the request and sets another one, as a filter of few lines would. */
const header = `
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (global.set $heap (i32.const 0x8000))
    (drop (call $get (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 4)))
    (drop (call $set (i32.const 0) (i32.const 32) (i32.const 9) (i32.load (i32.const 0))
      (i32.load (i32.const 4))))
    (i32.const 0))`;

/** Reads all of the answer's body. */
const body = `
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
    (global.set $heap (i32.const 0x8000))
    (drop (call $body (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 4)))
    (i32.const 0))`;

/** The callbacks that an SDK exports whether the filter needs them or not. */
const everything = [
  ['proxy_on_request_body', 3],
  ['proxy_on_request_trailers', 2],
  ['proxy_on_response_headers', 3],
  ['proxy_on_response_body', 3],
  ['proxy_on_response_trailers', 2],
  ['proxy_on_done', 1, 1],
  ['proxy_on_log', 1, null],
  ['proxy_on_delete', 1, null],
]
  .map(([name, count, result = 0]) => {
    const returned = result === null ? '' : `(result i32) (i32.const ${result})`;
    return `(func (export "${name}") (param ${'i32 '.repeat(count)}) ${returned})`;
  })
  .join('\n');

const modules = { header, body, sdk: header + everything };

/** Writes the modules as files `NAME.wasm` and returns their folder. */
export function writeFilters(folder) {
  const path = join(folder, 'filters');
  mkdirSync(path, { recursive: true });
  for (const [name, callbacks] of Object.entries(modules)) {
    const module = binaryen.parseText(moduleText(callbacks));
    module.setFeatures(binaryen.Features.All);
    writeFileSync(join(path, `${name}.wasm`), module.emitBinary());
    module.dispose();
  }
  return path;
}

const moduleText = (callbacks) => `(module
  (import "env" "proxy_get_header_map_value"
    (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value"
    (func $set (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes"
    (func $body (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (global $heap (mut i32) (i32.const 0x8000))
  (data (i32.const 16) "host")
  (data (i32.const 32) "x-gateway")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $heap))
    (global.set $heap (i32.add (global.get $heap) (local.get $size)))
    (local.get $at))
  ${callbacks})`;

const row = (label, ...filters) => [label, { filters }];

export const filter = {
  bodyBytes: 100,
  peers: false,
  variants: [
    row('no filter'),
    row('reads and sets a header', 'header'),
    row('the same, all callbacks', 'sdk'),
    row('five of the first', 'header', 'header', 'header', 'header', 'header'),
  ],
};

export const filterBody = {
  bodyBytes: 10_240,
  peers: false,
  variants: [row('no filter'), row('reads the body', 'body')],
};
