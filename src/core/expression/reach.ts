/**
 * What every request that an expression accepts must have: a host, the start of a path, or both.
 * Such routes are found through host table and prefix tree like all others, so that a look-up does
 * not run the expression of every route. It is a necessary condition only: the expression decides.
 */
import { limits } from '../../limits.js';
import { ExpressionField } from '../layout.js';
import type { HostKind } from '../route-hosts.js';
import { binary } from '../table-writer.js';
import type { Node, Predicate } from './syntax.js';

export interface HostReach {
  /** `bare`: a whole host in lower case. */
  readonly kind: HostKind | 'bare';
  /** Binary string, as in route-hosts.ts: a wildcard keeps the dot beside it. */
  readonly name: string;
}

/** One of the ways to a route. */
export interface Reach {
  /** Null: any. */
  readonly host: HostReach | null;
  /** Binary string that the path starts with. */
  readonly path: string;
}

const ANYWHERE: readonly Reach[] = [{ host: null, path: '' }];

/** The ways that together cover every request of the expression, at least one. */
export function reachOf(node: Node): readonly Reach[] {
  switch (node.kind) {
    case 'predicate':
      return reachOfPredicate(node);
    case 'not':
      return ANYWHERE;
    case 'or':
      return distinct(node.parts.flatMap(reachOf));
    case 'and': {
      let reach = leadingSegments(node.parts);
      for (const part of node.parts) reach = both(reach, reachOf(part));
      return reach;
    }
  }
}

function reachOfPredicate({ field, lower, operator, value, pattern }: Predicate): readonly Reach[] {
  if (value.type !== 'String') return ANYWHERE;
  const text = binary(value.text);
  if (lower) {
    if (field.code !== ExpressionField.HOST || operator !== '==' || text === '') return ANYWHERE;
    return [{ host: { kind: 'bare', name: text }, path: '' }];
  }
  if (field.code === ExpressionField.HOST) {
    const host = hostReach(operator, text);
    return host ? [{ host, path: '' }] : ANYWHERE;
  }
  const exact = operator === '==' || operator === '^=';
  if (field.code === ExpressionField.PATH) {
    if (exact) return [{ host: null, path: text }];
    if (pattern) return [{ host: null, path: binary(pattern.literalPrefix) }];
  }
  if (field.code === ExpressionField.SEGMENTS && field.first === 0 && exact) {
    return [{ host: null, path: `/${text}` }];
  }
  return ANYWHERE;
}

/** The start of the path that conditions on its first segments, one after the other, make up. */
function leadingSegments(parts: readonly Node[]): readonly Reach[] {
  let byFirst: Map<number, Predicate> | undefined;
  for (const part of parts) {
    if (part.kind !== 'predicate' || part.field.code !== ExpressionField.SEGMENTS) continue;
    if (part.operator !== '==' || part.lower) continue;
    byFirst ??= new Map();
    byFirst.set(part.field.first, part);
  }
  if (!byFirst) return ANYWHERE;
  let path = '';
  for (let next = byFirst.get(0); next; next = byFirst.get(next.field.last + 1)) {
    if (next.value.type === 'String') path += `/${binary(next.value.text)}`;
  }
  return path === '' ? ANYWHERE : [{ host: null, path }];
}

/** Wildcard tables know names that begin or end at a dot: what is outside of those is left out. */
function hostReach(operator: string, text: string): HostReach | null {
  if (operator === '==') return text === '' ? null : { kind: 'exact', name: text };
  if (operator === '^=' && text.includes('.')) {
    return { kind: 'right', name: text.slice(0, text.lastIndexOf('.') + 1) };
  }
  if (operator === '=^' && text.includes('.')) {
    return { kind: 'left', name: text.slice(text.indexOf('.')) };
  }
  return null;
}

/** The ways that satisfy one of each list; only the narrower list where that would be too many. */
function both(a: readonly Reach[], b: readonly Reach[]): readonly Reach[] {
  if (a === ANYWHERE) return b;
  if (b === ANYWHERE) return a;
  if (a.length * b.length > limits.expressionReach.value) {
    const narrow = a.every(({ host, path }) => host !== null || path.length > 1);
    return narrow ? a : b;
  }
  return distinct(
    a.length === 1 && b.length === 1
      ? [narrower(a[0], b[0])]
      : a.flatMap((one) => b.map((other) => narrower(one, other))),
  );
}

function narrower(a: Reach, b: Reach): Reach {
  return {
    host: narrowerHost(a.host, b.host),
    path: a.path.length >= b.path.length ? a.path : b.path,
  };
}

function narrowerHost(a: HostReach | null, b: HostReach | null): HostReach | null {
  if (!a || !b) return a ?? b;
  for (const kind of ['exact', 'bare']) {
    if (a.kind === kind) return a;
    if (b.kind === kind) return b;
  }
  return a.name.length >= b.name.length ? a : b;
}

/** Each way once; a single one where some way is open to everything or there are too many. */
function distinct(list: readonly Reach[]): readonly Reach[] {
  const [first] = list;
  if (list.length === 1) return first.host || first.path !== '' ? list : ANYWHERE;
  const seen = new Map<string, Reach>();
  for (const reach of list) {
    if (!reach.host && reach.path === '') return ANYWHERE;
    seen.set(`${reach.host?.kind ?? ''} ${reach.host?.name ?? ''} ${reach.path}`, reach);
  }
  return seen.size > limits.expressionReach.value ? ANYWHERE : [...seen.values()];
}
