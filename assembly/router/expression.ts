/** Runs the expression of a route over one request; src/codegen/expression.ts draws the steps. */
// raw memory: the prefixes that SAVE keeps
import {
  EXPRESSION_FIELD_DESTINATION_IP,
  EXPRESSION_FIELD_DESTINATION_PORT,
  EXPRESSION_FIELD_HEADER,
  EXPRESSION_FIELD_HOST,
  EXPRESSION_FIELD_METHOD,
  EXPRESSION_FIELD_PATH,
  EXPRESSION_FIELD_PROTOCOL,
  EXPRESSION_FIELD_QUERY,
  EXPRESSION_FIELD_SEGMENTS,
  EXPRESSION_FIELD_SEGMENT_COUNT,
  EXPRESSION_FIELD_SNI,
  EXPRESSION_FIELD_SOURCE_IP,
  EXPRESSION_FIELD_SOURCE_PORT,
  EXPRESSION_FLAG_ANY,
  EXPRESSION_FLAG_IPV6,
  EXPRESSION_FLAG_RECORD,
  EXPRESSION_OP_EQUAL,
  EXPRESSION_OP_GREATER,
  EXPRESSION_OP_GREATER_EQUAL,
  EXPRESSION_OP_IN,
  EXPRESSION_OP_LESS,
  EXPRESSION_OP_LESS_EQUAL,
  EXPRESSION_OP_NOT_EQUAL,
  EXPRESSION_OP_NOT_IN,
  EXPRESSION_OP_SAVE,
  EXPRESSION_STEP_SIZE,
  ExpressionStep,
  HEADER_ENTRY_SIZE,
  HeaderEntry,
  LIMIT_EXPRESSION_DEPTH,
  PROTOCOL_GRPCS,
  PROTOCOL_HTTPS,
  ROUTE_QUERY_CLIENT_ADDRESS,
  ROUTE_QUERY_LOCAL_ADDRESS,
  RouteQuery,
} from '../layout';
import { inRange, isV4 } from '../proxy/address';
import { isFoldedName } from './checks';
import {
  argumentName,
  argumentNameLength,
  argumentValue,
  argumentValueLength,
  nextArgument,
  openArguments,
} from './arguments';
import { equal } from '../bytes';
import { hostBytes } from './host';
import { segment, segmentCount, segmentsFrom } from './segments';
import { matchedLength, textHolds } from './text-predicate';

/** Bytes of the path that the expression matched; -1: it matched nothing of it. */
export let expressionPrefix: i32 = -1;

/** Prefixes of alternatives that are tried, one per level of nesting. */
const SAVED: usize = memory.data(512);

const HTTP: usize = memory.data<u8>([0x68, 0x74, 0x74, 0x70, 0x73]);

/** True where the expression with `count` steps at `steps` accepts the request. */
export function expressionHolds(base: usize, steps: usize, count: u32, query: RouteQuery): bool {
  assert(LIMIT_EXPRESSION_DEPTH < 128);
  expressionPrefix = -1;
  let next: u32 = 0;
  while (next < count) {
    const step = changetype<ExpressionStep>(steps + <usize>next * EXPRESSION_STEP_SIZE);
    if (step.op < EXPRESSION_OP_EQUAL) {
      const place = SAVED + (<usize>step.value << 2);
      if (step.op == EXPRESSION_OP_SAVE) store<i32>(place, expressionPrefix);
      else expressionPrefix = load<i32>(place);
      next = step.onTrue;
    } else next = holds(base, step, query) ? step.onTrue : step.onFalse;
  }
  return next == count + 1;
}

/** A field without a value makes every predicate false. */
function holds(base: usize, step: ExpressionStep, query: RouteQuery): bool {
  switch (step.field) {
    case EXPRESSION_FIELD_PATH:
      if (!textHolds(base, step, query.path, query.pathLength)) return false;
      if (step.flags & EXPRESSION_FLAG_RECORD) expressionPrefix = <i32>matchedLength(step);
      return true;
    case EXPRESSION_FIELD_HOST: {
      const n = hostBytes(query);
      return n != 0 && textHolds(base, step, query.host, n);
    }
    case EXPRESSION_FIELD_METHOD:
      return textHolds(base, step, query.method, query.methodLength);
    case EXPRESSION_FIELD_PROTOCOL: {
      const secure = (query.protocol & (PROTOCOL_HTTPS | PROTOCOL_GRPCS)) != 0;
      return textHolds(base, step, HTTP, secure ? 5 : 4);
    }
    case EXPRESSION_FIELD_SNI:
      return query.sniLength != 0 && textHolds(base, step, query.sni, query.sniLength);
    case EXPRESSION_FIELD_HEADER:
      return headersHold(base, step, query);
    case EXPRESSION_FIELD_QUERY:
      return argumentsHold(base, step, query);
    case EXPRESSION_FIELD_SEGMENTS: {
      const n = segment(query.path, query.pathLength, step.name, step.nameLength);
      return n >= 0 && textHolds(base, step, segmentsFrom, <usize>n);
    }
    case EXPRESSION_FIELD_SEGMENT_COUNT:
      return numberHolds(step, segmentCount(query.path, query.pathLength));
    case EXPRESSION_FIELD_SOURCE_PORT:
      return numberHolds(step, query.peerPort);
    case EXPRESSION_FIELD_DESTINATION_PORT:
      return numberHolds(step, query.hostPort);
    case EXPRESSION_FIELD_SOURCE_IP:
      return addressHolds(base, step, changetype<usize>(query) + ROUTE_QUERY_CLIENT_ADDRESS);
    case EXPRESSION_FIELD_DESTINATION_IP:
      return addressHolds(base, step, changetype<usize>(query) + ROUTE_QUERY_LOCAL_ADDRESS);
    default:
      return false;
  }
}

/** With any() one value is enough, without it all must do. */
function headersHold(base: usize, step: ExpressionStep, query: RouteQuery): bool {
  const any = (step.flags & EXPRESSION_FLAG_ANY) != 0;
  let seen = false;
  let at = <usize>query.headers;
  const end = at + <usize>query.headerCount * HEADER_ENTRY_SIZE;
  for (; at < end; at += HEADER_ENTRY_SIZE) {
    const entry = changetype<HeaderEntry>(at);
    if (<u32>entry.nameLength != step.nameLength) continue;
    if (!isFoldedName(base + step.name, entry.name, step.nameLength)) continue;
    seen = true;
    if (textHolds(base, step, entry.value, entry.valueLength) == any) return any;
  }
  return seen && !any;
}

function argumentsHold(base: usize, step: ExpressionStep, query: RouteQuery): bool {
  const any = (step.flags & EXPRESSION_FLAG_ANY) != 0;
  let seen = false;
  openArguments(query.target, query.targetLength);
  while (nextArgument()) {
    if (argumentNameLength != step.nameLength) continue;
    if (!equal(argumentName, base + step.name, step.nameLength)) continue;
    seen = true;
    if (textHolds(base, step, argumentValue, argumentValueLength) == any) return any;
  }
  return seen && !any;
}

function numberHolds(step: ExpressionStep, number: u32): bool {
  const wanted = <i32>step.value;
  const found = <i32>number;
  switch (step.op) {
    case EXPRESSION_OP_EQUAL:
      return found == wanted;
    case EXPRESSION_OP_NOT_EQUAL:
      return found != wanted;
    case EXPRESSION_OP_LESS:
      return found < wanted;
    case EXPRESSION_OP_LESS_EQUAL:
      return found <= wanted;
    case EXPRESSION_OP_GREATER:
      return found > wanted;
    case EXPRESSION_OP_GREATER_EQUAL:
      return found >= wanted;
    default:
      return false;
  }
}

/** Families never match each other, not even by ::/0. */
function addressHolds(base: usize, step: ExpressionStep, address: usize): bool {
  const sameFamily = isV4(address) == !(step.flags & EXPRESSION_FLAG_IPV6);
  const inside = sameFamily && inRange(address, base + step.value, step.length);
  switch (step.op) {
    case EXPRESSION_OP_EQUAL:
    case EXPRESSION_OP_IN:
      return inside;
    case EXPRESSION_OP_NOT_EQUAL:
    case EXPRESSION_OP_NOT_IN:
      return !inside;
    default:
      return false;
  }
}
