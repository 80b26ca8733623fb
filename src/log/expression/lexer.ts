/** Splits a record expression into tokens. Columns count UTF-16 units from 1. */
import { GatewayError } from '../../errors.js';

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'operator' | 'end';
  /** The name, the operator, or the value of a literal. */
  readonly text: string;
  readonly column: number;
}

const operators = /^(?:\?\?|\?|:|\|\||&&|==|!=|<=|>=|[<>!+\-*/%.,()[\]])/;
const namePattern = /^[A-Za-z_$][\w$]*(?:-[A-Za-z_$][\w$]*)*/;
const numberPattern = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/;
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** @throws GatewayError GW_E_CONFIG_INVALID, its message ends with the column */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const rest = source.slice(at);
    const blank = /^\s+/.exec(rest);
    if (blank) {
      at += blank[0].length;
      continue;
    }
    const column = at + 1;
    if (rest[0] === '"' || rest[0] === "'") {
      const { text, length } = readString(rest, column);
      tokens.push({ kind: 'string', text, column });
      at += length;
      continue;
    }
    const [kind, match] = matchOf(rest);
    if (!match) throw expressionFault(`unexpected character ${JSON.stringify(rest[0])}`, column);
    tokens.push({ kind, text: match[0], column });
    at += match[0].length;
  }
  tokens.push({ kind: 'end', text: '', column: source.length + 1 });
  return tokens;
}

export function expressionFault(message: string, column: number): GatewayError {
  return new GatewayError('GW_E_CONFIG_INVALID', `${message} at column ${column}`);
}

function matchOf(rest: string): ['name' | 'number' | 'operator', RegExpExecArray | null] {
  const name = namePattern.exec(rest);
  if (name) return ['name', name];
  const number = numberPattern.exec(rest);
  return number ? ['number', number] : ['operator', operators.exec(rest)];
}

function readString(rest: string, column: number): { text: string; length: number } {
  let text = '';
  for (let i = 1; i < rest.length; i++) {
    if (rest[i] === rest[0]) return { text, length: i + 1 };
    if (rest[i] === '\\' && i + 1 < rest.length) {
      i++;
      text += escapes[rest[i]] ?? rest[i];
    } else {
      text += rest[i];
    }
  }
  throw expressionFault('the string has no end', column);
}
