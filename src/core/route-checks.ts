/** Conditions of a route beyond host and path, as the checks that the core evaluates in turn. */
import type { Route } from '../config/model.js';
import { GatewayError } from '../errors.js';
import { Check, CheckItem, CheckOp, ItemKind, Need } from './layout.js';
import { compilePattern } from './regex/compile.js';
import type { TableWriter } from './table-writer.js';
import { binary, WordList } from './table-writer.js';

/** A run of checks: all of them must hold. */
export interface CheckRange {
  readonly first: number;
  readonly count: number;
  /** Binary string that the path must start with for the patterns to match. */
  readonly prefix: string;
}

/** Why a route cannot be put into a table. */
export interface RouteProblem {
  /** Index of the route in the input. */
  readonly route: number;
  /** Field of the route entity. */
  readonly field: string;
  readonly message: string;
}

interface Compiled {
  readonly item: Item;
  readonly literalPrefix: string;
}

interface Item {
  readonly kind: number;
  readonly bytes: number;
  readonly length: number;
}

const NO_HEADERS: NonNullable<Route['headers']> = {};

/** Collects the checks of all routes. */
export class Checks {
  readonly checks = new WordList();
  readonly items = new WordList();
  readonly problems: RouteProblem[] = [];
  /** Need bits of the checks so far. */
  needs = 0;
  readonly #writer: TableWriter;
  readonly #patterns = new Map<string, Compiled>();

  constructor(writer: TableWriter) {
    this.#writer = writer;
  }

  get checkCount(): number {
    return this.checks.length / (Check.size >> 2);
  }

  get itemCount(): number {
    return this.items.length / (CheckItem.size >> 2);
  }

  /** Adds the checks of a route; `patterns` are the path patterns of the part, if it has any. */
  add(route: Route, index: number, patterns: readonly string[]): CheckRange {
    const first = this.checkCount;
    if (route.methods?.length) {
      this.#check(
        CheckOp.METHOD,
        '',
        route.methods.map((method) => this.#text(method)),
      );
      this.needs |= Need.METHOD;
    }
    if (route.snis?.length) {
      this.#check(
        CheckOp.SNI,
        '',
        route.snis.map((sni) => this.#serverName(sni)),
      );
      this.needs |= Need.SNI;
    }
    for (const [name, values] of Object.entries(route.headers ?? NO_HEADERS)) {
      const items = values.map((value) => this.#headerValue(value, index));
      this.#check(CheckOp.HEADER, lower(name).replaceAll('-', '_'), items);
      this.needs |= Need.HEADER;
    }
    let prefix = '';
    if (patterns.length > 0) {
      // the anchor is text put in front: it binds to the first alternative only
      const list = patterns.map((text) => this.#pattern(`^${text}`, false, index, 'paths'));
      this.#check(
        CheckOp.PATH_REGEX,
        '',
        list.map(({ item }) => item),
      );
      prefix = list.map(({ literalPrefix }) => literalPrefix).reduce(commonPrefix);
    }
    return { first, count: this.checkCount - first, prefix };
  }

  #check(op: number, name: string, items: readonly Item[]): void {
    this.checks.push(op, this.#writer.text(name), name.length, this.itemCount, items.length);
    for (const { kind, bytes, length } of items) this.items.push(kind, bytes, length);
  }

  #text(text: string, kind: number = ItemKind.EXACT): Item {
    const bytes = binary(text);
    return { kind, bytes: this.#writer.text(bytes), length: bytes.length };
  }

  #serverName(sni: string): Item {
    if (sni.startsWith('*.')) return this.#text(sni.slice(1), ItemKind.ENDS_WITH);
    if (sni.endsWith('.*')) return this.#text(sni.slice(0, -1), ItemKind.STARTS_WITH);
    return this.#text(sni.length > 1 && sni.endsWith('.') ? sni.slice(0, -1) : sni);
  }

  #headerValue(value: string, index: number): Item {
    if (value.startsWith('~*')) {
      return this.#pattern(lower(value.slice(2)), true, index, 'headers').item;
    }
    return this.#text(lower(value));
  }

  /** The compiled pattern; one that does not compile becomes a problem. */
  #pattern(source: string, foldText: boolean, route: number, field: string): Compiled {
    const key = `${foldText ? 'i' : ''}/${source}`;
    const known = this.#patterns.get(key);
    if (known) return known;
    try {
      const { words, literalPrefix } = compilePattern(source, foldText);
      const item = {
        kind: ItemKind.REGEX,
        bytes: this.#writer.words(words),
        length: words.byteLength,
      };
      const compiled = { item, literalPrefix: binary(literalPrefix) };
      this.#patterns.set(key, compiled);
      return compiled;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.problems.push({ route, field, message: `${source}: ${error.message}` });
      return { item: { kind: ItemKind.EXACT, bytes: 0, length: 0 }, literalPrefix: '' };
    }
  }
}

/** What two texts have in common from their start. */
function commonPrefix(a: string, b: string): string {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return a.slice(0, n);
}

/** Lower-cases ASCII letters only: what the reference does to the configured side. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
