/**
 * A small Proxy-Wasm SDK for AssemblyScript: the imports of ABI 0.2.1, and functions that hide
 * pointers. A filter extends `Filter`, overrides what it needs and calls `register`.
 */

// @external("env", name): status numbers, 0 is OK.
@external("env", "proxy_log")
declare function proxy_log(level: u32, text: usize, size: usize): u32;
@external("env", "proxy_get_header_map_value")
declare function proxy_get_header_map_value(
  map: u32, key: usize, keySize: usize, data: usize, size: usize
): u32;
@external("env", "proxy_add_header_map_value")
declare function proxy_add_header_map_value(
  map: u32, key: usize, keySize: usize, value: usize, valueSize: usize
): u32;
@external("env", "proxy_replace_header_map_value")
declare function proxy_replace_header_map_value(
  map: u32, key: usize, keySize: usize, value: usize, valueSize: usize
): u32;
@external("env", "proxy_remove_header_map_value")
declare function proxy_remove_header_map_value(map: u32, key: usize, keySize: usize): u32;
@external("env", "proxy_get_buffer_bytes")
declare function proxy_get_buffer_bytes(
  type: u32, start: u32, max: u32, data: usize, size: usize
): u32;
@external("env", "proxy_set_buffer_bytes")
declare function proxy_set_buffer_bytes(
  type: u32, start: u32, length: u32, data: usize, size: usize
): u32;
@external("env", "proxy_send_local_response")
declare function proxy_send_local_response(
  status: u32, details: usize, detailsSize: usize, body: usize, bodySize: usize,
  headers: usize, headersSize: usize, grpcStatus: i32
): u32;
@external("env", "proxy_http_call")
declare function proxy_http_call(
  upstream: usize, upstreamSize: usize, headers: usize, headersSize: usize, body: usize,
  bodySize: usize, trailers: usize, trailersSize: usize, timeoutMs: u32, id: usize
): u32;
@external("env", "proxy_set_effective_context")
declare function proxy_set_effective_context(id: u32): u32;
@external("env", "proxy_continue_stream")
declare function proxy_continue_stream(type: u32): u32;
@external("env", "proxy_set_tick_period_milliseconds")
declare function proxy_set_tick_period_milliseconds(periodMs: u32): u32;
@external("env", "proxy_get_current_time_nanoseconds")
declare function proxy_get_current_time_nanoseconds(out: usize): u32;
@external("env", "proxy_get_shared_data")
declare function proxy_get_shared_data(
  key: usize, keySize: usize, data: usize, size: usize, cas: usize
): u32;
@external("env", "proxy_set_shared_data")
declare function proxy_set_shared_data(
  key: usize, keySize: usize, value: usize, valueSize: usize, cas: u32
): u32;
@external("env", "proxy_define_metric")
declare function proxy_define_metric(type: u32, name: usize, nameSize: usize, id: usize): u32;
@external("env", "proxy_increment_metric")
declare function proxy_increment_metric(id: u32, delta: i64): u32;
@external("env", "proxy_get_property")
declare function proxy_get_property(
  path: usize, pathSize: usize, data: usize, size: usize
): u32;

export enum Level { Trace, Debug, Info, Warn, Error, Critical }
export enum Headers { Request = 0, Response = 2, CallResponse = 6 }
export enum Body { Request = 0, Response = 1, CallResponse = 4, Configuration = 7 }
export enum Metric { Counter, Gauge, Histogram }
export enum Side { Request, Response }
export enum Action { Continue, Pause }

const NONE = 0xffffffff;
/** Where the host writes its results. */
const dataOut = memory.data(4);
const sizeOut = memory.data(4);
const wordOut = memory.data(8);

/** Takes over a block that the host had made with `proxy_on_memory_allocate`. */
function taken(): ArrayBuffer {
  const size = load<u32>(sizeOut);
  const data = load<u32>(dataOut);
  const bytes = new ArrayBuffer(size);
  if (size == 0) return bytes;
  memory.copy(changetype<usize>(bytes), data, size);
  heap.free(data);
  return bytes;
}

@inline function address(bytes: ArrayBuffer): usize { return changetype<usize>(bytes); }
@inline function encoded(text: string): ArrayBuffer { return String.UTF8.encode(text); }

export function log(level: Level, text: string): void {
  const bytes = encoded(text);
  proxy_log(level, address(bytes), bytes.byteLength);
}

/** The first value of a header, null where there is none. */
export function getHeader(map: Headers, name: string): string | null {
  const key = encoded(name);
  const status = proxy_get_header_map_value(map, address(key), key.byteLength, dataOut, sizeOut);
  return status == 0 ? String.UTF8.decode(taken()) : null;
}

export function addHeader(map: Headers, name: string, value: string): void {
  const key = encoded(name);
  const bytes = encoded(value);
  proxy_add_header_map_value(
    map, address(key), key.byteLength, address(bytes), bytes.byteLength
  );
}

export function setHeader(map: Headers, name: string, value: string): void {
  const key = encoded(name);
  const bytes = encoded(value);
  proxy_replace_header_map_value(
    map, address(key), key.byteLength, address(bytes), bytes.byteLength
  );
}

export function removeHeader(map: Headers, name: string): void {
  const key = encoded(name);
  proxy_remove_header_map_value(map, address(key), key.byteLength);
}

/** Text of a body or of the configuration; empty where there is none. */
export function readBuffer(type: Body): string {
  const status = proxy_get_buffer_bytes(type, 0, NONE, dataOut, sizeOut);
  return status == 0 ? String.UTF8.decode(taken()) : "";
}

/** Replaces a whole body. */
export function writeBody(type: Body, text: string): void {
  const bytes = encoded(text);
  proxy_set_buffer_bytes(type, 0, NONE, address(bytes), bytes.byteLength);
}

/** Answers instead of the upstream. `headers`: name, value, name, value. */
export function respond(status: u32, body: string, headers: string[] = []): void {
  const bytes = encoded(body);
  const list = pairs(headers);
  proxy_send_local_response(
    status, 0, 0, address(bytes), bytes.byteLength, address(list), list.byteLength, -1
  );
}

/** Id of the call, 0 where it could not be made. */
export function call(upstream: string, headers: string[], body: string, timeoutMs: u32): u32 {
  const name = encoded(upstream);
  const list = pairs(headers);
  const bytes = encoded(body);
  const status = proxy_http_call(address(name), name.byteLength, address(list), list.byteLength,
    address(bytes), bytes.byteLength, 0, 0, timeoutMs, wordOut);
  return status == 0 ? load<u32>(wordOut) : 0;
}

export function resume(side: Side): void { proxy_continue_stream(side); }
export function setTick(periodMs: u32): void { proxy_set_tick_period_milliseconds(periodMs); }

/** Epoch milliseconds. */
export function nowMs(): u64 {
  proxy_get_current_time_nanoseconds(wordOut);
  return load<u64>(wordOut) / 1000000;
}

/** Number of the value found last, for `setShared`. */
export let cas: u32 = 0;

export function getShared(key: string): string | null {
  const name = encoded(key);
  const status = proxy_get_shared_data(address(name), name.byteLength, dataOut, sizeOut, wordOut);
  if (status != 0) return null;
  cas = load<u32>(wordOut);
  return String.UTF8.decode(taken());
}

/** False where another one was faster: `expected` is not the number of the value in place. */
export function setShared(key: string, value: string, expected: u32 = 0): bool {
  const name = encoded(key);
  const bytes = encoded(value);
  const status = proxy_set_shared_data(
    address(name), name.byteLength, address(bytes), bytes.byteLength, expected,
  );
  return status == 0;
}

export function defineMetric(type: Metric, name: string): u32 {
  const bytes = encoded(name);
  proxy_define_metric(type, address(bytes), bytes.byteLength, wordOut);
  return load<u32>(wordOut);
}

export function increment(
  metric: u32, by: i64 = 1): void { proxy_increment_metric(metric, by
); }

/** A fact about the exchange by its path with dots, null where there is none. */
export function getProperty(path: string): string | null {
  const bytes = encoded(path);
  const status = proxy_get_property(address(bytes), bytes.byteLength, dataOut, sizeOut);
  return status == 0 ? String.UTF8.decode(taken()) : null;
}

function pairs(list: string[]): ArrayBuffer {
  const parts: ArrayBuffer[] = [];
  let size = 4;
  for (let i = 0; i < list.length; i++) {
    parts.push(encoded(list[i]));
    size += 5 + parts[i].byteLength;
  }
  const bytes = new ArrayBuffer(size);
  const base = address(bytes);
  store<u32>(base, list.length / 2);
  let at = base + 4 + 4 * list.length;
  for (let i = 0; i < parts.length; i++) {
    store<u32>(base + 4 + 4 * i, parts[i].byteLength);
    memory.copy(at, address(parts[i]), parts[i].byteLength);
    store<u8>(at + parts[i].byteLength, 0);
    at += parts[i].byteLength + 1;
  }
  return bytes;
}

/** One exchange, or the root that has the configuration; override what is needed. */
export class Filter {
  id: u32 = 0;
  /** The configuration's text; the same for the exchanges of a root. */
  config: string = "";
  onConfigure(): bool { return true; }
  onTick(): void {}
  onRequestHeaders(endOfStream: bool): Action { return Action.Continue; }
  onRequestBody(size: u32, endOfStream: bool): Action { return Action.Continue; }
  onResponseHeaders(endOfStream: bool): Action { return Action.Continue; }
  onResponseBody(size: u32, endOfStream: bool): Action { return Action.Continue; }
  /** On the exchange that made the call; all sizes are 0 where it failed. */
  onCallResponse(call: u32, headers: u32, bodySize: u32): void {}
  onLog(): void {}
}

let make: () => Filter = () => new Filter();
const filters = new Map<u32, Filter>();

/** Which exchange made a call. */
const callers = new Map<u32, u32>();

/** Says how to make the filter's objects; called from the top of the module. */
export function register(factory: () => Filter): void { make = factory; }

/** Makes a call whose answer comes to this filter's `onCallResponse`. */
export function callFrom(
  filter: Filter, upstream: string, headers: string[], body: string, timeoutMs: u32
): bool {
  const id = call(upstream, headers, body, timeoutMs);
  if (id != 0) callers.set(id, filter.id);
  return id != 0;
}

export function proxy_abi_version_0_2_1(): void {}
export function proxy_on_memory_allocate(size: usize): usize { return heap.alloc(size); }

export function proxy_on_context_create(id: u32, parent: u32): void {
  const filter = make();
  filter.id = id;
  if (parent != 0) {
    filter.config = filters.get(parent).config;

  }
  filters.set(id, filter);
}

export function proxy_on_configure(id: u32, size: u32): u32 {
  const filter = filters.get(id);
  filter.config = readBuffer(Body.Configuration);
  return filter.onConfigure() ? 1 : 0;
}

export function proxy_on_tick(id: u32): void { filters.get(id).onTick(); }

export function proxy_on_request_headers(id: u32, count: u32, end: u32): u32 {
  return filters.get(id).onRequestHeaders(end != 0);
}

export function proxy_on_request_body(id: u32, size: u32, end: u32): u32 {
  return filters.get(id).onRequestBody(size, end != 0);
}

export function proxy_on_response_headers(id: u32, count: u32, end: u32): u32 {
  return filters.get(id).onResponseHeaders(end != 0);
}

export function proxy_on_response_body(id: u32, size: u32, end: u32): u32 {
  return filters.get(id).onResponseBody(size, end != 0);
}

export function proxy_on_http_call_response(
  root: u32, id: u32, headers: u32, size: u32, trailers: u32
): void {
  if (!callers.has(id)) return;
  const caller = callers.get(id);
  callers.delete(id);
  if (!filters.has(caller)) return;
  proxy_set_effective_context(caller);
  filters.get(caller).onCallResponse(id, headers, size);
}

export function proxy_on_log(id: u32): void { filters.get(id).onLog(); }

export function proxy_on_delete(id: u32): void {
  filters.delete(id);

}
