/**
 * key-auth for clients that it lets pass: exactly one key, in a header or a plain query, that
 * belongs to a credential without an end. Everything else is the shell's.
 */
import { equal, hash } from '../bytes';
import {
  EDIT_OP_REMOVE,
  KEY_SLOT_SIZE,
  KeySlot,
  KeyTable,
  POLICY_CREDENTIAL_SIZE,
  POLICY_FLAG_HIDE,
  POLICY_FLAG_IN_HEADER,
  POLICY_FLAG_IN_QUERY,
  POLICY_NAME_SIZE,
  PolicyCredential,
  PolicyName,
  PolicyStep,
  TableHeader,
} from '../layout';
import {
  argument,
  argumentBytes,
  argumentHasValue,
  findArgument,
  findField,
  found,
  isPlainQuery,
  queryBytes,
} from './fields';
import { pushEdit, pushReady } from './sink';

/** Whom the last check found. */
export let credential: PolicyCredential | null = null;

let key: usize = 0;
let keyBytes: u32 = 0;
let name: PolicyName | null = null;

/** Forgets the last client. */
export function forgetClient(): void {
  credential = null;
}

/** False: the shell decides. */
export function checkKey(base: usize, step: PolicyStep): bool {
  const query = queryBytes();
  if (query && step.flags & (POLICY_FLAG_IN_QUERY | POLICY_FLAG_HIDE)) {
    // A key must be taken out of a query, too; that is rare.
    if (step.flags & POLICY_FLAG_HIDE || !isPlainQuery()) return false;
  }
  keyBytes = 0;
  for (let i: u32 = 0; i < step.itemCount; i++) {
    name = changetype<PolicyName>(base + step.items + <usize>i * POLICY_NAME_SIZE);
    if (!findUnder(base, step, name as PolicyName, query)) return false;
    if (keyBytes) break;
  }
  if (!keyBytes) return false;
  credential = lookUp(base);
  return credential != null;
}

/** Looks for the key under one name; false: there are several, or an empty one. */
function findUnder(base: usize, step: PolicyStep, wanted: PolicyName, query: u32): bool {
  if (step.flags & POLICY_FLAG_IN_HEADER) {
    const field = findField(base + wanted.name, wanted.nameLength);
    if (field) {
      key = field.value;
      keyBytes = field.valueLength;
      return found == 1 && keyBytes != 0;
    }
  }
  if (!query || !(step.flags & POLICY_FLAG_IN_QUERY)) return true;
  findArgument(base + wanted.argument, wanted.argumentLength);
  if (!found) return true;
  key = argument;
  keyBytes = argumentBytes;
  return found == 1 && argumentHasValue && keyBytes != 0;
}

function lookUp(base: usize): PolicyCredential | null {
  const table = changetype<KeyTable>(base + changetype<TableHeader>(base).keys);
  if (keyBytes > table.longestKey) return null;
  const wanted = hash(key, keyBytes);
  const credentials = base + table.credentials;
  const mask = table.slotCount - 1;
  let at = wanted & mask;
  // At most half of the slots are taken; the bound is for a table that is none.
  for (let probe: u32 = 0; probe <= mask; probe++) {
    const slot = changetype<KeySlot>(base + table.slots + <usize>at * KEY_SLOT_SIZE);
    if (!slot.credential) return null;
    if (slot.hash == wanted) {
      const index = <usize>(slot.credential - 1);
      const one = changetype<PolicyCredential>(credentials + index * POLICY_CREDENTIAL_SIZE);
      if (one.keyLength == keyBytes && equal(base + one.key, key, keyBytes)) return one;
    }
    at = (at + 1) & mask;
  }
  return null;
}

/** Tells the upstream who the client is. */
export function emitClient(base: usize, step: PolicyStep): void {
  const known = name as PolicyName;
  if (step.flags & POLICY_FLAG_HIDE) {
    pushEdit(false, EDIT_OP_REMOVE, base + known.argument, known.argumentLength, 0, 0);
  }
  const one = credential as PolicyCredential;
  pushReady(false, base + one.edits, one.editBytes, one.editCount);
}
