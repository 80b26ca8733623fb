/**
 * JSON (RFC 8259) as plain values, with duplicate keys refused and positions on demand: ten times
 * as fast as the YAML reader, which matters for the large documents that programs write.
 */
import { limits } from '../limits.js';
import { runSteps, type Steps } from '../slices.js';

export class JsonSyntaxError extends Error {
  /** @param offset of the character that does not belong there */
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/** Called for each string that is a value; `offset` is its opening quote. */
type StringHook = (text: string, offset: number, path: readonly (string | number)[]) => unknown;

/** Offsets below one object or array, by key or index: of the key and of the value. */
type Offsets = Map<string | number, readonly [key: number, value: number]>;

/** An object or array that has not ended. */
interface Frame {
  readonly list: unknown[] | null;
  readonly map: Record<string, unknown> | null;
  readonly offsets: Offsets | undefined;
  isEmpty: boolean;
  readonly outer: Frame | null;
}

/** Elements between two yields. */
const elementsPerStep = 256;

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const plainString = /"[^"\\\u0000-\u001f]*"/y;
const anyString = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const space = /[ \t\r\n]*/y;
const words: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

export class JsonReader {
  /** Keys that occur twice: their path and offset. */
  readonly duplicates: { path: (string | number)[]; offset: number }[] = [];
  /** Filled where positions are wanted: by the object or array. */
  readonly offsets: Map<object, Offsets> | null;
  readonly #text: string;
  readonly #onString: StringHook | undefined;
  readonly #path: (string | number)[] = [];
  #at = 0;
  #frame: Frame | null = null;

  constructor(text: string, options: { onString?: StringHook; offsets?: boolean } = {}) {
    this.#text = text;
    this.#onString = options.onString;
    this.offsets = options.offsets ? new Map() : null;
  }

  /** @throws JsonSyntaxError */
  read(): unknown {
    return runSteps(this.steps());
  }

  /** What `read` does, in steps. */
  *steps(): Steps<unknown> {
    this.#skip();
    const root = this.#begin();
    for (let count = 1; this.#frame; count++) {
      this.#element(this.#frame);
      if (count % elementsPerStep === 0) yield;
    }
    this.#skip();
    if (this.#at < this.#text.length) this.#fail();
    return root;
  }

  #skip(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code > 32) return;
    space.lastIndex = this.#at;
    space.test(this.#text);
    this.#at = space.lastIndex;
  }

  #fail(message?: string): never {
    const ended = this.#at >= this.#text.length;
    const fault = ended ? 'unexpected end of JSON' : 'unexpected token in JSON';
    throw new JsonSyntaxError(message ?? fault, this.#at);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (!found) this.#fail();
    this.#at = pattern.lastIndex;
    return found[0];
  }

  /** A value, or the start of an object or array, whose elements then come one by one. */
  #begin(): unknown {
    const start = this.#at;
    switch (this.#text[start]) {
      case '{':
        return this.#enter({}, null);
      case '[': {
        const list: unknown[] = [];
        return this.#enter(list, list);
      }
      case '"': {
        const text = this.#string();
        return this.#onString ? this.#onString(text, start, this.#path) : text;
      }
      default:
        for (const [word, value] of words) {
          if (!this.#text.startsWith(word, start)) continue;
          this.#at += word.length;
          return value;
        }
        return Number(this.#match(number));
    }
  }

  #string(): string {
    plainString.lastIndex = this.#at;
    if (plainString.test(this.#text)) {
      const start = this.#at + 1;
      this.#at = plainString.lastIndex;
      return this.#text.slice(start, this.#at - 1);
    }
    return JSON.parse(this.#match(anyString));
  }

  #enter(container: object, list: unknown[] | null): object {
    if (this.#path.length >= limits.configDepth.value) {
      this.#fail(`nested deeper than ${limits.configDepth.value} levels`);
    }
    this.#at += 1;
    this.#skip();
    const offsets = this.offsets ? new Map() : undefined;
    if (offsets) this.offsets?.set(container, offsets);
    const map = list ? null : (container as Record<string, unknown>);
    this.#frame = { list, map, offsets, isEmpty: true, outer: this.#frame };
    return container;
  }

  /** The next element of the innermost container with the comma behind it, or its end. */
  #element(frame: Frame): void {
    const { list, offsets } = frame;
    if (frame.isEmpty && this.#text[this.#at] === (list ? ']' : '}')) {
      this.#at += 1;
      this.#leave(frame);
      return;
    }
    frame.isEmpty = false;
    if (list) {
      offsets?.set(list.length, [this.#at, this.#at]);
      this.#path.push(list.length);
      list.push(this.#begin());
    } else this.#member(frame.map as Record<string, unknown>, offsets);
    if (this.#frame === frame) this.#after(frame);
  }

  #member(map: Record<string, unknown>, offsets: Offsets | undefined): void {
    const keyAt = this.#at;
    if (this.#text[keyAt] !== '"') this.#fail();
    const key = this.#string();
    this.#skip();
    if (this.#text[this.#at] !== ':') this.#fail();
    this.#at += 1;
    this.#skip();
    const valueAt = this.#at;
    this.#path.push(key);
    const value = this.#begin();
    if (Object.hasOwn(map, key)) {
      this.duplicates.push({ path: [...this.#path], offset: keyAt });
    } else {
      offsets?.set(key, [keyAt, valueAt]);
      setOwn(map, key, value);
    }
  }

  /** Behind an element: a comma, or the end of what it is in. */
  #after(frame: Frame): void {
    this.#path.pop();
    this.#skip();
    const character = this.#text[this.#at];
    const isEnd = character === (frame.list ? ']' : '}');
    if (character !== ',' && !isEnd) this.#fail();
    this.#at += 1;
    if (isEnd) this.#leave(frame);
    else this.#skip();
  }

  #leave({ outer }: Frame): void {
    this.#frame = outer;
    if (outer) this.#after(outer);
  }
}

/** Sets a property also where its name is `__proto__`. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') {
    target[key] = value;
    return;
  }
  const slot = { value, enumerable: true, writable: true, configurable: true };
  Object.defineProperty(target, key, slot);
}
