/**
 * Compiles patterns into programs for the core's machine (`assembly/router/regex.ts`), which runs
 * every alternative at once and so takes time in proportion to text times program, whatever both
 * are. The layout is drawn in `src/codegen/matcher.ts`.
 */
import { GatewayError } from '../../errors.js';
import { limits } from '../../limits.js';
import { RegexInstruction, RegexOp, RegexProgram } from '../layout.js';
import { WordList } from '../table-writer.js';
import type { CodePoints } from './code-points.js';
import { asciiClasses, perlClasses } from './code-points.js';
import { parsePattern } from './parse.js';
import type { Assertion, Node, Pattern } from './syntax.js';
import { patternError } from './syntax.js';

export interface CompiledPattern {
  /** The program, position independent. */
  readonly words: Uint32Array;
  /** Text that every match starts with, where that is the start of the subject; else empty. */
  readonly literalPrefix: string;
  readonly groupCount: number;
  readonly names: ReadonlyMap<string, number>;
}

export interface PatternOptions {
  /** The core lower-cases the subject's ASCII letters first. Default false. */
  readonly foldText?: boolean;
  /**
   * The subject is bytes: `.` takes one byte, classes and case folding know ASCII only. Then the
   * pattern is a binary string. Default false: UTF-8.
   */
  readonly bytes?: boolean;
}

/**
 * Compiles a pattern.
 * @throws GatewayError GW_E_CONFIG_INVALID where the pattern is malformed, uses a construct without
 * linear time (look-around, back-references), or is too large
 */
export function compilePattern(text: string, options: PatternOptions = {}): CompiledPattern {
  const pattern = parsePattern(text, options.bytes);
  const words = new Emitter(pattern, options).program();
  const { groupCount, names } = pattern;
  return { words, literalPrefix: literalPrefix(pattern.node), groupCount, names };
}

/** What is wrong with a pattern, undefined where it compiles. */
export function patternProblem(text: string): string | undefined {
  try {
    compilePattern(text);
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error.message;
    throw error;
  }
}

const STRIDE = RegexInstruction.size >> 2;
const assertOps: Readonly<Record<Assertion, number>> = {
  start: RegexOp.START,
  end: RegexOp.END,
  lineStart: RegexOp.LINE_START,
  lineEnd: RegexOp.LINE_END,
  word: RegexOp.WORD,
  notWord: RegexOp.NOT_WORD,
};

class Emitter {
  readonly #pattern: Pattern;
  readonly #options: PatternOptions;
  readonly #code = new WordList();
  readonly #classes = new WordList();
  readonly #classOffsets = new Map<string, number>();

  constructor(pattern: Pattern, options: PatternOptions) {
    this.#pattern = pattern;
    this.#options = options;
  }

  program(): Uint32Array {
    const { node, groupCount } = this.#pattern;
    this.#emit(RegexOp.SAVE, 0, 0);
    this.#node(node);
    this.#emit(RegexOp.SAVE, 1, 0);
    this.#emit(RegexOp.MATCH, 0, 0);
    const header = new Uint32Array(RegexProgram.size >> 2);
    header[RegexProgram.instructionCount >> 2] = this.#size;
    header[RegexProgram.classWords >> 2] = this.#classes.length;
    header[RegexProgram.slotCount >> 2] = 2 * (groupCount + 1);
    header[RegexProgram.anchored >> 2] = startsAnchored(node) ? 1 : 0;
    header[RegexProgram.foldText >> 2] = this.#options.foldText ? 1 : 0;
    header[RegexProgram.bytes >> 2] = this.#options.bytes ? 1 : 0;
    const out = new Uint32Array(header.length + this.#code.length + this.#classes.length);
    out.set(header);
    out.set(this.#code.view(), header.length);
    out.set(this.#classes.view(), header.length + this.#code.length);
    return out;
  }

  get #size(): number {
    return this.#code.length / STRIDE;
  }

  /** Appends an instruction; returns its index. */
  #emit(op: number, x: number, y: number): number {
    const index = this.#size;
    if (index >= limits.regexInstructions.value) {
      const most = limits.regexInstructions.value;
      throw patternError(`the pattern needs more than ${most} instructions, seen`, 0);
    }
    this.#code.push(op, x, y);
    return index;
  }

  #patch(index: number, x: number, y: number): void {
    this.#code.set(index * STRIDE + 1, x);
    this.#code.set(index * STRIDE + 2, y);
  }

  #node(node: Node): void {
    switch (node.kind) {
      case 'empty':
        break;
      case 'literal':
        this.#emit(RegexOp.CHARACTER, node.code, 0);
        break;
      case 'set':
        this.#emit(RegexOp.CLASS, this.#class(node.set), 0);
        break;
      case 'assert': {
        const isWord = node.assertion === 'word' || node.assertion === 'notWord';
        this.#emit(assertOps[node.assertion], isWord ? this.#class(this.#words()) : 0, 0);
        break;
      }
      case 'concat':
        for (const part of node.parts) this.#node(part);
        break;
      case 'alternate':
        this.#alternate(node.parts);
        break;
      case 'repeat':
        this.#repeat(node.node, node.min, node.max, node.greedy);
        break;
      case 'group':
        this.#emit(RegexOp.SAVE, node.index * 2, 0);
        this.#node(node.node);
        this.#emit(RegexOp.SAVE, node.index * 2 + 1, 0);
        break;
    }
  }

  #alternate(parts: readonly Node[]): void {
    const ends: number[] = [];
    for (const part of parts.slice(0, -1)) {
      const split = this.#emit(RegexOp.SPLIT, 0, 0);
      this.#node(part);
      ends.push(this.#emit(RegexOp.JUMP, 0, 0));
      this.#patch(split, split + 1, this.#size);
    }
    this.#node(parts[parts.length - 1]);
    for (const end of ends) this.#patch(end, this.#size, 0);
  }

  #repeat(node: Node, min: number, max: number, greedy: boolean): void {
    for (let i = 0; i < min; i++) this.#node(node);
    if (max === Number.POSITIVE_INFINITY) {
      const split = this.#emit(RegexOp.SPLIT, 0, 0);
      this.#node(node);
      this.#emit(RegexOp.JUMP, split, 0);
      this.#branch(split, greedy);
      return;
    }
    const splits: number[] = [];
    for (let i = min; i < max; i++) {
      splits.push(this.#emit(RegexOp.SPLIT, 0, 0));
      this.#node(node);
    }
    for (const split of splits) this.#branch(split, greedy);
  }

  /** Lets a split choose between what follows it and what will be emitted next. */
  #branch(split: number, greedy: boolean): void {
    if (greedy) this.#patch(split, split + 1, this.#size);
    else this.#patch(split, this.#size, split + 1);
  }

  /** What counts as a part of a word. */
  #words(): CodePoints {
    return (this.#options.bytes ? asciiClasses : perlClasses).w();
  }

  /** Offset of the class in words. */
  #class(set: CodePoints): number {
    const words = wordsOfClass(set);
    const key = words.join();
    const known = this.#classOffsets.get(key);
    if (known !== undefined) return known;
    const offset = this.#classes.length;
    for (const word of words) this.#classes.push(word);
    this.#classOffsets.set(key, offset);
    return offset;
  }
}

/** Words of the sets that many patterns share, such as what `\\d` stands for. */
const classWords = new WeakMap<CodePoints, readonly number[]>();

/** A bit per ASCII character, the number of ranges beyond them, and these. */
function wordsOfClass(set: CodePoints): readonly number[] {
  let words = classWords.get(set);
  if (words) return words;
  const bits = [0, 0, 0, 0];
  for (const [low, high] of set) {
    for (let c = low; c <= Math.min(high, 127); c++) bits[c >> 5] |= 1 << (c & 31);
  }
  const beyond = set.filter(([, high]) => high > 127);
  words = [...bits, beyond.length, ...beyond.flatMap(([low, high]) => [Math.max(low, 128), high])];
  classWords.set(set, words);
  return words;
}

/** True where no match can start but at the start of the subject. */
function startsAnchored(node: Node): boolean {
  switch (node.kind) {
    case 'assert':
      return node.assertion === 'start';
    case 'concat':
      return node.parts.length > 0 && startsAnchored(node.parts[0]);
    case 'alternate':
      return node.parts.every(startsAnchored);
    case 'group':
      return startsAnchored(node.node);
    default:
      return false;
  }
}

function literalPrefix(node: Node): string {
  if (node.kind !== 'concat' || !startsAnchored(node)) return '';
  const codes: number[] = [];
  leadingLiterals(node.parts.slice(1), codes);
  return String.fromCodePoint(...codes);
}

/** Collects the literals that the parts begin with; true where they are nothing else. */
function leadingLiterals(parts: readonly Node[], codes: number[]): boolean {
  return parts.every((part) => {
    if (part.kind === 'concat') return leadingLiterals(part.parts, codes);
    if (part.kind !== 'literal') return false;
    codes.push(part.code);
    return true;
  });
}
