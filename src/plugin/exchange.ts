/**
 * One exchange as the phases see it: what it is about, the edits made so far, the answer if a
 * plugin gave one. Objects are reused per connection; `begin` is the one place that resets them.
 */
import type { Upstream } from '../config/model.js';
import type { EditBytes } from '../core/edit-bytes.js';
import { EditList } from '../core/exchange-edits.js';
import { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import { chooseLogRings } from '../core/log-rings.js';
import { type CaptureSource, routeCaptures } from '../core/route-captures.js';
import type { RouterFlavor } from '../core/router.js';
import { Traffic } from '../core/traffic.js';
import { GatewayError } from '../errors.js';
import { AnswerState } from './answer-state.js';
import { ExchangeState } from './exchange-state.js';
import { ringsOf } from './log-rings.js';
import type { Plan } from './plan.js';
import { RequestBody } from './request-body.js';
import { ClientView, RequestView } from './request-view.js';
import type { ExchangeStage } from './stage.js';
import type { SocketRelay } from './websocket/relay.js';

/** An answer given by a plugin, ready for the reply region. */
export interface PluginReply {
  readonly status: number;
  /** Header lines with CRLF, by lower-case name. */
  readonly fields: Map<string, string[]>;
  readonly body: Uint8Array;
  /** An upstream gave it once; it has the headers of proxied answers. */
  readonly proxied?: boolean;
}

export class Exchange {
  /** The request; detached as soon as somebody may look at it later. */
  readonly view: ExchangeView;
  readonly request: RequestView;
  readonly client: ClientView;
  readonly state = new ExchangeState();
  readonly answer: AnswerState;
  readonly requestBody = new RequestBody();
  /** For a stage that hears of the end. */
  readonly traffic = new Traffic();
  /** Edits towards the upstream. */
  readonly upstreamEdits = new EditList();
  /** Edits of a stage that come behind them, where no plugin asks for them; null: none. */
  stageEdits: EditBytes | null = null;
  /** Edits towards the client, from access and header filters. */
  readonly clientEdits = new EditList();
  plan: Plan | null = null;
  connection = -1;
  /** Counts what the object has been begun for. */
  turn = 0;
  /** Number of the exchange on its connection. */
  sequence = 0;
  /** A handler's promise is pending; the object must not be reused. */
  parked = false;
  reply: PluginReply | null = null;
  stage: ExchangeStage | null = null;
  /** The WebSocket that it became, where plugins see the frames. */
  socket: SocketRelay | null = null;
  /** Bytes of a WebSocket message by who sends it; 0: the default. */
  readonly payloadLimits = { client: 0, upstream: 0 };
  /** Set by a stage: the exchange is to be broken off. */
  cut = false;
  /** A route was found, or none. */
  routed = false;
  /** The upstream that a plugin chose; null: the service's. */
  upstream: Upstream | null = null;
  /** The request went on to its upstream. */
  forwarded = false;
  /** The head of an answer was seen. */
  answering = false;
  /** A plugin wants the whole answer. */
  buffered = false;
  /** The core was told to ask for news. */
  woken = false;
  /** The core tells of the end; else the head of the answer is the last that is heard. */
  expectsEnd = false;
  readonly #core: Core;
  readonly #bodyBytes: number;
  readonly #wake: (exchange: Exchange) => void;

  /** `bodyBytes`: what plugins may read of a request; `wake`: makes the core ask for news. */
  constructor(
    core: Core,
    flavor: RouterFlavor,
    bodyBytes: number,
    wake: (exchange: Exchange) => void,
  ) {
    this.#core = core;
    this.#bodyBytes = bodyBytes;
    this.#wake = wake;
    this.answer = new AnswerState(core);
    this.view = new ExchangeView(core);
    const captures = (source: CaptureSource) => {
      const route = this.plan?.route;
      return route ? routeCaptures(core, flavor, route, source) : null;
    };
    this.request = new RequestView(
      this.view,
      () => this.readBody(),
      captures,
      () => this.plan,
      this.upstreamEdits,
    );
    this.client = new ClientView(this.view);
  }

  /** Forgets the last exchange and takes the one that the core shows. */
  begin(plan: Plan, connection: number): void {
    this.turn++;
    this.view.attach();
    this.upstreamEdits.clear();
    this.clientEdits.clear();
    this.plan = plan;
    this.connection = connection;
    this.sequence = this.view.sequence;
    this.parked = this.routed = this.forwarded = this.answering = this.buffered = false;
    this.woken = this.expectsEnd = this.cut = false;
    this.reply = this.stage = this.socket = this.stageEdits = null;
    this.payloadLimits.client = this.payloadLimits.upstream = 0;
    this.state.reset();
    this.requestBody.begin(this.view.contentLength);
  }

  /** Makes the core look at what has become of the exchange. */
  wake(): void {
    this.#wake(this);
  }

  /** The core shows the request again, as the plugins before routing left it. */
  route(plan: Plan): void {
    this.plan = plan;
    this.routed = true;
    this.view.attach();
    this.upstreamEdits.clear();
    this.upstream = null;
  }

  /** Goes on with the plan of a client: its log plugins get the record, and no others. */
  follow(plan: Plan): void {
    const known = this.plan?.log;
    this.plan = plan;
    if (plan.log !== known) this.chooseLogs(plan);
  }

  /** The record of the request goes to the log plugins of a plan. */
  chooseLogs(plan: Plan): void {
    chooseLogRings(this.#core, this.connection, this.sequence, ringsOf(plan));
  }

  /**
   * The request's body, read from the client now if it was not.
   * Rejects with GW_E_BODY_TOO_LARGE above `nginx_http_client_body_buffer_size`.
   */
  readBody(): Promise<Uint8Array> {
    if (this.forwarded || this.answering) {
      const message = 'request.body: the request has gone on (only in: rewrite, access)';
      return Promise.reject(new GatewayError('GW_E_PLUGIN_PHASE', message));
    }
    return this.requestBody.read(this.#bodyBytes, () => this.#wake(this));
  }

  /** The phases are over; nothing of the request is kept alive. */
  end(): void {
    this.socket?.ended();
    this.socket = null;
    this.plan = null;
    this.connection = -1;
    this.reply = null;
    if (this.stage) this.#endStage(this.stage);
    this.state.reset();
    this.requestBody.end();
    if (this.answering) this.answer.begin();
  }

  #endStage(stage: ExchangeStage): void {
    this.traffic.read(this.#core);
    stage.ended();
    this.stage = null;
    this.traffic.forget();
  }
}
