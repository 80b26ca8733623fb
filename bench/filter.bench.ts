/**
 * What filters cost, without sockets: whole exchanges through core and shell, and chains alone on
 * ten header fields.
 */
import type { HeadFields } from '../src/core/head-fields.js';
import { HeaderEntry } from '../src/core/layout.js';
import { privateMemory } from '../src/core/phase-copy.js';
import type { StreamAdapter, StreamMap } from '../src/filter/adapter.js';
import { FilterChain } from '../src/filter/chain.js';
import type { HeaderMap } from '../src/filter/header-map.js';
import { noMeta } from '../src/filter/meta.js';
import { loadModule } from '../src/filter/module.js';
import type { FilterRegistry } from '../src/filter/registry.js';
import type { FilterStream } from '../src/filter/stream.js';
import { createHost, load } from '../test/unit/filter/harness.js';
import { filterModule, type Step } from '../test/unit/filter/wat.js';
import { answerOf, BATCH, ExchangeCycle } from './lib/exchange-cycle.js';
import type { BenchSuite } from './lib/suite.js';

const host = createHost({ logLevel: 'warn' });
const names = Array.from({ length: 10 }, (_, i) => Buffer.from(`x-header-${i}`));
const value = Buffer.from('a value of 24 characters');
/** A head as the core leaves it: entries, and the bytes that they point to. */
const head = privateMemory(1024);
names.forEach((name, index) => {
  const entry = index * HeaderEntry.size;
  const at = 512 + index * 48;
  head.u8.set(name, at);
  head.u8.set(value, at + 16);
  head.u32[(entry + HeaderEntry.name) >> 2] = at;
  head.u32[(entry + HeaderEntry.value) >> 2] = at + 16;
  head.u16[(entry + HeaderEntry.nameLength) >> 1] = name.length;
  head.u16[(entry + HeaderEntry.valueLength) >> 1] = value.length;
});
const body = Buffer.alloc(10_240, 'x');
const empty = new Uint8Array(0);

/** Heads as the gateway hands them over: places in memory. */
const adapter: StreamAdapter = {
  load(_map: StreamMap, into: HeaderMap): boolean {
    for (const name of names) into.refer(name, 0, name.length, value, 0, value.length);
    return true;
  },
  show(_map: StreamMap, fields: HeadFields): boolean {
    fields.show(head, 0, names.length);
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

const streams = new Map<FilterChain, FilterStream>();

function exchange(filters: FilterChain, bytes: Uint8Array = empty): void {
  const stream = streams.get(filters) ?? filters.take(adapter);
  streams.set(filters, stream);
  stream.begin(adapter);
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

/** The callbacks that SDKs export whether the filter needs them or not. */
const everything = {
  proxy_on_request_body: [],
  proxy_on_request_trailers: [],
  proxy_on_response_headers: [],
  proxy_on_response_body: [],
  proxy_on_response_trailers: [],
  proxy_on_done: [],
  proxy_on_log: [],
  proxy_on_delete: [],
};
const getHost: Step = ['proxy_get_header_map_value', 0, 'host', out(0), out(1)];
const setField: Step = ['proxy_replace_header_map_value', 0, 'x-gateway', '127.0.0.1:8000'];
const edits = { proxy_on_request_headers: [rewind, getHost, setField] };
const readBody: Step = ['proxy_get_buffer_bytes', 1, 0, -1, out(0), out(1)];

const registry: FilterRegistry = new Map(
  Object.entries<Record<string, readonly Step[]>>({
    nothing: { proxy_on_request_headers: [rewind] },
    header: edits,
    sdk: { ...edits, ...everything },
    body: { proxy_on_response_body: [rewind, readBody] },
  }).map(([name, on]) => {
    const module = loadModule(name, filterModule({ on }));
    return [name, { name, module, meta: noMeta, host: {} }];
  }),
);

function cycleOf(name: string, filters: readonly string[], bodyBytes = 100) {
  const chained = filters.map((filter) => ({ name: filter }));
  const cycle = new ExchangeCycle({
    name,
    filters: registry,
    service: filters.length > 0 ? { filter_chains: [{ filters: chained }] } : {},
    request: () => 'GET /bench HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n',
    answer: answerOf(bodyBytes),
  });
  return { name, fn: cycle.run, operations: BATCH };
}

const exchanges: BenchSuite = {
  name: 'an exchange of the gateway with a chain of filters',
  quickest: true,
  cases: [
    cycleOf('no filter', []),
    cycleOf('one that does nothing', ['nothing']),
    cycleOf('one that reads and sets a header', ['header']),
    cycleOf('five of them', ['header', 'header', 'header', 'header', 'header']),
    cycleOf('one with all callbacks', ['sdk']),
  ],
};

const bodyCycles: BenchSuite = {
  name: 'an exchange with an answer of 10 KiB',
  quickest: true,
  cases: [cycleOf('no filter', [], 10_240), cycleOf('one that reads the body', ['body'], 10_240)],
};

export const suites: readonly BenchSuite[] = [exchanges, bodyCycles, heads];
