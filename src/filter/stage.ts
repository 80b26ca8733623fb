/**
 * A chain of filters in an exchange of the gateway: behind the plugins of each phase it reads heads
 * out of the exchange, gives edits back as plugins do, and passes bodies through.
 */
import { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import { limits } from '../limits.js';
import type { BodyQueue } from '../plugin/body-queue.js';
import type { Exchange, PluginReply } from '../plugin/exchange.js';
import { errorText } from '../plugin/pdk/error-texts.js';
import { errorReply } from '../plugin/reply.js';
import type { BodyStage, ExchangeStage } from '../plugin/stage.js';
import type { LocalReply, PropertyValue, StreamAdapter, StreamMap } from './adapter.js';
import type { FilterChain } from './chain.js';
import { fillRequest, fillResponse } from './exchange-headers.js';
import { type PropertyFacts, propertyOf, setPropertyOf } from './exchange-properties.js';
import type { HeaderMap } from './header-map.js';
import type { Lane } from './lane.js';
import { Pause, type Side } from './station.js';
import type { FilterStream } from './stream.js';
import { fillTrailers, trailerLines } from './trailers.js';

export class FilterStage implements ExchangeStage, StreamAdapter {
  readonly request: BodyStage | null;
  readonly response: BodyStage | null;
  readonly exchange: Exchange;
  readonly #core: Core;
  readonly #facts: PropertyFacts;
  readonly #stream: FilterStream;
  readonly #requestLane: StageLane | null;
  readonly #responseLane: StageLane | null;
  /** The head of the answer: the one that the core shows, or a copy. */
  #answer: ExchangeView | null = null;
  #given: LocalReply | null = null;
  /** Edits of plugins; those of filters come behind them. */
  #upstreamCount = 0;
  #clientCount = 0;
  #requestPassed = false;
  #responsePassed = false;

  constructor(chain: FilterChain, exchange: Exchange, core: Core, facts: PropertyFacts) {
    this.exchange = exchange;
    this.#core = core;
    this.#facts = facts;
    this.#stream = chain.take(this);
    const { request, response } = this.#stream;
    const wholes = exchange.plan?.route?.request_buffering ?? false;
    const body = chain.has('proxy_on_request_body', 'proxy_on_request_trailers');
    this.#requestLane = body ? new StageLane(this, request, 'request', wholes) : null;
    const answers = chain.has('proxy_on_response_body', 'proxy_on_response_trailers');
    this.#responseLane = answers ? new StageLane(this, response, 'response', false) : null;
    this.request = this.#requestLane;
    this.response = this.#responseLane;
  }

  get brief(): boolean {
    return this.#stream.chain.isBrief;
  }

  keep(): void {
    this.#stream.settle(true);
  }

  get settled(): boolean {
    const { chain, stations, headers } = this.#stream;
    if (!chain.isBrief || this.waits || this.#given || this.exchange.cut) return false;
    // What was done to the answer ahead of it is applied when it comes.
    if (headers[2].edits.count > 0) return false;
    return stations.every(({ context }) => context === null || context.calls.size === 0);
  }

  get waits(): boolean {
    if (this.#given || this.exchange.cut) return false;
    return this.#answer === null ? !this.#requestPassed : !this.#responsePassed;
  }

  requestHead(): void {
    const { contentLength } = this.exchange.view;
    this.#upstreamCount = this.exchange.upstreamEdits.count;
    this.#requestLane?.expect(contentLength);
    this.#stream.requestHeaders(contentLength === 0);
    this.sync();
  }

  responseHead(ends: boolean): void {
    // An answer that took another one's place is not shown again.
    if (this.#answer !== null) return;
    const { answer, clientEdits } = this.exchange;
    this.#clientCount = clientEdits.count;
    this.#answer = answer.body === null ? new ExchangeView(this.#core) : answer.view;
    const { chain } = this.#stream;
    if (this.#responseLane || chain.has('proxy_on_log')) this.#answer.detach();
    this.#stream.responseHeaders(ends);
    this.sync();
    if (!this.#responsePassed) this.#stream.settle();
  }

  ended(): void {
    this.#stream.finish();
  }

  load(map: StreamMap, into: HeaderMap): boolean {
    const { exchange } = this;
    const { upstreamEdits, clientEdits } = exchange;
    if (map === 0) fillRequest(exchange.view, upstreamEdits, this.#upstreamCount, into);
    else if (map === 2 && this.#answer) {
      fillResponse(this.#answer, clientEdits, this.#clientCount, into);
    } else if (map === 1) fillTrailers(this.#requestLane?.trailers ?? '', into);
    else if (map === 3) fillTrailers(this.#responseLane?.trailers ?? '', into);
    else return false;
    return true;
  }

  property(path: string, segments: readonly string[]): PropertyValue {
    return propertyOf(this.#facts, this.exchange, this.#answer, path, segments);
  }

  setProperty(path: string, value: Uint8Array | null): boolean {
    return setPropertyOf(this.#facts, this.exchange, path, value);
  }

  /** The stream moved by itself: after a call, a timer, a death. */
  wake(): void {
    this.sync();
    this.exchange.wake();
  }

  /** Lines of the trailer section as filters left it. */
  trailerLines(side: Side): string {
    return trailerLines(this.#stream.headers[side === 'request' ? 1 : 3].get());
  }

  /** Feeds bytes, `trailers` behind the last of them, and passes on what has come out. */
  feed(side: Side, bytes: Uint8Array, last: boolean, trailers: boolean): void {
    const { waits, exchange } = this;
    const { reply, cut } = exchange;
    const end = last && !trailers;
    const stream = this.#stream;
    if (side === 'request') stream.requestBody(bytes, end);
    else stream.responseBody(bytes, end);
    if (trailers && side === 'request') stream.requestTrailers();
    else if (trailers) stream.responseTrailers();
    this.sync();
    if (waits !== this.waits || reply !== exchange.reply || cut !== exchange.cut) exchange.wake();
  }

  paused(side: Side): boolean {
    return this.#stream.stations.some((station) => station[side].paused === Pause.HEADERS);
  }

  /** Whether bytes still go through the filters in this direction. */
  filters(side: Side): boolean {
    const { reply, cutSide, response } = this.#stream;
    if (cutSide !== null) return false;
    return reply === null || (side === 'response' && !response.replaced);
  }

  /** Gives the exchange what the stream has come to. */
  sync(): void {
    const { exchange } = this;
    const { reply, cutSide, request, response, headers } = this.#stream;
    if (cutSide !== null) exchange.cut = true;
    if (reply && reply !== this.#given) {
      this.#given = reply;
      exchange.reply = this.#replyOf(reply);
      this.#responsePassed = false;
    }
    this.#requestLane?.drain();
    this.#responseLane?.drain();
    const whole = this.#requestLane?.isWhole ?? true;
    if (!this.#requestPassed && request.out.headersIn && whole) {
      this.#requestPassed = true;
      exchange.upstreamEdits.append(headers[0].edits);
    }
    if (!this.#responsePassed && response.out.headersIn) {
      this.#responsePassed = true;
      exchange.clientEdits.append(headers[2].edits);
    }
  }

  #replyOf(reply: LocalReply): PluginReply {
    const { request } = this.exchange;
    const { status, headers, body, failed } = reply;
    if (failed) return errorReply(status, errorText(status), request.id, request.header('accept'));
    const fields = new Map<string, string[]>();
    for (let i = 0; i < headers.count; i++) {
      const name = headers.nameText(i);
      const line = `${name}: ${headers.valueText(i)}\r\n`;
      fields.set(name, [...(fields.get(name) ?? []), line]);
    }
    return { status, fields, body };
  }
}

/** Bytes of a trailer section without fields: the line end that closes it. */
const emptySection = 2;

/** One direction of a body. */
class StageLane implements BodyStage {
  /** Filters may change the length. */
  readonly length = -1;
  readonly #stage: FilterStage;
  readonly #lane: Lane;
  readonly #side: Side;
  /** Filters are to see the body in one piece, before its head goes on. */
  #wholes: boolean;
  #gathered: Uint8Array[] = [];
  #size = 0;
  #out: BodyQueue | null = null;
  /** The trailer section as it came; empty: none. */
  trailers = '';

  constructor(stage: FilterStage, lane: Lane, side: Side, wholes: boolean) {
    this.#stage = stage;
    this.#lane = lane;
    this.#side = side;
    this.#wholes = wholes;
  }

  /** `length`: of the request; -1: not known. What is empty or too long does not wait. */
  expect(length: number): void {
    if (length === 0 || length > limits.filterBodyBytes.value) this.#wholes = false;
  }

  /** The head may go on as far as the body is concerned. */
  get isWhole(): boolean {
    const { ended, trailersIn } = this.#lane.out;
    return !this.#wholes || ended || trailersIn;
  }

  get full(): boolean {
    return this.#stage.paused(this.#side);
  }

  take(chunk: Uint8Array, last: boolean, out: BodyQueue, trailers: string): void {
    this.#out = out;
    if (trailers.length > emptySection) this.trailers = trailers;
    const more = this.trailers !== '';
    if (!this.#stage.filters(this.#side)) {
      out.push(chunk);
      if (last) out.end();
      return;
    }
    if (!this.#wholes) return this.#stage.feed(this.#side, chunk, last, more);
    this.#gathered.push(chunk);
    this.#size += chunk.length;
    if (!last && this.#size <= limits.filterBodyBytes.value) return;
    const bytes = this.#gathered.length === 1 ? chunk : Buffer.concat(this.#gathered);
    this.#gathered = [];
    // What is too much for one piece goes on in pieces.
    if (!last) this.#wholes = false;
    this.#stage.feed(this.#side, bytes, last, more);
  }

  /** Passes on what has left the last filter. */
  drain(): void {
    const { out } = this.#lane;
    if (!this.#out) return;
    if (out.buffer.size > 0) {
      this.#out.push(out.buffer.view().slice());
      out.buffer.clear();
    }
    if (this.#out.ended) return;
    if (out.trailersIn) this.#out.end(this.#stage.trailerLines(this.#side));
    else if (out.ended) this.#out.end();
  }
}
