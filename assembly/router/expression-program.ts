/** Proves that the steps of an expression end, and that what they compare lies in the table. */
import {
  EXPRESSION_FIELD_DESTINATION_IP,
  EXPRESSION_FIELD_DESTINATION_PORT,
  EXPRESSION_FIELD_PROTOCOL,
  EXPRESSION_FIELD_SEGMENTS,
  EXPRESSION_FIELD_SEGMENT_COUNT,
  EXPRESSION_FIELD_SOURCE_IP,
  EXPRESSION_FIELD_SOURCE_PORT,
  EXPRESSION_OP_EQUAL,
  EXPRESSION_OP_NOT_IN,
  EXPRESSION_OP_REGEX,
  EXPRESSION_OP_SAVE,
  EXPRESSION_STEP_SIZE,
  ExpressionStep,
  LIMIT_EXPRESSION_DEPTH,
} from '../layout';
import { isProgram } from './program';

const ADDRESS_BYTES: u32 = 16;

/** True where the n bytes at an offset of a table of `bytes` are steps that keep inside of it. */
export function isExpression(base: usize, bytes: u64, offset: u32, n: u32): bool {
  const count = n / <u32>EXPRESSION_STEP_SIZE;
  if (offset & 3 || count == 0 || count * <u32>EXPRESSION_STEP_SIZE != n) return false;
  for (let i: u32 = 0; i < count; i++) {
    const at = base + offset + <usize>i * EXPRESSION_STEP_SIZE;
    const step = changetype<ExpressionStep>(at);
    if (!leadsForward(step.onTrue, i, count) || !leadsForward(step.onFalse, i, count)) return false;
    if (!isStep(base, bytes, step)) return false;
  }
  return true;
}

function leadsForward(next: u32, index: u32, count: u32): bool {
  return next > index && next <= count + 1;
}

function isStep(base: usize, bytes: u64, step: ExpressionStep): bool {
  if (step.op < EXPRESSION_OP_SAVE || step.op > EXPRESSION_OP_NOT_IN) return false;
  if (step.op < EXPRESSION_OP_EQUAL) return step.value <= LIMIT_EXPRESSION_DEPTH;
  switch (step.field) {
    case EXPRESSION_FIELD_SEGMENT_COUNT:
    case EXPRESSION_FIELD_SOURCE_PORT:
    case EXPRESSION_FIELD_DESTINATION_PORT:
      return true;
    case EXPRESSION_FIELD_SOURCE_IP:
    case EXPRESSION_FIELD_DESTINATION_IP:
      return step.length <= 128 && spans(bytes, step.value, ADDRESS_BYTES);
    case EXPRESSION_FIELD_SEGMENTS:
      return step.name <= step.nameLength && isText(base, bytes, step);
    default:
      if (step.field < EXPRESSION_FIELD_PROTOCOL) return false;
      if (step.field > EXPRESSION_FIELD_DESTINATION_PORT) return false;
      return spans(bytes, step.name, step.nameLength) && isText(base, bytes, step);
  }
}

function isText(base: usize, bytes: u64, step: ExpressionStep): bool {
  if (!spans(bytes, step.value, step.length)) return false;
  return step.op != EXPRESSION_OP_REGEX || isProgram(base + step.value, step.length);
}

function spans(bytes: u64, offset: u32, length: u32): bool {
  return <u64>offset + <u64>length <= bytes;
}
