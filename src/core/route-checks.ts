/** Conditions of a route beyond host and path, as the checks that the core evaluates in turn. */
import type { Route } from '../config/model.js';
import { Check, CheckItem, CheckOp, ItemKind, Need } from './layout.js';
import type { TableWriter } from './table-writer.js';
import { binary, WordList } from './table-writer.js';

/** A run of checks: all of them must hold. */
export interface CheckRange {
  readonly first: number;
  readonly count: number;
}

/** Why a route cannot be put into a table. */
export interface RouteProblem {
  /** Index of the route in the input. */
  readonly route: number;
  /** Field of the route entity. */
  readonly field: string;
  readonly message: string;
}

interface Item {
  readonly kind: number;
  readonly bytes: number;
  readonly length: number;
}

/** Collects the checks of all routes. */
export class Checks {
  readonly checks = new WordList();
  readonly items = new WordList();
  readonly problems: RouteProblem[] = [];
  /** Need bits of the checks so far. */
  needs = 0;
  readonly #writer: TableWriter;

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
    for (const [name, values] of Object.entries(route.headers ?? {})) {
      const items = values.map((value) => this.#headerValue(value, index));
      this.#check(CheckOp.HEADER, lower(name).replaceAll('-', '_'), items);
      this.needs |= Need.HEADER;
    }
    if (patterns.length > 0) this.#unsupported(index, 'paths');
    return { first, count: this.checkCount - first };
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
    if (value.startsWith('~*')) this.#unsupported(index, 'headers');
    return this.#text(lower(value));
  }

  #unsupported(route: number, field: string): void {
    const what = field === 'paths' ? 'paths' : 'headers';
    this.problems.push({ route, field, message: `regex ${what} are not supported yet` });
  }
}

/** Lower-cases ASCII letters only: what the reference does to the configured side. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
