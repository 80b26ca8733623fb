/**
 * Names and numbers of the Proxy-Wasm ABI, versions 0.1.0, 0.2.0 and 0.2.1, as the specification
 * of each version lists them.
 */

export type AbiVersion = '0.1.0' | '0.2.0' | '0.2.1';

/** Newest first: of several markers the first one that a module exports counts. */
export const abiVersions: readonly AbiVersion[] = ['0.2.1', '0.2.0', '0.1.0'];

/** Results of host functions. */
export const Status = {
  OK: 0,
  NOT_FOUND: 1,
  BAD_ARGUMENT: 2,
  SERIALIZATION_FAILURE: 3,
  PARSE_FAILURE: 4,
  INVALID_MEMORY_ACCESS: 6,
  EMPTY: 7,
  CAS_MISMATCH: 8,
  INTERNAL_FAILURE: 10,
  UNIMPLEMENTED: 12,
} as const;

/** What a stream callback answers. */
export const Action = {
  CONTINUE: 0,
  PAUSE: 1,
  /** Of a body callback: pause, and the bytes shown are dropped (Envoy's list). */
  STOP_NO_BUFFER: 3,
} as const;

export const BufferType = {
  REQUEST_BODY: 0,
  RESPONSE_BODY: 1,
  DOWNSTREAM_DATA: 2,
  UPSTREAM_DATA: 3,
  CALL_RESPONSE_BODY: 4,
  GRPC_MESSAGE: 5,
  VM_CONFIGURATION: 6,
  PLUGIN_CONFIGURATION: 7,
  FOREIGN_ARGUMENTS: 8,
} as const;

export const MapType = {
  REQUEST_HEADERS: 0,
  REQUEST_TRAILERS: 1,
  RESPONSE_HEADERS: 2,
  RESPONSE_TRAILERS: 3,
  GRPC_INITIAL_METADATA: 4,
  GRPC_TRAILING_METADATA: 5,
  CALL_RESPONSE_HEADERS: 6,
  CALL_RESPONSE_TRAILERS: 7,
} as const;

export const StreamType = { REQUEST: 0, RESPONSE: 1, DOWNSTREAM: 2, UPSTREAM: 3 } as const;

export const MetricType = { COUNTER: 0, GAUGE: 1, HISTOGRAM: 2 } as const;
export type MetricKind = (typeof MetricType)[keyof typeof MetricType];

/** By level number of `proxy_log`. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'critical'] as const;
export type FilterLogLevel = (typeof logLevels)[number];

/** Status codes of gRPC that the host itself gives. */
export const GrpcStatus = { OK: 0, CANCELLED: 1, DEADLINE: 4, INTERNAL: 13, UNAVAILABLE: 14 };

/** Callbacks that a host of HTTP streams may call, with what calls them. */
export const callbackNames = [
  'proxy_on_context_create',
  'proxy_on_vm_start',
  'proxy_on_configure',
  'proxy_on_tick',
  'proxy_on_queue_ready',
  'proxy_on_request_headers',
  'proxy_on_request_body',
  'proxy_on_request_trailers',
  'proxy_on_response_headers',
  'proxy_on_response_body',
  'proxy_on_response_trailers',
  'proxy_on_http_call_response',
  'proxy_on_grpc_receive_initial_metadata',
  'proxy_on_grpc_receive',
  'proxy_on_grpc_receive_trailing_metadata',
  'proxy_on_grpc_close',
  'proxy_on_foreign_function',
  'proxy_on_done',
  'proxy_on_log',
  'proxy_on_delete',
] as const;
export type CallbackName = (typeof callbackNames)[number];

/** Those of them that are for the end of a context. */
export const endCallbacks = ['proxy_on_done', 'proxy_on_log', 'proxy_on_delete'] as const;
