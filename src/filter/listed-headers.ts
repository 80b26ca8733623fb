/** A header list that was read as a whole, with the rules for changing it. */
import type { EditBytes } from '../core/edit-bytes.js';
import { EditOp } from '../core/layout.js';
import { MapType, Status } from './abi.js';
import type { StreamMap } from './adapter.js';
import { HeaderMap, latin1 } from './header-map.js';
import { isFraming, isNamed, isTarget, isToken, isValue, statusOf } from './pairs.js';

const hostName = Buffer.from('host');
const authorityName = Buffer.from(':authority');
const colon = 58;

/** `isEarly` below: the list is of an answer that is not there yet. */
export class ListedHeaders {
  readonly map = new HeaderMap();
  readonly #kind: StreamMap;
  readonly #edits: EditBytes;

  /** Changes go into `edits`, too. */
  constructor(kind: StreamMap, edits: EditBytes) {
    this.#kind = kind;
    this.#edits = edits;
  }

  /** Applies the edits that were noted before the list was read; none is of a pseudo-header. */
  replay(): void {
    const edits = this.#edits;
    for (let i = 0; i < edits.count; i++) {
      const op = edits.op(i);
      if (op === EditOp.SET) this.map.replace(edits.name(i), edits.value(i));
      else if (op === EditOp.ADD) this.map.append(edits.name(i), edits.value(i));
      else if (op === EditOp.REMOVE) this.map.remove(edits.name(i));
    }
  }

  /** Op SET or ADD. Returns a Status. */
  change(op: number, name: Uint8Array, value: Uint8Array, isEarly: boolean): number {
    const { map } = this;
    const status = this.#check(name, value, isEarly);
    if (status !== Status.OK) return status;
    if (name[0] === colon) return this.#changePseudo(name, value);
    if (this.#kind === MapType.REQUEST_HEADERS && isNamed('host', name)) {
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

  remove(name: Uint8Array, isEarly: boolean): number {
    // A pseudo-header is a part of the message and cannot go away.
    if (name.length === 0 || name[0] === colon) return Status.OK;
    if (!isToken(name)) return Status.BAD_ARGUMENT;
    if (!isEarly && this.map.find(name, 0, name.length) < 0) return Status.OK;
    this.map.remove(name);
    this.#note(EditOp.REMOVE, name, name.subarray(0, 0));
    return Status.OK;
  }

  /** Replaces every field; pseudo-headers that the list does not name stay. */
  setPairs(pairs: HeaderMap, isEarly: boolean): number {
    const { map } = this;
    const fields = fieldsOf(pairs);
    for (const [name, value] of fields) {
      const status = this.#check(name, value, isEarly);
      if (status !== Status.OK) return status;
    }
    const namesHost = pairs.findText('host') >= 0;
    for (let i = map.count - 1; i >= 0; i--) {
      const name = Buffer.from(map.nameText(i), 'latin1');
      if (name[0] === colon || (!namesHost && name.equals(hostName))) continue;
      this.remove(name, isEarly);
      i = Math.min(i, map.count);
    }
    for (const [name, value] of fields) {
      const single = name[0] === colon || name.equals(hostName);
      this.change(single ? EditOp.SET : EditOp.ADD, name, value, isEarly);
    }
    return Status.OK;
  }

  #check(name: Uint8Array, value: Uint8Array, isEarly: boolean): number {
    if (!isValue(value)) return Status.BAD_ARGUMENT;
    if (name[0] !== colon) return isToken(name) ? Status.OK : Status.BAD_ARGUMENT;
    if (this.#kind === MapType.RESPONSE_HEADERS) {
      const known = isNamed(':status', name) && !isEarly && statusOf(value) > 0;
      return known ? Status.OK : Status.BAD_ARGUMENT;
    }
    if (this.#kind !== MapType.REQUEST_HEADERS) return Status.BAD_ARGUMENT;
    if (isNamed(':method', name)) return isToken(value) ? Status.OK : Status.BAD_ARGUMENT;
    if (isNamed(':path', name)) {
      return value.length === 0 || isTarget(value) ? Status.OK : Status.BAD_ARGUMENT;
    }
    const isKnown = isNamed(':scheme', name) || isNamed(':authority', name);
    return isKnown ? Status.OK : Status.BAD_ARGUMENT;
  }

  #changePseudo(name: Uint8Array, value: Uint8Array): number {
    const text = latin1(value, 0, value.length);
    const isPath = isNamed(':path', name);
    // An empty path is no path: ignored.
    if (isPath && value.length === 0) return Status.OK;
    this.map.replace(name, value);
    if (isNamed(':method', name)) this.#edits.pushText(EditOp.SET_METHOD, '', text);
    else if (isNamed(':status', name)) this.#edits.pushText(EditOp.STATUS, '', text);
    else if (isPath) {
      const mark = text.indexOf('?');
      this.#edits.pushText(EditOp.SET_PATH, '', mark < 0 ? text : text.slice(0, mark));
      this.#edits.pushText(EditOp.SET_QUERY, '', mark < 0 ? '' : text.slice(mark + 1));
    } else if (isNamed(':authority', name)) {
      this.map.replace(hostName, value);
      this.#note(EditOp.SET, hostName, value);
    }
    return Status.OK;
  }

  /** Filters may write fields of framing, but the wire never sees that. */
  #note(op: number, name: Uint8Array, value: Uint8Array): void {
    if (isFraming(name, 0, name.length)) return;
    this.#edits.pushText(op, latin1(name, 0, name.length), latin1(value, 0, value.length));
  }
}

/** Name and value of every field, as copies. */
export function fieldsOf(map: HeaderMap): [Buffer, Buffer][] {
  const fields: [Buffer, Buffer][] = [];
  for (let i = 0; i < map.count; i++) {
    fields.push([Buffer.from(map.nameText(i), 'latin1'), Buffer.from(map.valueText(i), 'latin1')]);
  }
  return fields;
}
