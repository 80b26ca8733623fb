/** Values of templates, and what can be done with them, as Lua does it. */
import { GatewayError } from '../../../errors.js';

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return textOf(value[0]);
  if (value === null || value === undefined) return '';
  throw new GatewayError('GW_E_PLUGIN_FAILED', 'a template gave a table where text is needed');
}

export const functions: Readonly<Record<string, (...values: unknown[]) => unknown>> = {
  type: (value) => luaType(value),
  tostring: (value) => (value === null || value === undefined ? 'nil' : textOf(value)),
  tonumber: (value) => (Number.isNaN(Number(textOf(value))) ? null : Number(textOf(value))),
  'string.lower': (value) => textOf(value).toLowerCase(),
  'string.upper': (value) => textOf(value).toUpperCase(),
  'string.len': (value) => Buffer.byteLength(textOf(value)),
  'string.reverse': (value) => [...textOf(value)].reverse().join(''),
  'string.sub': (value, from, to) => luaSub(textOf(value), Number(from), to as number | undefined),
};

function luaSub(text: string, from: number, to = -1): string {
  const start = from < 0 ? Math.max(0, text.length + from) : Math.max(0, from - 1);
  return text.slice(start, to < 0 ? text.length + to + 1 : to);
}

export type Operators = Readonly<Record<string, (left: unknown, right: unknown) => unknown>>;

export const comparisons: Operators = {
  '==': (left, right) => (left ?? null) === (right ?? null),
  '~=': (left, right) => (left ?? null) !== (right ?? null),
  '<=': (left, right) => compare(left, right) <= 0,
  '>=': (left, right) => compare(left, right) >= 0,
  '<': (left, right) => compare(left, right) < 0,
  '>': (left, right) => compare(left, right) > 0,
};
export const sums: Operators = {
  '+': (left, right) => numberOf(left) + numberOf(right),
  '-': (left, right) => numberOf(left) - numberOf(right),
};
export const products: Operators = {
  '*': (left, right) => numberOf(left) * numberOf(right),
  '/': (left, right) => numberOf(left) / numberOf(right),
  '%': (left, right) => {
    const [a, b] = [numberOf(left), numberOf(right)];
    return a - Math.floor(a / b) * b;
  },
};

/** Numbers with numbers, texts with texts. */
function compare(left: unknown, right: unknown): number {
  const alike = typeof left === typeof right && ['number', 'string'].includes(typeof left);
  if (!alike) throw new GatewayError('GW_E_PLUGIN_FAILED', 'a template compares different types');
  if (left === right) return 0;
  return (left as string) < (right as string) ? -1 : 1;
}

export function numberOf(value: unknown): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && !Number.isNaN(number)) return number;
  throw new GatewayError('GW_E_PLUGIN_FAILED', 'a template calculates with what is no number');
}

export function lengthOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return typeof value === 'object' ? 0 : Buffer.byteLength(textOf(value));
}

function luaType(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  return typeof value === 'object' ? 'table' : typeof value;
}

export const isTrue = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== false;

/** Only own members of plain values: nothing of a prototype. */
export function member(value: unknown, key: string | number): unknown {
  if (value === null || value === undefined) {
    throw new GatewayError('GW_E_PLUGIN_FAILED', `a template looks for '${key}' in nil`);
  }
  if (typeof value !== 'object') return null;
  if (Array.isArray(value) && typeof key === 'number') return value[key - 1] ?? null;
  return Object.hasOwn(value, String(key)) ? (value as Record<string, unknown>)[key] : null;
}
