/** Writes policies and the keys of clients into a route table. */
import { itemsPerStep, type Steps } from '../slices.js';
import {
  AddressItem,
  Edit,
  KeySlot,
  KeyTable,
  Policy,
  PolicyChange,
  PolicyCredential,
  PolicyKind,
  PolicyName,
  PolicyStep,
  PolicyWindow,
  TableHeader,
} from './layout.js';
import type { PolicyKey, PolicyStepInput, PolicyTableInput, ReadyEdit } from './policy-input.js';
import { binary, type TableWriter } from './table-writer.js';

/** Writes all of them and puts where they are into the table's header. */
export function* policySteps(writer: TableWriter, input: PolicyTableInput): Steps<void> {
  const { policies, keys } = input;
  const at = writer.allocate(policies.length * Policy.size);
  writer.set(TableHeader.policies, at);
  writer.set(TableHeader.policyCount, policies.length);
  for (const [index, { steps, accessSteps }] of policies.entries()) {
    if (index % itemsPerStep === 0) yield;
    const first = writer.allocate(steps.length * PolicyStep.size);
    writer.set(at + index * Policy.size + Policy.steps, first);
    writer.set(at + index * Policy.size + Policy.stepCount, steps.length);
    writer.set(at + index * Policy.size + Policy.accessSteps, accessSteps);
    for (const [i, step] of steps.entries()) writeStep(writer, first + i * PolicyStep.size, step);
  }
  if (keys) yield* writeKeys(writer, keys);
}

function writeStep(writer: TableWriter, at: number, step: PolicyStepInput): void {
  writer.set(at + PolicyStep.kind, PolicyKind[step.kind]);
  writer.set(at + PolicyStep.flags, step.flags);
  switch (step.kind) {
    case 'KEY_AUTH':
      return writeItems(writer, at, step.names, PolicyName.size, (place, name) => {
        writeText(writer, place + PolicyName.name, folded(name));
        writeText(writer, place + PolicyName.argument, name);
      });
    case 'RATE_LIMIT':
      return writeRateLimit(writer, at, step);
    case 'ADDRESSES':
      return writeItems(writer, at, step.ranges, AddressItem.size, (place, range) => {
        writer.copy(place + AddressItem.address, range.address);
        writer.set(place + AddressItem.prefixBits, range.prefixBits);
        writer.set(place + AddressItem.family, range.family);
      });
    case 'EDITS':
    case 'CORS': {
      const bytes = encodeEdits(step.edits);
      writer.set(at + PolicyStep.text, writer.block(bytes));
      writer.set(at + PolicyStep.textLength, bytes.length);
      return writer.set(at + PolicyStep.count, step.edits.length);
    }
    case 'REQUEST_ID':
    case 'TRIGGER':
      // The core looks for the first and shows the second.
      writer.set(at + PolicyStep.text, writer.text(folded(step.name) + step.name));
      return writer.set(at + PolicyStep.textLength, step.name.length);
    case 'TRANSFORM':
      return writeItems(writer, at, step.changes, PolicyChange.size, (place, change) => {
        writer.set(place + PolicyChange.op, change.op);
        writeText(writer, place + PolicyChange.name, change.name);
        writeText(writer, place + PolicyChange.value, change.value);
      });
  }
}

function writeRateLimit(
  writer: TableWriter,
  at: number,
  step: Extract<PolicyStepInput, { kind: 'RATE_LIMIT' }>,
): void {
  writer.set(at + PolicyStep.subject, step.subject);
  writer.set(at + PolicyStep.low, step.state.low);
  writer.set(at + PolicyStep.high, step.state.high);
  writer.set(at + PolicyStep.hashed, step.state.length);
  writeText(writer, at + PolicyStep.text, binary(step.text));
  writeItems(writer, at, step.windows, PolicyWindow.size, (place, window) => {
    writer.set(place + PolicyWindow.period, window.period);
    writer.set(place + PolicyWindow.limit, window.limit);
    writeText(writer, place + PolicyWindow.limitName, window.limitName);
    writeText(writer, place + PolicyWindow.remainingName, window.remainingName);
  });
}

function writeItems<T>(
  writer: TableWriter,
  at: number,
  items: readonly T[],
  size: number,
  write: (place: number, item: T) => void,
): void {
  const first = writer.allocate(items.length * size);
  writer.set(at + PolicyStep.items, first);
  writer.set(at + PolicyStep.itemCount, items.length);
  for (const [i, item] of items.entries()) write(first + i * size, item);
}

/** A text and, in the next word, its length. */
function writeText(writer: TableWriter, at: number, text: string): void {
  writer.set(at, writer.text(text));
  writer.set(at + 4, text.length);
}

function* writeKeys(writer: TableWriter, keys: readonly PolicyKey[]): Steps<void> {
  const table = writer.allocate(KeyTable.size);
  let slotCount = 2;
  while (slotCount < 2 * keys.length) slotCount *= 2;
  const slots = writer.allocate(slotCount * KeySlot.size);
  const records = writer.allocate(keys.length * PolicyCredential.size);
  const taken = new Uint8Array(slotCount);
  let longest = 0;
  for (const [index, one] of keys.entries()) {
    if (index % itemsPerStep === 0) yield;
    longest = Math.max(longest, one.key.length);
    writeCredential(writer, records + index * PolicyCredential.size, one);
    const hash = hashOf(one.key);
    let slot = hash & (slotCount - 1);
    while (taken[slot]) slot = (slot + 1) & (slotCount - 1);
    taken[slot] = 1;
    writer.set(slots + slot * KeySlot.size + KeySlot.hash, hash);
    writer.set(slots + slot * KeySlot.size + KeySlot.credential, index + 1);
  }
  writer.set(table + KeyTable.slots, slots);
  writer.set(table + KeyTable.slotCount, slotCount);
  writer.set(table + KeyTable.credentials, records);
  writer.set(table + KeyTable.credentialCount, keys.length);
  writer.set(table + KeyTable.longestKey, longest);
  writer.set(TableHeader.keys, table);
}

function writeCredential(writer: TableWriter, at: number, one: PolicyKey): void {
  const own = (field: number, text: string) => {
    writer.set(at + field, writer.ownText(text));
    writer.set(at + field + 4, text.length);
  };
  own(PolicyCredential.key, one.key);
  own(PolicyCredential.consumer, one.consumerId);
  own(PolicyCredential.credential, one.credentialId);
  const edits = encodeEdits(one.edits);
  writer.set(at + PolicyCredential.edits, writer.block(edits));
  writer.set(at + PolicyCredential.editBytes, edits.length);
  writer.set(at + PolicyCredential.editCount, one.edits.length);
  writer.set(at + PolicyCredential.place, one.place);
}

/** Edits as they stand in the edits region. */
export function encodeEdits(edits: readonly ReadyEdit[]): Uint8Array {
  const sizes = edits.map(({ name, value }) => (Edit.size + name.length + value.length + 3) & ~3);
  const bytes = Buffer.alloc(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const [i, { op, name, value }] of edits.entries()) {
    bytes.writeUInt32LE(op, at + Edit.op);
    bytes.writeUInt32LE(name.length, at + Edit.nameLength);
    bytes.writeUInt32LE(value.length, at + Edit.valueLength);
    bytes.latin1Write(name + value, at + Edit.size);
    at += sizes[i];
  }
  return bytes;
}

/** How header names are compared: without case, `_` as good as `-`. */
const folded = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** FNV-1a, as in assembly/bytes.ts. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
