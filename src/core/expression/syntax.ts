/** What a parsed expression is made of, and the errors that name a place in its text. */
import { GatewayError } from '../../errors.js';
import type { CompiledPattern } from '../regex/compile.js';

/** Types of fields and literals, spelt as messages show them. */
export type ValueType = 'String' | 'Int' | 'IpAddr' | 'IpCidr';

/** A literal. Numbers are 64-bit signed; addresses and networks are kept as they were written. */
export type Literal =
  | { readonly type: 'String'; readonly text: string }
  | { readonly type: 'Int'; readonly value: bigint }
  | { readonly type: 'IpAddr' | 'IpCidr'; readonly text: string };

export type Operator =
  | '=='
  | '!='
  | '^='
  | '=^'
  | '~'
  | 'contains'
  | '>'
  | '>='
  | '<'
  | '<='
  | 'in'
  | 'not in';

/** A request field as an expression names it. */
export interface Field {
  /** ExpressionField code. */
  readonly code: number;
  readonly type: 'String' | 'Int' | 'IpAddr';
  /** Need bit of the request field. */
  readonly need: number;
  /** Header name in lower case with `_` for `-`, or the name of a query argument; else empty. */
  readonly name: string;
  /** Path segments from `first` to `last`; 0 where the field is none. */
  readonly first: number;
  readonly last: number;
}

export interface Predicate {
  readonly kind: 'predicate';
  readonly field: Field;
  /** `lower()`: the values are compared in lower case. */
  readonly lower: boolean;
  /** `any()`: one of several values is enough. */
  readonly any: boolean;
  readonly operator: Operator;
  readonly value: Literal;
  /** The compiled pattern of the operator `~`. */
  readonly pattern?: CompiledPattern;
}

export type Node =
  | Predicate
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Node[] }
  | { readonly kind: 'not'; readonly node: Node };

/** Line and column, both from 1, of an index in a text. Columns count characters. */
export function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: [...before.slice(start)].length + 1 };
}

/** The error of an expression that means nothing, such as a comparison of different types. */
export function meaningError(text: string, at: number, message: string): GatewayError {
  const { line, column } = placeOf(text, at);
  const place = text.includes('\n') ? `line ${line}, column ${column}` : `column ${column}`;
  return expressionError(`${message} (${place})`, line, column);
}

/** Characters shown before the place of an error, and altogether. */
const SHOWN_BEFORE = 40;
const SHOWN = 80;

/** The error of a text that is no expression: the line, a caret, and what could stand there. */
export function syntaxError(text: string, at: number, expected: string): GatewayError {
  const { line, column } = placeOf(text, at);
  const whole = [...text.split('\n')[line - 1].replace(/\r$/, '')];
  const cut = whole.length > SHOWN ? Math.max(0, column - 1 - SHOWN_BEFORE) : 0;
  const margin = ' '.repeat(String(line).length);
  const message = [
    `${margin}--> ${line}:${column}`,
    `${margin} |`,
    `${line} | ${whole.slice(cut, cut + SHOWN).join('')}`,
    `${margin} | ${' '.repeat(column - 1 - cut)}^---`,
    `${margin} |`,
    `${margin} = expected ${expected}`,
  ].join('\n');
  return expressionError(message, line, column);
}

function expressionError(message: string, line: number, column: number): GatewayError {
  return new GatewayError('GW_E_CONFIG_INVALID', message, { details: { line, column } });
}
