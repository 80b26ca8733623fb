/**
 * One exchange as the phases see it: what it is about, the edits made so far, the answer if a
 * plugin gave one. Objects are reused per connection; `begin` is the one place that resets them.
 */
import { EditList } from '../core/exchange-edits.js';
import { ExchangeView } from '../core/exchange-view.js';
import type { Core } from '../core/instance.js';
import { ExchangeState } from './exchange-state.js';
import type { Plan } from './plan.js';
import { ClientView, RequestView } from './request-view.js';

/** An answer given by a plugin, ready for the reply region. */
export interface PluginReply {
  readonly status: number;
  /** Header lines with CRLF, by lower-case name. */
  readonly fields: Map<string, string[]>;
  readonly body: Uint8Array;
}

export class Exchange {
  /** The request; detached as soon as somebody may look at it later. */
  readonly view: ExchangeView;
  readonly request: RequestView;
  readonly client: ClientView;
  readonly state = new ExchangeState();
  /** Edits towards the upstream. */
  readonly upstreamEdits = new EditList();
  /** Edits towards the client, from access and header filters. */
  readonly clientEdits = new EditList();
  plan: Plan | null = null;
  connection = -1;
  fingerprint = 0;
  /** Number of the exchange on its connection. */
  sequence = 0;
  /** A handler's promise is pending; the object must not be reused. */
  parked = false;
  reply: PluginReply | null = null;

  constructor(core: Core) {
    this.view = new ExchangeView(core);
    this.request = new RequestView(this.view);
    this.client = new ClientView(this.view);
  }

  /** Forgets the last exchange and takes the one that the core shows. */
  begin(plan: Plan, connection: number): void {
    this.view.attach();
    this.upstreamEdits.clear();
    this.clientEdits.clear();
    this.plan = plan;
    this.connection = connection;
    this.fingerprint = this.view.fingerprint;
    this.sequence = this.view.sequence;
    this.parked = false;
    this.reply = null;
    this.state.reset();
  }

  /** The phases are over; nothing of the request is kept alive. */
  end(): void {
    this.plan = null;
    this.connection = -1;
    this.reply = null;
    this.state.reset();
  }
}
