/**
 * One exchange going through a chain of filters. Both directions pass the filters in the same
 * order. Each filter has a stage per direction that holds what it stopped; `Lane` moves messages
 * from stage to stage, and what has left the last one is the caller's to send.
 */
import type { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import { MapType } from './abi.js';
import type { LocalReply, PropertyValue, StreamAdapter } from './adapter.js';
import type { FilterChain } from './chain.js';
import { HeaderMap } from './header-map.js';
import { Lane } from './lane.js';
import { endContext } from './lifecycle.js';
import { localReply, type ReplyInput } from './local-reply.js';
import { Pause, type Side, Station } from './station.js';
import { StreamHeaders } from './stream-headers.js';

const noBytes = new Uint8Array(0);

/** Where set properties may not go: what the host itself tells there would be hidden. */
const readOnly =
  /^(request|response|source|destination|connection|upstream|plugin_|node|listener_|cluster_|xds)/;

export class FilterStream {
  readonly chain: FilterChain;
  readonly stations: readonly Station[];
  /** By MapType: request headers and trailers, response headers and trailers. */
  readonly headers: readonly StreamHeaders[];
  readonly request: Lane;
  readonly response: Lane;
  /** The answer that a filter, or its failure, gave; null: none. */
  reply: LocalReply | null = null;
  /** A filter closed this direction: what was begun must end visibly cut. */
  cutSide: Side | null = null;
  finished = false;
  /** Where the exchange is read from; null between two of them. */
  adapter: StreamAdapter | null = null;
  readonly #properties = new Map<string, Uint8Array>();
  #pauseTimer: unknown = null;

  constructor(chain: FilterChain) {
    this.chain = chain;
    this.stations = chain.bindings.map((binding) => new Station(binding));
    this.headers = ([0, 1, 2, 3] as const).map((kind) => new StreamHeaders(kind, this));
    this.request = new Lane(this, 'request');
    this.response = new Lane(this, 'response');
  }

  /** Starts an exchange. */
  begin(adapter: StreamAdapter): void {
    this.adapter = adapter;
    this.finished = false;
  }

  requestHeaders(endOfStream: boolean): void {
    this.headers[MapType.REQUEST_HEADERS].arrive();
    this.request.headers(endOfStream);
  }

  /** `end` without trailers; with trailers the last call says false. */
  requestBody(bytes: Uint8Array, end: boolean): void {
    this.request.body(bytes, end);
  }

  requestTrailers(): void {
    this.headers[MapType.REQUEST_TRAILERS].arrive();
    this.request.trailers();
  }

  /** Of the upstream's answer, or of `reply`. */
  responseHeaders(endOfStream: boolean): void {
    this.headers[MapType.RESPONSE_HEADERS].arrive();
    this.response.headers(endOfStream);
  }

  responseBody(bytes: Uint8Array, end: boolean): void {
    this.response.body(bytes, end);
  }

  responseTrailers(): void {
    this.headers[MapType.RESPONSE_TRAILERS].arrive();
    this.response.trailers();
  }

  /** The memory that header lists were read from moves to another place. */
  settle(): void {
    for (const headers of this.headers) headers.settle();
  }

  /**
   * The exchange is over, whatever its end: log callbacks, and contexts go.
   * @returns false where some filter asked for time: the stream cannot begin anew, and the adapter
   * may still be asked
   */
  finish(): boolean {
    if (this.finished) return false;
    this.finished = true;
    if (this.#pauseTimer !== null) this.#clock.clearTimeout(this.#pauseTimer);
    this.#pauseTimer = null;
    let waits = false;
    for (const station of this.stations) {
      const { context } = station;
      if (context === null || context.ended) continue;
      endContext(context);
      waits ||= context.waiting;
      station.binding.vm.served();
    }
    if (waits) {
      for (const headers of this.headers) headers.keep();
      return false;
    }
    this.#reset();
    return true;
  }

  /**
   * Forgets the exchange; the one place that resets everything of it. At its end, because what was
   * just used lies in the caches then.
   */
  #reset(): void {
    this.adapter = null;
    for (const station of this.stations) station.reset();
    for (const headers of this.headers) headers.reset();
    this.request.reset();
    this.response.reset();
    this.reply = null;
    this.cutSide = null;
    // Clearing makes a new table even where there is nothing to clear.
    if (this.#properties.size > 0) this.#properties.clear();
  }

  /** Called by host functions. @returns false where there is an answer already */
  answer(input: ReplyInput): boolean {
    if (this.reply || this.finished) return false;
    const grpc = isGrpc(this.headers[MapType.REQUEST_HEADERS].get());
    this.reply = localReply(input, grpc);
    this.wakeLater();
    return true;
  }

  cut(side: Side): void {
    this.cutSide ??= side;
    this.wakeLater();
  }

  /** `continue_stream`: takes effect when the running callback has returned. */
  release(station: Station, side: Side): void {
    const stage = station[side];
    if (stage.paused === Pause.NONE && station.running !== side) return;
    stage.released = true;
    this.wakeLater();
  }

  property(path: string, segments: readonly string[]): PropertyValue {
    return this.#properties.get(path) ?? this.adapter?.property(path, segments);
  }

  setProperty(path: string, value: Uint8Array | null): boolean {
    if (this.adapter?.setProperty(path, value)) return true;
    if (readOnly.test(path) || /^(ngx|kong)\./.test(path)) return false;
    if (value === null) this.#properties.delete(path);
    else this.#properties.set(path, value);
    return true;
  }

  /** A filter failed: the exchange fails with it, or goes on without it. */
  fail(station: Station, error: GatewayError, status = error.status ?? 500): void {
    station.skipped = true;
    station.context = null;
    if (station.binding.failOpen && status === 500) {
      for (const side of ['request', 'response'] as const) station[side].released = true;
    } else if (this.response.out.headersIn && !this.adapter?.answerWaits) {
      this.cutSide ??= 'response';
    } else {
      const body = noBytes;
      this.reply = { status, headers: new HeaderMap(), body, details: error.message, failed: true };
    }
    this.wakeLater();
  }

  /** The instance of a filter died while the exchange waited in it, or was elsewhere. */
  orphan(station: Station, error: GatewayError): void {
    if (isPausing(station)) this.fail(station, error);
    else {
      station.skipped = true;
      station.context = null;
    }
  }

  /** Runs both lanes as soon as no callback is running, and tells the adapter. */
  wakeLater(): void {
    if (this.request.pumping || this.response.pumping) return;
    queueMicrotask(() => {
      if (this.finished) return;
      this.request.pump();
      this.response.pump();
      this.adapter?.wake();
    });
  }

  /** A pause has begun or ended: one timer for the exchange. */
  watchPause(): void {
    const isPaused = !this.reply && this.stations.some(isPausing);
    if (isPaused === (this.#pauseTimer !== null)) return;
    this.#clock.clearTimeout(this.#pauseTimer);
    this.#pauseTimer = isPaused
      ? this.#clock.setTimeout(() => this.#pausedTooLong(), limits.filterPauseMs.value)
      : null;
  }

  #pausedTooLong(): void {
    this.#pauseTimer = null;
    const station = this.stations.find(isPausing);
    if (!station || this.finished) return;
    station.binding.vm.report(station, 'an exchange was paused for too long');
    this.fail(station, station.binding.vm.pauseError, 504);
  }

  get #clock() {
    return this.chain.services.clock;
  }
}

/** A filter holds the message of some side. */
const isPausing = ({ request, response }: Station): boolean =>
  request.paused !== Pause.NONE || response.paused !== Pause.NONE;

function isGrpc(headers: HeaderMap | null): boolean {
  return headers?.text('content-type')?.startsWith('application/grpc') ?? false;
}
