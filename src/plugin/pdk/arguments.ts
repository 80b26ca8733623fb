/**
 * Arguments of queries and urlencoded forms, read and written as nginx does it: `+` is a blank,
 * escapes that are none stay, a name without `=` is `true`, an argument without name is dropped.
 */
import { limits } from '../../limits.js';
import type { Argument } from '../request-types.js';
import { invalidArgument } from './phase-guard.js';

export const argumentsDefault = 100;

/** The number of arguments or headers to read: 1 to 1000. */
export function checkMax(what: string, max: number): number {
  const most = limits.argumentsRead.value;
  if (Number.isInteger(max) && max >= 1 && max <= most) return max;
  throw invalidArgument(`${what}: expected 1 to ${most}, got ${max}`);
}

/** Every argument by name; those after the first `max` are left out. */
export function parseArguments(text: string, max: number): Record<string, Argument> {
  const found: Record<string, Argument> = Object.create(null);
  let count = 0;
  eachArgument(text, (name, value) => {
    if (++count > max) return true;
    const known = found[name];
    if (known === undefined) found[name] = value;
    else found[name] = Array.isArray(known) ? [...known, value] : [known as string | true, value];
    return false;
  });
  return found;
}

/** First value of an argument; `true` where it has none, null where it is absent. */
export function firstArgument(text: string, wanted: string): string | true | null {
  let found: string | true | null = null;
  eachArgument(text, (name, value) => {
    if (name !== wanted) return false;
    found = value;
    return true;
  });
  return found;
}

function eachArgument(text: string, visit: (name: string, value: string | true) => boolean): void {
  if (text === '') return;
  for (const part of text.split('&')) {
    const equals = part.indexOf('=');
    const name = decodeArgument(equals < 0 ? part : part.slice(0, equals));
    if (name === '') continue;
    if (visit(name, equals < 0 ? true : decodeArgument(part.slice(equals + 1)))) return;
  }
}

/** The text without every occurrence of an argument; what stays is not touched. */
export function withoutArgument(text: string, name: string): string {
  const kept = text.split('&').filter((part) => {
    const equals = part.indexOf('=');
    return decodeArgument(equals < 0 ? part : part.slice(0, equals)) !== name;
  });
  return kept.join('&');
}

type Written = string | number | true | readonly (string | number | true)[];

/** Arguments as text, sorted by name. */
export function writeArguments(values: Readonly<Record<string, Written>>): string {
  const parts: string[] = [];
  for (const name of Object.keys(values).sort()) {
    const value = values[name];
    for (const item of Array.isArray(value) ? value : [value]) {
      const key = encodeURIComponent(name);
      parts.push(item === true ? key : `${key}=${encodeURIComponent(String(item))}`);
    }
  }
  return parts.join('&');
}

const escapePattern = /%[0-9a-fA-F]{2}/;

/** Decodes a name or value. Bytes that are no UTF-8 become one character each. */
export function decodeArgument(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const blanks = text.replaceAll('+', ' ');
  if (!escapePattern.test(blanks)) return blanks;
  const source = Buffer.from(blanks, 'latin1');
  const bytes = Buffer.allocUnsafe(source.length);
  let end = 0;
  for (let i = 0; i < source.length; i++) {
    const digits = source[i] === 0x25 ? source.latin1Slice(i + 1, i + 3) : '';
    const isEscape = /^[0-9a-fA-F]{2}$/.test(digits);
    bytes[end++] = isEscape ? Number.parseInt(digits, 16) : source[i];
    if (isEscape) i += 2;
  }
  const decoded = bytes.subarray(0, end);
  const unicode = decoded.toString('utf8');
  return unicode.includes('\ufffd') ? decoded.toString('latin1') : unicode;
}
