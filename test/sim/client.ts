/** The simulated client: sends its requests one by one or in a row, and checks every answer. */
import type { SimPeer, SimSocket } from '../../src/driver/sim.js';
import { listOf, type OracleResponse, parseResponse, valuesOf } from '../oracle/http.js';
import { mayBeRepeated, type Plan, requestBody, requestHead } from './plan.js';
import type { Judge } from './upstream.js';

export interface ClientTally {
  ok: number;
  /** Answered 502 or 504 where the plan allows it. */
  failed: number;
  /** Answers that ended in a visible cut. */
  cut: number;
  /** Behind a close, a cut or a reset: never answered. */
  abandoned: number;
  finished: number;
}

export class Client implements SimPeer {
  readonly #judge: Judge;
  readonly #plans: readonly Plan[];
  readonly #tally: ClientTally;
  readonly #pipelined: boolean;
  #sent = 0;
  #answered = 0;
  #text = '';
  #bodyDue: Plan | undefined;
  #mustClose = false;
  #leaving = false;
  #over = false;

  constructor(judge: Judge, plans: readonly Plan[], tally: ClientTally) {
    this.#judge = judge;
    this.#plans = plans;
    this.#tally = tally;
    this.#pipelined = judge.world.random.chance(0.3);
  }

  opened(socket: SimSocket): void {
    const { world } = this.#judge;
    const count = this.#pipelined ? this.#plans.length : 1;
    for (let i = 0; i < count; i++) this.#sendNext(socket);
    if (!world.random.chance(0.01)) return;
    // The user went away, whatever is under way.
    world.setTimeout(() => {
      if (this.#over) return;
      this.#leaving = true;
      socket.reset();
    }, world.random.next() * 100);
  }

  data(bytes: Buffer, socket: SimSocket): void {
    if (this.#over) return;
    this.#text += bytes.toString('latin1');
    this.#read(socket, false);
  }

  ended(socket: SimSocket): void {
    this.#read(socket, true);
    socket.end();
    this.#finish();
  }

  closed(reset: boolean, socket: SimSocket): void {
    if (!this.#leaving) this.#read(socket, false);
    this.#finish(reset);
  }

  #sendNext(socket: SimSocket): void {
    if (this.#sent === this.#plans.length) return;
    const plan = this.#plans[this.#sent++];
    const { world } = this.#judge;
    socket.write(requestHead(plan));
    if (plan.requestFraming === 'none') return;
    if (!plan.expect || this.#pipelined) {
      socket.write(requestBody(world.random, plan));
      return;
    }
    this.#bodyDue = plan;
    // No answer in time: the body goes out unasked (RFC 9110 10.1.1).
    world.setTimeout(() => this.#sendBody(plan, socket), 200);
  }

  #sendBody(plan: Plan, socket: SimSocket): void {
    if (this.#bodyDue !== plan || this.#over) return;
    this.#bodyDue = undefined;
    socket.write(requestBody(this.#judge.world.random, plan));
  }

  #read(socket: SimSocket, closed: boolean): void {
    if (this.#sent < 0) return;
    try {
      while (this.#answered < this.#plans.length && this.#text !== '') {
        const plan = this.#plans[this.#answered];
        if (this.#bodyDue === plan && /^HTTP\/1\.1 100 [^]*\r\n\r\n/.test(this.#text)) {
          this.#sendBody(plan, socket);
        }
        const parsed = parseResponse(this.#text, 0, plan.method, closed);
        if (parsed === null) return;
        this.#text = this.#text.slice(parsed.end);
        this.#check(plan, parsed.message);
        this.#next(plan, socket);
      }
      if (this.#text !== '') this.#blame(`client got too much: ${JSON.stringify(this.#text)}`);
    } catch (error) {
      this.#blame(`client got: ${error} in ${JSON.stringify(this.#text.slice(0, 300))}`);
      this.#over = true;
    }
  }

  #next(plan: Plan, socket: SimSocket): void {
    if (this.#sent < this.#answered + 1) this.#blame('answered before it was asked');
    this.#answered++;
    this.#sendBody(plan, socket);
    if (!this.#mustClose && this.#sent === this.#answered) this.#sendNext(socket);
    if (this.#answered === this.#plans.length && !this.#mustClose) {
      const { random } = this.#judge.world;
      this.#over = true;
      if (random.chance(0.2)) socket.reset();
      else socket.end();
    }
  }

  #check(plan: Plan, got: OracleResponse): void {
    plan.answered++;
    if (this.#mustClose) this.#blame(`exchange ${plan.id} answered behind a close`);
    if (listOf(got.fields, 'connection').includes('close')) this.#mustClose = true;
    if (plan.version === 'HTTP/1.0' && got.framing === 'chunked') this.#blame('chunked to 1.0');
    if (plan.version === 'HTTP/1.0' && got.informational.length > 0) this.#blame('1xx to 1.0');
    const [id] = valuesOf(got.fields, 'x-id');
    if (id === undefined) return this.#checkFailure(plan, got);
    if (id !== String(plan.id)) return this.#blame(`exchange ${plan.id} got the answer of ${id}`);
    if (got.status !== plan.status) this.#blame(`exchange ${id}: status ${got.status}`);
    const expected = plan.method === 'HEAD' ? '' : plan.responseBody;
    if (['reset-in-body', 'short-body'].includes(plan.fault)) {
      // Only an answer that ends with the connection can hide that something is missing.
      if (got.framing !== 'close') this.#blame(`exchange ${id}: a cut answer looks complete`);
      this.#tally.cut++;
      return;
    }
    if (got.body !== expected) this.#blame(`exchange ${id}: ${got.body.length} body bytes`);
    this.#tally.ok++;
  }

  #checkFailure(plan: Plan, got: OracleResponse): void {
    // Another exchange's fault may have taken the connection down; only what may be sent again must
    // not show it.
    const harmless = ['none', 'surplus', 'close-after', 'early', 'silent'].includes(plan.fault);
    const excused = !harmless || !mayBeRepeated(plan) || plan.spoilt;
    const allowed =
      (got.status === 502 && excused) || (got.status === 504 && plan.fault === 'silent');
    if (!allowed) {
      this.#blame(`exchange ${plan.id} (${plan.method}, ${plan.fault}) answered ${got.status}`);
    }
    this.#tally.failed++;
  }

  /** `reset`: answers before the one that was cut may be lost with it. */
  #finish(reset = false): void {
    if (this.#over && this.#answered === this.#plans.length) return this.#count();
    if (this.#over) return;
    this.#over = true;
    const plan = this.#plans[this.#answered];
    if (plan !== undefined && !this.#leaving && !this.#mustClose) {
      const due = this.#plans.slice(this.#answered, reset ? undefined : this.#answered + 1);
      const cutting = due.some(
        ({ fault, version }, i) =>
          (fault === 'reset-in-body' || fault === 'short-body') &&
          (i === 0 || version === 'HTTP/1.0'),
      );
      if (cutting) {
        this.#tally.cut++;
        this.#answered++;
      } else this.#blame(`exchange ${plan.id} (${plan.fault}): closed without a complete answer`);
    }
    this.#count();
  }

  #count(): void {
    this.#tally.abandoned += this.#plans.length - this.#answered;
    this.#answered = this.#plans.length;
    if (this.#sent >= 0) this.#tally.finished++;
    this.#sent = -1;
  }

  #blame(what: string): void {
    this.#judge.blame(`${what} [pipelined ${this.#pipelined}]`);
  }
}
