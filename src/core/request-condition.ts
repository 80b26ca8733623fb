/**
 * Conditions on requests: expressions of the router's language, compiled with the configuration and
 * evaluated where a plugin has one.
 */
import { GatewayError } from '../errors.js';
import { compileExpression } from './expression/index.js';
import type { Field, Node } from './expression/syntax.js';
import { type ExpressionSource, runExpression, type Value } from './expression-captures.js';
import type { Core } from './instance.js';
import { ExpressionField } from './layout.js';
import { runPattern } from './route-captures.js';
import { binary } from './table-writer.js';

export interface Condition {
  readonly node: Node;
}

/** What is asked of a request. Texts that are not addresses are binary strings. */
export interface ConditionSource {
  readonly path: string;
  readonly method: string;
  readonly host: string;
  readonly scheme: string;
  readonly clientIp: string;
  readonly clientPort: number;
  readonly localPort: number;
  headers(name: string): readonly string[];
  /** Values of a query argument; empty text where it has none. */
  queries(name: string): readonly string[];
}

/**
 * Compiles a condition.
 * @throws GatewayError GW_E_CONFIG_INVALID where it is no expression, or asks for what is not known
 * of a request here
 */
export function compileCondition(text: string): Condition {
  const { node } = compileExpression(text);
  checkFields(node);
  return { node };
}

/** Whether it holds for a request. */
export function holds(core: Core, { node }: Condition, source: ConditionSource): boolean {
  const fields: ExpressionSource = {
    path: source.path,
    headers: (name) => source.headers(name),
    values: (field) => valuesOf(field, source),
  };
  return (
    runExpression(node, fields, (pattern, subject) => {
      return runPattern(core, pattern, subject, Object.create(null));
    }) === true
  );
}

function valuesOf(field: Field, source: ConditionSource): readonly Value[] | null {
  switch (field.code) {
    case ExpressionField.METHOD:
      return [source.method];
    case ExpressionField.HOST:
      return [binary(source.host)];
    case ExpressionField.PROTOCOL:
      return [source.scheme];
    case ExpressionField.QUERY:
      return source.queries(field.name).map(binary);
    case ExpressionField.SEGMENT_COUNT:
      return [BigInt(source.path.replace(/\/+$/, '').split('/').length - 1)];
    case ExpressionField.SOURCE_IP:
      return [source.clientIp];
    case ExpressionField.SOURCE_PORT:
      return [BigInt(source.clientPort)];
    case ExpressionField.DESTINATION_PORT:
      return [BigInt(source.localPort)];
    default:
      return null;
  }
}

const unknown: readonly number[] = [ExpressionField.SNI, ExpressionField.DESTINATION_IP];

function checkFields(node: Node): void {
  if (node.kind === 'not') return checkFields(node.node);
  if (node.kind !== 'predicate') return node.parts.forEach(checkFields);
  if (!unknown.includes(node.field.code)) return;
  const message = 'tls.sni and net.dst.ip cannot be used in conditions';
  throw new GatewayError('GW_E_CONFIG_INVALID', message);
}
