/**
 * One header list of an exchange as filters see and change it. Single fields are looked up in the
 * head where it lies, and each change is noted as an edit, so that a list nobody looks at costs
 * nothing and only the differences go back. What needs more (pseudo-headers, whole lists, fields
 * that were edited) reads the head into a list of its own first.
 */
import { EditBytes } from '../core/edit-bytes.js';
import { HeadFields } from '../core/head-fields.js';
import { EditOp } from '../core/layout.js';
import { limits } from '../limits.js';
import { MapType, Status } from './abi.js';
import type { StreamAdapter, StreamMap } from './adapter.js';
import { type HeaderMap, noBytes } from './header-map.js';
import { ListedHeaders } from './listed-headers.js';
import { isFraming, isNamed, isToken, isValue } from './pairs.js';

type State = 'absent' | 'early' | 'lazy' | 'shown' | 'listed';

/** Fields that a list has and a head has not, by kind. */
const pseudoFields = [4, 0, 1, 0] as const;
/** With more edits than this a list is quicker than comparing their names. */
const fewEdits = 16;
const colon = 58;

/** Who knows where the exchange of the moment is read from. */
interface AdapterOwner {
  readonly adapter: StreamAdapter | null;
}

export class StreamHeaders {
  readonly kind: StreamMap;
  /** For the core, in the order they were made. */
  readonly edits = new EditBytes();
  /** The value that `look` found. */
  source: Uint8Array = noBytes;
  valueAt = 0;
  valueLength = 0;
  readonly #list: ListedHeaders;
  readonly #head = new HeadFields();
  /** While the head is shown, by edit: how many fields of that name there are behind it. */
  readonly #times: number[] = [];
  /** So many fields more than the head has. */
  #added = 0;
  readonly #owner: AdapterOwner;
  #state: State;
  /** There is something of an exchange. */
  #isTouched = false;

  constructor(kind: StreamMap, owner: AdapterOwner) {
    this.kind = kind;
    this.#owner = owner;
    this.#state = kind === MapType.RESPONSE_HEADERS ? 'early' : 'absent';
    this.#list = new ListedHeaders(kind, this.edits);
  }

  /** Forgets the exchange. Response headers may be edited before there are any. */
  reset(): void {
    if (!this.#isTouched) return;
    this.#isTouched = false;
    this.#list.map.reset();
    this.edits.clear();
    this.#state = this.kind === MapType.RESPONSE_HEADERS ? 'early' : 'absent';
  }

  /** The message has this list now. */
  arrive(): void {
    this.#isTouched = true;
    this.#list.map.reset();
    this.#state = 'lazy';
  }

  /** Number of fields, 0 where the exchange has no such list. */
  get count(): number {
    if (this.#isShown()) return this.#head.count + pseudoFields[this.kind] + this.#added;
    return this.get()?.count ?? 0;
  }

  /** Finds the first value of a field in any case; false: there is none. */
  look(name: Uint8Array, at: number, length: number): boolean {
    if (name[at] === colon || !this.#isShown()) return this.#lookInList(name, at, length);
    const edit = this.edits.lastOf(name, at, length);
    if (edit >= 0) return this.#times[edit] > 0 && this.#lookInList(name, at, length);
    if (!this.#head.find(name, at, length)) return false;
    this.source = this.#head.bytes;
    this.valueAt = this.#head.valueAt;
    this.valueLength = this.#head.valueLength;
    return true;
  }

  /** The whole list, null where the exchange has none. */
  get(): HeaderMap | null {
    if (this.#state === 'absent') return null;
    this.#isTouched = true;
    if ((this.#state === 'lazy' || this.#state === 'shown') && !this.#load()) return null;
    return this.#list.map;
  }

  /** The memory that fields were read from moves to another place. */
  settle(): void {
    if (this.#state === 'listed') this.#list.map.own();
    else if (this.#state === 'shown') this.#state = 'lazy';
  }

  /** The memory that fields are read from is about to go. */
  keep(): void {
    this.get()?.own();
  }

  /** Name and value are [name, name + nameLength) and so on of `u8`. Returns a Status. */
  add(u8: Uint8Array, name: number, nameLength: number, value: number, valueLength: number) {
    return this.#change(EditOp.ADD, u8, name, nameLength, value, valueLength);
  }

  replace(u8: Uint8Array, name: number, nameLength: number, value: number, valueLength: number) {
    return this.#change(EditOp.SET, u8, name, nameLength, value, valueLength);
  }

  remove(u8: Uint8Array, name: number, nameLength: number): number {
    if (this.#isFull) return Status.BAD_ARGUMENT;
    if (!this.#isPlain(u8, name, nameLength)) {
      if (!this.get()) return Status.NOT_FOUND;
      return this.#list.remove(u8.subarray(name, name + nameLength), this.#state === 'early');
    }
    if (!isToken(u8, name, nameLength)) return Status.BAD_ARGUMENT;
    const times = this.#timesOf(u8, name, nameLength);
    if (times === 0) return Status.OK;
    this.#count(times, 0);
    this.edits.push(EditOp.REMOVE, u8, name, nameLength, 0, 0);
    return Status.OK;
  }

  /** Replaces every field; pseudo-headers that the list does not name stay. */
  setPairs(pairs: HeaderMap): number {
    if (this.#isFull) return Status.BAD_ARGUMENT;
    return this.get() ? this.#list.setPairs(pairs, this.#state === 'early') : Status.NOT_FOUND;
  }

  /** The exchange will fail with so many edits; no more of them are kept. */
  get #isFull(): boolean {
    return this.edits.size > limits.filterMapBytes.value;
  }

  #change(
    op: number,
    u8: Uint8Array,
    name: number,
    nameLength: number,
    value: number,
    valueLength: number,
  ): number {
    if (this.#isFull) return Status.BAD_ARGUMENT;
    if (!this.#isPlain(u8, name, nameLength)) {
      if (!this.get()) return Status.NOT_FOUND;
      const nameBytes = u8.subarray(name, name + nameLength);
      const valueBytes = u8.subarray(value, value + valueLength);
      return this.#list.change(op, nameBytes, valueBytes, this.#state === 'early');
    }
    if (!isValue(u8, value, valueLength) || !isToken(u8, name, nameLength)) {
      return Status.BAD_ARGUMENT;
    }
    const times = this.#timesOf(u8, name, nameLength);
    this.#count(times, op === EditOp.ADD ? times + 1 : 1);
    this.edits.push(op, u8, name, nameLength, value, valueLength);
    return Status.OK;
  }

  /** The field may be changed without a list: the head is shown, and nothing else depends on it. */
  #isPlain(u8: Uint8Array, name: number, length: number): boolean {
    if (length === 0 || u8[name] === colon || this.edits.count >= fewEdits) return false;
    if (isFraming(u8, name, length)) return false;
    if (this.kind === MapType.REQUEST_HEADERS && isNamed('host', u8, name, length)) return false;
    return this.#isShown();
  }

  #isShown(): boolean {
    if (this.#state === 'shown') return true;
    if (this.#state !== 'lazy' || this.edits.count > 0) return false;
    if (!this.#owner.adapter?.show(this.kind, this.#head)) return false;
    this.#state = 'shown';
    this.#added = 0;
    return true;
  }

  /** The edit that comes next makes so many fields of its name out of so many. */
  #count(before: number, after: number): void {
    this.#times[this.edits.count] = after;
    this.#added += after - before;
  }

  #timesOf(name: Uint8Array, at: number, length: number): number {
    const edit = this.edits.lastOf(name, at, length);
    return edit >= 0 ? this.#times[edit] : this.#head.times(name, at, length);
  }

  #lookInList(name: Uint8Array, at: number, length: number): boolean {
    const map = this.get();
    const index = map === null ? -1 : map.find(name, at, length);
    if (map === null || index < 0) return false;
    this.source = map.valueSource(index);
    this.valueAt = map.valueAt(index);
    this.valueLength = map.valueLength(index);
    return true;
  }

  #load(): boolean {
    const { map } = this.#list;
    map.reset();
    if (!this.#owner.adapter?.load(this.kind, map)) return false;
    this.#state = 'listed';
    // What filters did before the answer was there, or while the head was shown.
    this.#list.replay();
    return true;
  }
}
