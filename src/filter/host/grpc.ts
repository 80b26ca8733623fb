/** gRPC calls and streams. */
import { limits } from '../../limits.js';
import type { CallbackName } from '../abi.js';
import { GrpcStatus, Status } from '../abi.js';
import { CallAnswer, type CallParts } from '../calls/answer.js';
import type { GrpcCall, GrpcEvents, GrpcRequest } from '../calls/grpc.js';
import type { Context } from '../context.js';
import type { FilterInstance } from '../instance.js';
import { fieldsOf } from '../listed-headers.js';
import { isToken, isValue, readPairs } from '../pairs.js';
import type { HostFunctions } from './imports.js';

const name = /^[\w.$-]+(?:\/[\w.$-]+)*$/;
const defaultTimeoutMs = 60_000;

export function grpcFunctions(instance: FilterInstance): HostFunctions {
  return {
    proxy_grpc_call(
      upstream: number,
      upstreamSize: number,
      service: number,
      serviceSize: number,
      method: number,
      methodSize: number,
      metadata: number,
      metadataSize: number,
      message: number,
      messageSize: number,
      timeoutMs: number,
      idOut: number,
    ): number {
      const { memory } = instance;
      if (!memory.holds(message, messageSize)) return Status.INVALID_MEMORY_ACCESS;
      const spans = [upstream, upstreamSize, service, serviceSize, method, methodSize];
      const opened = open(instance, [...spans, metadata, metadataSize], idOut, {
        message: memory.copy(message, messageSize),
        timeoutMs: timeoutMs >>> 0 || defaultTimeoutMs,
      });
      return opened;
    },

    proxy_grpc_stream(
      upstream: number,
      upstreamSize: number,
      service: number,
      serviceSize: number,
      method: number,
      methodSize: number,
      metadata: number,
      metadataSize: number,
      idOut: number,
    ): number {
      const spans = [upstream, upstreamSize, service, serviceSize, method, methodSize];
      return open(instance, [...spans, metadata, metadataSize], idOut, null);
    },

    proxy_grpc_send(id: number, message: number, messageSize: number, end: number): number {
      const { memory } = instance;
      if (!memory.holds(message, messageSize)) return Status.INVALID_MEMORY_ACCESS;
      const call = find(instance, id);
      if (typeof call === 'number') return call;
      call.send(memory.copy(message, messageSize), end !== 0);
      return Status.OK;
    },

    proxy_grpc_cancel: (id: number) => end(instance, id, (call) => call.cancel()),
    proxy_grpc_close: (id: number) => end(instance, id, (call) => call.cancel()),
  };
}

interface Unary {
  readonly message: Uint8Array;
  readonly timeoutMs: number;
}

function open(
  instance: FilterInstance,
  spans: readonly number[],
  idOut: number,
  unary: Unary | null,
): number {
  const { memory } = instance;
  for (let i = 0; i < spans.length; i += 2) {
    if (!memory.holds(spans[i], spans[i + 1])) return Status.INVALID_MEMORY_ACCESS;
  }
  if (!memory.holds(idOut, 4)) return Status.INVALID_MEMORY_ACCESS;
  const request = requestOf(instance, spans);
  if (!request) return Status.PARSE_FAILURE;
  const context = instance.effective;
  if (!context || context.ended) return Status.INTERNAL_FAILURE;
  if (context.callCount >= limits.filterCalls.value) return Status.INTERNAL_FAILURE;
  const id = instance.nextCall++;
  memory.putU32(idOut, id);
  // The session reports failures in a later turn, so no callback runs inside this call.
  if (instance.options.live) start(context, id, request, unary);
  return Status.OK;
}

function requestOf(instance: FilterInstance, spans: readonly number[]): GrpcRequest | null {
  const { memory } = instance;
  const text = (index: number) => memory.utf8(spans[2 * index], spans[2 * index + 1]);
  const [upstream, service, method] = [text(0), text(1), text(2)];
  const target = instance.options.services.calls.resolve(upstream);
  const pairs = readPairs(memory.range(spans[6], spans[7]));
  if (!target || !pairs || !name.test(service) || !name.test(method)) return null;
  const metadata: [string, string][] = [];
  for (const [field, value] of fieldsOf(pairs)) {
    if (field[0] === 58) continue;
    if (!isToken(field) || !isValue(value)) return null;
    metadata.push([field.toString('latin1'), value.toString('latin1')]);
  }
  const { origin, authority } = target;
  return { origin, authority, service, method, metadata };
}

function start(context: Context, id: number, request: GrpcRequest, unary: Unary | null): void {
  const { instance, root } = context;
  const { calls, clock } = instance.options.services;
  let timer: unknown = null;
  const tell = (callback: CallbackName, value: number, parts: CallParts) => {
    if (root.ended || context.ended || !calls.find(instance, id)) return;
    instance.run(() => {
      const answer = new CallAnswer({ ...parts, grpc: true });
      instance.answering(answer, () => instance.call(root, callback, id, value));
    });
  };
  const events: GrpcEvents = {
    onInitialMetadata: (headers) =>
      tell('proxy_on_grpc_receive_initial_metadata', headers.count, { headers }),
    onMessage: (message) => tell('proxy_on_grpc_receive', message.length, { message }),
    onTrailingMetadata: (trailers) =>
      tell('proxy_on_grpc_receive_trailing_metadata', trailers.count, { trailers }),
    onClose: (code, text) => {
      clock.clearTimeout(timer);
      tell('proxy_on_grpc_close', code, { code, text });
      calls.finish(context, id);
    },
  };
  const call = calls.sessions.open(request, events);
  const cancel = () => {
    clock.clearTimeout(timer);
    call.cancel();
  };
  calls.add(context, id, { context, cancel, grpc: call });
  if (!unary) return;
  call.send(unary.message, false);
  call.send(new Uint8Array(0), true);
  const late = () => call.close(GrpcStatus.DEADLINE, 'timeout');
  timer = clock.setTimeout(late, Math.min(unary.timeoutMs, 0x7fffffff));
}

function find(instance: FilterInstance, id: number): GrpcCall | number {
  const call = instance.options.services.calls.find(instance, id >>> 0);
  if (!call) return Status.NOT_FOUND;
  return call.grpc ?? Status.BAD_ARGUMENT;
}

function end(instance: FilterInstance, id: number, how: (call: GrpcCall) => void): number {
  const call = find(instance, id);
  if (typeof call === 'number') return call;
  const pending = instance.options.services.calls.find(instance, id >>> 0);
  if (pending) instance.options.services.calls.finish(pending.context, id >>> 0);
  pending?.cancel();
  how(call);
  return Status.OK;
}
