/** Validators of single values, in Kong's order and with Kong's texts. */
import { patternProblem } from '../../core/regex/compile.js';
import { isReference } from '../vault.js';
import { EnvText } from './env-text.js';
import type { BooleanField, FieldSchema, NumberField, StringField } from './field.js';
import { formats } from './formats.js';

type LeafField = StringField | NumberField | BooleanField;

const patterns = new Map<string, RegExp>();

/**
 * The fault of a converted value, or undefined. `given` is the value before its conversion: where
 * it comes from the environment, or the field is secret, no text of it is shown.
 */
export function leafFault(field: LeafField, value: unknown, given: unknown): string | undefined {
  const expected = typeFault(field, value);
  if (expected !== undefined) return expected;
  if (field.type === 'string' && field.referenceable && isReference(value)) return undefined;
  const fault = equalityFault(field, value) ?? valueFault(field, value, given);
  return fault === undefined ? undefined : (field.err ?? fault);
}

function typeFault(field: LeafField, value: unknown): string | undefined {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'expected a boolean';
    case 'string':
      return typeof value === 'string' ? undefined : 'expected a string';
    case 'integer':
      return Number.isInteger(value) ? undefined : 'expected an integer';
    default:
      return typeof value === 'number' && !Number.isNaN(value) ? undefined : 'expected a number';
  }
}

/** The attributes `eq` and `ne`, which every field may have. */
export function equalityFault(field: FieldSchema, value: unknown): string | undefined {
  if (field.eq !== undefined && value !== field.eq) return `value must be ${field.eq}`;
  if (field.ne !== undefined && value === field.ne) return `value must not be ${field.ne}`;
  return undefined;
}

function valueFault(field: LeafField, value: unknown, given: unknown): string | undefined {
  if (field.type === 'boolean') return undefined;
  if (field.type === 'string') return stringFault(field, value as string, given);
  return numberFault(field, value as number);
}

function numberFault(field: NumberField, value: number): string | undefined {
  const { one_of: oneOf, not_one_of: notOneOf, gt, between, timestamp, check } = field;
  if (notOneOf?.includes(value)) return `must not be one of: ${notOneOf.join(', ')}`;
  if (oneOf && !oneOf.includes(value)) return `expected one of: ${oneOf.join(', ')}`;
  if (gt !== undefined && value <= gt) return `value must be greater than ${gt}`;
  if (timestamp && value <= 0) return 'expected a valid timestamp';
  if (between && (value < between[0] || value > between[1])) {
    return `value should be between ${between[0]} and ${between[1]}`;
  }
  return check?.(value);
}

function stringFault(field: StringField, value: string, given: unknown): string | undefined {
  const { one_of: oneOf, not_one_of: notOneOf, len_min: min = 1 } = field;
  if (notOneOf?.includes(value)) return `must not be one of: ${notOneOf.join(', ')}`;
  if (oneOf && !oneOf.includes(value) && !field.also?.includes(value))
    return `expected one of: ${oneOf.join(', ')}`;
  if (field.uuid && formats.uuid(value) !== undefined) return formats.uuid(value);
  const shownValue = field.encrypted ? null : given instanceof EnvText ? given.source : value;
  const invalid = shownValue === null ? 'invalid value' : `invalid value: ${shownValue}`;
  const hidden = shownValue === value ? undefined : invalid;
  if (field.is_regex && patternProblem(value) !== undefined) {
    return hidden ?? `not a valid regex: ${value}`;
  }
  const size = textLengthFault(field, min, value);
  if (size !== undefined) return size;
  if (field.starts_with !== undefined && !value.startsWith(field.starts_with)) {
    return `should start with: ${field.starts_with}`;
  }
  const matched = patternFault(field, value, invalid);
  if (matched !== undefined) return matched;
  const fault = field.format && formats[field.format](value);
  // Texts of formats that quote nothing, such as `missing host in url`, give nothing away.
  if (fault !== undefined)
    return /'/.test(fault) || fault.includes(value) ? (hidden ?? fault) : fault;
  const own = field.check?.(value);
  return own === undefined ? undefined : (hidden ?? own);
}

function patternFault(field: StringField, value: string, invalid: string): string | undefined {
  const { not_match: notMatch, match_none: none, match, match_all: all, match_any: any } = field;
  if (notMatch !== undefined && patternOf(notMatch).test(value)) return invalid;
  const unwanted = none?.find(({ pattern }) => patternOf(pattern).test(value));
  if (unwanted) return unwanted.err;
  if (match !== undefined && !patternOf(`^(?:${match})$`).test(value)) return invalid;
  const unmet = all?.find(({ pattern }) => !patternOf(pattern).test(value));
  if (unmet) return unmet.err;
  const matches = any?.patterns.some((pattern) => patternOf(pattern).test(value)) ?? true;
  return matches ? undefined : any?.err;
}

interface Lengths {
  readonly len_eq?: number;
  readonly len_min?: number;
  readonly len_max?: number;
}

/** Most fields only refuse the empty text: those count no bytes. */
function textLengthFault(field: StringField, min: number, value: string): string | undefined {
  if (min <= 1 && field.len_max === undefined && field.len_eq === undefined) {
    return value.length < min ? `length must be at least ${min}` : undefined;
  }
  return lengthFault({ ...field, len_min: min }, Buffer.byteLength(value));
}

/** Bytes of a text, items of a list, keys of a map. */
export function lengthFault(field: Lengths, size: number): string | undefined {
  const { len_eq: exact, len_min: min, len_max: max } = field;
  if (exact !== undefined && size !== exact) return `length must be ${exact}`;
  if (min !== undefined && size < min) return `length must be at least ${min}`;
  if (max !== undefined && size > max) return `length must be at most ${max}`;
  return undefined;
}

function patternOf(source: string): RegExp {
  let pattern = patterns.get(source);
  if (!pattern) {
    pattern = new RegExp(source, 'u');
    patterns.set(source, pattern);
  }
  return pattern;
}
