/**
 * Header edits that plugins recorded in the edits region: removals mark entries of the head's
 * table, additions are written behind the kept fields. Framing and connection fields stay ours.
 */
// raw memory: header lines are written in words
import { equalIgnoreCase, put } from '../bytes';
import {
  CONTROL,
  Control,
  EDITS,
  EDIT_OP_ADD,
  EDIT_OP_REMOVE,
  EDIT_OP_SET,
  EDIT_SIZE,
  Edit,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
} from '../layout';
import { headerId, HOP_BY_HOP, H_CONTENT_LENGTH, H_HOST } from '../http/names';

const OURS: u32 = HOP_BY_HOP | (1 << H_CONTENT_LENGTH);

/** Value of the last edit with this op, or null. Ops that carry no name only. */
export function lastEdit(op: u32): Edit | null {
  let found: Edit | null = null;
  let at = EDITS;
  for (let i = changetype<Control>(CONTROL).editCount; i > 0; i--) {
    const edit = changetype<Edit>(at);
    if (edit.op == op) found = edit;
    at = next(edit);
  }
  return found;
}

/** Decimal value of an edit, 0 where it is none; 0xffffffff above that. */
export function editNumber(edit: Edit): u32 {
  const from = editValue(edit);
  let value: u64 = 0;
  for (let i: u32 = 0; i < edit.valueLength; i++) {
    const digit = <u64>load<u8>(from + i) - 48;
    if (digit > 9) return 0;
    value = min<u64>(value * 10 + digit, 0xffffffff);
  }
  return <u32>value;
}

/** Pointer to the value of an edit. */
export function editValue(edit: Edit): usize {
  return changetype<usize>(edit) + EDIT_SIZE + edit.nameLength;
}

// @ts-ignore: decorator
@inline
function next(edit: Edit): usize {
  return (editValue(edit) + edit.valueLength + 3) & ~3;
}

/** Bytes that the additions may take in a head. */
export function editBytes(): usize {
  let at = EDITS;
  let bytes: usize = 0;
  for (let i = changetype<Control>(CONTROL).editCount; i > 0; i--) {
    const edit = changetype<Edit>(at);
    bytes += <usize>edit.nameLength + edit.valueLength + 4;
    at = next(edit);
  }
  return bytes;
}

/**
 * Marks the fields that a SET or REMOVE names; returns a SET of Host, which is not a field here.
 */
export function applyRemovals(table: usize, count: u32): Edit | null {
  let host: Edit | null = null;
  let at = EDITS;
  for (let i = changetype<Control>(CONTROL).editCount; i > 0; i--) {
    const edit = changetype<Edit>(at);
    at = next(edit);
    if (edit.op > EDIT_OP_REMOVE) continue;
    const name = changetype<usize>(edit) + EDIT_SIZE;
    const id = headerId(name, edit.nameLength);
    if (id == H_HOST) {
      if (edit.op != EDIT_OP_REMOVE) host = edit;
      continue;
    }
    if (edit.op == EDIT_OP_ADD || (1 << id) & OURS & ~1) continue;
    mark(table, count, name, edit.nameLength);
    supersede(edit, name);
  }
  return host;
}

function mark(table: usize, count: u32, name: usize, n: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const entry = changetype<HeaderEntry>(table + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.nameLength == <u16>n && equalIgnoreCase(entry.name, name, n)) entry.flags |= 1;
  }
}

/** An earlier addition of the same field does not survive a later SET or REMOVE. */
function supersede(later: Edit, name: usize): void {
  let at = EDITS;
  while (at < changetype<usize>(later)) {
    const edit = changetype<Edit>(at);
    at = next(edit);
    if (edit.op > EDIT_OP_ADD || edit.nameLength != later.nameLength) continue;
    if (equalIgnoreCase(changetype<usize>(edit) + EDIT_SIZE, name, edit.nameLength)) {
      edit.op = EDIT_OP_REMOVE;
    }
  }
}

/** True where an edit names the field with this known id, so that no default is written for it. */
export function editsField(id: u32): bool {
  let at = EDITS;
  for (let i = changetype<Control>(CONTROL).editCount; i > 0; i--) {
    const edit = changetype<Edit>(at);
    at = next(edit);
    if (edit.op > EDIT_OP_REMOVE) continue;
    if (headerId(changetype<usize>(edit) + EDIT_SIZE, edit.nameLength) == id) return true;
  }
  return false;
}

/** Writes the added fields as header lines, without those of the set `left`; returns the end. */
export function putAdditions(d: usize, left: u32): usize {
  let at = EDITS;
  for (let i = changetype<Control>(CONTROL).editCount; i > 0; i--) {
    const edit = changetype<Edit>(at);
    at = next(edit);
    if (edit.op != EDIT_OP_SET && edit.op != EDIT_OP_ADD) continue;
    const name = changetype<usize>(edit) + EDIT_SIZE;
    const id = headerId(name, edit.nameLength);
    if (id == H_HOST || (1 << id) & (OURS | left) & ~1) continue;
    d = putLine(d, name, edit.nameLength, name + edit.nameLength, edit.valueLength);
  }
  return d;
}

/** Writes "name: value\r\n". */
export function putLine(
  d: usize,
  name: usize,
  nameBytes: usize,
  value: usize,
  bytes: usize,
): usize {
  d = put(d, name, nameBytes);
  store<u16>(d, 0x203a);
  d = put(d + 2, value, bytes);
  store<u16>(d, 0x0a0d);
  return d + 2;
}

/** True where edits wait. */
// @ts-ignore: decorator
@inline
export function hasEdits(): bool {
  return changetype<Control>(CONTROL).editCount != 0;
}

/** Forgets all edits. */
export function clearEdits(): void {
  changetype<Control>(CONTROL).editCount = 0;
}
