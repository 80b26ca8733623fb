/** The counters that a policy asks for: all of them count a request, or none. */
import type { Core } from './instance.js';
import { Control, CounterAsk, PhaseVerdict, PhaseView, Region } from './layout.js';

/** Counters by the two hashes of their keys. */
export interface HashedCounters {
  getHashed(low: number, high: number, nowSeconds: number): number;
  countHashed(low: number, high: number, ttlSeconds: number, nowSeconds: number): void;
}

const countAt = (Region.phaseView.offset + PhaseView.status) >> 2;
const wallAt = (Region.control.offset + Control.wallMs) >> 3;
const first = Region.reply.offset;

/** Answers phase COUNT: REPLY where a counter is used up, and nothing was counted then. */
export function answerCount({ i32, u32, f64 }: Core, counters: HashedCounters): number {
  const end = first + u32[countAt] * CounterAsk.size;
  const now = f64[wallAt] / 1000;
  for (let at = first; at < end; at += CounterAsk.size) {
    const word = at >> 2;
    const used = counters.getHashed(i32[word], i32[word + CounterAsk.high / 4], now);
    if (used >= u32[word + CounterAsk.limit / 4]) return PhaseVerdict.REPLY;
    f64[(at + CounterAsk.used) >> 3] = used;
  }
  for (let at = first; at < end; at += CounterAsk.size) {
    const word = at >> 2;
    const kept = u32[word + CounterAsk.keptSeconds / 4];
    counters.countHashed(i32[word], i32[word + CounterAsk.high / 4], kept, now);
  }
  return PhaseVerdict.CONTINUE;
}
