/** Reads a pattern code point by code point, and the escapes that stand for one code point. */
import { TextCursor } from '../text-cursor.js';
import { MAX_CODE_POINT } from './code-points.js';
import { patternError } from './syntax.js';

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

export class Cursor extends TextCursor {
  /** Subjects are bytes: classes and case folding know ASCII only. */
  readonly bytes: boolean;

  constructor(text: string, bytes = false) {
    super(text);
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** The character under the cursor, empty at the end. */
  peek(): string {
    const code = this.text.codePointAt(this.at);
    return code === undefined ? '' : String.fromCodePoint(code);
  }

  next(): string {
    const c = this.peek();
    this.at += c.length;
    return c;
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.at);
  }

  /** Steps over the text if it stands here. */
  take(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.at += text.length;
    return true;
  }

  /** The code point of an escape whose backslash was read; `from` is where that stood. */
  escapedCode(from: number): number {
    const c = this.next();
    if (c === '') throw patternError('a backslash ends the pattern', from);
    if (c in CONTROLS) return CONTROLS[c];
    if (c === 'x' || c === 'u' || c === 'U') return this.#hexadecimal(c, from);
    if (/[0-9k]/.test(c)) throw patternError('back-references are not supported', from);
    if (/[A-Za-z<>]/.test(c) || c.codePointAt(0)! > 126) {
      throw patternError(`unknown escape \\${c}`, from);
    }
    return c.codePointAt(0)!;
  }

  #hexadecimal(kind: string, from: number): number {
    const digits = { x: 2, u: 4, U: 8 }[kind];
    const found = this.match(new RegExp(`\\{([0-9a-fA-F]+)\\}|([0-9a-fA-F]{${digits}})`, 'y'));
    const code = found ? Number.parseInt(found[1] ?? found[2], 16) : Number.NaN;
    const surrogate = code >= 0xd800 && code < 0xe000;
    if (!(code <= MAX_CODE_POINT) || surrogate) {
      throw patternError(`\\${kind} needs the hexadecimal number of a character`, from);
    }
    return code;
  }
}
