/**
 * Leaves out of an expression what host table and prefix tree have proved already where they lead
 * to its route: `http.host == "h" && http.path ^= "/p"` needs no step at all.
 */
import { ExpressionField } from '../layout.js';
import { binary } from '../table-writer.js';
import { leavesPrefix, mayMatchPath } from './program.js';
import type { Reach } from './reach.js';
import type { Node, Predicate } from './syntax.js';

export interface Narrowed {
  /** What is still to be tested; null: nothing. */
  readonly rest: Node | null;
  /** Bytes of the path that were matched, unless `rest` matches some itself. */
  readonly prefixLength: number;
}

/** The expression as it stands behind the ways that lead to it. */
export function narrow(node: Node, reach: readonly Reach[]): Narrowed {
  if (reach.length > 1 || node.kind === 'or' || node.kind === 'not') {
    return { rest: node, prefixLength: 0 };
  }
  const parts = node.kind === 'and' ? node.parts : [node];
  const [way] = reach;
  let rest: Node[] = [];
  for (const part of parts) if (!isProved(part, way)) rest.push(part);
  // the last match counts, and a static one in front of or behind others would be forgotten
  if (rest.some(mayMatchPath)) {
    rest = parts.filter((part) => rest.includes(part) || mayMatchPath(part));
  }
  let prefixLength = 0;
  for (const part of parts) {
    if (part.kind !== 'predicate' || !leavesPrefix(part) || rest.includes(part)) continue;
    prefixLength = textOf(part).length;
  }
  if (rest.length < 2) return { rest: rest[0] ?? null, prefixLength };
  return { rest: { kind: 'and', parts: rest }, prefixLength };
}

const operators = { exact: '==', bare: '==', left: '=^', right: '^=' } as const;

/** True where every request that comes by the way satisfies the part. */
function isProved(part: Node, { host, path }: Reach): boolean {
  if (part.kind !== 'predicate' || part.value.type !== 'String') return false;
  const { field, operator, lower } = part;
  if (field.code === ExpressionField.PATH) {
    return !lower && operator === '^=' && path.startsWith(textOf(part));
  }
  if (field.code !== ExpressionField.HOST || !host || textOf(part) !== host.name) return false;
  return lower === (host.kind === 'bare') && operator === operators[host.kind];
}

function textOf({ value }: Predicate): string {
  return value.type === 'String' ? binary(value.text) : '';
}
