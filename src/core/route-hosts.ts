/** Host conditions: how their values are told apart, and the hash tables that find their trees. */
import { HostSlot } from './layout.js';
import type { TableWriter } from './table-writer.js';
import { binary } from './table-writer.js';

export type HostKind = 'exact' | 'left' | 'right';

export interface HostValue {
  readonly kind: HostKind;
  /** Binary string; a wildcard without its `*` but with the dot beside it. */
  readonly name: string;
  /** -1: any. */
  readonly port: number;
}

/** Splits a configured host: at its first colon where only digits follow, like the request's. */
export function parseHost(value: string): HostValue {
  const colon = value.indexOf(':');
  const digits = colon < 0 ? '' : value.slice(colon + 1);
  const hasPort = /^[0-9]+$/.test(digits);
  const host = binary(hasPort ? value.slice(0, colon) : value);
  const port = hasPort ? Number(digits) : -1;
  if (host.startsWith('*.')) return { kind: 'left', name: host.slice(1), port };
  if (host.endsWith('.*')) return { kind: 'right', name: host.slice(0, -1), port };
  return { kind: 'exact', name: host, port };
}

export interface SlotTable {
  readonly offset: number;
  readonly mask: number;
  /** Longest name in bytes. */
  readonly longest: number;
}

/** Writes the hash table of names to root nodes, at most half full. */
export function writeSlots(
  writer: TableWriter,
  roots: ReadonlyMap<string, number>,
  backwards: boolean,
): SlotTable {
  let count = 1;
  while (count < roots.size * 2) count *= 2;
  const words = new Uint32Array((count * HostSlot.size) >> 2);
  const stride = HostSlot.size >> 2;
  let longest = 0;
  for (const [name, root] of roots) {
    const hash = hashName(name, backwards);
    let slot = hash & (count - 1);
    while (words[slot * stride + 2] !== 0) slot = (slot + 1) & (count - 1);
    words.set([hash, writer.text(name), name.length, root], slot * stride);
    longest = Math.max(longest, name.length);
  }
  return { offset: writer.words(words), mask: count - 1, longest };
}

/** FNV-1a, from the end for names that are looked up from the end of a host. */
function hashName(name: string, backwards: boolean): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(backwards ? name.length - 1 - i : i), 0x01000193);
  }
  return hash >>> 0;
}
