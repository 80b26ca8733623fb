/**
 * What the patterns of an expression matched: the expression is evaluated once more, for whoever
 * asks, as far as path and headers decide it. A condition on something else counts as open, and
 * what stands behind it is looked at (kong-router reference, section 13).
 */
import type { Node, Predicate } from './expression/syntax.js';
import { ExpressionField } from './layout.js';
import type { CompiledPattern } from './regex/compile.js';
import type { CaptureSource } from './route-captures.js';
import { binary } from './table-writer.js';

/** Runs a pattern over a binary string and keeps what its groups matched. */
export type PatternRun = (pattern: CompiledPattern, subject: string) => boolean;

/** True or false; null where something else than path and headers decides. */
export function runExpression(node: Node, source: CaptureSource, run: PatternRun): boolean | null {
  switch (node.kind) {
    case 'predicate':
      return runPredicate(node, source, run);
    case 'not': {
      const value = runExpression(node.node, source, run);
      return value === null ? null : !value;
    }
    default: {
      // `and` ends at the first part that is false, `or` at the first that is true
      const last = node.kind === 'or';
      let isOpen = false;
      for (const part of node.parts) {
        const value = runExpression(part, source, run);
        if (value === last) return last;
        isOpen ||= value === null;
      }
      return isOpen ? null : !last;
    }
  }
}

function runPredicate(node: Predicate, source: CaptureSource, run: PatternRun): boolean | null {
  const values = valuesOf(node, source);
  if (values === null) return null;
  if (values.length === 0) return false;
  const holds = (value: string) => holdsFor(node, node.lower ? lower(value) : value, run);
  if (node.any) {
    for (const value of values) {
      const held = holds(value);
      if (held !== false) return held;
    }
    return false;
  }
  for (const value of values) {
    const held = holds(value);
    if (held !== true) return held;
  }
  return true;
}

/** Binary strings; null for a field that is not of path or headers. */
function valuesOf({ field }: Predicate, source: CaptureSource): readonly string[] | null {
  switch (field.code) {
    case ExpressionField.PATH:
      return [source.path];
    case ExpressionField.HEADER:
      return source.headers(field.name);
    case ExpressionField.SEGMENTS: {
      const parts = source.path.replace(/\/+$/, '').split('/').slice(1);
      return field.last < parts.length ? [parts.slice(field.first, field.last + 1).join('/')] : [];
    }
    default:
      return null;
  }
}

function holdsFor({ operator, value, pattern }: Predicate, text: string, run: PatternRun) {
  if (pattern) return run(pattern, text);
  if (value.type !== 'String') return null;
  const wanted = binary(value.text);
  switch (operator) {
    case '==':
      return text === wanted;
    case '!=':
      return text !== wanted;
    case '^=':
      return text.startsWith(wanted);
    case '=^':
      return text.endsWith(wanted);
    case 'contains':
      return text.includes(wanted);
    default:
      return null;
  }
}

const lower = (bytes: string): string =>
  binary(Buffer.from(bytes, 'latin1').toString('utf8').toLowerCase());
