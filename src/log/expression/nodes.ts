/** The nodes of a compiled record expression; each is a function of the record. */
import type { LogEntry } from '../../plugin/log-types.js';
import { bounded, toText } from './functions.js';

export type Node = (record: LogEntry) => unknown;

/** One property or element of a value; null where there is none. */
export function member(of: Node, name: Node): Node {
  return (record) => {
    const value = of(record);
    const key = name(record);
    if (typeof value !== 'object' || value === null) return null;
    if (Array.isArray(value)) return typeof key === 'number' ? (value[key] ?? null) : null;
    if (typeof key !== 'string' || !Object.hasOwn(value, key)) return null;
    return (value as Readonly<Record<string, unknown>>)[key] ?? null;
  };
}

export function binary(operator: string, left: Node, right: Node): Node {
  switch (operator) {
    case '??':
      return (record) => left(record) ?? right(record);
    case '||':
      return (record) => isTrue(left(record)) || isTrue(right(record));
    case '&&':
      return (record) => isTrue(left(record)) && isTrue(right(record));
    case '==':
      return (record) => left(record) === right(record);
    case '!=':
      return (record) => left(record) !== right(record);
    case '+':
      return (record) => sum(left(record), right(record));
    case '<':
    case '<=':
    case '>':
    case '>=':
      return (record) => ordered(operator, left(record), right(record));
    default:
      return (record) => arithmetic(operator, left(record), right(record));
  }
}

/** As in Lua, only null and false are false. */
export function isTrue(value: unknown): boolean {
  return value !== null && value !== undefined && value !== false;
}

function sum(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return finite(a + b);
  const [left, right] = [toText(a), toText(b)];
  return left === null || right === null ? null : bounded(left + right);
}

function ordered(operator: string, a: unknown, b: unknown): boolean | null {
  const comparable =
    (typeof a === 'number' && typeof b === 'number') ||
    (typeof a === 'string' && typeof b === 'string');
  if (!comparable) return null;
  const [left, right] = [a, b] as [number, number];
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}

function arithmetic(operator: string, a: unknown, b: unknown): number | null {
  if (typeof a !== 'number' || typeof b !== 'number') return null;
  if (operator === '-') return finite(a - b);
  if (operator === '*') return finite(a * b);
  return finite(operator === '/' ? a / b : a % b);
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
