/** Validators of single values, in Kong's order and with Kong's texts. */
import { EnvText } from './env-text.js';
import type { BooleanField, NumberField, StringField } from './field.js';
import { formats } from './formats.js';

type LeafField = StringField | NumberField | BooleanField;

const patterns = new Map<string, RegExp>();

/**
 * The fault of a converted value, or undefined. `given` is the value before its conversion: where
 * it comes from the environment, or the field is secret, no text of it is shown.
 */
export function leafFault(field: LeafField, value: unknown, given: unknown): string | undefined {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'expected a boolean';
    case 'string':
      return typeof value === 'string' ? stringFault(field, value, given) : 'expected a string';
    case 'integer':
      if (!Number.isInteger(value)) return 'expected an integer';
      return numberFault(field, value as number);
    default:
      if (typeof value !== 'number' || Number.isNaN(value)) return 'expected a number';
      return numberFault(field, value);
  }
}

function numberFault(field: NumberField, value: number): string | undefined {
  const { one_of: oneOf, gt, between, check } = field;
  if (oneOf && !oneOf.includes(value)) return `expected one of: ${oneOf.join(', ')}`;
  if (gt !== undefined && value <= gt) return `value must be greater than ${gt}`;
  if (between && (value < between[0] || value > between[1])) {
    return `value should be between ${between[0]} and ${between[1]}`;
  }
  return check?.(value);
}

function stringFault(field: StringField, value: string, given: unknown): string | undefined {
  const { one_of: oneOf, not_one_of: notOneOf, len_min: min = 1, len_max: max } = field;
  if (notOneOf?.includes(value)) return `must not be one of: ${notOneOf.join(', ')}`;
  if (oneOf && !oneOf.includes(value)) return `expected one of: ${oneOf.join(', ')}`;
  const bytes = Buffer.byteLength(value);
  if (bytes < min) return `length must be at least ${min}`;
  if (max !== undefined && bytes > max) return `length must be at most ${max}`;
  if (field.starts_with !== undefined && !value.startsWith(field.starts_with)) {
    return `should start with: ${field.starts_with}`;
  }
  const hidden = field.encrypted
    ? 'invalid value'
    : given instanceof EnvText
      ? `invalid value: ${given.source}`
      : undefined;
  if (field.match !== undefined && !wholeMatch(field.match).test(value)) {
    return hidden ?? `invalid value: ${value}`;
  }
  const fault = field.format && formats[field.format](value);
  // Texts of formats that quote nothing, such as `missing host in url`, give nothing away.
  if (fault !== undefined)
    return /'/.test(fault) || fault.includes(value) ? (hidden ?? fault) : fault;
  const own = field.check?.(value);
  return own === undefined ? undefined : (hidden ?? own);
}

function wholeMatch(source: string): RegExp {
  let pattern = patterns.get(source);
  if (!pattern) {
    pattern = new RegExp(`^(?:${source})$`, 'u');
    patterns.set(source, pattern);
  }
  return pattern;
}
