/** Makes a module as large as wanted by functions that nobody calls; for tests and measurements. */
import { BinaryReader, pushUnsigned, sectionsOf } from '../../dist/filter/binary/reader.js';

const functionSection = 3;
const codeSection = 10;

/** Code behind `unreachable` fits every type of function. */
const body = (() => {
  const code = [0, 0x00];
  for (let i = 0; i < 340; i++) code.push(0x41, i & 63, 0x1a);
  return Buffer.from([...code, 0x00, 0x0b]);
})();

/** The module with at least so many bytes of further code. */
export function largeModule(module, bytes) {
  const count = Math.ceil(bytes / body.length) + 1;
  const size = [];
  pushUnsigned(size, body.length);
  const one = Buffer.concat([Uint8Array.from(size), body]);
  const bodies = Buffer.alloc(count * one.length, one);
  const parts = [module.subarray(0, 8)];
  for (const { id, start, body: at, end } of sectionsOf(module)) {
    const contents = module.subarray(at, end);
    if (id === functionSection) parts.push(...longer(id, contents, count, Buffer.alloc(count)));
    else if (id === codeSection) parts.push(...longer(id, contents, count, bodies));
    else parts.push(module.subarray(start, end));
  }
  return Buffer.concat(parts);
}

/** A section that is a list, with `count` more items. */
function longer(id, contents, count, items) {
  const reader = new BinaryReader(contents);
  const numbers = [];
  pushUnsigned(numbers, reader.unsigned() + count);
  const rest = contents.subarray(reader.offset);
  const head = [id];
  pushUnsigned(head, numbers.length + rest.length + items.length);
  return [Uint8Array.from([...head, ...numbers]), rest, items];
}
