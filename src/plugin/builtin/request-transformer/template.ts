/**
 * Values with `$(...)`: a small expression language over the request, in Kong's (Lua's) spelling.
 * No loops, no assignments, a fixed set of functions: evaluation is bounded by the text's length.
 *
 *   expression = and { "or" and }        and = concat { "and" concat }
 *   concat = primary { ".." primary }    primary = literal | path | call | "(" expression ")"
 *   path = name { "." name | "[" literal "]" }
 *   call = function "(" expression { "," expression } ")"
 */
import { GatewayError } from '../../../errors.js';
import { limits } from '../../../limits.js';

export type Scope = Readonly<Record<string, unknown>>;
type Evaluate = (scope: Scope) => unknown;

/** A compiled value: its text for a request. Throws `GatewayError` where a part has no text. */
export type Template = (scope: Scope) => string;

const cache = new Map<string, Template>();
const cachedMost = 1000;

/** Whether a value has a part to evaluate. */
export const isTemplate = (text: string): boolean => text.includes('$(');

/** @throws GatewayError GW_E_CONFIG_INVALID naming the column where the text is no expression */
export function compileTemplate(text: string): Template {
  const known = cache.get(text);
  if (known) return known;
  if (cache.size >= cachedMost) cache.clear();
  const template = compile(text);
  cache.set(text, template);
  return template;
}

function compile(text: string): Template {
  const parts: Evaluate[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf('$(', at);
    const literal = text.slice(at, start < 0 ? undefined : start);
    if (literal !== '') parts.push(() => literal);
    if (start < 0) break;
    const parser = new Parser(text, start + 2);
    parts.push(parser.expression());
    parser.expect(')');
    at = parser.at;
  }
  return (scope) => parts.map((part) => textOf(part(scope))).join('');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return textOf(value[0]);
  if (value === null || value === undefined) return '';
  throw new GatewayError('GW_E_PLUGIN_FAILED', 'a template gave a table where text is needed');
}

const functions: Readonly<Record<string, (...values: unknown[]) => unknown>> = {
  tostring: (value) => textOf(value),
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

const isTrue = (value: unknown): boolean =>
  value !== null && value !== undefined && value !== false;

class Parser {
  readonly #text: string;
  #depth = 0;
  at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  expression(): Evaluate {
    const most = limits.expressionDepth.value;
    if (++this.#depth > most) throw this.#fault(`nested deeper than ${most} levels`);
    const evaluate = this.#or();
    this.#depth--;
    return evaluate;
  }

  #or(): Evaluate {
    return this.#chain(
      () => this.#and(),
      'or',
      (left, right) => (scope) => {
        const value = left(scope);
        return isTrue(value) ? value : right(scope);
      },
    );
  }

  expect(mark: string): void {
    if (!this.#take(mark)) throw this.#fault(`expected '${mark}'`);
  }

  #and(): Evaluate {
    return this.#chain(
      () => this.#concat(),
      'and',
      (left, right) => (scope) => {
        const value = left(scope);
        return isTrue(value) ? right(scope) : value;
      },
    );
  }

  #concat(): Evaluate {
    return this.#chain(
      () => this.#primary(),
      '..',
      (left, right) => (scope) => textOf(left(scope)) + textOf(right(scope)),
    );
  }

  #chain(
    next: () => Evaluate,
    operator: string,
    join: (left: Evaluate, right: Evaluate) => Evaluate,
  ): Evaluate {
    let left = next();
    while (this.#takeOperator(operator)) left = join(left, next());
    return left;
  }

  #primary(): Evaluate {
    if (this.#take('(')) {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    const literal = this.#literal();
    if (literal !== undefined) return () => literal;
    const name = this.#match(/[A-Za-z_]\w*/y);
    if (name === null) throw this.#fault('expected a value');
    if (name === 'nil') return () => null;
    if (name === 'true' || name === 'false') return () => name === 'true';
    return this.#path(name);
  }

  #path(root: string): Evaluate {
    const keys: (string | number)[] = [];
    for (;;) {
      if (this.#text[this.at] === '.' && this.#text[this.at + 1] !== '.') {
        this.at++;
        const key = this.#match(/[A-Za-z_]\w*/y);
        if (key === null) throw this.#fault('expected a name');
        keys.push(key);
      } else if (this.#take('[')) {
        const key = this.#literal();
        if (key === undefined) throw this.#fault('expected a text or a number');
        keys.push(key);
        this.expect(']');
      } else break;
    }
    const call = functions[[root, ...keys].join('.')];
    if (call && this.#take('(')) return this.#call(call);
    if (!roots.includes(root)) throw this.#fault(`unknown name '${root}'`);
    return (scope) => keys.reduce<unknown>(member, scope[root]);
  }

  #call(call: (...values: unknown[]) => unknown): Evaluate {
    const values: Evaluate[] = [];
    if (!this.#take(')')) {
      do values.push(this.expression());
      while (this.#take(','));
      this.expect(')');
    }
    return (scope) => call(...values.map((value) => value(scope)));
  }

  #literal(): string | number | undefined {
    const number = this.#match(/\d+(?:\.\d+)?/y);
    if (number !== null) return Number(number);
    const text = this.#match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/y);
    return text === null ? undefined : text.slice(1, -1).replace(/\\(.)/g, '$1');
  }

  #takeOperator(operator: string): boolean {
    const isWord = /\w/.test(operator);
    if (!isWord) return this.#take(operator);
    return this.#match(new RegExp(`${operator}\\b`, 'y')) !== null;
  }

  #take(mark: string): boolean {
    this.#match(/\s*/y);
    if (!this.#text.startsWith(mark, this.at)) return false;
    this.at += mark.length;
    return true;
  }

  #match(pattern: RegExp): string | null {
    const blank = /\s*/y;
    blank.lastIndex = this.at;
    this.at += blank.exec(this.#text)?.[0].length ?? 0;
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return null;
    this.at += found.length;
    return found;
  }

  #fault(what: string): GatewayError {
    const message = `template '${this.#text}': ${what} at column ${this.at + 1}`;
    return new GatewayError('GW_E_CONFIG_INVALID', message);
  }
}

const roots = ['headers', 'query_params', 'uri_captures', 'shared', 'template_environment'];

/** Only own members of plain values: nothing of a prototype. */
function member(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value) && typeof key === 'number') return value[key - 1] ?? null;
  return Object.hasOwn(value, String(key)) ? (value as Record<string, unknown>)[key] : null;
}
