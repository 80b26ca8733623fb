/** One exchange of ten header fields through chains of filters, without sockets. */
import type { StreamAdapter, StreamMap } from '../src/filter/adapter.js';
import { FilterChain } from '../src/filter/chain.js';
import type { HeaderMap } from '../src/filter/header-map.js';
import { createHost, load } from '../test/unit/filter/harness.js';
import type { Step } from '../test/unit/filter/wat.js';
import type { BenchSuite } from './lib/suite.js';

const host = createHost({ logLevel: 'warn' });
const names = Array.from({ length: 10 }, (_, i) => Buffer.from(`x-header-${i}`));
const value = Buffer.from('a value of 24 characters');
const body = Buffer.alloc(10_240, 'x');
const empty = new Uint8Array(0);

/** Heads as the gateway hands them over: places in memory. */
const adapter: StreamAdapter = {
  load(_map: StreamMap, into: HeaderMap): boolean {
    for (const name of names) into.refer(name, 0, name.length, value, 0, value.length);
    return true;
  },
  property: () => undefined,
  setProperty: () => false,
  wake: () => {},
};

const out = (index: number) => ({ out: index });
const get: Step = ['proxy_get_header_map_value', 0, 'x-header-9', out(0), out(1)];
const set: Step = ['proxy_replace_header_map_value', 0, 'x-header-5', 'another value'];
/** The heap starts again with each exchange. */
const rewind: Step = {
  raw: '(global.set $heap (i32.const 0x8000)) (global.set $calls (i32.const 0))',
};

const filter = (steps: readonly Step[], more: Record<string, readonly Step[]> = {}) =>
  load(host, { on: { proxy_on_request_headers: [rewind, ...steps], ...more } }).binding;
const chain = (...bindings: ReturnType<typeof filter>[]) =>
  new FilterChain(bindings, host.services);

function exchange(filters: FilterChain, bytes: Uint8Array = empty): void {
  const stream = filters.take(adapter);
  stream.requestHeaders(bytes.length === 0);
  if (bytes.length > 0) stream.requestBody(bytes, true);
  stream.responseHeaders(true);
  stream.finish();
}

const nothing = chain(filter([]));
const reads = chain(filter([get]));
const reads100 = chain(filter(Array.from({ length: 50 }, () => get)));
const both = chain(filter([get, set]));
const five = chain(...Array.from({ length: 5 }, () => filter([get, set])));
const bodies = chain(
  filter([], { proxy_on_request_body: [['proxy_get_buffer_bytes', 0, 0, -1, out(0), out(1)]] }),
);

const heads: BenchSuite = {
  name: 'filters: an exchange of ten header fields (baseline: a filter that does nothing)',
  cases: [
    { name: 'request_headers returns', fn: () => exchange(nothing), baseline: true },
    { name: 'reads a header', fn: () => exchange(reads) },
    { name: 'reads 50 headers (per header)', fn: () => exchange(reads100), operations: 50 },
    { name: 'reads and sets a header', fn: () => exchange(both) },
    { name: 'five filters that do', fn: () => exchange(five) },
    { name: 'reads a body of 10 KiB', fn: () => exchange(bodies, body) },
  ],
};

export const suite = heads;
