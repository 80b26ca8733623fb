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
  const open = parts.filter((part) => !isProved(part, way));
  // the last match counts, and a static one in front of or behind others would be forgotten
  const rest = open.some(mayMatchPath)
    ? parts.filter((part) => open.includes(part) || mayMatchPath(part))
    : open;
  let prefixLength = 0;
  for (const part of parts) {
    if (part.kind !== 'predicate' || rest.includes(part)) continue;
    if (leavesPrefix(part)) prefixLength = textOf(part).length;
  }
  if (rest.length < 2) return { rest: rest[0] ?? null, prefixLength };
  return { rest: { kind: 'and', parts: rest }, prefixLength };
}

/** True where every request that comes by the way satisfies the part. */
function isProved(part: Node, { host, path }: Reach): boolean {
  if (part.kind !== 'predicate' || part.value.type !== 'String') return false;
  const { field, operator, lower } = part;
  const text = textOf(part);
  if (field.code === ExpressionField.PATH) {
    return !lower && operator === '^=' && path.startsWith(text);
  }
  if (field.code !== ExpressionField.HOST || !host || text !== host.name) return false;
  const kinds = { exact: '==', bare: '==', left: '=^', right: '^=' } as const;
  return lower === (host.kind === 'bare') && operator === kinds[host.kind];
}

function textOf({ value }: Predicate): string {
  return value.type === 'String' ? binary(value.text) : '';
}
