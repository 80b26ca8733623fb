/**
 * Reads the YAML that configurations are written in: block mappings and sequences, scalars and flow
 * collections that end on their line, block scalars, comments. It is some ten times as fast as the
 * full parser and takes long texts in steps. What is rare (anchors, tags, tabs) or wrong it leaves
 * to the full parser: whatever it returns is what that one would. A test compares them.
 */
import { limits } from '../limits.js';
import type { Steps } from '../slices.js';
import { blockText, foldLines } from './plain-yaml-lines.js';
import { NotPlain, type Scalars } from './plain-yaml-scalars.js';

/** Lines between two yields. */
const linesPerStep = 64;

const SPACE = 32;
const HASH = 35;
const DASH = 45;
const GREATER = 62;
const BAR = 124;
const LINE_FEED = 10;

/** An open mapping or sequence. */
interface Level {
  /** Column of its keys or dashes, from 0. */
  readonly indent: number;
  readonly map: Record<string, unknown> | null;
  readonly list: unknown[] | null;
  /** The key that was read last. */
  key: string;
  /** Whether the last key or dash has nothing behind it: deeper lines are its value. */
  pending: boolean;
}

/**
 * The value of a document whose root is a mapping or a sequence.
 * @throws NotPlain where the text needs the full parser
 */
export function* plainYamlSteps(text: string, scalars: Scalars): Steps<unknown> {
  const reader = new BlockReader(text, scalars);
  for (let lines = 1; reader.line(); lines++) {
    if (lines % linesPerStep === 0) yield;
  }
  return reader.root;
}

class BlockReader {
  /** Undefined before the first line that is not blank. */
  root: unknown;
  readonly #text: string;
  readonly #scalars: Scalars;
  readonly #levels: Level[] = [];
  #top: Level | undefined;
  /** Where the next line begins. */
  #next = 0;
  /** End of the current line. */
  #end = 0;
  #started = false;

  constructor(text: string, scalars: Scalars) {
    this.#text = text;
    this.#scalars = scalars;
  }

  /** Takes one line, with those of a literal block that it begins; false at the end. */
  line(): boolean {
    const start = this.#next;
    const at = this.#toNextLine();
    if (at < 0) {
      if (this.root === undefined) throw new NotPlain();
      return false;
    }
    const first = this.#text.charCodeAt(at);
    if (at === this.#end || first === HASH) return true;
    if (at === start && this.#isMarker(start)) return true;
    this.#started = true;
    this.#entry(at, at - start);
    return true;
  }

  /** Goes to the line at `#next`; returns its first character that is no blank, or -1. */
  #toNextLine(): number {
    const text = this.#text;
    let at = this.#next;
    if (at >= text.length) return -1;
    const end = text.indexOf('\n', at);
    this.#end = end < 0 ? text.length : end;
    this.#next = this.#end + 1;
    while (at < this.#end && text.charCodeAt(at) === SPACE) at++;
    return at;
  }

  /** `---` may begin the document; all else about documents is for the full parser. */
  #isMarker(start: number): boolean {
    const marked = this.#text.startsWith('---', start);
    if (!marked) {
      if (/^(?:\.\.\.|%)/.test(this.#text.slice(start, start + 3))) throw new NotPlain();
      return false;
    }
    if (this.#started || this.#text.slice(start + 3, this.#end).trim() !== '') throw new NotPlain();
    this.#started = true;
    return true;
  }

  /** An item or a pair that begins at an offset in a column. */
  #entry(start: number, column: number): void {
    let at = start;
    let indent = column;
    while (this.#isDash(at)) {
      const level = this.#level(indent, true);
      level.list?.push(null);
      const value = this.#skip(at + 1);
      level.pending = value === this.#end;
      if (level.pending) return;
      if (!this.#isDash(value) && !this.#scalars.isKey(value, this.#end)) {
        this.#set(level, this.#value(value, level));
        return;
      }
      level.pending = true;
      indent += value - at;
      at = value;
    }
    this.#pair(at, indent);
  }

  #pair(at: number, indent: number): void {
    const { key, end } = this.#scalars.key(at, this.#end);
    const level = this.#level(indent, false);
    const map = level.map as Record<string, unknown>;
    if (Object.hasOwn(map, key)) throw new NotPlain();
    level.key = key;
    map[key] = null;
    const value = this.#skip(end);
    level.pending = value === this.#end;
    if (!level.pending) map[key] = this.#value(value, level);
  }

  #set(level: Level, value: unknown): void {
    if (level.list) level.list[level.list.length - 1] = value;
    else if (level.map) level.map[level.key] = value;
  }

  #isDash(at: number): boolean {
    if (this.#text.charCodeAt(at) !== DASH) return false;
    return at + 1 === this.#end || this.#text.charCodeAt(at + 1) === SPACE;
  }

  /** Behind blanks; the end of the line where only a comment follows. */
  #skip(start: number): number {
    let at = start;
    while (at < this.#end && this.#text.charCodeAt(at) === SPACE) at++;
    const comment = at > start && this.#text.charCodeAt(at) === HASH;
    return comment ? this.#end : at;
  }

  /** The level of a column, closing deeper ones; opened where a value was pending. */
  #level(indent: number, list: boolean): Level {
    let top = this.#top;
    while (top && top.indent > indent) top = this.#pop();
    // the items of a key's sequence may stand in the column of the key
    if (top?.indent === indent && top.list && !list) top = this.#pop();
    if (top?.indent === indent) {
      if ((top.list !== null) === list) return top;
      if (!list || !top.pending) throw new NotPlain();
    } else if (top && (top.indent > indent || !top.pending)) throw new NotPlain();
    return this.#push(indent, list);
  }

  #push(indent: number, list: boolean): Level {
    const parent = this.#top;
    if (!parent && this.root !== undefined) throw new NotPlain();
    if (this.#levels.length >= limits.configDepth.value) throw new NotPlain();
    const level: Level = {
      indent,
      map: list ? null : {},
      list: list ? [] : null,
      key: '',
      pending: false,
    };
    const value = level.list ?? level.map;
    if (parent) {
      parent.pending = false;
      this.#set(parent, value);
    } else this.root = value;
    this.#levels.push(level);
    this.#top = level;
    return level;
  }

  #pop(): Level | undefined {
    this.#levels.pop();
    this.#top = this.#levels.at(-1);
    return this.#top;
  }

  /** What stands behind a dash or a key, with the lines that go on with it. */
  #value(at: number, level: Level): unknown {
    const first = this.#text.charCodeAt(at);
    if (first === BAR || first === GREATER) {
      const header = this.#text.slice(at, this.#end);
      return this.#scalars.text(blockText(header, this.#deeperLines(level.indent)));
    }
    const scalars = this.#scalars;
    const value = scalars.value(at, this.#end, this.#levels.length);
    if (scalars.plain === null) return value;
    return this.#goesOn(level) ? this.#plainLines(scalars.plain, level) : value;
  }

  /** Whether a deeper line follows, which is then a part of the plain scalar on this one. */
  #goesOn(level: Level): boolean {
    const text = this.#text;
    let line = this.#next;
    for (;;) {
      let at = line;
      while (text.charCodeAt(at) === SPACE) at++;
      if (at >= text.length) return false;
      const first = text.charCodeAt(at);
      // a comment ends the scalar
      if (first !== LINE_FEED) return first !== HASH && at - line > level.indent;
      line = at + 1;
    }
  }

  #plainLines(first: string, level: Level): unknown {
    const lines = [first];
    while (this.#goesOn(level)) {
      const at = this.#toNextLine();
      if (at === this.#end) lines.push('');
      else lines.push(this.#scalars.continuation(at, this.#end));
    }
    return this.#scalars.text(foldLines(lines));
  }

  /** The lines of a block scalar without their indentation. */
  #deeperLines(parent: number): string[] {
    const lines: string[] = [];
    let indent = -1;
    for (let from = this.#next; from < this.#text.length; from = this.#next) {
      const first = this.#toNextLine();
      const column = first - from;
      const blank = first === this.#end;
      if (!blank && indent < 0 && column > parent) {
        indent = column;
        // what stands in blank lines above would have to be less
        if (lines.some((line) => line.length > indent)) throw new NotPlain();
        lines.fill('');
      }
      if (!blank && column < Math.max(indent, parent + 1)) {
        if (column > parent) throw new NotPlain();
        this.#next = from;
        break;
      }
      const text = this.#text.slice(
        indent < 0 ? from : Math.min(from + indent, this.#end),
        this.#end,
      );
      // carriage returns, and blanks beyond the indentation, are read in more than one way
      if (text.includes('\r') || (blank && indent >= 0 && text !== '')) throw new NotPlain();
      lines.push(text);
    }
    if (indent < 0) throw new NotPlain();
    return lines;
  }
}
