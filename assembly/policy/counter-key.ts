/** The hash of a counter's key, made in steps: the one of `src/workers/counters.ts`. */
// raw memory: bytes of the key
import { CounterAsk } from '../layout';

let low: u32 = 0;
let high: u32 = 0;
let length: u32 = 0;

/** Goes on from a state behind so many characters. */
export function beginKey(fromLow: u32, fromHigh: u32, hashed: u32): void {
  low = fromLow;
  high = fromHigh;
  length = hashed;
}

export function hashByte(c: u32): void {
  low = (low ^ c) * 0x01000193;
  high = ((high ^ c) + (low >> 7)) * 0x85ebca6b;
  length++;
}

export function hashBytes(p: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) hashByte(load<u8>(p + i));
}

/** Hashes an ASCII literal. */
export function hashText(text: string): void {
  const from = changetype<usize>(text);
  for (let i = 0; i < text.length; i++) hashByte(load<u16>(from + (<usize>i << 1)));
}

/** Where the last key stands, so that several may begin with it. */
export let keptLow: u32 = 0;
export let keptHigh: u32 = 0;
export let keptLength: u32 = 0;

export function keepState(): void {
  keptLow = low;
  keptHigh = high;
  keptLength = length;
}

/** Ends the key. */
export function endKey(ask: CounterAsk): void {
  ask.low = mix(low ^ length);
  ask.high = mix(high);
}

function mix(value: u32): u32 {
  let h = value ^ (value >> 16);
  h *= 0x7feb352d;
  h ^= h >> 15;
  h *= 0x846ca68b;
  return h ^ (h >> 16);
}
