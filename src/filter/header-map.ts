/**
 * A list of header fields as bytes. Fields point into whatever memory they came from until `own`
 * copies them; edits go into an arena of the map itself. Names compare without case, repeated
 * fields stay apart, order is kept. Pseudo-headers are fields whose name starts with a colon.
 *
 * Serialised form (all numbers u32, little-endian):
 *   count, count x (name length, value length), count x (name, NUL, value, NUL)
 */

/** One field; objects are reused, so none is kept outside the map. */
class Field {
  nameSource: Uint8Array = noBytes;
  valueSource: Uint8Array = noBytes;
  nameAt = 0;
  nameLength = 0;
  valueAt = 0;
  valueLength = 0;
}

export const noBytes = new Uint8Array(0);
const arenaBytes = 1024;
/** A map that goes back to its pool keeps no larger arena. */
const keptArenaBytes = 65536;

export class HeaderMap {
  count = 0;
  #fields: Field[] = [];
  #arena = noBytes;
  #used = 0;

  reset(): void {
    this.count = 0;
    this.#used = 0;
    if (this.#arena.length > keptArenaBytes) this.#arena = noBytes;
  }

  /** Appends a field that stays where it is; the bytes must not change before `own` or `reset`. */
  refer(
    nameSource: Uint8Array,
    nameAt: number,
    nameLength: number,
    valueSource: Uint8Array,
    valueAt: number,
    valueLength: number,
  ): void {
    const field = this.#next();
    field.nameSource = nameSource;
    field.nameAt = nameAt;
    field.nameLength = nameLength;
    field.valueSource = valueSource;
    field.valueAt = valueAt;
    field.valueLength = valueLength;
  }

  /** Appends a copy of a field given as bytes. */
  append(name: Uint8Array, value: Uint8Array): void {
    const field = this.#next();
    this.#putName(field, name, 0, name.length);
    this.#putValue(field, value, 0, value.length);
  }

  /** Appends a field given as latin1 text. */
  appendText(name: string, value: string): void {
    this.append(Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1'));
  }

  /** Index of the first field with that name from `start` on, -1 where there is none. */
  find(name: Uint8Array, at: number, length: number, start = 0): number {
    for (let i = start; i < this.count; i++) {
      const field = this.#fields[i];
      if (field.nameLength !== length) continue;
      const { nameSource, nameAt } = field;
      let same = 0;
      while (same < length && isSame(nameSource[nameAt + same], name[at + same])) same++;
      if (same === length) return i;
    }
    return -1;
  }

  findText(name: string): number {
    for (let i = 0; i < this.count; i++) {
      const field = this.#fields[i];
      if (field.nameLength !== name.length) continue;
      let same = 0;
      while (
        same < name.length &&
        lower(field.nameSource[field.nameAt + same]) === lower(name.charCodeAt(same))
      ) {
        same++;
      }
      if (same === name.length) return i;
    }
    return -1;
  }

  /** First value of a field as latin1 text, null where there is none. */
  text(name: string): string | null {
    const index = this.findText(name);
    return index < 0 ? null : this.valueText(index);
  }

  nameText(index: number): string {
    const { nameSource, nameAt, nameLength } = this.#fields[index];
    return latin1(nameSource, nameAt, nameLength).toLowerCase();
  }

  valueText(index: number): string {
    const { valueSource, valueAt, valueLength } = this.#fields[index];
    return latin1(valueSource, valueAt, valueLength);
  }

  /** Where a value is, for copying it on: the parts of a field without a view. */
  valueSource(index: number): Uint8Array {
    return this.#fields[index].valueSource;
  }

  valueAt(index: number): number {
    return this.#fields[index].valueAt;
  }

  valueLength(index: number): number {
    return this.#fields[index].valueLength;
  }

  /** Leaves exactly one field of that name, in the place of the first; appends where none was. */
  replace(name: Uint8Array, value: Uint8Array): void {
    const first = this.find(name, 0, name.length);
    if (first < 0) return this.append(name, value);
    this.#putValue(this.#fields[first], value, 0, value.length);
    this.#removeFrom(first + 1, name);
  }

  remove(name: Uint8Array): void {
    this.#removeFrom(0, name);
  }

  /** Lets a field have the value of another one, where it lies. */
  share(index: number, from: number): void {
    const field = this.#fields[index];
    const { valueSource, valueAt, valueLength } = this.#fields[from];
    field.valueSource = valueSource;
    field.valueAt = valueAt;
    field.valueLength = valueLength;
  }

  /** Takes the copies of everything that still lies in foreign memory. */
  own(): void {
    for (let i = 0; i < this.count; i++) {
      const field = this.#fields[i];
      if (field.nameSource !== this.#arena) {
        this.#putName(field, field.nameSource, field.nameAt, field.nameLength);
      }
      if (field.valueSource !== this.#arena) {
        this.#putValue(field, field.valueSource, field.valueAt, field.valueLength);
      }
    }
  }

  /** Bytes of the serialised form. */
  get serialisedSize(): number {
    let size = 4 + 10 * this.count;
    for (let i = 0; i < this.count; i++) {
      size += this.#fields[i].nameLength + this.#fields[i].valueLength;
    }
    return size;
  }

  /** Writes the serialised form at `at`; names in lower case. */
  serialise(into: Uint8Array, at: number): void {
    let head = putU32(into, at, this.count);
    let body = at + 4 + 8 * this.count;
    for (let i = 0; i < this.count; i++) {
      const { nameSource, nameAt, nameLength, valueSource, valueAt, valueLength } = this.#fields[i];
      head = putU32(into, putU32(into, head, nameLength), valueLength);
      for (let k = 0; k < nameLength; k++) into[body++] = lower(nameSource[nameAt + k]);
      into[body++] = 0;
      for (let k = 0; k < valueLength; k++) into[body++] = valueSource[valueAt + k];
      into[body++] = 0;
    }
  }

  #next(): Field {
    if (this.count === this.#fields.length) this.#fields.push(new Field());
    return this.#fields[this.count++];
  }

  #removeFrom(start: number, name: Uint8Array): void {
    let index = this.find(name, 0, name.length, start);
    while (index >= 0) {
      // The object moves behind the end, to be used again.
      this.#fields.push(this.#fields.splice(index, 1)[0]);
      this.count--;
      index = this.find(name, 0, name.length, index);
    }
  }

  #putName(field: Field, from: Uint8Array, at: number, length: number): void {
    field.nameAt = this.#store(from, at, length);
    field.nameLength = length;
    field.nameSource = this.#arena;
  }

  #putValue(field: Field, from: Uint8Array, at: number, length: number): void {
    field.valueAt = this.#store(from, at, length);
    field.valueLength = length;
    field.valueSource = this.#arena;
  }

  /** Fields that point into an arena outgrown keep it alive, and stay right. */
  #store(from: Uint8Array, at: number, length: number): number {
    if (this.#used + length > this.#arena.length) {
      this.#arena = new Uint8Array(Math.max(arenaBytes, 2 * this.#arena.length, length));
      this.#used = 0;
    }
    const start = this.#used;
    for (let i = 0; i < length; i++) this.#arena[start + i] = from[at + i];
    this.#used += length;
    return start;
  }
}

const lower = (code: number): number => (code >= 65 && code <= 90 ? code + 32 : code);

const isSame = (a: number, b: number): boolean => a === b || lower(a) === lower(b);

export function latin1(source: Uint8Array, at: number, length: number): string {
  return Buffer.from(source.buffer, source.byteOffset + at, length).latin1Slice(0, length);
}

function putU32(into: Uint8Array, at: number, value: number): number {
  into[at] = value;
  into[at + 1] = value >>> 8;
  into[at + 2] = value >>> 16;
  into[at + 3] = value >>> 24;
  return at + 4;
}
