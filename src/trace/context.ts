/** Trace contexts, ids and the sampler. Ids are lower-case hexadecimal text. */
import { randomFillSync } from 'node:crypto';

/** What a request says about the trace it belongs to. */
export interface TraceContext {
  /** 32 digits; null: none given. */
  readonly traceId: string | null;
  /** Bytes of the id as it was given: formats with two sizes keep it. */
  readonly traceIdBytes: number | null;
  /** 16 digits: the span of the sender, or, where `reuseSpanId`, of both sides. */
  readonly spanId: string | null;
  readonly parentId: string | null;
  readonly reuseSpanId: boolean;
  /** Null: the sender leaves the decision to us. */
  readonly sampled: boolean | null;
  /** Value of X-B3-Flags. */
  readonly flags: string | null;
  /** B3 came in its single header. */
  readonly single: boolean;
  readonly baggage: ReadonlyMap<string, string> | null;
}

export const emptyContext: TraceContext = Object.freeze({
  traceId: null,
  traceIdBytes: null,
  spanId: null,
  parentId: null,
  reuseSpanId: false,
  sampled: null,
  flags: null,
  single: false,
  baggage: null,
});

const pool = Buffer.alloc(4096);
let used = pool.length;

/** So many random bytes as hexadecimal text; one call of the generator serves hundreds of ids. */
export function randomId(bytes: 8 | 16): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}

/** The last digits of an id, or zeros before it, so that it has `bytes` bytes. */
export function sized(id: string, bytes: number): string {
  const digits = bytes * 2;
  return id.length >= digits ? id.slice(id.length - digits) : id.padStart(digits, '0');
}

/** The same trace is always decided alike: the last eight bytes of its id against the rate. */
export function sampledById(traceId: string, rate: number): boolean {
  if (rate >= 1) return true;
  if (rate <= 0) return false;
  return Number.parseInt(traceId.slice(-16, -3), 16) / 2 ** 52 < rate;
}
