/** One gateway on the simulated network, and connections that are cut exactly where a test says. */
import {
  createSimDriver,
  type SimDriver,
  type SimPeer,
  type SimSocket,
} from '../../src/driver/sim.js';
import type { Cut, PipeOptions } from '../../src/driver/sim-pipe.js';
import { World } from '../../src/driver/sim-world.js';
import { type OracleRequest, parseRequest } from '../oracle/http.js';
import { createPlane, type Plane } from '../support/plane.js';

export interface Outcome {
  /** Everything the client got. */
  readonly answer: string;
  /** The gateway reset the connection. */
  readonly reset: boolean;
  /** Complete requests that reached the upstream. */
  readonly requests: readonly OracleRequest[];
  /** Bytes of incomplete ones. */
  readonly rest: string;
  /** What was not grammatical. */
  readonly errors: readonly string[];
}

export interface Harness {
  readonly plane: Plane;
  /** Sends the bytes over a new connection, cut as asked, and waits until it is closed. */
  exchange(bytes: string, cut: Cut): Outcome;
}

/** Gives an upstream's answer to a request, with how it is cut and whether a FIN follows. */
export interface UpstreamScript {
  answer: (request: OracleRequest) => { bytes: string; end: boolean };
  cut: Cut;
}

export function createHarness(script: UpstreamScript): Harness {
  const world = new World(1);
  let clientCut: Cut = 'whole';
  let connects = 0;
  let sim!: SimDriver;
  let log = newLog();
  const plain = { delayMsMax: 0, capacityBytes: 1 << 20, pieceBytesMax: 65536 };
  const pipe = (cut: Cut): PipeOptions => ({ ...plain, cut });
  const plane = createPlane({
    clock: world,
    services: [{ target: { host: 'upstream.test', port: 80 }, retries: 0 }],
    makeDriver: (options) => {
      sim = createSimDriver({
        ...options,
        clock: world,
        upstream: () => {
          connects++;
          return new Recorder(script, () => log);
        },
        link: () => ({
          inbound: pipe(connects > 0 ? script.cut : clientCut),
          outbound: pipe('whole'),
        }),
      });
      return sim;
    },
  });
  return {
    plane,
    exchange: (bytes, cut) => {
      log = newLog();
      clientCut = cut;
      connects = 0;
      const client = new Sender(bytes);
      sim.connectClient(client);
      world.runUntil(() => client.done || plane.fault() !== undefined, 200_000);
      const fault = plane.fault();
      if (fault) throw fault;
      return { ...log, answer: client.answer, reset: client.reset, rest: log.rest() };
    },
  };
}

function newLog() {
  const open = new Set<{ text: string }>();
  return {
    requests: [] as OracleRequest[],
    errors: [] as string[],
    open,
    rest: () => [...open].map(({ text }) => text).join(''),
  };
}

class Sender implements SimPeer {
  answer = '';
  done = false;
  reset = false;
  readonly #bytes: string;

  constructor(bytes: string) {
    this.#bytes = bytes;
  }

  opened(socket: SimSocket): void {
    socket.write(this.#bytes);
  }

  data(bytes: Buffer): void {
    this.answer += bytes.toString('latin1');
  }

  ended(socket: SimSocket): void {
    socket.end();
  }

  closed(reset: boolean): void {
    this.done = true;
    this.reset = reset;
  }
}

class Recorder implements SimPeer {
  text = '';
  readonly #script: UpstreamScript;
  readonly #log: () => ReturnType<typeof newLog>;

  constructor(script: UpstreamScript, log: () => ReturnType<typeof newLog>) {
    this.#script = script;
    this.#log = log;
  }

  data(bytes: Buffer, socket: SimSocket): void {
    const log = this.#log();
    log.open.add(this);
    this.text += bytes.toString('latin1');
    try {
      for (;;) {
        const parsed = parseRequest(this.text);
        if (parsed === null) return;
        this.text = this.text.slice(parsed.end);
        log.requests.push(parsed.message);
        const { bytes: answer, end } = this.#script.answer(parsed.message);
        socket.write(answer);
        if (end) socket.end();
      }
    } catch (error) {
      log.errors.push(`${error}: ${JSON.stringify(this.text.slice(0, 200))}`);
    }
  }

  ended(socket: SimSocket): void {
    socket.end();
  }
}

/** Cut positions of a message: all of a short one, a spread of a long one. */
export function positions(length: number): number[] {
  if (length <= 400) return Array.from({ length: length - 1 }, (_, i) => i + 1);
  const step = Math.ceil(length / 40);
  const near = [1, 2, 3, length - 3, length - 2, length - 1, 8191, 8192, 8193, 32767, 32768, 32769];
  const spread = Array.from({ length: Math.floor(length / step) }, (_, i) => (i + 1) * step);
  const all = new Set([...near, ...spread].filter((at) => at > 0 && at < length));
  return [...all].sort((a, b) => a - b);
}

/** One cut after `at` bytes, then everything else. */
export function cutAfter(at: number): Cut {
  let first = true;
  return (available) => {
    const size = first ? at : available;
    first = false;
    return size;
  };
}
