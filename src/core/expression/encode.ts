/** Writes the steps of expressions into a route table; the layout is in src/codegen/matcher.ts. */
import { parseRange } from '../address.js';
import { ExpressionField, ExpressionStep } from '../layout.js';
import type { TableWriter } from '../table-writer.js';
import { binary } from '../table-writer.js';
import type { Step } from './program.js';
import { flagsOf, stepsOf } from './program.js';
import type { Node, Predicate } from './syntax.js';

/** Where something stands in a table. */
export interface Span {
  /** Bytes from the table's base. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

const STRIDE = ExpressionStep.size >> 2;
const NUMBER_MAX = 0x7fffffffn;

/** Writes expressions; equal patterns are written once. */
export class ExpressionWriter {
  readonly #writer: TableWriter;
  readonly #patterns = new Map<string, Span>();

  constructor(writer: TableWriter) {
    this.#writer = writer;
  }

  /** The ExpressionStep records of a checked expression. */
  write(node: Node): Span {
    const steps = stepsOf(node);
    const words = new Uint32Array(steps.length * STRIDE);
    steps.forEach((step, index) => {
      this.#step(step, words.subarray(index * STRIDE, (index + 1) * STRIDE));
    });
    return { offset: this.#writer.words(words), length: words.byteLength };
  }

  #step(step: Step, into: Uint32Array): void {
    const { op, predicate, place, onTrue, onFalse } = step;
    const set = (field: number, value: number) => {
      into[field >> 2] = value;
    };
    set(ExpressionStep.op, op);
    set(ExpressionStep.flags, flagsOf(step));
    set(ExpressionStep.onTrue, onTrue.at);
    set(ExpressionStep.onFalse, onFalse.at);
    set(ExpressionStep.value, place);
    if (!predicate) return;
    const { field } = predicate;
    set(ExpressionStep.field, field.code);
    if (field.code === ExpressionField.SEGMENTS) {
      set(ExpressionStep.name, field.first);
      set(ExpressionStep.nameLength, field.last);
    } else {
      const name = binary(field.name);
      set(ExpressionStep.name, this.#writer.text(name));
      set(ExpressionStep.nameLength, name.length);
    }
    const { offset, length } = this.#value(predicate);
    set(ExpressionStep.value, offset);
    set(ExpressionStep.length, length);
  }

  #value({ value, pattern }: Predicate): Span {
    if (value.type === 'Int') {
      // ports and counts are far inside of what is kept
      const { value: number } = value;
      const kept = number > NUMBER_MAX ? NUMBER_MAX : number < -NUMBER_MAX ? -NUMBER_MAX : number;
      return { offset: Number(kept), length: 0 };
    }
    if (value.type === 'String') {
      if (pattern) return this.#pattern(value.text, pattern.words);
      const text = binary(value.text);
      return { offset: this.#writer.text(text), length: text.length };
    }
    const range = parseRange(value.text);
    if (!range) throw new Error(`${value.text} was checked before`);
    return { offset: this.#writer.padded(range.address, 16), length: range.prefixBits };
  }

  #pattern(source: string, words: Uint32Array): Span {
    let span = this.#patterns.get(source);
    if (!span) {
      span = { offset: this.#writer.words(words), length: words.byteLength };
      this.#patterns.set(source, span);
    }
    return span;
  }
}
