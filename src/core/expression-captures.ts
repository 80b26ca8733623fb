/**
 * Evaluates an expression for the shell. For captures: once more, for whoever asks, as far as path
 * and headers decide it; what is on something else counts as open, and what stands behind it is
 * looked at (kong-router reference, section 13). For conditions of plugins: over all fields.
 */
import { type AddressRange, parseRange, putAddress, startsAlike } from './address.js';
import type { Field, Node, Operator, Predicate } from './expression/syntax.js';
import { ExpressionField } from './layout.js';
import type { CompiledPattern } from './regex/compile.js';
import { binary } from './table-writer.js';

/** What a request shows to expressions. */
export interface ExpressionSource {
  /** The normalised path as a binary string. */
  readonly path: string;
  /** Values of a header as binary strings, one for each line. */
  readonly headers: (name: string) => readonly string[];
  /** Values of another field, null: nobody knows. Absent: of none. */
  readonly values?: (field: Field) => readonly Value[] | null;
}

/** A binary string, a number, or the text of an address. */
export type Value = string | bigint;

/** Runs a pattern over a binary string and keeps what its groups matched. */
export type PatternRun = (pattern: CompiledPattern, subject: string) => boolean;

/** True or false; null where something else than path and headers decides. */
export function runExpression(
  node: Node,
  source: ExpressionSource,
  run: PatternRun,
): boolean | null {
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

function runPredicate(node: Predicate, source: ExpressionSource, run: PatternRun): boolean | null {
  const values = valuesOf(node, source);
  if (values === null) return null;
  if (values.length === 0) return false;
  const holds = (value: Value) => holdsFor(node, value, run);
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

/** Null for a field that the source says nothing about. */
function valuesOf({ field }: Predicate, source: ExpressionSource): readonly Value[] | null {
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
      return source.values?.(field) ?? null;
  }
}

function holdsFor(predicate: Predicate, given: Value, run: PatternRun): boolean | null {
  const { operator, value, pattern, lower: folds } = predicate;
  if (typeof given === 'bigint') {
    return value.type === 'Int' ? compareNumbers(operator, given, value.value) : null;
  }
  if (value.type === 'IpAddr' || value.type === 'IpCidr') {
    return isInRange(given, value.text) === (operator === '==' || operator === 'in');
  }
  const text = folds ? lower(given) : given;
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

function compareNumbers(operator: Operator, a: bigint, b: bigint): boolean | null {
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    default:
      return null;
  }
}

const ranges = new Map<string, AddressRange | null>();

function isInRange(text: string, wanted: string): boolean {
  let range = ranges.get(wanted);
  if (range === undefined) {
    range = parseRange(wanted);
    ranges.set(wanted, range);
  }
  const address = new Uint8Array(16);
  return (
    range !== null &&
    putAddress(address, 0, text) &&
    startsAlike(range.address, address, range.prefixBits)
  );
}

const lower = (bytes: string): string =>
  binary(Buffer.from(bytes, 'latin1').toString('utf8').toLowerCase());
