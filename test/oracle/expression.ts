/**
 * A slow, obvious judge of expressions. It never reads their text: trees are made at random, put
 * into words for the gateway and evaluated here as they are. Texts are binary strings (one
 * character per byte), literals ordinary ones.
 */
import { isIPv4 } from 'node:net';
import type { RouterRequest } from '../unit/router/harness.js';
import { normalisePath } from './router-path.js';

export interface Test {
  readonly kind: 'test';
  readonly field: string;
  /** Functions around the field, from the outside in. */
  readonly functions: readonly ('lower' | 'any')[];
  readonly operator: string;
  readonly value: string | number;
  /** How a literal is spelt. */
  readonly spelling: 'quoted' | 'raw' | 'plain' | 'hex' | 'octal';
}

export type Tree =
  | Test
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Tree[] }
  | { readonly kind: 'not' | 'group'; readonly part: Tree };

/** The text of a tree: `||` binds tighter than `&&`, and only groups can be negated. */
export function print(tree: Tree): string {
  switch (tree.kind) {
    case 'test': {
      const left = tree.functions.reduceRight((text, name) => `${name}(${text})`, tree.field);
      return `${left} ${tree.operator} ${literal(tree)}`;
    }
    case 'not':
      return `!(${print(tree.part)})`;
    case 'group':
      return `(${print(tree.part)})`;
    case 'and':
      return tree.parts.map(print).join(' && ');
    case 'or':
      return tree.parts
        .map((part) => (part.kind === 'and' ? `(${print(part)})` : print(part)))
        .join('||');
  }
}

function literal({ value, spelling }: Test): string {
  if (typeof value === 'number') {
    if (spelling === 'hex') return `0x${value.toString(16)}`;
    return spelling === 'octal' ? `0${value.toString(8)}` : String(value);
  }
  if (spelling === 'plain') return value;
  if (spelling === 'raw' && !value.includes('"#')) return `r#"${value}"#`;
  const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t' };
  return `"${value.replace(/[\\"\n\t]/g, (c) => escapes[c])}"`;
}

/** Bytes of the path that a true expression matched last (0: none), null where it is false. */
export function judgeExpression(tree: Tree, request: RouterRequest): number | null {
  switch (tree.kind) {
    case 'test':
      return judgeTest(tree, request);
    case 'group':
      return judgeExpression(tree.part, request);
    case 'not':
      return judgeExpression(tree.part, request) === null ? 0 : null;
    case 'or': {
      for (const part of tree.parts) {
        const found = judgeExpression(part, request);
        if (found !== null) return found;
      }
      return null;
    }
    case 'and': {
      let last = 0;
      for (const part of tree.parts) {
        const found = judgeExpression(part, request);
        if (found === null) return null;
        if (leavesMatch(part, request)) last = found;
      }
      return last;
    }
  }
}

/** True where a part that holds has something to say about the prefix. */
function leavesMatch(tree: Tree, request: RouterRequest): boolean {
  switch (tree.kind) {
    case 'test':
      return tree.field === 'http.path' && ['==', '^=', '=^', '~'].includes(tree.operator);
    case 'group':
      return leavesMatch(tree.part, request);
    case 'not':
      return false;
    case 'and':
      return tree.parts.some((part) => leavesMatch(part, request));
    case 'or': {
      const first = tree.parts.find((part) => judgeExpression(part, request) !== null);
      return first !== undefined && leavesMatch(first, request);
    }
  }
}

function judgeTest(test: Test, request: RouterRequest): number | null {
  const values = valuesOf(test.field, request);
  if (values.length === 0) return null;
  const results = values.map((value) => compare(test, value));
  const any = test.functions.includes('any');
  const holds = any ? results.some((one) => one !== null) : results.every((one) => one !== null);
  if (!holds) return null;
  return leavesMatch(test, request) ? results[0] : 0;
}

/** Length of what was matched, null: nothing. */
function compare(test: Test, found: string | number): number | null {
  const { operator, value } = test;
  const yes = (holds: boolean) => (holds ? bytesOf(String(value)).length : null);
  if (typeof found === 'number') {
    const n = value as number;
    const results: Record<string, boolean> = {
      '==': found === n,
      '!=': found !== n,
      '<': found < n,
      '<=': found <= n,
      '>': found > n,
      '>=': found >= n,
    };
    return yes(results[operator]);
  }
  if (/\.ip$/.test(test.field)) {
    const inside = isInside(found, String(value));
    return yes(operator === '==' || operator === 'in' ? inside : !inside);
  }
  const text = test.functions.includes('lower') ? lowered(found) : found;
  const wanted = bytesOf(String(value));
  if (operator === '~') return matched(text, String(value));
  const results: Record<string, boolean> = {
    '==': text === wanted,
    '!=': text !== wanted,
    '^=': text.startsWith(wanted),
    '=^': text.endsWith(wanted),
    contains: text.includes(wanted),
  };
  return yes(results[operator]);
}

function matched(text: string, pattern: string): number | null {
  const decoded = decode(text);
  if (decoded === null) return null;
  const found = new RegExp(pattern, 'u').exec(decoded);
  return found ? bytesOf(found[0]).length : null;
}

function lowered(text: string): string {
  const decoded = decode(text);
  if (decoded !== null) return bytesOf(decoded.toLowerCase());
  throw new Error('the cases lower no text that is not UTF-8');
}

function isInside(address: string, network: string): boolean {
  const [base, bits] = network.split('/');
  if (isIPv4(address) !== isIPv4(base)) return false;
  const width = isIPv4(base) ? 32 : 128;
  const shift = BigInt(width - Number(bits ?? width));
  return numberOf(address) >> shift === numberOf(base) >> shift;
}

function numberOf(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((n, part) => n * 256n + BigInt(part), 0n);
  const [left, right] = address.split('::');
  const groups = left === '' ? [] : left.split(':');
  const rest = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : 8 - groups.length - rest.length;
  const all = [...groups, ...new Array<string>(zeros).fill('0'), ...rest];
  return all.reduce((n, group) => n * 65536n + BigInt(`0x${group}`), 0n);
}

function valuesOf(field: string, request: RouterRequest): (string | number)[] {
  const path = pathOf(request);
  const named = /^http\.(headers|queries)\.(.*)$/.exec(field);
  if (named?.[1] === 'headers') {
    const fold = (text: string) => text.toLowerCase().replaceAll('-', '_');
    return request.headers.filter(([name]) => fold(name) === named[2]).map(([, value]) => value);
  }
  if (named) return argumentsOf(request.target, named[2]);
  const segments = path.replace(/^\//, '').replace(/\/+$/, '').split('/');
  if (segments.length === 1 && segments[0] === '') segments.pop();
  const range = /^http\.path\.segments\.(\d+)(?:_(\d+))?$/.exec(field);
  if (range) {
    const last = Number(range[2] ?? range[1]);
    if (last >= segments.length) return [];
    return [segments.slice(Number(range[1]), last + 1).join('/')];
  }
  const [host, port] = /^[^:]*:\d+$/.test(request.host ?? '')
    ? (request.host ?? '').split(':')
    : [request.host, null];
  const fields: Record<string, string | number | null> = {
    'net.protocol': request.secure ? 'https' : 'http',
    'tls.sni': request.sni,
    'http.method': request.method,
    'http.host': host,
    'http.path': path,
    'http.path.segments.len': segments.length,
    'net.src.ip': request.peer,
    'net.src.port': request.peerPort,
    'net.dst.ip': request.local,
    'net.dst.port': port === null ? request.localPort : Number(port),
  };
  const value = fields[field];
  return value === null ? [] : [value];
}

function pathOf({ target }: RouterRequest): string {
  const mark = target.indexOf('?', 1);
  return normalisePath(mark < 0 ? target : target.slice(0, mark)) ?? '';
}

function argumentsOf(target: string, name: string): string[] {
  const mark = target.indexOf('?', 1);
  if (mark < 0) return [];
  const decodeArgument = (text: string) =>
    text
      .replaceAll('+', ' ')
      .replace(/%([0-9a-fA-F]{2})/g, (_, digits) =>
        String.fromCharCode(Number.parseInt(digits, 16)),
      );
  return target
    .slice(mark + 1)
    .split('&')
    .map((argument) => {
      const equals = argument.indexOf('=');
      return equals < 0 ? [argument, ''] : [argument.slice(0, equals), argument.slice(equals + 1)];
    })
    .filter(([key]) => key !== '')
    .slice(0, 100)
    .filter(([key]) => decodeArgument(key) === bytesOf(name))
    .map(([, value]) => decodeArgument(value));
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The text of UTF-8 bytes, null where they are none. */
function decode(bytes: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(bytes, 'latin1'),
    );
  } catch {
    return null;
  }
}
