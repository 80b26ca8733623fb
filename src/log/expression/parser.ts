/**
 * Compiles record expressions: paths into a log record, literals, `?:`, `??`, `||`, `&&`,
 * comparisons, arithmetic and the functions of functions.ts. Evaluation cannot fail, loop or grow:
 * it visits each node of a bounded tree at most once, and texts have a bound of their own.
 */
import { limits } from '../../limits.js';
import { functions } from './functions.js';
import { expressionFault, type Token, tokenize } from './lexer.js';
import { binary, isTrue, member, type Node } from './nodes.js';

/**
 * Binary operators from weak to strong; those of one level associate to the left.
 */
const levels: readonly (readonly string[])[] = [
  ['??'],
  ['||'],
  ['&&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];
const literals = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['nil', null],
]);

/**
 * @param source expression text, at most limits.recordExpressionBytes
 * @returns a function from a record to a value that JSON can hold; what is absent is null
 * @throws GatewayError GW_E_CONFIG_INVALID; the message ends with `at column N`
 */
export function compileExpression(source: string): Node {
  if (Buffer.byteLength(source) > limits.recordExpressionBytes.value) {
    throw expressionFault(
      `the expression is longer than ${limits.recordExpressionBytes.value} bytes`,
      1,
    );
  }
  return new Parser(tokenize(source)).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Node {
    const node = this.#ternary();
    const { kind, text, column } = this.#next();
    if (kind !== 'end') throw expressionFault(`unexpected ${shown(text)}`, column);
    return node;
  }

  #ternary(): Node {
    const { column } = this.#next();
    if (++this.#depth > limits.recordExpressionDepth.value) {
      throw expressionFault('the expression is nested too deeply', column);
    }
    let node = this.#binary(0);
    if (this.#take('?')) {
      const condition = node;
      const then = this.#ternary();
      this.#expect(':');
      const otherwise = this.#ternary();
      node = (record) => (isTrue(condition(record)) ? then(record) : otherwise(record));
    }
    this.#depth--;
    return node;
  }

  #binary(level: number): Node {
    if (level === levels.length) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = levels[level].find((text) => this.#take(text));
      if (operator === undefined) return left;
      left = binary(operator, left, this.#binary(level + 1));
    }
  }

  #unary(): Node {
    const signs: string[] = [];
    for (let sign = this.#sign(); sign; sign = this.#sign()) signs.push(sign);
    let node = this.#postfix();
    for (const sign of signs.reverse()) {
      const inner = node;
      node = sign === '!' ? (record) => !isTrue(inner(record)) : binary('-', () => 0, inner);
    }
    return node;
  }

  #sign(): string | undefined {
    return ['!', '-'].find((text) => this.#take(text));
  }

  #postfix(): Node {
    let node = this.#primary();
    for (;;) {
      if (this.#take('.')) {
        const { kind, text, column } = this.#next();
        if (kind !== 'name') throw expressionFault(`expected a name, got ${shown(text)}`, column);
        this.#at++;
        node = member(node, () => text);
      } else if (this.#take('[')) {
        const index = this.#ternary();
        this.#expect(']');
        node = member(node, index);
      } else {
        return node;
      }
    }
  }

  #primary(): Node {
    const token = this.#next();
    this.#at++;
    if (token.kind === 'string') return () => token.text;
    if (token.kind === 'number') {
      const number = Number(token.text);
      return () => number;
    }
    if (token.kind === 'name') return this.#named(token);
    if (token.text === '(') {
      const node = this.#ternary();
      this.#expect(')');
      return node;
    }
    throw expressionFault(`expected a value, got ${shown(token.text)}`, token.column);
  }

  #named({ text, column }: Token): Node {
    if (this.#take('(')) return this.#call(text, column);
    if (literals.has(text)) {
      const value = literals.get(text);
      return () => value;
    }
    return member(
      (record) => record,
      () => text,
    );
  }

  #call(name: string, column: number): Node {
    const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (!known) {
      const names = Object.keys(functions).join(', ');
      throw expressionFault(`there is no function ${name}; known are ${names}`, column);
    }
    const args: Node[] = [];
    while (!this.#take(')')) {
      if (args.length > 0) this.#expect(',');
      args.push(this.#ternary());
    }
    const [from, to] = known.arity;
    if (args.length < from || args.length > to) {
      const wanted = from === to ? `${from}` : `${from} to ${to}`;
      throw expressionFault(`${name} takes ${wanted} arguments, got ${args.length}`, column);
    }
    return (record) => known.call(args.map((arg) => arg(record)));
  }

  #next(): Token {
    return this.#tokens[this.#at];
  }

  #take(operator: string): boolean {
    const { kind, text } = this.#next();
    if (kind !== 'operator' || text !== operator) return false;
    this.#at++;
    return true;
  }

  #expect(operator: string): void {
    const { text, column } = this.#next();
    if (this.#take(operator)) return;
    throw expressionFault(`expected '${operator}', got ${shown(text)}`, column);
  }
}

const shown = (text: string): string => (text === '' ? 'the end' : `'${text}'`);
