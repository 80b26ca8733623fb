/** One text of a request against the literal of a predicate. */
// raw memory: the first byte of a text to find
import { equal, findByte } from '../bytes';
import {
  EXPRESSION_FLAG_LOWER,
  EXPRESSION_OP_CONTAINS,
  EXPRESSION_OP_ENDS_WITH,
  EXPRESSION_OP_EQUAL,
  EXPRESSION_OP_NOT_EQUAL,
  EXPRESSION_OP_REGEX,
  EXPRESSION_OP_STARTS_WITH,
  ExpressionStep,
} from '../layout';
import { LOWERED, lowerText } from './lowered';
import { matchEnd, matchStart, search } from './regex';
import { isUtf8 } from './utf8';

/** True where the n bytes at p satisfy the step. */
export function textHolds(base: usize, step: ExpressionStep, p: usize, n: usize): bool {
  if (step.flags & EXPRESSION_FLAG_LOWER) {
    n = lowerText(p, n);
    p = LOWERED;
  }
  const wanted = base + step.value;
  const length = <usize>step.length;
  switch (step.op) {
    case EXPRESSION_OP_EQUAL:
      return n == length && equal(p, wanted, n);
    case EXPRESSION_OP_NOT_EQUAL:
      return n != length || !equal(p, wanted, n);
    case EXPRESSION_OP_STARTS_WITH:
      return length <= n && equal(p, wanted, length);
    case EXPRESSION_OP_ENDS_WITH:
      return length <= n && equal(p + n - length, wanted, length);
    case EXPRESSION_OP_CONTAINS:
      return contains(p, n, wanted, length);
    case EXPRESSION_OP_REGEX:
      return isUtf8(p, n) && search(wanted, p, n, false);
    default:
      return false;
  }
}

/** Bytes that the step matched, right after textHolds said so. */
export function matchedLength(step: ExpressionStep): u32 {
  return step.op == EXPRESSION_OP_REGEX ? matchEnd() - matchStart() : step.length;
}

function contains(p: usize, n: usize, wanted: usize, length: usize): bool {
  if (length > n) return false;
  if (length == 0) return true;
  const first = load<u8>(wanted);
  const last = p + n - length + 1;
  while (p < last) {
    p = findByte(p, last, first);
    if (p < last && equal(p, wanted, length)) return true;
    p++;
  }
  return false;
}
