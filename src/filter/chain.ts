/** A frozen list of configured filters, and the streams that are taken from it. */
import { GatewayError } from '../errors.js';
import { type CallbackName, endCallbacks } from './abi.js';
import type { StreamAdapter } from './adapter.js';
import type { FilterServices } from './services.js';
import type { Station } from './station.js';
import { FilterStream } from './stream.js';
import type { FilterBinding } from './vm.js';

const requestBodies = ['proxy_on_request_body', 'proxy_on_request_trailers'] as const;
const answerBodies = ['proxy_on_response_body', 'proxy_on_response_trailers'] as const;
/** Between the callbacks of an exchange, and able to name one of its contexts. */
const others = [
  'proxy_on_tick',
  'proxy_on_queue_ready',
  'proxy_on_http_call_response',
  'proxy_on_grpc_receive_initial_metadata',
  'proxy_on_grpc_receive',
  'proxy_on_grpc_receive_trailing_metadata',
  'proxy_on_grpc_close',
  'proxy_on_foreign_function',
] as const;

export class FilterChain {
  readonly bindings: readonly FilterBinding[];
  readonly services: FilterServices;
  /** No filter looks at bodies, answers or the end of an exchange. */
  readonly isBrief: boolean;
  /** Bodies of requests, or of answers, go through the filters. */
  readonly filtersRequests: boolean;
  readonly filtersAnswers: boolean;
  /** Some filter may look at the head of an answer that has gone on. */
  readonly looksBack: boolean;
  /** No filter can change how long a body is. */
  readonly keepsBodies: boolean;

  constructor(bindings: readonly FilterBinding[], services: FilterServices) {
    this.bindings = bindings;
    this.services = services;
    this.filtersRequests = this.has(...requestBodies);
    this.filtersAnswers = this.has(...answerBodies);
    this.keepsBodies = bindings.every(({ vm }) => vm.options.module.keepsBodies);
    const looksAtEnd = this.has(...endCallbacks);
    const looksAtAnswers = this.filtersAnswers || this.has('proxy_on_response_headers');
    this.isBrief = !this.filtersRequests && !looksAtAnswers && !looksAtEnd;
    this.looksBack = this.filtersAnswers || looksAtEnd || this.has(...others);
  }

  /** A stream for an exchange; it may begin anew when it has finished. */
  take(adapter: StreamAdapter): FilterStream {
    const stream = new FilterStream(this);
    stream.begin(adapter);
    return stream;
  }

  /** True where some filter has one of these callbacks. */
  has(...names: readonly CallbackName[]): boolean {
    return this.bindings.some(({ vm }) =>
      names.some((name) => vm.options.module.callbacks.has(name)),
    );
  }

  /** The request has come to a filter: it takes part from now on. */
  reach(station: Station, stream: FilterStream): void {
    station.reached = true;
    const { binding } = station;
    const root = binding.vm.rootOf(binding);
    if (!root) return stream.fail(station, binding.vm.unavailable);
    try {
      station.running = 'request';
      station.context = root.instance.createStream(root, stream, station);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      stream.fail(station, error);
    } finally {
      station.running = null;
    }
  }

  /** The configuration is replaced; exchanges under way end on this one. */
  release(): void {
    for (const binding of this.bindings) binding.vm.release(binding);
  }
}
