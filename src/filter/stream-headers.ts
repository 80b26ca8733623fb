/**
 * One header list of an exchange as filters see and change it. It is read from the exchange on
 * first use, and each change is noted as an edit, so that a list nobody looks at costs nothing and
 * only the differences go back.
 */
import { EditList } from '../core/exchange-edits.js';
import { EditOp } from '../core/layout.js';
import { MapType, Status } from './abi.js';
import type { StreamAdapter, StreamMap } from './adapter.js';
import { HeaderMap } from './header-map.js';
import { isTarget, isToken, isValue, statusOf } from './pairs.js';

/** Fields of framing and of the connection: filters may write them, the wire never sees that. */
const framing = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const hostName = Buffer.from('host');
const authorityName = Buffer.from(':authority');
const colon = 58;

type State = 'absent' | 'early' | 'lazy' | 'loaded';

export class StreamHeaders {
  readonly kind: StreamMap;
  /** For the core, in the order they were made. */
  readonly edits = new EditList();
  readonly #map = new HeaderMap();
  #adapter: StreamAdapter | null = null;
  #state: State = 'absent';

  constructor(kind: StreamMap) {
    this.kind = kind;
  }

  /** Begins an exchange. Response headers may be edited before there are any. */
  begin(adapter: StreamAdapter): void {
    this.#adapter = adapter;
    this.#map.reset();
    this.edits.clear();
    this.#state = this.kind === MapType.RESPONSE_HEADERS ? 'early' : 'absent';
  }

  /** The message has this list now. */
  arrive(): void {
    this.#map.reset();
    this.#state = 'lazy';
  }

  /** The list, null where the exchange has none. */
  get(): HeaderMap | null {
    if (this.#state === 'absent') return null;
    if (this.#state === 'lazy' && !this.#load()) return null;
    return this.#map;
  }

  /** The memory that fields were read from is about to change. `keep`: somebody may look again. */
  settle(keep: boolean): void {
    if (this.#state !== 'loaded') return;
    if (keep || this.edits.count > 0) this.#map.own();
    else this.arrive();
  }

  add(name: Uint8Array, value: Uint8Array): number {
    return this.#change(name, value, EditOp.ADD);
  }

  replace(name: Uint8Array, value: Uint8Array): number {
    return this.#change(name, value, EditOp.SET);
  }

  remove(name: Uint8Array): number {
    const map = this.get();
    if (!map) return Status.NOT_FOUND;
    // A pseudo-header is a part of the message and cannot go away.
    if (name.length === 0 || name[0] === colon) return Status.OK;
    if (!isToken(name)) return Status.BAD_ARGUMENT;
    if (this.#state !== 'early' && map.find(name, 0, name.length) < 0) return Status.OK;
    map.remove(name);
    this.#note(EditOp.REMOVE, name, name.subarray(0, 0));
    return Status.OK;
  }

  /** Replaces every field; pseudo-headers that the list does not name stay. */
  setPairs(pairs: HeaderMap): number {
    const map = this.get();
    if (!map) return Status.NOT_FOUND;
    const fields = fieldsOf(pairs);
    for (const [name, value] of fields) {
      const status = this.#check(name, value);
      if (status !== Status.OK) return status;
    }
    const namesHost = pairs.findText('host') >= 0;
    for (let i = map.count - 1; i >= 0; i--) {
      const name = Buffer.from(map.nameText(i), 'latin1');
      if (name[0] === colon || (!namesHost && name.equals(hostName))) continue;
      this.remove(name);
      i = Math.min(i, map.count);
    }
    for (const [name, value] of fields) {
      const single = name[0] === colon || name.equals(hostName);
      if (single) this.replace(name, value);
      else this.add(name, value);
    }
    return Status.OK;
  }

  #load(): boolean {
    this.#map.reset();
    if (!this.#adapter?.load(this.kind, this.#map)) return false;
    this.#state = 'loaded';
    this.#replay();
    return true;
  }

  /** What filters did before the response was there. */
  #replay(): void {
    const { ops, names, values, count } = this.edits;
    for (let i = 0; i < count; i++) {
      const name = Buffer.from(names[i], 'latin1');
      const value = Buffer.from(values[i], 'latin1');
      if (ops[i] === EditOp.SET) this.#map.replace(name, value);
      else if (ops[i] === EditOp.ADD) this.#map.append(name, value);
      else if (ops[i] === EditOp.REMOVE) this.#map.remove(name);
    }
  }

  #change(name: Uint8Array, value: Uint8Array, op: number): number {
    const map = this.get();
    if (!map) return Status.NOT_FOUND;
    const status = this.#check(name, value);
    if (status !== Status.OK) return status;
    if (name[0] === colon) return this.#changePseudo(map, name, value);
    if (this.kind === MapType.REQUEST_HEADERS && isHost(name)) {
      map.replace(name, value);
      map.replace(authorityName, value);
      this.#note(EditOp.SET, hostName, value);
      return Status.OK;
    }
    if (op === EditOp.ADD) map.append(name, value);
    else map.replace(name, value);
    this.#note(op, name, value);
    return Status.OK;
  }

  #check(name: Uint8Array, value: Uint8Array): number {
    if (!isValue(value)) return Status.BAD_ARGUMENT;
    if (name[0] !== colon) return isToken(name) ? Status.OK : Status.BAD_ARGUMENT;
    const text = Buffer.from(name).toString('latin1').toLowerCase();
    if (this.kind === MapType.RESPONSE_HEADERS) {
      const known = text === ':status' && this.#state !== 'early' && statusOf(value) > 0;
      return known ? Status.OK : Status.BAD_ARGUMENT;
    }
    if (this.kind !== MapType.REQUEST_HEADERS) return Status.BAD_ARGUMENT;
    if (text === ':method') return isToken(value) ? Status.OK : Status.BAD_ARGUMENT;
    if (text === ':path') {
      return value.length === 0 || isTarget(value) ? Status.OK : Status.BAD_ARGUMENT;
    }
    return text === ':scheme' || text === ':authority' ? Status.OK : Status.BAD_ARGUMENT;
  }

  #changePseudo(map: HeaderMap, name: Uint8Array, value: Uint8Array): number {
    const text = Buffer.from(name).toString('latin1').toLowerCase();
    const latin1 = Buffer.from(value).toString('latin1');
    // An empty path is no path: ignored.
    if (text === ':path' && value.length === 0) return Status.OK;
    map.replace(name, value);
    if (text === ':method') this.edits.push(EditOp.SET_METHOD, '', latin1);
    else if (text === ':status') this.edits.push(EditOp.STATUS, '', latin1);
    else if (text === ':path') {
      const mark = latin1.indexOf('?');
      this.edits.push(EditOp.SET_PATH, '', mark < 0 ? latin1 : latin1.slice(0, mark));
      this.edits.push(EditOp.SET_QUERY, '', mark < 0 ? '' : latin1.slice(mark + 1));
    } else if (text === ':authority') {
      map.replace(hostName, value);
      this.#note(EditOp.SET, hostName, value);
    }
    return Status.OK;
  }

  #note(op: number, name: Uint8Array, value: Uint8Array): void {
    const text = Buffer.from(name.buffer, name.byteOffset, name.length).latin1Slice(0, name.length);
    if (framing.has(text.toLowerCase())) return;
    const { buffer, byteOffset, length } = value;
    this.edits.push(op, text, Buffer.from(buffer, byteOffset, length).latin1Slice(0, length));
  }
}

function isHost(name: Uint8Array): boolean {
  return name.length === 4 && Buffer.from(name).toString('latin1').toLowerCase() === 'host';
}

/** Name and value of every field, as copies. */
export function fieldsOf(map: HeaderMap): [Buffer, Buffer][] {
  const fields: [Buffer, Buffer][] = [];
  for (let i = 0; i < map.count; i++) {
    fields.push([Buffer.from(map.nameText(i), 'latin1'), Buffer.from(map.valueText(i), 'latin1')]);
  }
  return fields;
}
