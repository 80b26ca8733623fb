/**
 * Finds the instructions of a function body by skipping over their immediates, as the core
 * specification's binary format lists them (5.4), with SIMD, bulk memory, atomics and exceptions.
 */
import type { BinaryReader } from './reader.js';

export const Op = {
  UNREACHABLE: 0x00,
  LOOP: 0x03,
  IF: 0x04,
  END: 0x0b,
  CALL: 0x10,
  GLOBAL_GET: 0x23,
  GLOBAL_SET: 0x24,
  I32_CONST: 0x41,
  I32_LE_S: 0x4c,
  I32_SUB: 0x6b,
  I32_SHR_U: 0x76,
  BULK: 0xfc,
} as const;

/** Second bytes of `BULK` whose last operand is a number of bytes or entries. */
export const sizedBulk: ReadonlySet<number> = new Set([8, 10, 11, 12, 14, 17]);

/** Kinds of immediates: numbers to skip, bytes to skip, or a shape of its own. */
const numbers = new Map<number, number>([
  ...range(0x02, 0x04, 1),
  ...range(0x06, 0x09, 1),
  ...range(0x0c, 0x0d, 1),
  [0x10, 1],
  [0x11, 2],
  [0x12, 1],
  [0x13, 2],
  [0x18, 1],
  ...range(0x20, 0x26, 1),
  ...range(0x28, 0x3e, 2),
  ...range(0x3f, 0x42, 1),
  [0xd0, 1],
  [0xd2, 1],
]);
const plain = new Set<number>([
  0x00,
  0x01,
  0x05,
  0x0b,
  0x0f,
  0x19,
  0x1a,
  0x1b,
  0xd1,
  ...Array.from({ length: 0xc4 - 0x45 + 1 }, (_, index) => 0x45 + index),
]);
/** By the second byte of `BULK`. */
const bulkNumbers = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

/** Thrown for instructions that this list does not know; the module stays as it is then. */
export class UnknownInstruction extends Error {}

/** Skips the immediates of an instruction whose first byte was read. */
export function skipImmediates(reader: BinaryReader, op: number): void {
  const count = numbers.get(op);
  if (count !== undefined) return skipNumbers(reader, count);
  if (plain.has(op)) return;
  switch (op) {
    case 0x0e:
      return skipNumbers(reader, reader.unsigned() + 1);
    case 0x1c:
      return skipNumbers(reader, reader.unsigned());
    case 0x1f:
      return skipTryTable(reader);
    case 0x43:
      return reader.skip(4);
    case 0x44:
      return reader.skip(8);
    case Op.BULK:
      return skipBulk(reader);
    case 0xfd:
      return skipVector(reader);
    case 0xfe:
      if (reader.unsigned() === 3) return reader.skip(1);
      return skipNumbers(reader, 2);
    default:
      throw new UnknownInstruction(`instruction 0x${op.toString(16)}`);
  }
}

function skipBulk(reader: BinaryReader): void {
  const count = bulkNumbers[reader.unsigned()];
  if (count === undefined) throw new UnknownInstruction('an instruction of 0xfc');
  skipNumbers(reader, count);
}

function skipVector(reader: BinaryReader): void {
  const op = reader.unsigned();
  if (op <= 11 || op === 92 || op === 93) return skipNumbers(reader, 2);
  if (op === 12 || op === 13) return reader.skip(16);
  if (op >= 21 && op <= 34) return reader.skip(1);
  if (op >= 84 && op <= 91) {
    skipNumbers(reader, 2);
    reader.skip(1);
  }
}

function skipTryTable(reader: BinaryReader): void {
  reader.skipNumber();
  for (let left = reader.unsigned(); left > 0; left--) {
    const kind = reader.byte();
    skipNumbers(reader, kind <= 1 ? 2 : 1);
  }
}

function skipNumbers(reader: BinaryReader, count: number): void {
  for (let i = 0; i < count; i++) reader.skipNumber();
}

function range(first: number, last: number, value: number): [number, number][] {
  return Array.from({ length: last - first + 1 }, (_, index) => [first + index, value]);
}
