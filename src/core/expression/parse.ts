/**
 * Parses expressions (reference section 8.2). `||` binds tighter than `&&`, the reverse of most
 * languages, because that is what the engine does whose expressions these are.
 */
import { limits } from '../../limits.js';
import { parseRange } from '../address.js';
import { compilePattern } from '../regex/compile.js';
import { checkTypes } from './check-types.js';
import { Cursor } from './cursor.js';
import type { FieldSet } from './fields.js';
import { fieldOf } from './fields.js';
import type { Field, Literal, Node, Operator, Predicate } from './syntax.js';
import { meaningError } from './syntax.js';

const TERM = 'a field, lower(, any(, "(" or "!("';
const NAME = /[A-Za-z][A-Za-z0-9_.]*/y;
/** `not in` takes exactly one blank. */
const OPERATOR = /==|!=|\^=|=\^|>=|<=|>|<|~|contains|not in|in/y;
const OPERATORS =
  '==, !=, ^=, =^, ~, contains, >, >=, <, <=, in or not in (with one blank between them)';

interface Left {
  readonly field: Field;
  readonly lower: boolean;
  readonly any: boolean;
}

/**
 * Parses and checks an expression over the fields of `set`.
 * @throws GatewayError GW_E_CONFIG_INVALID; `details` has line and column, both from 1
 */
export function parseExpression(text: string, set: FieldSet): Node {
  return new Parser(text, set).whole();
}

class Parser {
  readonly #cursor: Cursor;
  readonly #text: string;
  readonly #set: FieldSet;
  #depth = 0;

  constructor(text: string, set: FieldSet) {
    this.#cursor = new Cursor(text);
    this.#text = text;
    this.#set = set;
  }

  whole(): Node {
    const node = this.#conjunction();
    if (this.#cursor.atEnd()) return node;
    throw this.#cursor.unexpected('&&, || or the end of the expression');
  }

  #conjunction(): Node {
    const parts = [this.#disjunction()];
    while (this.#cursor.sign('&&')) parts.push(this.#disjunction());
    return parts.length === 1 ? parts[0] : { kind: 'and', parts };
  }

  #disjunction(): Node {
    const parts = [this.#term()];
    while (this.#cursor.sign('||')) parts.push(this.#term());
    return parts.length === 1 ? parts[0] : { kind: 'or', parts };
  }

  #term(): Node {
    const negated = this.#cursor.sign('!');
    const from = this.#cursor.at;
    if (!this.#cursor.sign('(')) {
      if (negated) throw this.#cursor.unexpected('"(": ! stands before a group only');
      return this.#predicate();
    }
    this.#enter(from);
    const node = this.#conjunction();
    if (!this.#cursor.sign(')')) throw this.#cursor.unexpected('&&, || or ")"');
    this.#depth--;
    return negated ? { kind: 'not', node } : node;
  }

  #predicate(): Node {
    this.#cursor.atEnd();
    const from = this.#cursor.at;
    const left = this.#left();
    const operatorAt = this.#cursor.atEnd() ? this.#text.length : this.#cursor.at;
    const operator = this.#cursor.match(OPERATOR)?.[0] as Operator | undefined;
    if (operator === undefined) throw this.#cursor.unexpected(OPERATORS);
    this.#cursor.atEnd();
    const valueAt = this.#cursor.at;
    const value = this.#cursor.literal();
    const { field, lower, any } = left;
    const node: Predicate = { kind: 'predicate', field, lower, any, operator, value };
    checkTypes(this.#text, node, { from, operatorAt, valueAt });
    if (value.type === 'IpCidr') this.#checkNetwork(value.text, valueAt);
    return operator === '~' ? { ...node, pattern: this.#pattern(value, valueAt) } : node;
  }

  /** A field, or a field in lower() and any(). */
  #left(): Left {
    this.#cursor.atEnd();
    const from = this.#cursor.at;
    const name = this.#cursor.match(NAME)?.[0];
    if (name === undefined) throw this.#cursor.unexpected(TERM);
    if (!this.#cursor.sign('('))
      return { field: this.#field(name, from), lower: false, any: false };
    if (name !== 'lower' && name !== 'any') {
      throw meaningError(this.#text, from, `unknown transformation function: ${name}`);
    }
    this.#enter(from);
    const inner = this.#left();
    if (!this.#cursor.sign(')')) throw this.#cursor.unexpected('")"');
    this.#depth--;
    if (name === 'any') return { ...inner, any: true };
    if (inner.field.type !== 'String') {
      const message = 'lower-case transformation function only supported with String type fields';
      throw meaningError(this.#text, from, message);
    }
    return { ...inner, lower: true };
  }

  #field(name: string, from: number): Field {
    // the deprecated spelling is known only in front of a comparison sign
    const old = name === 'net.port' && /^[ \t\r\n]*[=!<>]/.test(this.#text.slice(this.#cursor.at));
    const field = fieldOf(old ? 'net.dst.port' : name, this.#set);
    if (field) return field;
    throw meaningError(this.#text, from, `Unknown LHS field: ${name}`);
  }

  #pattern(value: Literal, at: number): ReturnType<typeof compilePattern> {
    const source = value.type === 'String' ? value.text : '';
    try {
      return compilePattern(source);
    } catch (error) {
      throw meaningError(this.#text, at, `the regex does not compile: ${(error as Error).message}`);
    }
  }

  #checkNetwork(text: string, at: number): void {
    const range = parseRange(text);
    const whole = parseRange(text.slice(0, text.indexOf('/')));
    const same = range && whole && range.address.every((byte, i) => byte === whole.address[i]);
    if (!same)
      throw meaningError(this.#text, at, `the host bits of the network ${text} are not zero`);
  }

  #enter(at: number): void {
    const { value } = limits.expressionDepth;
    if (++this.#depth <= value) return;
    throw meaningError(this.#text, at, `more than ${value} nested parentheses`);
  }
}
