/** Reads the text of an expression: blanks, names, and the literals of the grammar. */
import { isIP, isIPv4 } from 'node:net';
import type { GatewayError } from '../../errors.js';
import { limits } from '../../limits.js';
import { TextCursor } from '../text-cursor.js';
import type { Literal } from './syntax.js';
import { meaningError, syntaxError } from './syntax.js';

const IPV4 = /\d{1,3}(?:\.\d{1,3}){3}(\/\d{1,3})?/y;
const IPV6 = /(?:::|[0-9a-fA-F]{1,4}:)[0-9a-fA-F:.]*(\/\d{1,3})?/y;
/** A leading zero makes a number octal, where what follows are octal digits. */
const INTEGER = /(-?)(?:0([0-7]+)|0x([0-9a-fA-F]+)|(\d+))/y;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '"': '"',
};
const PLAIN = /[^"\\]*/y;
const ESCAPED = /\\([nrt\\"])/y;
const MAX_INTEGER = 2n ** 63n - 1n;

export class Cursor extends TextCursor {
  /** @throws GatewayError GW_E_CONFIG_INVALID where the text is longer than the limit */
  constructor(text: string) {
    super(text);
    const { value } = limits.expressionBytes;
    if (Buffer.byteLength(text) > value) {
      throw meaningError(text, 0, `the expression is longer than ${value} bytes`);
    }
  }

  /** Steps over blanks; true at the end of the text. */
  atEnd(): boolean {
    const { text } = this;
    while (this.at < text.length && isBlank(text.charCodeAt(this.at))) this.at++;
    return this.at >= text.length;
  }

  /** Steps over blanks and over a sign behind them; false where another stands there. */
  sign(sign: string): boolean {
    this.atEnd();
    if (!this.text.startsWith(sign, this.at)) return false;
    this.at += sign.length;
    return true;
  }

  /** The error of something else standing here than expected. */
  unexpected(expected: string): GatewayError {
    return syntaxError(this.text, this.at, expected);
  }

  /** The right-hand side of a predicate. */
  literal(): Literal {
    this.atEnd();
    const from = this.at;
    if (this.sign('r#"')) return { type: 'String', text: this.#raw() };
    if (this.sign('"')) return { type: 'String', text: this.#quoted() };
    const address = this.match(IPV4) ?? this.match(IPV6);
    if (address) return this.#address(address[0], address[1], from);
    const number = this.match(INTEGER);
    if (number) return { type: 'Int', value: this.#integer(number, from) };
    throw this.unexpected('a string, a number, an IP address or a network such as 10.0.0.0/8');
  }

  #raw(): string {
    const end = this.text.indexOf('"#', this.at);
    if (end < 0) throw syntaxError(this.text, this.text.length, '"# at its end');
    const text = this.text.slice(this.at, end);
    this.at = end + 2;
    return text;
  }

  /** What stands before the closing quote, escapes resolved. */
  #quoted(): string {
    let text = '';
    for (;;) {
      text += this.match(PLAIN)?.[0] ?? '';
      if (this.text[this.at] === '"') {
        this.at++;
        return text;
      }
      const escaped = this.match(ESCAPED);
      if (escaped) text += ESCAPES[escaped[1]];
      else if (this.at >= this.text.length) throw this.unexpected('a closing quote');
      else throw this.unexpected('one of the escapes \\n, \\r, \\t, \\\\ and \\"');
    }
  }

  #integer([, sign, octal, hex, decimal]: RegExpExecArray, from: number): bigint {
    const size = octal ? BigInt(`0o${octal}`) : BigInt(hex ? `0x${hex}` : decimal);
    if (size > MAX_INTEGER + (sign ? 1n : 0n)) {
      throw meaningError(this.text, from, 'the number does not fit into 64 bits');
    }
    return sign ? -size : size;
  }

  #address(text: string, bits: string | undefined, from: number): Literal {
    const host = bits === undefined ? text : text.slice(0, -bits.length);
    if (isIP(host) === 0) throw meaningError(this.text, from, `${host} is not an IP address`);
    if (bits === undefined) return { type: 'IpAddr', text };
    const width = isIPv4(host) ? 32 : 128;
    if (Number(bits.slice(1)) > width) {
      throw meaningError(this.text, from, `the network ${text} has more than ${width} bits`);
    }
    return { type: 'IpCidr', text };
  }
}

/** Blank, tab, line feed or carriage return. */
function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}
