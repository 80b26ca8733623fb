/**
 * rate-limiting with counters of this node for requests that it lets pass. The counters are in
 * memory of the shell, which all workers share: one call asks for all windows and counts.
 */
// raw memory: scratch for numbers and an address
import { equal, putDecimal, putText } from '../bytes';
import {
  CONTROL,
  COUNTER_ASK_SIZE,
  Control,
  CounterAsk,
  EDIT_OP_SET,
  POLICY_FLAG_HIDE,
  POLICY_SUBJECT_CONSUMER,
  POLICY_SUBJECT_CREDENTIAL,
  POLICY_SUBJECT_HEADER,
  POLICY_SUBJECT_PATH,
  POLICY_SUBJECT_SERVICE,
  POLICY_WINDOW_SIZE,
  PolicyStep,
  PolicyWindow,
  REPLY,
} from '../layout';
import { putAddress } from '../proxy/address';
import { Connection } from '../proxy/connection';
import { CLIENT_ADDRESS, Exchange } from '../proxy/exchange';
import { askCounters } from '../proxy/phases';
import * as request from '../proxy/request';
import {
  beginKey,
  endKey,
  hashByte,
  hashBytes,
  hashText,
  keepState,
  keptHigh,
  keptLength,
  keptLow,
} from './counter-key';
import { findField } from './fields';
import { credential } from './key-auth';
import { pushEdit } from './sink';
import { keptSeconds, periodName, windowStart } from './windows';

const text: usize = memory.data(64);
const NAME: usize = memory.data(32);

/** Counts the request in all windows. False: it is one too many, and was not counted. */
export function count(base: usize, step: PolicyStep, c: Connection, x: Exchange): bool {
  const now = nowSeconds();
  beginKey(step.low, step.high, step.hashed);
  hashSubject(base, step, x);
  hashByte(0x3a);
  keepState();
  for (let i: u32 = 0; i < step.itemCount; i++) {
    const window = windowAt(base, step, i);
    const ask = askAt(i);
    beginKey(keptLow, keptHigh, keptLength);
    const end = putDecimal(text, windowStart(window.period, now));
    hashBytes(text, end - text);
    hashByte(0x3a);
    hashText(periodName(window.period));
    endKey(ask);
    ask.keptSeconds = keptSeconds(window.period);
    ask.limit = window.limit;
    ask.used = 0;
  }
  return askCounters(c, x, step.itemCount);
}

// @ts-ignore: decorator
@inline
function nowSeconds(): u64 {
  return <u64>(changetype<Control>(CONTROL).wallMs / 1000);
}

function windowAt(base: usize, step: PolicyStep, i: u32): PolicyWindow {
  return changetype<PolicyWindow>(base + step.items + <usize>i * POLICY_WINDOW_SIZE);
}

function askAt(i: u32): CounterAsk {
  return changetype<CounterAsk>(REPLY + <usize>i * COUNTER_ASK_SIZE);
}

/** Whose requests are counted together. */
function hashSubject(base: usize, step: PolicyStep, x: Exchange): void {
  const client = credential;
  switch (step.subject) {
    case POLICY_SUBJECT_SERVICE: return hashBytes(base + step.text, step.textLength);
    case POLICY_SUBJECT_CONSUMER:
      if (client) return hashBytes(base + client.consumer, client.consumerLength);
      break;
    case POLICY_SUBJECT_CREDENTIAL:
      if (client) return hashBytes(base + client.credential, client.credentialLength);
      break;
    case POLICY_SUBJECT_HEADER: {
      const field = findField(base + step.text, step.textLength);
      if (field && field.valueLength) return hashBytes(field.value, field.valueLength);
      break;
    }
    case POLICY_SUBJECT_PATH: {
      const q = request.query();
      const n = step.textLength;
      if (q.pathLength == n && equal(q.path, base + step.text, n)) return hashBytes(q.path, n);
      break;
    }
  }
  const end = putAddress(text, changetype<usize>(x) + CLIENT_ADDRESS);
  hashBytes(text, end - text);
}

/** Tells the client what is left. */
export function emitLimits(base: usize, step: PolicyStep): void {
  if (step.flags & POLICY_FLAG_HIDE) return;
  let tightest: u32 = 0;
  let least: u64 = u64.MAX_VALUE;
  for (let i: u32 = 0; i < step.itemCount; i++) {
    const window = windowAt(base, step, i);
    const left = remaining(askAt(i));
    pushNumber(base + window.limitName, window.limitNameLength, window.limit);
    pushNumber(base + window.remainingName, window.remainingNameLength, left);
    if (left <= least) {
      least = left;
      tightest = i;
    }
  }
  const window = windowAt(base, step, tightest);
  const now = nowSeconds();
  const passed = now - windowStart(window.period, now);
  const kept = <u64>keptSeconds(window.period);
  pushNamed('RateLimit-Limit', window.limit);
  pushNamed('RateLimit-Remaining', least);
  pushNamed('RateLimit-Reset', kept > passed + 1 ? kept - passed : 1);
}

function remaining(ask: CounterAsk): u64 {
  const left = <f64>ask.limit - ask.used - 1;
  return left > 0 ? <u64>left : 0;
}

function pushNamed(name: string, value: u64): void {
  const end = putText(NAME, name);
  pushNumber(NAME, <u32>(end - NAME), value);
}

function pushNumber(name: usize, nameLength: u32, value: u64): void {
  const end = putDecimal(text, value);
  pushEdit(true, EDIT_OP_SET, name, nameLength, text, <u32>(end - text));
}
