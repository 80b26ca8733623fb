/** HTTP calls, and the status of the call whose callback runs. */
import { limits } from '../../limits.js';
import { Status } from '../abi.js';
import type { HttpCall } from '../calls/http.js';
import type { HeaderMap } from '../header-map.js';
import type { FilterInstance } from '../instance.js';
import { fieldsOf } from '../listed-headers.js';
import { isTarget, isToken, isValue, readPairs } from '../pairs.js';
import type { HostFunctions } from './imports.js';

const defaultTimeoutMs = 60_000;
/** Written by the client that sends the call. */
const ours = new Set(['host', 'connection', 'transfer-encoding', 'content-length', 'keep-alive']);
const colon = 58;

export function callFunctions(instance: FilterInstance): HostFunctions {
  return {
    proxy_http_call(
      upstream: number,
      upstreamSize: number,
      headers: number,
      headersSize: number,
      body: number,
      bodySize: number,
      trailers: number,
      trailersSize: number,
      timeoutMs: number,
      idOut: number,
    ): number {
      const { memory } = instance;
      const inside =
        memory.holds(upstream, upstreamSize) &&
        memory.holds(headers, headersSize) &&
        memory.holds(body, bodySize) &&
        memory.holds(trailers, trailersSize) &&
        memory.holds(idOut, 4);
      if (!inside) return Status.INVALID_MEMORY_ACCESS;
      const pairs = readPairs(memory.range(headers, headersSize));
      if (!pairs || !readPairs(memory.range(trailers, trailersSize))) return Status.BAD_ARGUMENT;
      const call = callOf(
        instance,
        memory.utf8(upstream, upstreamSize),
        pairs,
        memory.copy(body, bodySize),
        timeoutMs >>> 0,
      );
      if (!call) return Status.BAD_ARGUMENT;
      const context = instance.effective;
      if (!context || context.ended) return Status.BAD_ARGUMENT;
      if (context.callCount >= limits.filterCalls.value) return Status.INTERNAL_FAILURE;
      const id = instance.nextCall++;
      memory.putU32(idOut, id);
      if (instance.options.live) instance.options.services.calls.http(context, id, call);
      return Status.OK;
    },

    proxy_get_status(codeOut: number, dataOut: number, sizeOut: number): number {
      const { memory, answer } = instance;
      if (!memory.holds(codeOut, 4)) return Status.INVALID_MEMORY_ACCESS;
      const text = Buffer.from(answer?.text ?? '');
      const status = memory.giveAll(text, dataOut, sizeOut);
      if (status === Status.OK) memory.putU32(codeOut, answer?.code ?? 0);
      return status;
    },
  };
}

function callOf(
  instance: FilterInstance,
  upstream: string,
  pairs: HeaderMap,
  body: Uint8Array,
  timeoutMs: number,
): HttpCall | null {
  const method = pairs.text(':method');
  const path = pairs.text(':path');
  if (method === null || path === null) return null;
  if (!isToken(Buffer.from(method, 'latin1'))) return null;
  if (!isTarget(Buffer.from(path, 'latin1')) || !path.startsWith('/')) return null;
  const target = instance.options.services.calls.resolve(upstream);
  if (!target) return null;
  const headers: string[] = [];
  for (const [name, value] of fieldsOf(pairs)) {
    if (!isValue(value)) return null;
    if (name[0] === colon) continue;
    if (!isToken(name)) return null;
    const text = name.toString('latin1');
    if (!ours.has(text)) headers.push(text, value.toString('latin1'));
  }
  const isSecure = pairs.text(':scheme') === 'https';
  return {
    target: isSecure ? { ...target, origin: target.origin.replace(/^http:/, 'https:') } : target,
    method,
    path,
    authority: pairs.text(':authority') || target.authority,
    headers,
    body,
    timeoutMs: timeoutMs === 0 ? defaultTimeoutMs : Math.min(timeoutMs, 0x7fffffff),
  };
}
