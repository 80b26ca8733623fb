/**
 * A shell for the simulator: it takes part in every exchange in a way that chance decides, passes
 * bodies on as they are, and rests whenever it likes. What it hands over too early, too late or in
 * odd pieces must not change a byte of any exchange.
 */
import { BodyPort } from '../../src/core/body-port.js';
import { ExchangeView } from '../../src/core/exchange-view.js';
import type { Core } from '../../src/core/instance.js';
import {
  Event,
  Phase,
  PhaseVerdict,
  PhaseView,
  Region,
  ResponseSource,
  VerdictFlag,
} from '../../src/core/layout.js';
import type { World } from '../../src/driver/sim-world.js';
import { BodyQueue } from '../../src/plugin/body-queue.js';
import type { Plane } from '../support/plane.js';
import type { Plan } from './plan.js';

/** Makes every exchange of a plane go through a shell. */
export function attachShell(
  plane: Plane,
  world: World,
  plans: ReadonlyMap<number, Plan>,
): { readonly live: number } {
  const { core, driver } = plane;
  const shell = new SimShell(core, world, plans, (...event) => driver.post(...event));
  core.onPhase = shell.call;
  return shell;
}

type RequestWay = 'direct' | 'park' | 'collect' | 'stream';
type ResponseWay = 'direct' | 'stream' | 'park' | 'collect' | 'replace';

interface Passage {
  readonly connection: number;
  readonly sequence: number;
  readonly request: RequestWay;
  readonly response: ResponseWay;
  readonly requestBody: BodyQueue;
  readonly responseBody: BodyQueue;
  /** Length of the request's body, -1: chunked. */
  readonly length: number;
  readonly plan: Plan | undefined;
  /** The request waits for `ready`. */
  parked: boolean;
  held: boolean;
  ready: boolean;
  ended: boolean;
}

type Post = (event: number, connection: number, a: number, b: number) => void;

class SimShell {
  /** Passages that the core has not ended. */
  live = 0;
  readonly #core: Core;
  readonly #world: World;
  readonly #plans: ReadonlyMap<number, Plan>;
  readonly #view: ExchangeView;
  readonly #port: BodyPort;
  readonly #post: Post;
  readonly #passages = new Map<number, Passage>();

  constructor(core: Core, world: World, plans: ReadonlyMap<number, Plan>, post: Post) {
    this.#core = core;
    this.#world = world;
    this.#plans = plans;
    this.#view = new ExchangeView(core);
    this.#port = new BodyPort(core);
    this.#post = post;
  }

  readonly call = (connection: number, phase: number): number => {
    if (phase === Phase.ACCESS) return this.#access(connection);
    const passage = this.#passages.get(connection);
    if (passage === undefined || passage.sequence !== this.#view.sequence) {
      if (phase !== Phase.HEADER_FILTER) throw new Error(`phase ${phase} of an unknown exchange`);
      return PhaseVerdict.CONTINUE;
    }
    if (passage.ended) throw new Error(`phase ${phase} behind the end`);
    switch (phase) {
      case Phase.HEADER_FILTER:
        return this.#head(passage);
      case Phase.RESUMED:
        return this.#resumed(passage);
      case Phase.REQUEST_BODY:
        return this.#take(passage, passage.requestBody, VerdictFlag.HOLD_REQUEST);
      case Phase.RESPONSE_BODY:
        return this.#take(passage, passage.responseBody, VerdictFlag.HOLD_RESPONSE);
      case Phase.REQUEST_PULL:
        if (this.#port.restart && passage.requestBody.keeps) passage.requestBody.rewind();
        return this.#pull(passage, passage.requestBody);
      case Phase.RESPONSE_PULL:
        return this.#pull(passage, passage.responseBody);
      default:
        passage.ended = true;
        this.#passages.delete(connection);
        this.live--;
        return PhaseVerdict.CONTINUE;
    }
  };

  #access(connection: number): number {
    const { random } = this.#world;
    const at = Region.phaseView.offset;
    const passage: Passage = {
      connection,
      sequence: this.#view.sequence,
      request: random.pick(['direct', 'direct', 'park', 'collect', 'stream'] as const),
      response: random.pick(['direct', 'stream', 'stream', 'park', 'collect', 'replace'] as const),
      requestBody: new BodyQueue(),
      responseBody: new BodyQueue(),
      length: this.#core.f64[(at + PhaseView.contentLength) >> 3],
      plan: this.#plans.get(Number(/^\/x\/(\d+)/.exec(this.#view.path)?.[1])),
      parked: false,
      held: false,
      ready: false,
      ended: false,
    };
    this.#passages.set(connection, passage);
    this.live++;
    if (passage.length === 0) passage.requestBody.end();
    if (passage.request === 'park' || passage.request === 'collect') {
      passage.parked = true;
      this.#later(passage, () => {
        passage.ready = passage.request === 'park';
      });
      return PhaseVerdict.PARK;
    }
    return this.#goOn(passage);
  }

  /** The request goes on. */
  #goOn(passage: Passage): number {
    const { requestBody, request, length } = passage;
    if (request === 'direct' || request === 'park') return PhaseVerdict.CONTINUE;
    if (requestBody.ended) {
      requestBody.keeps = true;
      this.#port.promise(requestBody.total);
      if (passage.plan) passage.plan.replayed = true;
      return VerdictFlag.REQUEST_BODY | VerdictFlag.REPLAY;
    }
    this.#port.promise(this.#world.random.chance(0.5) ? length : -1);
    return VerdictFlag.REQUEST_BODY;
  }

  #head(passage: Passage): number {
    const { random } = this.#world;
    passage.responseBody.clear();
    passage.held = passage.ready = false;
    passage.parked = false;
    const own = this.#view.source !== ResponseSource.SERVICE;
    if (passage.response === 'direct') return PhaseVerdict.CONTINUE;
    if (passage.response === 'stream') return VerdictFlag.RESPONSE_BODY;
    if (passage.response === 'replace' && own && random.chance(0.5)) return this.#reply();
    passage.held = true;
    if (passage.response === 'park') {
      this.#later(passage, () => {
        passage.ready = true;
      });
    }
    return PhaseVerdict.PARK | VerdictFlag.RESPONSE_BODY;
  }

  /** An error answer of the same status, so that the plan's expectations hold. */
  #reply(): number {
    const { u32, buffer } = this.#core;
    const at = Region.reply.offset >> 2;
    const lines = 'X-Shell: 1\r\n';
    u32[at] = this.#view.status;
    u32[at + 1] = lines.length;
    u32[at + 2] = 4;
    buffer.latin1Write(`${lines}body`, Region.reply.offset + 16);
    return PhaseVerdict.REPLY | (this.#world.random.chance(0.5) ? VerdictFlag.RESPONSE_BODY : 0);
  }

  #resumed(passage: Passage): number {
    if (passage.held) {
      const whole = passage.response === 'collect' || passage.response === 'replace';
      if (whole ? !passage.responseBody.ended : !passage.ready) return PhaseVerdict.PARK;
      passage.held = false;
      if (passage.responseBody.ended) this.#port.promise(passage.responseBody.total);
      return PhaseVerdict.CONTINUE;
    }
    if (!passage.parked) return PhaseVerdict.CONTINUE;
    if (passage.request === 'collect' && !passage.requestBody.ended) {
      return PhaseVerdict.PARK | VerdictFlag.READ;
    }
    if (passage.request === 'park' && !passage.ready) return PhaseVerdict.PARK;
    passage.parked = false;
    return this.#goOn(passage);
  }

  #take(passage: Passage, queue: BodyQueue, hold: number): number {
    const { random } = this.#world;
    queue.push(this.#port.chunk());
    if (this.#port.last) {
      queue.end();
      this.#later(passage, () => {});
    }
    if (!random.chance(0.1)) return PhaseVerdict.CONTINUE;
    this.#later(passage, () => {});
    return PhaseVerdict.CONTINUE | hold;
  }

  #pull(passage: Passage, queue: BodyQueue): number {
    const { random } = this.#world;
    if (random.chance(0.2)) {
      this.#later(passage, () => {});
      return PhaseVerdict.CONTINUE;
    }
    this.#port.give(queue);
    if (queue.drained && random.chance(0.7)) return VerdictFlag.END;
    if (queue.waiting > 0 || queue.ended) this.#later(passage, () => {});
    return PhaseVerdict.CONTINUE;
  }

  /** Comes back to the exchange, at once or after a while. */
  #later(passage: Passage, change: () => void): void {
    const { random } = this.#world;
    const run = (): void => {
      if (passage.ended) return;
      change();
      this.#post(Event.RESUME, passage.connection, 0, passage.sequence);
    };
    if (random.chance(0.3)) run();
    else this.#world.setTimeout(run, random.next() * 5);
  }
}
