/** Control of the exchange: go on, stop, answer, and the life of contexts. */
import { limits } from '../../limits.js';
import { Status, StreamType } from '../abi.js';
import { type Context, Moment } from '../context.js';
import type { HeaderMap } from '../header-map.js';
import type { FilterInstance } from '../instance.js';
import { finishDone } from '../lifecycle.js';
import { fieldsOf } from '../listed-headers.js';
import { isToken, isValue, readPairs } from '../pairs.js';
import type { HostFunctions } from './imports.js';

export function streamFunctions(instance: FilterInstance): HostFunctions {
  return {
    proxy_continue_stream: (type: number) => continueStream(instance, type),
    proxy_continue_request: () => continueStream(instance, StreamType.REQUEST),
    proxy_continue_response: () => continueStream(instance, StreamType.RESPONSE),
    /** Filters run after routing, and routing is not done again. */
    proxy_clear_route_cache: () => Status.OK,

    proxy_close_stream(type: number): number {
      if (type >>> 0 > StreamType.UPSTREAM) return Status.BAD_ARGUMENT;
      if (type >= StreamType.DOWNSTREAM) return Status.UNIMPLEMENTED;
      const context = instance.effective;
      if (!context?.stream || context.ended) return Status.BAD_ARGUMENT;
      context.stream.cut(type === StreamType.REQUEST ? 'request' : 'response');
      return Status.OK;
    },

    proxy_send_local_response(
      status: number,
      details: number,
      detailsSize: number,
      body: number,
      bodySize: number,
      headers: number,
      headersSize: number,
      grpcStatus: number,
    ): number {
      const { memory } = instance;
      const inside =
        memory.holds(details, detailsSize) &&
        memory.holds(body, bodySize) &&
        memory.holds(headers, headersSize);
      if (!inside) return Status.INVALID_MEMORY_ACCESS;
      const code = status >>> 0;
      if (code < 200 || code > 599) return Status.BAD_ARGUMENT;
      if (bodySize >>> 0 > limits.filterReplyBodyBytes.value) return Status.BAD_ARGUMENT;
      const pairs = readPairs(memory.range(headers, headersSize));
      if (!pairs || !areFields(pairs)) return Status.BAD_ARGUMENT;
      const context = instance.effective;
      if (!context?.stream || !mayReply(context)) return Status.BAD_ARGUMENT;
      const taken = context.stream.answer({
        status: code,
        headers: pairs,
        body: memory.copy(body, bodySize),
        details: memory.utf8(details, detailsSize),
        grpcStatus: grpcStatus | 0,
      });
      return taken ? Status.OK : Status.BAD_ARGUMENT;
    },

    proxy_set_effective_context(id: number): number {
      const context = instance.contexts.get(id >>> 0);
      if (!context) return Status.BAD_ARGUMENT;
      instance.effective = context;
      return Status.OK;
    },

    proxy_done(): number {
      const context = instance.effective;
      if (!context?.waiting) return Status.NOT_FOUND;
      instance.later(() => finishDone(context));
      return Status.OK;
    },
  };
}

function continueStream(instance: FilterInstance, type: number): number {
  if (type >>> 0 > StreamType.UPSTREAM) return Status.BAD_ARGUMENT;
  if (type >= StreamType.DOWNSTREAM) return Status.UNIMPLEMENTED;
  const { effective } = instance;
  if (!effective?.stream || !effective.station || effective.ended) return Status.BAD_ARGUMENT;
  const isRequest = type === StreamType.REQUEST;
  effective.stream.release(effective.station, isRequest ? 'request' : 'response');
  return Status.OK;
}

/** Until the head of the answer has gone; body and log callbacks come too late. */
function mayReply({ moment, ended }: Context): boolean {
  if (ended) return false;
  return moment >= Moment.REQUEST_HEADERS && moment <= Moment.RESPONSE_HEADERS;
}

/** Pseudo-headers are left out later; what would break the message is refused here. */
function areFields(pairs: HeaderMap): boolean {
  return fieldsOf(pairs).every(([name, value]) => {
    return isValue(value) && (name[0] === 58 || isToken(name));
  });
}
