/** Reads the import section of a Wasm module without instantiating it. */

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: 'function' | 'table' | 'memory' | 'global';
}

const kinds = ['function', 'table', 'memory', 'global'] as const;
const IMPORT_SECTION = 2;

/** The imports of a module. Throws `Error` for bytes that are not a module of version 1. */
export function wasmImports(bytes: Uint8Array): WasmImport[] {
  const reader = new Reader(bytes);
  if (reader.word() !== 0x6d736100 || reader.word() !== 1) throw new Error('not a Wasm module');
  while (!reader.done()) {
    const section = reader.byte();
    const size = reader.unsigned();
    if (section === IMPORT_SECTION) return readImports(reader);
    reader.skip(size);
  }
  return [];
}

function readImports(reader: Reader): WasmImport[] {
  const count = reader.unsigned();
  const imports: WasmImport[] = [];
  for (let index = 0; index < count; index++) {
    const module = reader.text();
    const name = reader.text();
    const kind = kinds[reader.byte()];
    imports.push({ module, name, kind });
    skipDescription(reader, kind);
  }
  return imports;
}

function skipDescription(reader: Reader, kind: WasmImport['kind']): void {
  if (kind === 'function') reader.unsigned();
  else if (kind === 'global') reader.skip(2);
  else {
    if (kind === 'table') reader.skip(1);
    const hasMaximum = reader.unsigned() & 1;
    reader.unsigned();
    if (hasMaximum) reader.unsigned();
  }
}

class Reader {
  private offset = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  done(): boolean {
    return this.offset >= this.bytes.length;
  }

  skip(count: number): void {
    this.offset += count;
  }

  byte(): number {
    return this.bytes[this.offset++];
  }

  word(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 8) value |= this.byte() << shift;
    return value >>> 0;
  }

  /** LEB128. */
  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  text(): string {
    const size = this.unsigned();
    const text = Buffer.from(this.bytes.subarray(this.offset, this.offset + size)).toString();
    this.offset += size;
    return text;
  }
}
