/**
 * Values with `$(...)`: a small expression language over the request, in Kong's (Lua's) spelling.
 * No loops, no assignments, a fixed set of functions: evaluation is bounded by the text's length.
 *
 *   expression = and { "or" and }        and = comparison { "and" comparison }
 *   comparison = concat { ("==" | "~=" | "<=" | ">=" | "<" | ">") concat }
 *   concat = sum { ".." sum }            sum = product { ("+" | "-") product }
 *   product = unary { ("*" | "/" | "%") unary }
 *   unary = [ "not" | "#" | "-" ] primary
 *   primary = literal | path | call | "(" expression ")"
 *   path = name { "." name | "[" literal "]" }
 *   call = function "(" expression { "," expression } ")"
 */
import { GatewayError } from '../../../errors.js';
import { limits } from '../../../limits.js';
import {
  comparisons,
  functions,
  isTrue,
  lengthOf,
  member,
  numberOf,
  type Operators,
  products,
  sums,
  textOf,
} from './values.js';

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
  return (scope) => parts.map((part) => textOf(shown(part(scope)))).join('');
}

/** Neither nil nor false shows. */
const shown = (value: unknown): unknown => (isTrue(value) ? value : '');

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
      () => this.#comparison(),
      'and',
      (left, right) => (scope) => {
        const value = left(scope);
        return isTrue(value) ? right(scope) : value;
      },
    );
  }

  #comparison(): Evaluate {
    return this.#operators(comparisons, () => this.#concat());
  }

  #concat(): Evaluate {
    return this.#chain(
      () => this.#sum(),
      '..',
      (left, right) => (scope) => textOf(left(scope)) + textOf(right(scope)),
    );
  }

  #sum(): Evaluate {
    return this.#operators(sums, () => this.#operators(products, () => this.#unary()));
  }

  #unary(): Evaluate {
    if (this.#takeOperator('not')) {
      const of = this.#unary();
      return (scope) => !isTrue(of(scope));
    }
    if (this.#take('#')) {
      const of = this.#unary();
      return (scope) => lengthOf(of(scope));
    }
    if (this.#take('-')) {
      const of = this.#unary();
      return (scope) => -numberOf(of(scope));
    }
    return this.#primary();
  }

  /** Operators of one rank, from left to right. */
  #operators(known: Operators, next: () => Evaluate): Evaluate {
    let left = next();
    for (;;) {
      const name = Object.keys(known).find((operator) => this.#take(operator));
      if (name === undefined) return left;
      const [a, b, join] = [left, next(), known[name]];
      left = (scope) => join(a(scope), b(scope));
    }
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
    const name = [root, ...keys].join('.');
    const call = Object.hasOwn(functions, name) ? functions[name] : null;
    if (call && this.#take('(')) return this.#call(call);
    // What nobody has defined is nil.
    return (scope) => keys.reduce<unknown>(member, Object.hasOwn(scope, root) ? scope[root] : null);
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
