/** The small policies: addresses, ready edits, request ids, triggers. */
// raw memory: text of an id
import { isWord, put, putDecimal } from '../bytes';
import * as head from '../http/head';
import {
  ADDRESS_FAMILY_V4,
  ADDRESS_FAMILY_V6,
  ADDRESS_ITEM_SIZE,
  AddressItem,
  EDIT_OP_SET,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  POLICY_FLAG_COUNTED,
  POLICY_FLAG_DENY,
  POLICY_FLAG_NEEDS_ORIGIN,
  POLICY_FLAG_TO_CLIENT,
  PolicyStep,
  REQUEST_HEADERS,
} from '../layout';
import { inRange, isV4 } from '../proxy/address';
import { CLIENT_ADDRESS, Exchange, putRandom } from '../proxy/exchange';
import { findArgument, findField, found, isPlainQuery, isPrintable, queryBytes } from './fields';
import { pushEdit, pushReady } from './sink';

/** False: the client is not among those that may pass. */
export function checkAddress(base: usize, step: PolicyStep, x: Exchange): bool {
  const address = changetype<usize>(x) + CLIENT_ADDRESS;
  const family = isV4(address) ? ADDRESS_FAMILY_V4 : ADDRESS_FAMILY_V6;
  let listed = false;
  for (let i: u32 = 0; i < step.itemCount && !listed; i++) {
    const item = changetype<AddressItem>(base + step.items + <usize>i * ADDRESS_ITEM_SIZE);
    listed = item.family == family && inRange(address, changetype<usize>(item), item.prefixBits);
  }
  return listed == !(step.flags & POLICY_FLAG_DENY);
}

/** False: the header or argument is there whose absence matters. */
export function checkTrigger(base: usize, step: PolicyStep): bool {
  if (findField(base + step.text, step.textLength)) return false;
  if (!queryBytes()) return true;
  if (!isPlainQuery()) return false;
  // The argument has the name as it was configured, which follows.
  findArgument(base + step.text + step.textLength, step.textLength);
  return found == 0;
}

/** Ready edits of cors, some only for requests that name an origin. */
export function emitReady(base: usize, step: PolicyStep): void {
  if (step.flags & POLICY_FLAG_NEEDS_ORIGIN && !hasOrigin()) return;
  const toClient = (step.flags & POLICY_FLAG_TO_CLIENT) != 0;
  pushReady(toClient, base + step.text, step.textLength, step.count);
}

function hasOrigin(): bool {
  for (let i: u32 = 0; i < head.headerCount; i++) {
    const entry = changetype<HeaderEntry>(REQUEST_HEADERS + <usize>i * HEADER_ENTRY_SIZE);
    if (!(entry.flags & 1) && isWord(entry.name, entry.nameLength, 'origin')) return true;
  }
  return false;
}

/** 36 characters of a UUID (RFC 9562 5.4), `#`, up to 20 digits. */
const id: usize = memory.data(64);
const ID_BYTES: usize = 36;
/** What counted ids have in common, made when the first is needed. */
const own: usize = memory.data(40);
const scratch: usize = memory.data(32);
let hasOwn = false;
let counter: u64 = 0;
/** So much of an id that the client gave is shown to it again. */
const ECHO_MAX: u32 = 1024;

/** False: an id that is given cannot be shown as it is. */
export function checkGivenId(base: usize, step: PolicyStep): bool {
  if (!(step.flags & POLICY_FLAG_TO_CLIENT)) return true;
  const given = findField(base + step.text, step.textLength);
  if (!given) return true;
  return given.valueLength <= <u16>ECHO_MAX && isPrintable(given.value, given.valueLength);
}

/** Gives the request an id where it has none. The name as configured follows the folded one. */
export function emitId(base: usize, step: PolicyStep): void {
  const shown = base + step.text + step.textLength;
  const given = findField(base + step.text, step.textLength);
  let from: usize = id;
  let n: u32 = 0;
  if (given && given.valueLength) {
    from = given.value;
    n = given.valueLength;
  } else {
    n = makeId((step.flags & POLICY_FLAG_COUNTED) != 0);
    pushEdit(false, EDIT_OP_SET, shown, step.textLength, from, n);
  }
  if (step.flags & POLICY_FLAG_TO_CLIENT) {
    pushEdit(true, EDIT_OP_SET, shown, step.textLength, from, n);
  }
}

function makeId(counted: bool): u32 {
  if (!counted) {
    putUuid(id);
    return <u32>ID_BYTES;
  }
  if (!hasOwn) putUuid(own);
  hasOwn = true;
  put(id, own, ID_BYTES);
  store<u8>(id + ID_BYTES, 0x23);
  return <u32>(putDecimal(id + ID_BYTES + 1, ++counter) - id);
}

/** A random UUID of version 4. */
function putUuid(d: usize): void {
  putRandom(scratch);
  putRandom(scratch + 16);
  store<u8>(scratch + 12, 0x34);
  const variant = load<u8>(scratch + 16) & 3;
  store<u8>(scratch + 16, variant < 2 ? 0x38 + variant : 0x61 + variant - 2);
  d = put(d, scratch, 8);
  for (let i: usize = 8; i <= 20; i += 4) {
    store<u8>(d, 0x2d);
    d = put(d + 1, scratch + i, i == 20 ? 12 : 4);
  }
}
