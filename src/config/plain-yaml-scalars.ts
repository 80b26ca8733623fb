/** Keys, scalars and flow collections of `plain-yaml.ts`: all that stands on one line. */
import { limits } from '../limits.js';

/** The text needs the full parser: because it is wrong, or unusual. */
export class NotPlain extends Error {}

export interface KeyText {
  readonly key: string;
  /** Offset behind the colon. */
  readonly end: number;
}

const QUOTE = 34;
const HASH = 35;
const APOSTROPHE = 39;
const COMMA = 44;
const DASH = 45;
const COLON = 58;
const SPACE = 32;
const QUESTION = 63;
const BRACKET = 91;
const BRACKET_END = 93;
const BRACE = 123;
const BRACE_END = 125;

/** Characters that mean something else at the start of a plain scalar. */
const indicators = new Set([...'?:,[]{}#&*!|>\'"%@`='].map((sign) => sign.charCodeAt(0)));
/** Implicit keys are at most this long (YAML 1.2.2, 7.4.2). */
const keyMost = 1024;
/** What the JSON parser reads as YAML does. */
const jsonString = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const usualNumber = /^(?:0|-?[1-9]\d{0,14}|-?(?:0|[1-9]\d{0,8})\.\d{1,6})$/;
/** What the core schema (YAML 1.2.2, 10.3.2) reads as something else than text, as the rest. */
const otherThanText = new RegExp(
  [
    '^(?:[Nn]ull|NULL|[Tt]rue|TRUE|[Ff]alse|FALSE',
    '0o[0-7]+|0x[0-9a-fA-F]+',
    '[-+]?(?:\\.[0-9]+|[0-9]+(?:\\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?',
    '[-+]?\\.(?:inf|Inf|INF|nan|NaN|NAN))$',
  ].join('|'),
);

export class Scalars {
  /** The text of the value that was read last where it is plain and ends with its line. */
  plain: string | null = null;
  readonly #text: string;
  readonly #string: (text: string) => unknown;
  #at = 0;

  /** `string` is given every text that is a value; what it returns is the value. */
  constructor(text: string, string: (text: string) => unknown) {
    this.#text = text;
    this.#string = string;
  }

  text(value: string): unknown {
    return this.#string(value);
  }

  /** Whether a key stands on the line, which ends at `end`. */
  isKey(start: number, end: number): boolean {
    const first = this.#text.charCodeAt(start);
    if (first === QUOTE || first === APOSTROPHE) {
      this.#quoted(start, end);
      return this.#isColon(this.#skip(this.#at, end), end);
    }
    return first !== BRACKET && first !== BRACE && this.#plainEnd(start, end, false) >= 0;
  }

  /** A key with its colon. */
  key(start: number, end: number): KeyText {
    const first = this.#text.charCodeAt(start);
    let key: string;
    let colon: number;
    if (first === QUOTE || first === APOSTROPHE) {
      key = this.#quoted(start, end);
      colon = this.#skip(this.#at, end);
    } else {
      this.#checkStart(start, end, false);
      colon = this.#plainEnd(start, end, false);
      key = this.#trimmed(start, colon);
    }
    if (colon < 0 || !this.#isColon(colon, end) || !isKeyText(key)) throw new NotPlain();
    return { key, end: colon + 1 };
  }

  /** The value that is all of the rest of the line. */
  value(start: number, end: number, depth: number): unknown {
    const first = this.#text.charCodeAt(start);
    this.plain = null;
    let value: unknown;
    if (first === QUOTE || first === APOSTROPHE) value = this.#string(this.#quoted(start, end));
    else if (first === BRACKET || first === BRACE) value = this.#collection(start, end, depth);
    else {
      this.#checkStart(start, end, false);
      if (this.#plainEnd(start, end, false) >= 0) throw new NotPlain();
      if (this.#at === end) this.plain = this.#trimmed(start, end);
      return this.#plain(start, this.#at);
    }
    const rest = this.#skip(this.#at, end);
    const comment = rest > this.#at && this.#text.charCodeAt(rest) === HASH;
    if (rest < end && !comment) throw new NotPlain();
    return value;
  }

  /** A further line of a plain scalar. */
  continuation(start: number, end: number): string {
    const first = this.#text.charCodeAt(start);
    if (first === HASH || first === COLON || first === QUESTION) throw new NotPlain();
    if (this.#plainEnd(start, end, false) >= 0 || this.#at < end) throw new NotPlain();
    return this.#trimmed(start, end);
  }

  #skip(start: number, end: number): number {
    let at = start;
    while (at < end && this.#text.charCodeAt(at) === SPACE) at++;
    return at;
  }

  #isColon(at: number, end: number): boolean {
    if (at >= end || this.#text.charCodeAt(at) !== COLON) return false;
    return at + 1 === end || this.#text.charCodeAt(at + 1) === SPACE;
  }

  #checkStart(start: number, end: number, flow: boolean): void {
    const first = this.#text.charCodeAt(start);
    if (indicators.has(first)) throw new NotPlain();
    if (first !== DASH) return;
    const next = start + 1 < end ? this.#text.charCodeAt(start + 1) : SPACE;
    if (next === SPACE || (flow && indicators.has(next))) throw new NotPlain();
  }

  /**
   * Goes to the end of a plain scalar, blanks at its end included (`#at`); returns the offset of a
   * colon that makes a key of it, or -1.
   */
  #plainEnd(start: number, end: number, flow: boolean): number {
    const text = this.#text;
    for (let at = start; at < end; at++) {
      const code = text.charCodeAt(at);
      // tabs and carriage returns are blanks, too, which is more than is known here
      if (code < SPACE) throw new NotPlain();
      if (code === COLON) {
        if (this.#isColon(at, end)) {
          this.#at = at;
          return at;
        }
        if (flow && isFlowSign(text.charCodeAt(at + 1))) throw new NotPlain();
      }
      const stop = code === HASH ? text.charCodeAt(at - 1) === SPACE : flow && isFlowSign(code);
      if (stop) {
        this.#at = at;
        return -1;
      }
    }
    this.#at = end;
    return -1;
  }

  /** Without the blanks at its end. */
  #trimmed(start: number, last: number): string {
    let end = last;
    while (end > start && this.#text.charCodeAt(end - 1) === SPACE) end--;
    return this.#text.slice(start, end);
  }

  /** What a plain scalar stands for. */
  #plain(start: number, end: number): unknown {
    const text = this.#trimmed(start, end);
    switch (text) {
      case 'true':
        return true;
      case 'false':
        return false;
      case '~':
      case 'null':
        return null;
    }
    const first = text.charCodeAt(0);
    if (first <= COLON && usualNumber.test(text)) return Number(text);
    if (otherThanText.test(text)) throw new NotPlain();
    return this.#string(text);
  }

  /** A quoted text that ends on its line. */
  #quoted(start: number, end: number): string {
    if (this.#text.charCodeAt(start) === QUOTE) {
      jsonString.lastIndex = start;
      const found = jsonString.exec(this.#text)?.[0];
      if (found === undefined || start + found.length > end) throw new NotPlain();
      this.#at = start + found.length;
      return found.includes('\\') ? JSON.parse(found) : found.slice(1, -1);
    }
    const ends = (at: number) => this.#text.charCodeAt(at + 1) !== APOSTROPHE;
    let close = this.#text.indexOf("'", start + 1);
    // two of them stand for one
    while (close >= 0 && close < end && !ends(close)) close = this.#text.indexOf("'", close + 2);
    if (close < 0 || close >= end) throw new NotPlain();
    this.#at = close + 1;
    const text = this.#text.slice(start + 1, close);
    if (text.includes('\t') || text.includes('\r')) throw new NotPlain();
    return text.replaceAll("''", "'");
  }

  #collection(start: number, end: number, depth: number): unknown {
    if (depth >= limits.configDepth.value) throw new NotPlain();
    return this.#text.charCodeAt(start) === BRACKET
      ? this.#sequence(start, end, depth)
      : this.#mapping(start, end, depth);
  }

  #sequence(start: number, end: number, depth: number): unknown[] {
    const list: unknown[] = [];
    let at = this.#skip(start + 1, end);
    while (this.#text.charCodeAt(at) !== BRACKET_END) {
      list.push(this.#element(at, end, depth));
      at = this.#separator(end, BRACKET_END);
    }
    this.#at = at + 1;
    return list;
  }

  #mapping(start: number, end: number, depth: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    let at = this.#skip(start + 1, end);
    while (this.#text.charCodeAt(at) !== BRACE_END) {
      const { key, end: value } = this.#flowKey(at, end);
      if (Object.hasOwn(map, key)) throw new NotPlain();
      map[key] = this.#element(this.#skip(value, end), end, depth);
      at = this.#separator(end, BRACE_END);
    }
    this.#at = at + 1;
    return map;
  }

  #flowKey(start: number, end: number): KeyText {
    const first = this.#text.charCodeAt(start);
    if (first === QUOTE || first === APOSTROPHE) return this.key(start, end);
    this.#checkStart(start, end, true);
    const colon = this.#plainEnd(start, end, true);
    const key = colon < 0 ? '' : this.#trimmed(start, colon);
    if (!isKeyText(key)) throw new NotPlain();
    return { key, end: colon + 1 };
  }

  /** Leaves `#at` behind the value. */
  #element(start: number, end: number, depth: number): unknown {
    if (start >= end) throw new NotPlain();
    const first = this.#text.charCodeAt(start);
    if (first === QUOTE || first === APOSTROPHE) return this.#string(this.#quoted(start, end));
    if (first === BRACKET || first === BRACE) return this.#collection(start, end, depth + 1);
    this.#checkStart(start, end, true);
    if (this.#plainEnd(start, end, true) >= 0) throw new NotPlain();
    return this.#plain(start, this.#at);
  }

  /** Behind a comma and blanks, or at the closing sign. */
  #separator(end: number, close: number): number {
    const at = this.#skip(this.#at, end);
    if (at >= end) throw new NotPlain();
    const code = this.#text.charCodeAt(at);
    if (code === close) return at;
    if (code !== COMMA) throw new NotPlain();
    const next = this.#skip(at + 1, end);
    if (next >= end) throw new NotPlain();
    return next;
  }
}

function isFlowSign(code: number): boolean {
  return (
    code === COMMA ||
    code === BRACKET ||
    code === BRACKET_END ||
    code === BRACE ||
    code === BRACE_END
  );
}

/** Merging, and a name that objects of JavaScript treat in their own way, are not for here. */
function isKeyText(key: string): boolean {
  return key !== '' && key !== '<<' && key !== '__proto__' && key.length < keyMost;
}
