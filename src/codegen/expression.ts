/**
 * Expressions inside a route table. The checks of a route may end with one of kind EXPRESSION; its
 * item leads to the steps:
 *
 *   ExpressionStep[0] --onTrue--> ExpressionStep[i] --onTrue--> stepCount + 1: it holds
 *          |                              |
 *          +--------onFalse------> ...    +--onFalse--> stepCount: it does not
 *
 * Jumps go forward only, so every run ends.
 */
import type { Field } from './layout.js';

export const expressionCodes = {
  /** What a step does: SAVE and RESTORE keep the matched prefix over a branch that fails. */
  expressionOp: {
    SAVE: 1,
    RESTORE: 2,
    EQUAL: 3,
    NOT_EQUAL: 4,
    STARTS_WITH: 5,
    ENDS_WITH: 6,
    CONTAINS: 7,
    REGEX: 8,
    LESS: 9,
    LESS_EQUAL: 10,
    GREATER: 11,
    GREATER_EQUAL: 12,
    IN: 13,
    NOT_IN: 14,
  },
  expressionField: {
    PROTOCOL: 1,
    SNI: 2,
    METHOD: 3,
    HOST: 4,
    PATH: 5,
    SEGMENTS: 6,
    SEGMENT_COUNT: 7,
    HEADER: 8,
    QUERY: 9,
    SOURCE_IP: 10,
    SOURCE_PORT: 11,
    DESTINATION_IP: 12,
    DESTINATION_PORT: 13,
  },
  /** ANY: one value is enough. RECORD: a true step leaves the prefix. IPV6: of the literal. */
  expressionFlag: { ANY: 1, LOWER: 2, RECORD: 4, IPV6: 8 },
} as const;

export const expressionStructs = {
  ExpressionStep: [
    ['u32', 'op', 'expressionOp code'],
    ['u32', 'field', 'expressionField code'],
    ['u32', 'flags', 'expressionFlag bits'],
    ['u32', 'name', 'offset of the header or argument name; first segment'],
    ['u32', 'nameLength', 'bytes; last segment'],
    ['u32', 'value', 'offset of text, pattern or 16 address bytes; number; place of SAVE'],
    ['u32', 'length', 'bytes; prefix bits of an address'],
    ['u32', 'onTrue', 'step'],
    ['u32', 'onFalse', 'step'],
  ],
} as const satisfies Record<string, readonly Field[]>;
