/** Expressions for the rest of the shell: compile one, or say what is wrong with it. */
import { GatewayError } from '../../errors.js';
import type { FieldSet } from './fields.js';
import { parseExpression } from './parse.js';
import type { Node } from './syntax.js';

export interface CompiledExpression {
  /** The checked expression: what ExpressionWriter writes and reachOf reads. */
  readonly node: Node;
  /** Need bits of the request fields that it looks at. */
  readonly needs: number;
}

/**
 * Compiles an expression over the fields of requests, or of streams.
 * @throws GatewayError GW_E_CONFIG_INVALID where it is not one; `details` has `line` and `column`,
 * both from 1
 */
export function compileExpression(text: string, set: FieldSet = 'http'): CompiledExpression {
  const node = parseExpression(text, set);
  return { node, needs: needsOf(node) };
}

/** What is wrong with an expression, undefined where it compiles. */
export function expressionProblem(text: string, set: FieldSet = 'http'): string | undefined {
  try {
    parseExpression(text, set);
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
    throw error;
  }
}

function needsOf(node: Node): number {
  switch (node.kind) {
    case 'predicate':
      return node.field.need;
    case 'not':
      return needsOf(node.node);
    default:
      return node.parts.reduce((bits, part) => bits | needsOf(part), 0);
  }
}
