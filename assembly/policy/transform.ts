/** request-transformer where it changes headers to constant texts. */
import { equalIgnoreCase } from '../bytes';
import * as head from '../http/head';
import {
  EDIT_OP_ADD,
  EDIT_OP_REMOVE,
  EDIT_OP_SET,
  EDIT_SIZE,
  Edit,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  POLICY_CHANGE_OP_ADD,
  POLICY_CHANGE_OP_APPEND,
  POLICY_CHANGE_OP_REMOVE,
  POLICY_CHANGE_SIZE,
  PolicyChange,
  PolicyStep,
  REQUEST_HEADERS,
} from '../layout';
import { pushEdit, upstreamEdits, upstreamEditsEnd } from './sink';

/** Makes the edits that apply to the request as the policies before have left it. */
export function emitChanges(base: usize, step: PolicyStep): void {
  for (let i: u32 = 0; i < step.itemCount; i++) {
    const change = changetype<PolicyChange>(base + step.items + <usize>i * POLICY_CHANGE_SIZE);
    const name = base + change.name;
    const n = change.nameLength;
    const value = base + change.value;
    switch (change.op) {
      case POLICY_CHANGE_OP_REMOVE:
        if (isPresent(name, n)) pushEdit(false, EDIT_OP_REMOVE, name, n, 0, 0);
        break;
      case POLICY_CHANGE_OP_ADD:
        if (!isPresent(name, n)) pushEdit(false, EDIT_OP_SET, name, n, value, change.valueLength);
        break;
      case POLICY_CHANGE_OP_APPEND:
        pushEdit(false, EDIT_OP_ADD, name, n, value, change.valueLength);
        break;
      default:
        if (isPresent(name, n)) pushEdit(false, EDIT_OP_SET, name, n, value, change.valueLength);
    }
  }
}

/** Whether the upstream would get the field now. */
function isPresent(name: usize, n: u32): bool {
  let present = false;
  for (let i: u32 = 0; i < head.headerCount && !present; i++) {
    const entry = changetype<HeaderEntry>(REQUEST_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (entry.nameLength != <u16>n || entry.flags & 1) continue;
    present = equalIgnoreCase(entry.name, name, n);
  }
  const end = upstreamEditsEnd();
  for (let at = upstreamEdits(); at < end; ) {
    const edit = changetype<Edit>(at);
    at = (at + EDIT_SIZE + edit.nameLength + edit.valueLength + 3) & ~3;
    if (edit.op > EDIT_OP_REMOVE || edit.nameLength != n) continue;
    if (!equalIgnoreCase(changetype<usize>(edit) + EDIT_SIZE, name, n)) continue;
    present = edit.op != EDIT_OP_REMOVE;
  }
  return present;
}
