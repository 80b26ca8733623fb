/** The functions of record expressions. All are total: a wrong type gives null, never a throw. */
import { limits } from '../../limits.js';

const textMax = limits.expressionResultBytes.value;

export interface ExpressionFunction {
  /** Number of arguments, from and to. */
  readonly arity: readonly [number, number];
  readonly call: (args: readonly unknown[]) => unknown;
}

const of = (
  from: number,
  to: number,
  call: (args: readonly unknown[]) => unknown,
): ExpressionFunction => ({ arity: [from, to], call });

/** A function of texts: null where one of its arguments is none. */
const texts = (count: number, call: (...args: string[]) => unknown): ExpressionFunction =>
  of(count, count, (args) => {
    return args.every((arg) => typeof arg === 'string') ? call(...(args as string[])) : null;
  });

export const functions: Readonly<Record<string, ExpressionFunction>> = {
  lower: texts(1, (text) => text.toLowerCase()),
  upper: texts(1, (text) => text.toUpperCase()),
  trim: texts(1, (text) => text.trim()),
  starts_with: texts(2, (text, part) => text.startsWith(part)),
  ends_with: texts(2, (text, part) => text.endsWith(part)),
  contains: of(2, 2, ([whole, part]) => {
    if (Array.isArray(whole)) return whole.includes(part);
    return typeof whole === 'string' && typeof part === 'string' ? whole.includes(part) : null;
  }),
  replace: texts(3, (text, from, to) => {
    if (from === '') return text;
    const parts = text.split(from);
    const length = text.length + (parts.length - 1) * (to.length - from.length);
    return length > textMax ? null : parts.join(to);
  }),
  split: texts(2, (text, by) =>
    by === '' ? null : text.split(by, limits.expressionListItems.value),
  ),
  join: of(2, 2, ([list, by]) => {
    if (!Array.isArray(list) || typeof by !== 'string') return null;
    let text = '';
    for (let i = 0; i < list.length; i++) {
      text += (i > 0 ? by : '') + (toText(list[i]) ?? '');
      if (text.length > textMax) return null;
    }
    return text;
  }),
  substring: of(2, 3, ([text, from, to]) => {
    if (typeof text !== 'string' || typeof from !== 'number') return null;
    return text.slice(from, typeof to === 'number' ? to : undefined);
  }),
  length: of(1, 1, ([value]) => {
    return typeof value === 'string' || Array.isArray(value) ? value.length : null;
  }),
  string: of(1, 1, ([value]) => toText(value)),
  number: of(1, 1, ([value]) => {
    if (typeof value === 'number') return value;
    if (typeof value !== 'string' || value.trim() === '') return null;
    const number = Number(value);
    return Number.isFinite(number) ? number : null;
  }),
  round: of(1, 1, ([value]) => (typeof value === 'number' ? Math.round(value) : null)),
};

/** A text, number or boolean as text; null for everything else. */
export function toText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** Results above the limit are null: a record must not grow without bound. */
export function bounded(text: string): string | null {
  return text.length > textMax ? null : text;
}
