/** The simulated upstream: judges every byte it gets, answers as the plan of the exchange says. */
import type { SimPeer, SimSocket } from '../../src/driver/sim.js';
import type { World } from '../../src/driver/sim-world.js';
import { listOf, type OracleRequest, parseRequest, valuesOf } from '../oracle/http.js';
import { chunked, type Plan } from './plan.js';

export interface Judge {
  readonly world: World;
  readonly plans: ReadonlyMap<number, Plan>;
  /** Takes note of a broken rule. */
  blame(what: string): void;
}

const hopByHop = ['connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'expect'];

export class Upstream implements SimPeer {
  readonly #judge: Judge;
  #text = '';
  #headSeen: Plan | undefined;
  #busy = false;
  #done = false;
  #spoilt = false;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  data(bytes: Buffer, socket: SimSocket): void {
    this.#text += bytes.toString('latin1');
    this.#look(socket);
  }

  ended(socket: SimSocket): void {
    socket.end();
  }

  #look(socket: SimSocket): void {
    if (this.#done || !socket.open) return;
    try {
      if (this.#headSeen === undefined) this.#lookAtHead(socket);
      if (this.#busy || this.#done) return;
      const parsed = parseRequest(this.#text);
      if (parsed === null) return;
      this.#text = this.#text.slice(parsed.end);
      const plan = this.#headSeen;
      this.#headSeen = undefined;
      if (plan === undefined) return;
      this.#compare(plan, parsed.message);
      if (plan.fault === 'early') return;
      this.#busy = true;
      this.#answer(plan, socket);
    } catch (error) {
      this.#judge.blame(`upstream got: ${error} in ${JSON.stringify(this.#text.slice(0, 300))}`);
      this.#done = true;
    }
  }

  #lookAtHead(socket: SimSocket): void {
    const match = /^[A-Z]+ \/x\/(\d+)\?q=\1 HTTP\/1\.1\r\n[^]*?\r\n\r\n/.exec(this.#text);
    if (match === null) return;
    const plan = this.#judge.plans.get(Number(match[1]));
    if (plan === undefined) return this.#judge.blame(`upstream got unknown id ${match[1]}`);
    this.#headSeen = plan;
    plan.seen++;
    // Bytes that nobody asked for may arrive when this exchange has begun to wait for its own.
    if (this.#spoilt) plan.spoilt = true;
    if (this.#busy) this.#judge.blame(`pipelined to the upstream: ${plan.id}`);
    if (plan.fault !== 'early') return;
    // Announces the close: the body that is still coming is not wanted.
    this.#busy = this.#done = true;
    this.#answer(plan, socket);
  }

  #compare(plan: Plan, got: OracleRequest): void {
    const say = (what: string): void =>
      this.#judge.blame(`exchange ${plan.id}: upstream got ${what}`);
    if (got.method !== plan.method) say(`method ${got.method}`);
    if (got.body !== plan.requestBody) say(`another body (${got.body.length} bytes)`);
    if (got.version !== 'HTTP/1.1') say(got.version);
    if (valuesOf(got.fields, 'host')[0] !== 'upstream.test:8080') say('another Host');
    if (listOf(got.fields, 'via').length !== 1) say('no Via');
    for (const name of hopByHop) {
      const values = listOf(got.fields, name);
      if (values.length > 0 && values[0] !== 'keep-alive') say(`${name}: ${values}`);
    }
  }

  #answer(plan: Plan, socket: SimSocket): void {
    const { world } = this.#judge;
    const { random } = world;
    const delay = random.chance(0.5) ? 0 : random.next() * 20;
    world.setTimeout(() => this.#write(plan, socket), delay);
  }

  #write(plan: Plan, socket: SimSocket): void {
    const { random } = this.#judge.world;
    const { fault } = plan;
    if (fault === 'silent') return;
    if (fault === 'reset-before-answer') return socket.reset();
    if (fault === 'close-before-answer') return socket.end();
    if (fault === 'garbage') {
      socket.write(
        random.pick(['HTTP/2.0 200 OK\r\n\r\n', 'nonsense\r\n\r\n', 'HTTP/1.1 20 X\r\n\r\n']),
      );
      return;
    }
    const { head, body } = this.#message(plan);
    if (fault === 'reset-in-body' || fault === 'short-body') {
      // At least one byte of the ending is missing.
      socket.write(head + body.slice(0, random.between(0, body.length - 1)));
      return fault === 'short-body' ? socket.end() : this.#resetSoon(socket);
    }
    this.#writeInParts(head + body, socket);
    const ends = plan.responseFraming === 'close' && plan.method !== 'HEAD';
    if (fault === 'surplus' && !ends) {
      socket.write('surplus bytes\r\n\r\n');
      this.#spoilt = true;
    }
    if (ends || fault === 'close-after' || fault === 'early') {
      this.#done = true;
      socket.end();
      return;
    }
    this.#busy = false;
    this.#look(socket);
  }

  #resetSoon(socket: SimSocket): void {
    this.#done = true;
    const { world } = this.#judge;
    world.setTimeout(() => socket.reset(), world.random.next() * 30);
  }

  #message(plan: Plan): { head: string; body: string } {
    const { random } = this.#judge.world;
    let text = '';
    for (let i = 0; i < plan.informational; i++) {
      text += `HTTP/1.1 ${random.pick([102, 103])} Wait\r\nLink: </style>\r\n\r\n`;
    }
    const lines = [
      `HTTP/1.1 ${plan.status} Some Reason`,
      `X-Id: ${plan.id}`,
      'Keep-Alive: timeout=5',
    ];
    if (plan.fault === 'early') lines.push('Connection: close');
    let body = plan.responseBody;
    if (plan.responseFraming === 'length') lines.push(`Content-Length: ${body.length}`);
    if (plan.responseFraming === 'chunked') {
      lines.push('Transfer-Encoding: chunked');
      body = chunked(random, body);
    }
    const sent = plan.method === 'HEAD' ? '' : body;
    return { head: `${text}${lines.join('\r\n')}\r\n\r\n`, body: sent };
  }

  #writeInParts(message: string, socket: SimSocket): void {
    const { random } = this.#judge.world;
    const cut = random.chance(0.3) ? random.between(0, message.length) : message.length;
    socket.write(message.slice(0, cut));
    socket.write(message.slice(cut));
  }
}
