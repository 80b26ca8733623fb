/** Host conditions: how their values are told apart, and the hash tables that find their trees. */
import { itemsPerStep, type Steps } from '../slices.js';
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
  const hasPort = digits !== '' && /^[0-9]+$/.test(digits);
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
export function* writeSlots(
  writer: TableWriter,
  roots: ReadonlyMap<string, number>,
  hashName: (name: string) => number,
): Steps<SlotTable> {
  let count = 1;
  while (count < roots.size * 2) count *= 2;
  const words = new Uint32Array((count * HostSlot.size) >> 2);
  const stride = HostSlot.size >> 2;
  let longest = 0;
  let written = 0;
  for (const [name, root] of roots) {
    const hash = hashName(name);
    let slot = hash & (count - 1);
    while (words[slot * stride + 2] !== 0) slot = (slot + 1) & (count - 1);
    words.set([hash, writer.text(name), name.length, root], slot * stride);
    longest = Math.max(longest, name.length);
    if (++written % itemsPerStep === 0) yield;
  }
  return { offset: writer.words(words), mask: count - 1, longest };
}

const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

/** FNV-1a over words of four bytes, mixed at the end: for names that are looked up whole. */
export function hashWords(name: string): number {
  let hash = HASH_START ^ name.length;
  let at = 0;
  for (; at + 4 <= name.length; at += 4) {
    const product = Math.imul(hash ^ word(name, at, 4), HASH_PRIME);
    hash = (product << 13) | (product >>> 19);
  }
  if (at < name.length) hash = Math.imul(hash ^ word(name, at, name.length - at), HASH_PRIME);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** FNV-1a: for names that are the start of a host. */
export function hashForwards(name: string): number {
  let hash = HASH_START;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), HASH_PRIME);
  return hash >>> 0;
}

/** FNV-1a from the last byte to the first: for names that are the end of a host. */
export function hashBackwards(name: string): number {
  let hash = HASH_START;
  for (let i = name.length; i-- > 0; ) hash = Math.imul(hash ^ name.charCodeAt(i), HASH_PRIME);
  return hash >>> 0;
}

function word(name: string, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value |= name.charCodeAt(at + i) << (i * 8);
  return value;
}
