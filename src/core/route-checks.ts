/** Conditions of a route beyond host and path, as the checks that the core evaluates in turn. */

import { isIPv6 } from 'node:net';
import type { IpPort, Route } from '../config/model.js';
import { GatewayError } from '../errors.js';
import { parseRange } from './address.js';
import { ExpressionWriter } from './expression/index.js';
import { AddressFamily, AddressItem, Check, CheckItem, CheckOp, ItemKind, Need } from './layout.js';
import { compilePattern } from './regex/compile.js';
import type { ExpressionRoute } from './route-expressions.js';
import { onlyOn } from './route-expressions.js';
import { headerPattern, lowerAscii, type PatternSource, pathPattern } from './route-patterns.js';
import type { TableWriter } from './table-writer.js';
import { binary, WordList } from './table-writer.js';

/** A run of checks: all of them must hold. */
export interface CheckRange {
  readonly first: number;
  readonly count: number;
  /** Binary string that the path must start with for the patterns to match. */
  readonly prefix: string;
}

export type RouterFlavor = 'traditional_compatible' | 'traditional' | 'expressions';

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
  readonly #traditional: boolean;
  /** True where the protocols of a route take part in the match. */
  readonly #byProtocol: boolean;
  readonly #expressions: ExpressionWriter;
  readonly #patterns = new Map<string, Compiled>();

  constructor(writer: TableWriter, flavor: RouterFlavor) {
    this.#writer = writer;
    this.#traditional = flavor === 'traditional';
    this.#byProtocol = flavor === 'expressions';
    this.#expressions = new ExpressionWriter(writer);
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
    this.#protocols(route);
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
    this.#addresses(CheckOp.SOURCE, Need.SOURCE, route.sources);
    this.#addresses(CheckOp.DESTINATION, Need.DESTINATION, route.destinations);
    for (const [name, values] of Object.entries(route.headers ?? NO_HEADERS)) {
      this.#header(lowerAscii(name), values, index);
      this.needs |= Need.HEADER;
    }
    const prefix = patterns.length > 0 ? this.#paths(patterns, index) : '';
    return { first, count: this.checkCount - first, prefix };
  }

  /** Adds the checks of a route that an expression chooses. */
  addExpression(route: Route, { rest, needs }: ExpressionRoute): CheckRange {
    const first = this.checkCount;
    this.#protocols(route);
    if (rest) {
      const { offset, length } = this.#expressions.write(rest);
      this.#check(CheckOp.EXPRESSION, '', [{ kind: ItemKind.EXPRESSION, bytes: offset, length }]);
    }
    this.needs |= needs;
    return { first, count: this.checkCount - first, prefix: '' };
  }

  #protocols(route: Route): void {
    const only = this.#byProtocol ? onlyOn(route.protocols) : null;
    if (only) this.#check(only === 'clear' ? CheckOp.CLEAR : CheckOp.SECURE, '', []);
  }

  #header(name: string, values: readonly string[], index: number): void {
    if (!this.#traditional) {
      const items = values.map((value) => this.#headerValue(value, index));
      this.#check(CheckOp.HEADER, name.replaceAll('-', '_'), items);
      return;
    }
    // a pattern counts only where it stands alone, and then its text as a value counts, too
    const items = values.map((value) => this.#text(lowerAscii(value)));
    const pattern = headerPattern(values[0] ?? '', values, true);
    if (pattern) items.push(this.#pattern(pattern, index, 'headers').item);
    this.#check(CheckOp.HEADER_AS_SENT, name, items);
  }

  /** Adds the check of the pattern paths; returns what every path must start with. */
  #paths(patterns: readonly string[], index: number): string {
    const list = patterns.map((text) => {
      return this.#pattern(pathPattern(text, this.#traditional), index, 'paths');
    });
    const op = this.#traditional ? CheckOp.PATH_REGEX_TAIL : CheckOp.PATH_REGEX;
    this.#check(
      op,
      '',
      list.map(({ item }) => item),
    );
    return list.map(({ literalPrefix }) => literalPrefix).reduce(commonPrefix);
  }

  #addresses(op: number, need: number, list: readonly IpPort[] | null): void {
    if (!list?.length) return;
    const items = list.map(({ ip, port }) => this.#address(ip ?? null, port ?? null));
    this.#check(op, '', items);
    this.needs |= need;
  }

  #address(ip: string | null, port: number | null): Item {
    const at = this.#writer.allocate(AddressItem.size);
    const range = ip === null ? null : parseRange(ip);
    let family: number = AddressFamily.ANY;
    if (range) {
      family = isIPv6(ip?.split('/')[0] ?? '') ? AddressFamily.V6 : AddressFamily.V4;
      const { buffer, byteOffset } = range.address;
      const words = new Uint32Array(buffer, byteOffset, 4);
      for (let i = 0; i < 4; i++) this.#writer.set(at + AddressItem.address + i * 4, words[i]);
      this.#writer.set(at + AddressItem.prefixBits, range.prefixBits);
    }
    this.#writer.set(at + AddressItem.port, port === null ? 0 : port + 1);
    this.#writer.set(at + AddressItem.family, family);
    return { kind: ItemKind.ADDRESS, bytes: at, length: AddressItem.size };
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
    if (this.#traditional) return this.#text(withoutDot(sni));
    if (sni.startsWith('*.')) return this.#text(sni.slice(1), ItemKind.ENDS_WITH);
    if (sni.endsWith('.*')) return this.#text(sni.slice(0, -1), ItemKind.STARTS_WITH);
    return this.#text(withoutDot(sni));
  }

  #headerValue(value: string, index: number): Item {
    const pattern = headerPattern(value, [value], false);
    if (pattern) return this.#pattern(pattern, index, 'headers').item;
    return this.#text(lowerAscii(value));
  }

  /** The compiled pattern; one that does not compile becomes a problem. */
  #pattern({ source, options }: PatternSource, route: number, field: string): Compiled {
    const { foldText = false, bytes = false } = options;
    const key = `${foldText ? 'i' : ''}/${source}`;
    const known = this.#patterns.get(key);
    if (known) return known;
    try {
      const { words, literalPrefix } = compilePattern(source, options);
      const item = {
        kind: ItemKind.REGEX,
        bytes: this.#writer.words(words),
        length: words.byteLength,
      };
      const compiled = { item, literalPrefix: bytes ? literalPrefix : binary(literalPrefix) };
      this.#patterns.set(key, compiled);
      return compiled;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.problems.push({ route, field, message: `${source}: ${error.message}` });
      return { item: { kind: ItemKind.EXACT, bytes: 0, length: 0 }, literalPrefix: '' };
    }
  }
}

/** The last dot of a fully qualified name plays no role. */
function withoutDot(sni: string): string {
  return sni.length > 1 && sni.endsWith('.') ? sni.slice(0, -1) : sni;
}

/** What two texts have in common from their start. */
function commonPrefix(a: string, b: string): string {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return a.slice(0, n);
}
