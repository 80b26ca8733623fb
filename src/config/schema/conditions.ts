/** Conditions on single values inside entity checks, with Kong's texts. */
import type { Condition } from './entity-check.js';

/** The fault of a value under a condition, undefined where it holds. */
export function conditionFault(condition: Condition, value: unknown): string | undefined {
  if (condition.required && isEmpty(value)) return 'required field missing';
  if (condition.eq !== undefined && value !== condition.eq) return `value must be ${condition.eq}`;
  if (condition.ne !== undefined && value === condition.ne) {
    return `value must not be ${condition.ne}`;
  }
  if (condition.not_one_of?.includes(value)) {
    return `must not be one of: ${condition.not_one_of.join(', ')}`;
  }
  if (condition.one_of && !condition.one_of.includes(value)) {
    return `expected one of: ${condition.one_of.join(', ')}`;
  }
  return numberFault(condition, value) ?? shapeFault(condition, value);
}

function numberFault({ gt, between }: Condition, value: unknown): string | undefined {
  const number = typeof value === 'number' ? value : Number.NaN;
  if (gt !== undefined && !(number > gt)) return `value must be greater than ${gt}`;
  if (between && !(number >= between[0] && number <= between[1])) {
    return `value should be between ${between[0]} and ${between[1]}`;
  }
  return undefined;
}

function shapeFault(condition: Condition, value: unknown): string | undefined {
  const { len_min: least, match, contains } = condition;
  if (least !== undefined && sizeOf(value) < least) return `length must be at least ${least}`;
  if (match !== undefined && !new RegExp(match, 'u').test(String(value ?? ''))) {
    return `invalid value: ${value}`;
  }
  if (contains !== undefined && !(Array.isArray(value) && value.includes(contains))) {
    return `expected to contain: ${contains}`;
  }
  return undefined;
}

const sizeOf = (value: unknown): number =>
  typeof value === 'string' ? Buffer.byteLength(value) : Object.keys(value ?? {}).length;

/** Null, the empty string, the empty list and the empty object. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
