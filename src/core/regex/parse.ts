/**
 * Parses patterns of the linear-time dialect: Unicode throughout, leftmost-first, no look-around
 * and no back-references. What it does not support is an error that names it.
 */
import { limits } from '../../limits.js';
import type { CodePoints } from './code-points.js';
import { complement, foldCase } from './code-points.js';
import { Cursor } from './cursor.js';
import { bracketClass, classEscape } from './parse-class.js';
import type { Node, Pattern } from './syntax.js';
import { patternError } from './syntax.js';

interface Flags {
  /** Case-insensitive. */
  readonly i: boolean;
  /** ^ and $ at lines. */
  readonly m: boolean;
  /** . takes newlines. */
  readonly s: boolean;
  /** Greedy and lazy change places. */
  readonly U: boolean;
  /** White space and # comments in the pattern mean nothing. */
  readonly x: boolean;
}

/**
 * `bytes`: the pattern is a binary string for subjects that are bytes.
 * @throws GatewayError GW_E_CONFIG_INVALID with the column and what is wrong there
 */
export function parsePattern(text: string, bytes = false): Pattern {
  return new Parser(text, bytes).pattern();
}

class Parser {
  readonly #cursor: Cursor;
  readonly #names = new Map<string, number>();
  #groupCount = 0;
  #depth = 0;
  #flags: Flags = { i: false, m: false, s: false, U: false, x: false };

  constructor(text: string, bytes: boolean) {
    this.#cursor = new Cursor(text, bytes);
  }

  pattern(): Pattern {
    const node = this.#alternation();
    if (!this.#cursor.done) throw patternError('unopened group', this.#cursor.at);
    return { node, groupCount: this.#groupCount, names: this.#names };
  }

  /** Up to the end or a closing parenthesis. Flags set inside hold to the end of the group. */
  #alternation(): Node {
    const flags = this.#flags;
    const branches: Node[] = [];
    let parts: Node[] = [];
    const branch = () => {
      branches.push(parts.length === 1 ? parts[0] : { kind: 'concat', parts });
      parts = [];
    };
    for (;;) {
      this.#skipBlanks();
      if (this.#cursor.done || this.#cursor.peek() === ')') break;
      if (this.#cursor.take('|')) branch();
      else this.#term(parts);
    }
    branch();
    this.#flags = flags;
    return branches.length === 1 ? branches[0] : { kind: 'alternate', parts: branches };
  }

  /** One atom with its repetitions, appended to `parts`. */
  #term(parts: Node[]): void {
    const from = this.#cursor.at;
    const repetition = this.#repetition();
    if (repetition) {
      const node = parts.pop();
      if (!node) throw patternError('nothing to repeat', from);
      parts.push({ kind: 'repeat', node, ...repetition });
      return;
    }
    const node = this.#atom(from);
    if (node) parts.push(node);
  }

  #repetition(): { min: number; max: number; greedy: boolean } | null {
    const cursor = this.#cursor;
    const from = cursor.at;
    let min = 0;
    let max = Number.POSITIVE_INFINITY;
    if (cursor.take('+')) min = 1;
    else if (cursor.take('?')) max = 1;
    else if (cursor.startsWith('{')) {
      const found = cursor.match(/\{\s*([0-9]+)\s*(?:(,)\s*([0-9]*)\s*)?\}/y);
      if (!found) throw patternError('malformed counted repetition', from);
      min = Number(found[1]);
      max = found[2] ? (found[3] ? Number(found[3]) : max) : min;
      if (max < min) throw patternError('the counted repetition runs backwards', from);
      const most = limits.regexInstructions.value;
      if (min > most || (max !== Number.POSITIVE_INFINITY && max > most)) {
        throw patternError(`a repetition of more than ${most} is too large`, from);
      }
    } else if (!cursor.take('*')) return null;
    const greedy = cursor.take('?') === this.#flags.U;
    // the linear-time dialect reads a second quantifier here, that of backtracking engines a mode
    if (cursor.bytes && cursor.startsWith('+')) {
      throw patternError('possessive quantifiers are not supported', from);
    }
    return { min, max, greedy };
  }

  #atom(from: number): Node | null {
    const cursor = this.#cursor;
    const c = cursor.next();
    switch (c) {
      case '(':
        return this.#group(from);
      case '[':
        return set(bracketClass(cursor, this.#flags.i, 0));
      case '.':
        return set(complement(this.#flags.s ? [] : [[10, 10]]));
      case '^':
        return { kind: 'assert', assertion: this.#flags.m ? 'lineStart' : 'start' };
      case '$':
        return { kind: 'assert', assertion: this.#flags.m ? 'lineEnd' : 'end' };
      case '\\':
        return this.#escape(from);
      default:
        return this.#literal(c.codePointAt(0)!);
    }
  }

  #literal(code: number): Node {
    if (!this.#flags.i) return { kind: 'literal', code };
    const folded = foldCase([[code, code]], this.#cursor.bytes);
    const single = folded.length === 1 && folded[0][0] === folded[0][1];
    return single ? { kind: 'literal', code } : set(folded);
  }

  #escape(from: number): Node {
    const cursor = this.#cursor;
    const assertion = cursor.match(/[AzbB](?!\{)/y);
    if (assertion) {
      const kinds = { A: 'start', z: 'end', b: 'word', B: 'notWord' } as const;
      return { kind: 'assert', assertion: kinds[assertion[0] as keyof typeof kinds] };
    }
    const named = classEscape(cursor, this.#flags.i);
    return named ? set(named) : this.#literal(cursor.escapedCode(from));
  }

  /** After the opening parenthesis; null for a group of flags only. */
  #group(from: number): Node | null {
    const cursor = this.#cursor;
    if (++this.#depth > limits.regexDepth.value) throw patternError('nested too deeply', from);
    const outer = this.#flags;
    let index = 0;
    const look = cursor.match(/\?(?:<?[=!]|>)/y);
    if (look) {
      const kind = look[0] === '?>' ? 'atomic groups are' : `look-around (${look[0]} is`;
      throw patternError(`${kind} not supported`, from);
    }
    if (cursor.startsWith('?')) {
      const named = cursor.match(/\?P?<([^>]*)>/y);
      if (named) index = this.#namedGroup(named[1], from);
      else if (this.#flagGroup(from)) {
        this.#depth--;
        return null;
      }
    } else index = this.#newGroup(from);
    const node = this.#alternation();
    this.#flags = outer;
    if (!cursor.take(')')) throw patternError('the group is not closed', from);
    this.#depth--;
    return index > 0 ? { kind: 'group', node, index } : node;
  }

  #newGroup(from: number): number {
    const most = limits.regexGroups.value;
    if (this.#groupCount >= most) throw patternError(`more than ${most} capture groups`, from);
    return ++this.#groupCount;
  }

  #namedGroup(name: string, from: number): number {
    if (!/^[A-Za-z_][\w.[\]]*$/.test(name)) throw patternError(`bad group name "${name}"`, from);
    if (this.#names.has(name)) throw patternError(`duplicate group name "${name}"`, from);
    const index = this.#newGroup(from);
    this.#names.set(name, index);
    return index;
  }

  /** `(?flags)`: true, the flags hold from here on. `(?flags:`: false, a group follows. */
  #flagGroup(from: number): boolean {
    const found = this.#cursor.match(/\?([A-Za-z]*)(?:-([A-Za-z]+))?([:)])/y);
    if (!found) throw patternError('unknown kind of group', from);
    const flags: Record<string, boolean> = { ...this.#flags };
    for (const [letters, value] of [[found[1], true] as const, [found[2] ?? '', false] as const]) {
      for (const letter of letters) {
        if (letter === 'u' && value) continue;
        if (!(letter in flags)) throw patternError(`the flag ${letter} is not supported`, from);
        flags[letter] = value;
      }
    }
    if (found[0] === '?)') throw patternError('nothing to repeat', from);
    this.#flags = flags as unknown as Flags;
    return found[3] === ')';
  }

  /** White space and comments of verbose mode. */
  #skipBlanks(): void {
    if (this.#flags.x) this.#cursor.match(/(?:\s+|#[^\n]*)+/y);
  }
}

function set(points: CodePoints): Node {
  return { kind: 'set', set: points };
}
