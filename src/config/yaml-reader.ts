/**
 * What the full YAML parser found as plain values, with positions. Bounded: aliases are copied, so
 * the values they make are counted against a limit.
 */
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { limits } from '../limits.js';
import type { ConfigDocument, DocumentProblem, Environment, Position } from './document.js';
import { interpolate } from './interpolate.js';
import { EnvText } from './schema/env-text.js';
import type { Path } from './schema/field.js';
import type { YamlText } from './yaml-document.js';

const problemsMax = 100;
const copiesMax = limits.configAliasNodes.value;

export class YamlReader implements ConfigDocument {
  value: unknown = null;
  readonly problems: DocumentProblem[] = [];
  readonly #lines: LineCounter;
  readonly #document;
  readonly #env;
  readonly #anchors = new Map<string, Node>();
  readonly #targets = new WeakMap<Alias, Node>();
  readonly #pairs = new WeakMap<YAMLMap, Map<string, Pair>>();
  readonly #open = new Set<Node>();
  readonly #path: (string | number)[] = [];
  /** Whether an alias is being followed; what the text itself holds is bounded by its size. */
  #copying = false;
  #copies = 0;

  constructor({ document, second }: YamlText, lines: LineCounter, env?: Environment) {
    this.#env = env;
    this.#lines = lines;
    this.#document = document;
    if (second === null) return;
    const message = 'a second document begins here; expected one';
    this.problems.push({ message, ...this.#positionOf(second), path: [], parsed: false });
  }

  read(): this {
    const faults = [...this.#document.errors, ...this.#document.warnings];
    for (const fault of faults.slice(0, problemsMax)) {
      const position = this.#positionOf(fault.pos[0]);
      this.problems.push({ message: fault.message, ...position, path: [], parsed: false });
    }
    if (this.problems.length === 0) this.value = this.#read(this.#document.contents);
    return this;
  }

  locate(path: Path, at: 'value' | 'key' | 'entity'): Position {
    let node: unknown = this.#document.contents;
    let place = node;
    for (const [index, step] of path.entries()) {
      const target = this.#target(node);
      let key: unknown;
      if (isMap(target)) {
        const pair = this.#pair(target, String(step));
        key = pair?.key;
        node = pair?.value;
        if (!pair) break;
      } else if (isSeq(target) && typeof step === 'number') {
        node = target.items[step];
      } else break;
      const last = index === path.length - 1;
      place = key !== undefined && ((last && at === 'key') || !hasRange(node)) ? key : node;
      if (!hasRange(place)) break;
    }
    return this.#positionOf(hasRange(place) ? place.range[0] : 0);
  }

  #positionOf(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #report(node: unknown, message: string, path: Path = this.#path): null {
    if (this.problems.length < problemsMax) {
      const position = this.#positionOf(hasRange(node) ? node.range[0] : 0);
      this.problems.push({ message, ...position, path: [...path], parsed: true });
    }
    return null;
  }

  #target(node: unknown): unknown {
    return isAlias(node) ? this.#targets.get(node) : node;
  }

  #read(node: unknown): unknown {
    if (this.#copying && ++this.#copies > copiesMax) {
      if (this.#copies > copiesMax + 1) return null;
      return this.#report(node, `aliases that copy more than ${copiesMax} values`);
    }
    if (isAlias(node)) return this.#readAlias(node);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null;
    if (node.anchor) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#readScalar(node.value, node);
    if (this.#path.length >= limits.configDepth.value) {
      return this.#report(node, `nested deeper than ${limits.configDepth.value} levels`);
    }
    this.#open.add(node);
    const value = isSeq(node)
      ? node.items.map((item, index) => this.#readAt(index, item))
      : this.#readMap(node);
    this.#open.delete(node);
    return value;
  }

  #readAt(step: string | number, node: unknown): unknown {
    this.#path.push(step);
    const value = this.#read(node);
    this.#path.pop();
    return value;
  }

  #readAlias(alias: Alias): unknown {
    const target = this.#anchors.get(alias.source);
    if (!target) return this.#report(alias, `unknown alias '${alias.source}'`);
    if (this.#open.has(target)) return this.#report(alias, 'an alias to its own parent');
    this.#targets.set(alias, target);
    const outer = this.#copying;
    this.#copying = true;
    const value = this.#read(target);
    this.#copying = outer;
    return value;
  }

  #readScalar(value: unknown, node: Node): unknown {
    if (typeof value === 'bigint') return Number(value);
    if (typeof value !== 'string' || !this.#env || !value.includes('${')) return value;
    const { text, faults } = interpolate(value, this.#env);
    for (const fault of faults) this.#report(node, fault);
    return new EnvText(text, value);
  }

  #readMap(map: YAMLMap): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    const merges: [Pair, unknown][] = [];
    for (const pair of map.items) {
      const key = keyOf(pair);
      if (key === undefined) {
        this.#report(pair.key, 'a key must be a string');
        continue;
      }
      if (entries.has(key) || (key === '<<' && merges.length > 0)) {
        this.#report(pair.key, `duplicate key '${key}'`, [...this.#path, key]);
      } else if (key === '<<') {
        merges.push([pair, this.#readAt(key, pair.value)]);
      } else {
        entries.set(key, this.#readAt(key, pair.value));
      }
    }
    for (const [pair, source] of merges) this.#merge(pair, source, entries);
    return Object.fromEntries(entries);
  }

  /** `<<`: fields of other mappings, below those given directly; the first mapping wins. */
  #merge(pair: Pair, source: unknown, entries: Map<string, unknown>): void {
    for (const item of Array.isArray(source) ? source : [source]) {
      if (typeof item !== 'object' || item === null || Array.isArray(item)) {
        this.#report(pair.value, "'<<' wants a mapping or a list of mappings");
        return;
      }
      for (const [key, value] of Object.entries(item)) {
        if (!entries.has(key)) entries.set(key, value);
      }
    }
  }

  #pair(map: YAMLMap, name: string): Pair | undefined {
    const pairs = this.#pairsOf(map);
    const own = pairs.get(name);
    if (own) return own;
    const merge = this.#target(pairs.get('<<')?.value);
    for (const source of isSeq(merge) ? merge.items : [merge]) {
      const target = this.#target(source);
      const found = isMap(target) ? this.#pair(target, name) : undefined;
      if (found) return found;
    }
    return undefined;
  }

  /** The first pair of each key; kept, so that many faults in a large mapping are found fast. */
  #pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
    let pairs = this.#pairs.get(map);
    if (!pairs) {
      pairs = new Map();
      for (const pair of map.items) {
        const key = keyOf(pair);
        if (key !== undefined && !pairs.has(key)) pairs.set(key, pair);
      }
      this.#pairs.set(map, pairs);
    }
    return pairs;
  }
}

function keyOf(pair: Pair): string | undefined {
  const { key } = pair;
  if (!isScalar(key)) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return Array.isArray((node as { range?: unknown } | null | undefined)?.range);
}
