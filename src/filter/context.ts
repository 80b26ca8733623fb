/** Contexts of one instance: roots with a configuration, and one per exchange and filter. */
import type { FilterInstance } from './instance.js';
import type { Station } from './station.js';
import type { FilterStream } from './stream.js';

/** What runs right now decides which lists and buffers may be read and written. */
export const Moment = {
  NONE: 0,
  REQUEST_HEADERS: 1,
  REQUEST_BODY: 2,
  REQUEST_TRAILERS: 3,
  RESPONSE_HEADERS: 4,
  RESPONSE_BODY: 5,
  RESPONSE_TRAILERS: 6,
  LOG: 7,
} as const;
export type Moment = (typeof Moment)[keyof typeof Moment];

export class Context {
  readonly id: number;
  readonly instance: FilterInstance;
  /** The root context; a root is its own. */
  readonly root: RootContext;
  /** Null for roots. */
  readonly stream: FilterStream | null;
  readonly station: Station | null;
  /** The stage that its exchange has reached with this filter. */
  moment: Moment = Moment.NONE;
  /** proxy_on_done answered 0; proxy_done is awaited. */
  waiting = false;
  ended = false;
  #calls: Set<number> | null = null;

  constructor(
    id: number,
    instance: FilterInstance,
    root: RootContext | null,
    stream: FilterStream | null,
    station: Station | null,
  ) {
    this.id = id;
    this.instance = instance;
    this.root = root ?? (this as unknown as RootContext);
    this.stream = stream;
    this.station = station;
  }

  /** Calls under way, by id. */
  get calls(): Set<number> {
    this.#calls ??= new Set();
    return this.#calls;
  }

  get callCount(): number {
    return this.#calls === null ? 0 : this.#calls.size;
  }
}

export class RootContext extends Context {
  /** For `proxy_on_configure` and buffer 7. */
  readonly config: Uint8Array;
  /** Streams that have not been deleted. */
  streams = 0;
  /** Between `retire` and the end of the last stream. */
  retired = false;
  tickMs = 0;
  tickTimer: unknown = null;
  /** What shared queues that it registered call. */
  queueReady: ((queue: number) => void) | null = null;

  constructor(id: number, instance: FilterInstance, config: Uint8Array) {
    super(id, instance, null, null, null);
    this.config = config;
  }
}
