/**
 * A chain of filters in an exchange of the gateway: behind the plugins of each phase it reads heads
 * out of the exchange, gives edits back as plugins do, and passes bodies through.
 */
import type { EditBytes } from '../core/edit-bytes.js';
import { EditList } from '../core/exchange-edits.js';
import { ExchangeView } from '../core/exchange-view.js';
import { HeadFields } from '../core/head-fields.js';
import type { Core } from '../core/instance.js';
import type { Exchange, PluginReply } from '../plugin/exchange.js';
import { errorText } from '../plugin/pdk/error-texts.js';
import { errorReply } from '../plugin/reply.js';
import type { BodyStage, DirectStage, ExchangeMaker } from '../plugin/stage.js';
import { MapType } from './abi.js';
import type { LocalReply, PropertyValue, StreamAdapter, StreamMap } from './adapter.js';
import type { FilterChain } from './chain.js';
import { fillRequest, fillResponse } from './exchange-headers.js';
import { type PropertyFacts, propertyOf, setPropertyOf } from './exchange-properties.js';
import type { HeaderMap } from './header-map.js';
import { type LaneOwner, StageLane } from './stage-lane.js';
import type { StagePool } from './stage-pool.js';
import { Pause, type Side } from './station.js';
import { FilterStream } from './stream.js';
import { fillTrailers, trailerLines } from './trailers.js';

const noEdits = new EditList();
const lengthField = Buffer.from('content-length');

export class FilterStage implements DirectStage, StreamAdapter, LaneOwner {
  /** Null where none has been needed so far. */
  exchange: Exchange | null = null;
  readonly #pool: StagePool;
  readonly #facts: PropertyFacts;
  readonly #chain: FilterChain;
  readonly #stream: FilterStream;
  #maker: ExchangeMaker | null = null;
  /** Of the exchange: filters may ask when its object serves another one already. */
  #turn = 0;
  /** Shows the request. */
  #view: ExchangeView;
  readonly #requestLane: StageLane | null;
  readonly #responseLane: StageLane | null;
  /** The head of the answer: the one that the core shows, or a copy. */
  #answer: ExchangeView | null = null;
  readonly #ownAnswer: ExchangeView;
  readonly #fields = new HeadFields();
  #given: LocalReply | null = null;
  /** Edits of plugins; those of filters come behind them. */
  #upstreamCount = 0;
  #clientCount = 0;
  #requestPassed = false;
  #responsePassed = false;
  /** The answer that filters saw failed, and ours goes out instead. */
  #superseded = false;

  constructor(pool: StagePool, core: Core, facts: PropertyFacts) {
    this.#pool = pool;
    this.#chain = pool.chain;
    this.#facts = facts;
    this.#ownAnswer = new ExchangeView(core);
    this.#view = this.#ownAnswer;
    this.#stream = new FilterStream(pool.chain);
    const { request, response } = this.#stream;
    const { filtersRequests, filtersAnswers } = pool.chain;
    this.#requestLane = filtersRequests ? new StageLane(this, request, 'request') : null;
    this.#responseLane = filtersAnswers ? new StageLane(this, response, 'response') : null;
  }

  /**
   * Takes part in an exchange, or in one that `maker` makes where it is needed; the one place that
   * resets everything of the last. `view` shows the request.
   */
  begin(exchange: Exchange | null, maker: ExchangeMaker | null, view: ExchangeView): void {
    this.exchange = exchange;
    this.#turn = exchange?.turn ?? 0;
    this.#maker = maker;
    this.#view = view;
    this.#stream.begin(this);
    this.#answer = null;
    this.#given = null;
    this.#upstreamCount = this.#clientCount = 0;
    this.#requestPassed = this.#responsePassed = this.#superseded = false;
    this.#requestLane?.begin(exchange?.plan?.route?.request_buffering ?? false);
    this.#responseLane?.begin(false);
  }

  adopt(): Exchange {
    if (this.exchange) return this.exchange;
    if (!this.#maker) throw new Error('a stage without exchange has no maker');
    const exchange = this.#maker.make(this);
    this.exchange = exchange;
    this.#turn = exchange.turn;
    this.#view = exchange.view;
    if (this.#requestPassed) this.#handOver(exchange);
    return exchange;
  }

  /** The edits are complete. */
  #handOver(exchange: Exchange): void {
    if (exchange.plan?.stages.isDirect) exchange.stageEdits = this.upstreamEdits;
    else this.upstreamEdits.appendTo(exchange.upstreamEdits);
  }

  get upstreamEdits(): EditBytes {
    return this.#stream.headers[MapType.REQUEST_HEADERS].edits;
  }

  get request(): BodyStage | null {
    return this.#requestLane;
  }

  get response(): BodyStage | null {
    return this.#responseLane;
  }

  get brief(): boolean {
    return this.#chain.isBrief;
  }

  keep(): void {
    this.#stream.settle();
  }

  get settled(): boolean {
    if (!this.#chain.isBrief || this.waits || this.#given || this.exchange?.cut) return false;
    const { stations, headers } = this.#stream;
    // What was done to the answer ahead of it is applied when it comes.
    if (headers[2].edits.count > 0) return false;
    for (const { context } of stations) if (context !== null && context.callCount > 0) return false;
    return true;
  }

  get waits(): boolean {
    if (this.#given || this.exchange?.cut) return false;
    return this.#answer === null ? !this.#requestPassed : !this.#responsePassed;
  }

  requestHead(): void {
    const { contentLength } = this.#view;
    this.#upstreamCount = this.exchange?.upstreamEdits.count ?? 0;
    this.#requestLane?.expect(contentLength, this.#chain.keepsBodies);
    this.#stream.requestHeaders(contentLength === 0);
    this.sync();
  }

  responseHead(ends: boolean): void {
    if (this.#answer !== null) {
      // An answer that took another one's place is not shown: it goes by, body and all.
      this.#superseded = this.#responsePassed = true;
      return;
    }
    const { answer, clientEdits } = this.adopt();
    this.#clientCount = clientEdits.count;
    if (answer.body === null) this.#ownAnswer.attach();
    this.#answer = answer.body === null ? this.#ownAnswer : answer.view;
    if (this.#chain.looksBack) this.#answer.detach();
    this.#responseLane?.expectAnswer(ends ? 0 : this.#answerLength(), this.#chain.keepsBodies);
    this.#stream.responseHeaders(ends);
    this.sync();
  }

  get answerWaits(): boolean {
    return !this.#responsePassed;
  }

  /** Bytes of the answer's body that filters will see, -1: not known. */
  #answerLength(): number {
    if (this.exchange?.plan?.bodyFilter.length) return -1;
    this.#answer?.showFields('response', this.#fields);
    return this.#fields.decimal(lengthField);
  }

  ended(): void {
    if (!this.#stream.finish()) return;
    this.exchange = null;
    this.#pool.give(this);
  }

  show(map: StreamMap, fields: HeadFields): boolean {
    if (map === 0 && this.#upstreamCount === 0) this.#view.showFields('request', fields);
    else if (map === 2 && this.#answer && this.#clientCount === 0) {
      this.#answer.showFields('response', fields);
    } else return false;
    return true;
  }

  load(map: StreamMap, into: HeaderMap): boolean {
    const upstreamEdits = this.exchange?.upstreamEdits ?? noEdits;
    if (map === 0) fillRequest(this.#view, upstreamEdits, this.#upstreamCount, into);
    else if (map === 2 && this.#answer) {
      fillResponse(this.#answer, this.adopt().clientEdits, this.#clientCount, into);
    } else if (map === 1) fillTrailers(this.#requestLane?.trailers ?? '', into);
    else if (map === 3) fillTrailers(this.#responseLane?.trailers ?? '', into);
    else return false;
    return true;
  }

  property(path: string, segments: readonly string[]): PropertyValue {
    const exchange = this.adopt();
    if (exchange.turn !== this.#turn) return undefined;
    return propertyOf(this.#facts, exchange, this.#answer, path, segments);
  }

  setProperty(path: string, value: Uint8Array | null): boolean {
    const exchange = this.adopt();
    return exchange.turn === this.#turn && setPropertyOf(this.#facts, exchange, path, value);
  }

  /** The stream moved by itself: after a call, a timer, a death. */
  wake(): void {
    this.sync();
    this.adopt().wake();
  }

  trailerLines(side: Side): string {
    return trailerLines(this.#stream.headers[side === 'request' ? 1 : 3].get());
  }

  feed(side: Side, bytes: Uint8Array, last: boolean, trailers: boolean): void {
    const exchange = this.adopt();
    const { waits } = this;
    const { reply, cut } = exchange;
    const end = last && !trailers;
    const stream = this.#stream;
    if (side === 'request') stream.requestBody(bytes, end);
    else stream.responseBody(bytes, end);
    if (trailers && side === 'request') stream.requestTrailers();
    else if (trailers) stream.responseTrailers();
    this.sync();
    const decided = reply !== exchange.reply || cut !== exchange.cut;
    // Whoever gives bytes of an answer looks himself whether its head may go on now.
    const changed = side === 'request' && waits !== this.waits;
    if (decided || changed) exchange.wake();
  }

  paused(side: Side): boolean {
    return this.#stream.stations.some((station) => station[side].paused === Pause.HEADERS);
  }

  filters(side: Side): boolean {
    const { reply, cutSide, response } = this.#stream;
    if (cutSide !== null || (side === 'response' && this.#superseded)) return false;
    return reply === null || (side === 'response' && !response.replaced);
  }

  /** Gives the exchange what the stream has come to. */
  sync(): void {
    const { reply, cutSide, request, response, headers } = this.#stream;
    if (cutSide !== null) this.adopt().cut = true;
    if (reply && reply !== this.#given) {
      const exchange = this.adopt();
      this.#given = reply;
      exchange.reply = this.#replyOf(exchange, reply);
      this.#responsePassed = false;
    }
    this.#requestLane?.drain();
    if (!this.#superseded) this.#responseLane?.drain();
    const whole = this.#requestLane?.isWhole ?? true;
    if (!this.#requestPassed && request.out.headersIn && whole) {
      this.#requestPassed = true;
      if (this.exchange) this.#handOver(this.exchange);
    }
    const measured = this.#responseLane?.isWhole ?? true;
    if (!this.#responsePassed && response.out.headersIn && measured) {
      this.#responsePassed = true;
      headers[2].edits.appendTo(this.adopt().clientEdits);
    }
  }

  #replyOf({ request }: Exchange, reply: LocalReply): PluginReply {
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
