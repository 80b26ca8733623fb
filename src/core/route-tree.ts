/**
 * Prefix trees over the plain paths, one per host: nodes, their labels and their candidates as the
 * arrays that `src/codegen/matcher.ts` describes. Children of a node are adjacent and come later.
 */
import { itemsPerStep, type Steps, sortSteps } from '../slices.js';
import { Candidate, PathNode } from './layout.js';
import type { TableWriter } from './table-writer.js';
import { WordList } from './table-writer.js';

/** A candidate of one tree before it is placed. */
export interface TreeEntry {
  /** Binary string; empty where the route looks at no plain path. */
  readonly path: string;
  readonly order: number;
  readonly route: number;
  /** Port that the host condition asks for, -1: any. */
  readonly port: number;
  readonly checks: number;
  readonly checkCount: number;
  /** Bytes of the path that a match takes off. */
  readonly prefixLength: number;
}

/** Entries [low, high) of the sorted list, which share the first `depth` bytes of their paths. */
interface Range {
  readonly low: number;
  readonly high: number;
  readonly depth: number;
}

const NODE_WORDS = PathNode.size >> 2;
const BEST = PathNode.best >> 2;
const NO_ORDER = 0xffffffff;

/** Collects the trees of all hosts. */
export class PathTrees {
  readonly nodes = new WordList();
  readonly candidates = new WordList();
  readonly #writer: TableWriter;
  #placed = 0;

  constructor(writer: TableWriter) {
    this.#writer = writer;
  }

  get nodeCount(): number {
    return this.nodes.length / NODE_WORDS;
  }

  get candidateCount(): number {
    return this.candidates.length / (Candidate.size >> 2);
  }

  /** Adds the tree of at least one entry; returns its root. */
  *add(given: readonly TreeEntry[]): Steps<number> {
    const entries = given.length > 1 ? yield* sortSteps(given, byPath) : given;
    const root = this.nodeCount;
    const all = { low: 0, high: entries.length, depth: 0 };
    const ranges = [this.#node(entries, all)];
    const parents = [-1];
    for (let i = 0; i < ranges.length; i++) {
      if (++this.#placed % itemsPerStep === 0) yield;
      const children = this.#place(entries, ranges[i], root + i);
      for (const child of children) {
        ranges.push(this.#node(entries, child));
        parents.push(root + i);
      }
    }
    for (let i = ranges.length - 1; i > 0; i--) {
      const best = this.nodes.get((root + i) * NODE_WORDS + BEST);
      const above = parents[i] * NODE_WORDS + BEST;
      if (best < this.nodes.get(above)) this.nodes.set(above, best);
    }
    return root;
  }

  /** Appends a node labelled with what its range has in common beyond `depth`. */
  #node(entries: readonly TreeEntry[], range: Range): Range {
    const first = entries[range.low].path;
    const last = entries[range.high - 1].path;
    let depth = range.depth;
    const end = Math.min(first.length, last.length);
    while (depth < end && first.charCodeAt(depth) === last.charCodeAt(depth)) depth++;
    const label = first.slice(range.depth, depth);
    this.nodes.push(this.#writer.text(label), label.length, NO_ORDER, 0, 0, 0, 0, 0);
    return { ...range, depth };
  }

  /** Fills in a node: its candidates end at its depth, the rest goes to the children. */
  #place(entries: readonly TreeEntry[], range: Range, node: number): Range[] {
    const { high, depth } = range;
    const firstCandidate = this.candidateCount;
    let low = range.low;
    for (; low < high && entries[low].path.length === depth; low++) this.#candidate(entries[low]);
    const at = node * NODE_WORDS;
    if (low > range.low) this.nodes.set(at + BEST, entries[range.low].order);
    this.nodes.set(at + (PathNode.candidates >> 2), firstCandidate);
    this.nodes.set(at + (PathNode.candidateCount >> 2), low - range.low);
    const children: Range[] = [];
    const firsts: number[] = [];
    while (low < high) {
      const first = entries[low].path.charCodeAt(depth);
      let end = low + 1;
      while (end < high && entries[end].path.charCodeAt(depth) === first) end++;
      children.push({ low, high: end, depth });
      firsts.push(first);
      low = end;
    }
    if (children.length > 0) {
      this.nodes.set(at + (PathNode.firstChild >> 2), this.nodeCount);
      this.nodes.set(at + (PathNode.childCount >> 2), children.length);
      this.nodes.set(at + (PathNode.firsts >> 2), this.#writer.padded(firsts, 16));
    }
    return children;
  }

  #candidate(entry: TreeEntry): void {
    const { order, route, port, prefixLength, checks, checkCount } = entry;
    this.candidates.push(order, route, port + 1, prefixLength, checks, checkCount);
  }
}

function byPath(a: TreeEntry, b: TreeEntry): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : a.order - b.order;
}
