/**
 * Makes a module stop itself. V8 cannot interrupt code on the thread that runs it, so a counter is
 * built in: each turn of a loop, each entry of a function, each host call and each 256 bytes of a
 * bulk copy take something off it, and where nothing is left the module traps. Two globals come
 * behind the module's own, so that no index changes; the counter is exported to the host.
 */
import { budgetExport } from './budget.js';
import { Op, sizedBulk, skipImmediates, UnknownInstruction } from './instructions.js';
import { BinaryReader, CODE_SECTION, pushUnsigned, SectionId, sectionsOf } from './reader.js';

const i32Mutable = [0x7f, 1];
const functionKind = 0;
const globalKind = 3;
const startValue = [Op.I32_CONST, 0xff, 0xff, 0xff, 0xff, 0x07, Op.END];
const zero = [Op.I32_CONST, 0, Op.END];
/** A host call costs about as much as this many turns of a loop. */
const hostCallUnits = 48;
const bulkShift = 8;
/** Sections that come after the globals (the data count, 12, stands before the code). */
const afterGlobals = new Set([7, 8, 9, 10, 11, 12]);

/**
 * Returns the module with its counter, null where it has instructions unknown here.
 * @throws RangeError for damaged bytes
 */
export function instrument(bytes: Uint8Array): Uint8Array | null {
  const counts = countsOf(bytes);
  const code = new Code(counts.globals, counts.importedFunctions);
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  let hasGlobals = false;
  try {
    for (const { id, start, body, end } of sectionsOf(bytes)) {
      if (id === SectionId.GLOBAL) {
        hasGlobals = true;
        parts.push(section(id, [globals(bytes.subarray(body, end))]));
        continue;
      }
      if (!hasGlobals && afterGlobals.has(id)) {
        hasGlobals = true;
        parts.push(section(SectionId.GLOBAL, [globals(Uint8Array.of(0))]));
      }
      if (id === SectionId.EXPORT) {
        parts.push(section(id, [exports(bytes.subarray(body, end), counts.globals)]));
      } else if (id === CODE_SECTION) {
        parts.push(section(id, code.rewrite(bytes.subarray(body, end))));
      } else parts.push(bytes.subarray(start, end));
    }
  } catch (error) {
    if (error instanceof UnknownInstruction) return null;
    throw error;
  }
  return Buffer.concat(parts);
}

/** Imported functions, and globals of both kinds. */
function countsOf(bytes: Uint8Array): { importedFunctions: number; globals: number } {
  let importedFunctions = 0;
  let globals = 0;
  for (const { id, body } of sectionsOf(bytes)) {
    const reader = new BinaryReader(bytes, body);
    if (id === SectionId.GLOBAL) globals += reader.unsigned();
    if (id !== SectionId.IMPORT) continue;
    for (let left = reader.unsigned(); left > 0; left--) {
      reader.text();
      reader.text();
      const kind = reader.byte();
      if (kind === functionKind) importedFunctions++;
      if (kind === globalKind) globals++;
      skipImport(reader, kind);
    }
  }
  return { importedFunctions, globals };
}

function skipImport(reader: BinaryReader, kind: number): void {
  if (kind === functionKind) return reader.skipNumber();
  if (kind === globalKind) return reader.skip(2);
  if (kind === 4) {
    reader.skip(1);
    return reader.skipNumber();
  }
  if (kind === 1) reader.skip(1);
  const hasMaximum = reader.byte() & 1;
  reader.skipNumber();
  if (hasMaximum) reader.skipNumber();
}

function globals(body: Uint8Array): Uint8Array {
  const reader = new BinaryReader(body);
  const head: number[] = [];
  pushUnsigned(head, reader.unsigned() + 2);
  const added = [...i32Mutable, ...startValue, ...i32Mutable, ...zero];
  return Buffer.concat([
    Uint8Array.from(head),
    body.subarray(reader.offset),
    Uint8Array.from(added),
  ]);
}

function exports(body: Uint8Array, counter: number): Uint8Array {
  const reader = new BinaryReader(body);
  const head: number[] = [];
  pushUnsigned(head, reader.unsigned() + 1);
  const added: number[] = [budgetExport.length, ...Buffer.from(budgetExport), globalKind];
  pushUnsigned(added, counter);
  return Buffer.concat([
    Uint8Array.from(head),
    body.subarray(reader.offset),
    Uint8Array.from(added),
  ]);
}

function section(id: number, parts: readonly Uint8Array[]): Uint8Array {
  const head = [id];
  pushUnsigned(
    head,
    parts.reduce((size, part) => size + part.length, 0),
  );
  return Buffer.concat([Uint8Array.from(head), ...parts]);
}

/** Rewrites function bodies. */
class Code {
  readonly #importedFunctions: number;
  readonly #check: Uint8Array;
  readonly #hostCall: Uint8Array;
  readonly #bulk: Uint8Array;

  constructor(counter: number, importedFunctions: number) {
    this.#importedFunctions = importedFunctions;
    const read = global(Op.GLOBAL_GET, counter);
    const write = global(Op.GLOBAL_SET, counter);
    const keep = global(Op.GLOBAL_SET, counter + 1);
    const kept = global(Op.GLOBAL_GET, counter + 1);
    const take = (units: number[]) => [...read, ...units, Op.I32_SUB, ...write];
    const stop = [Op.I32_CONST, 0, Op.I32_LE_S, Op.IF, 0x40, Op.UNREACHABLE, Op.END];
    this.#check = Uint8Array.from([...read, ...stop, ...take([Op.I32_CONST, 1])]);
    this.#hostCall = Uint8Array.from(take([Op.I32_CONST, hostCallUnits]));
    const share = [...kept, Op.I32_CONST, bulkShift, Op.I32_SHR_U];
    this.#bulk = Uint8Array.from([...keep, ...take(share), ...kept]);
  }

  /** The contents of a code section. */
  rewrite(body: Uint8Array): Uint8Array[] {
    const reader = new BinaryReader(body);
    const count = reader.unsigned();
    const parts: Uint8Array[] = [body.subarray(0, reader.offset)];
    for (let i = 0; i < count; i++) {
      const size = reader.unsigned();
      const start = reader.offset;
      const pieces = this.#function(body.subarray(start, start + size));
      reader.skip(size);
      const head: number[] = [];
      pushUnsigned(
        head,
        pieces.reduce((total, piece) => total + piece.length, 0),
      );
      parts.push(Uint8Array.from(head), ...pieces);
    }
    return parts;
  }

  #function(body: Uint8Array): Uint8Array[] {
    const reader = new BinaryReader(body);
    for (let left = reader.unsigned(); left > 0; left--) {
      reader.skipNumber();
      reader.skipNumber();
    }
    const pieces = [body.subarray(0, reader.offset), this.#check];
    let from = reader.offset;
    const insert = (at: number, piece: Uint8Array) => {
      pieces.push(body.subarray(from, at), piece);
      from = at;
    };
    while (reader.offset < body.length) {
      const at = reader.offset;
      const op = reader.byte();
      const after = reader.offset;
      skipImmediates(reader, op);
      if (op === Op.LOOP) insert(reader.offset, this.#check);
      else if (op === Op.CALL) {
        if (new BinaryReader(body, after).unsigned() < this.#importedFunctions) {
          insert(at, this.#hostCall);
        }
      } else if (op === Op.BULK && sizedBulk.has(new BinaryReader(body, after).unsigned())) {
        insert(at, this.#bulk);
      }
    }
    pieces.push(body.subarray(from));
    return pieces;
  }
}

function global(op: number, index: number): number[] {
  const bytes: number[] = [op];
  pushUnsigned(bytes, index);
  return bytes;
}
