/** Proves that the policies of a staged table cannot lead outside of it; see router/validate.ts. */
import {
  ADDRESS_ITEM_SIZE,
  AddressItem,
  KEY_SLOT_SIZE,
  KEY_TABLE_SIZE,
  KeySlot,
  KeyTable,
  POLICY_CHANGE_SIZE,
  POLICY_CREDENTIAL_SIZE,
  POLICY_KIND_ADDRESSES,
  POLICY_KIND_KEY_AUTH,
  POLICY_KIND_RATE_LIMIT,
  POLICY_KIND_TRANSFORM,
  POLICY_KIND_REQUEST_ID,
  POLICY_KIND_TRIGGER,
  POLICY_NAME_SIZE,
  POLICY_SIZE,
  POLICY_STEP_SIZE,
  POLICY_WINDOW_SIZE,
  Policy,
  PolicyChange,
  PolicyCredential,
  PolicyName,
  PolicyStep,
  PolicyWindow,
  PERIOD_YEAR,
  TableHeader,
} from '../layout';

/** More steps, or items of one, than any policy has. */
const MOST: u32 = 65536;

/** True where every offset of the policies and of their keys stays inside. */
export function policiesFit(base: usize, header: TableHeader): bool {
  const bytes: u64 = header.bytes;
  if (!fits(bytes, header.policies, header.policyCount, POLICY_SIZE)) return false;
  if (header.keys && !keysFit(base, bytes, header.keys)) return false;
  for (let i: u32 = 0; i < header.policyCount; i++) {
    const policy = changetype<Policy>(base + header.policies + <usize>i * POLICY_SIZE);
    if (!fits(bytes, policy.steps, policy.stepCount, POLICY_STEP_SIZE)) return false;
    for (let s: u32 = 0; s < policy.stepCount; s++) {
      const step = changetype<PolicyStep>(base + policy.steps + <usize>s * POLICY_STEP_SIZE);
      if (!stepFits(base, bytes, step, header.keys != 0)) return false;
    }
  }
  return true;
}

function stepFits(base: usize, bytes: u64, step: PolicyStep, hasKeys: bool): bool {
  // Names stand there twice: folded, and as they were configured.
  const twice = step.kind == POLICY_KIND_TRIGGER || step.kind == POLICY_KIND_REQUEST_ID;
  if (step.textLength > MOST || step.itemCount > MOST) return false;
  if (!spans(bytes, step.text, twice ? 2 * step.textLength : step.textLength)) return false;
  const items = base + step.items;
  const count = step.itemCount;
  switch (step.kind) {
    case POLICY_KIND_KEY_AUTH:
      if (!hasKeys || !fits(bytes, step.items, count, POLICY_NAME_SIZE)) return false;
      return names(bytes, items, count);
    case POLICY_KIND_RATE_LIMIT:
      return fits(bytes, step.items, count, POLICY_WINDOW_SIZE) && windows(bytes, items, count);
    case POLICY_KIND_ADDRESSES:
      return fits(bytes, step.items, count, ADDRESS_ITEM_SIZE) && addresses(items, count);
    case POLICY_KIND_TRANSFORM:
      return fits(bytes, step.items, count, POLICY_CHANGE_SIZE) && changes(bytes, items, count);
  }
  return true;
}

function names(bytes: u64, items: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const one = changetype<PolicyName>(items + <usize>i * POLICY_NAME_SIZE);
    if (!spans(bytes, one.name, one.nameLength)) return false;
    if (!spans(bytes, one.argument, one.argumentLength)) return false;
  }
  return true;
}

function windows(bytes: u64, items: usize, count: u32): bool {
  if (count > PERIOD_YEAR + 1) return false;
  for (let i: u32 = 0; i < count; i++) {
    const one = changetype<PolicyWindow>(items + <usize>i * POLICY_WINDOW_SIZE);
    if (one.period > PERIOD_YEAR) return false;
    if (!spans(bytes, one.limitName, one.limitNameLength)) return false;
    if (!spans(bytes, one.remainingName, one.remainingNameLength)) return false;
  }
  return true;
}

function addresses(items: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const one = changetype<AddressItem>(items + <usize>i * ADDRESS_ITEM_SIZE);
    if (one.prefixBits > 128) return false;
  }
  return true;
}

function changes(bytes: u64, items: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const one = changetype<PolicyChange>(items + <usize>i * POLICY_CHANGE_SIZE);
    if (!spans(bytes, one.name, one.nameLength)) return false;
    if (!spans(bytes, one.value, one.valueLength)) return false;
  }
  return true;
}

function keysFit(base: usize, bytes: u64, keys: u32): bool {
  if (!fits(bytes, keys, 1, KEY_TABLE_SIZE)) return false;
  const table = changetype<KeyTable>(base + keys);
  const count = table.slotCount;
  if (!count || (count & (count - 1)) != 0) return false;
  if (!fits(bytes, table.slots, count, KEY_SLOT_SIZE)) return false;
  if (!fits(bytes, table.credentials, table.credentialCount, POLICY_CREDENTIAL_SIZE)) return false;
  for (let i: u32 = 0; i < count; i++) {
    const slot = changetype<KeySlot>(base + table.slots + <usize>i * KEY_SLOT_SIZE);
    if (slot.credential > table.credentialCount) return false;
  }
  for (let i: u32 = 0; i < table.credentialCount; i++) {
    const at = base + table.credentials + <usize>i * POLICY_CREDENTIAL_SIZE;
    const one = changetype<PolicyCredential>(at);
    if (!spans(bytes, one.key, one.keyLength)) return false;
    if (one.editBytes > MOST || !spans(bytes, one.edits, one.editBytes)) return false;
    if (!spans(bytes, one.consumer, one.consumerLength)) return false;
    if (!spans(bytes, one.credential, one.credentialLength)) return false;
  }
  return true;
}

/** True where count records of size bytes at a 4-byte aligned offset end inside the table. */
function fits(bytes: u64, offset: u32, count: u32, size: usize): bool {
  return (offset & 3) == 0 && <u64>offset + <u64>count * <u64>size <= bytes;
}

/** True where a span of bytes ends inside the table. */
function spans(bytes: u64, offset: u32, length: u32): bool {
  return <u64>offset + <u64>length <= bytes;
}
