/** What one random exchange does: both messages and the fault, if any, decided before it starts. */
import type { Random } from '../../src/driver/sim-world.js';

export type Fault =
  | 'none'
  | 'early' // final answer while the request body is still coming
  | 'reset-before-answer'
  | 'close-before-answer'
  | 'reset-in-body'
  | 'short-body' // FIN before the promised length
  | 'garbage'
  | 'silent'
  | 'surplus' // bytes behind the answer
  | 'close-after'; // FIN behind a complete answer, unannounced

export interface Plan {
  readonly id: number;
  readonly method: string;
  readonly version: 'HTTP/1.1' | 'HTTP/1.0';
  readonly requestBody: string;
  readonly requestFraming: 'none' | 'length' | 'chunked';
  readonly expect: boolean;
  /** The client asks to close behind it. */
  readonly close: boolean;
  readonly fault: Fault;
  readonly status: number;
  readonly responseBody: string;
  readonly responseFraming: 'none' | 'length' | 'chunked' | 'close';
  readonly informational: number;
  /** Heads with this id that upstreams saw. */
  seen: number;
  /** Sent over a connection on which surplus bytes were under way. */
  spoilt: boolean;
  /** The shell kept its body, so that an idempotent request with one may be sent again. */
  replayed: boolean;
  answered: number;
}

/** Every byte value, CR LF pairs and what looks like messages: bodies are slices of it. */
const material = (() => {
  let text = '';
  for (let i = 0; text.length < 300_000; i++) {
    text += String.fromCharCode((i * 7) & 255, (i >> 3) & 255, (i * 31) & 255);
    if (i % 50 === 0) text += '\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n0\r\n\r\n';
  }
  return text;
})();

function body(random: Random, id: number): string {
  const kind = random.next();
  let size = random.between(1, 300);
  if (kind > 0.995) size = random.between(60_000, 200_000);
  else if (kind > 0.9) size = random.between(300, 20_000);
  const from = (id * 131) % (material.length - size);
  return material.slice(from, from + size);
}

const faults: readonly Fault[] = [
  'early',
  'reset-before-answer',
  'close-before-answer',
  'reset-in-body',
  'short-body',
  'garbage',
  'silent',
  'surplus',
  'close-after',
];
const methods = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;

/** `faulty`: share of exchanges with a fault. */
export function makePlan(random: Random, id: number, faulty: number, last: boolean): Plan {
  const method = random.pick(methods);
  const withBody = method === 'GET' || method === 'HEAD' ? 0.05 : 0.85;
  const old = last && random.chance(0.1);
  const requestFraming = !random.chance(withBody)
    ? 'none'
    : old || random.chance(0.5)
      ? 'length'
      : 'chunked';
  const fault = random.chance(faulty) ? random.pick(faults) : 'none';
  const status = random.pick([200, 200, 200, 200, 201, 204, 304, 404, 500]);
  const bodiless = status === 204 || status === 304;
  const framing = random.pick([
    'length',
    'length',
    'length',
    'chunked',
    'chunked',
    'close',
  ] as const);
  const needsBody = fault === 'reset-in-body' || fault === 'short-body';
  return {
    id,
    method: needsBody && method === 'HEAD' ? 'GET' : method,
    version: old ? 'HTTP/1.0' : 'HTTP/1.1',
    requestBody: requestFraming === 'none' ? '' : body(random, id),
    requestFraming,
    expect: requestFraming !== 'none' && !old && random.chance(0.1),
    close: old || (last && random.chance(0.3)),
    fault,
    status: needsBody ? 200 : status,
    responseBody: bodiless && !needsBody ? '' : body(random, id + 77),
    responseFraming: bodiless && !needsBody ? 'none' : fault === 'short-body' ? 'length' : framing,
    informational: random.chance(0.1) ? random.between(1, 3) : 0,
    seen: 0,
    spoilt: false,
    replayed: false,
    answered: 0,
  };
}

/**
 * True where the gateway may send it again after a failure: nothing would happen twice or be lost.
 */
export function mayBeRepeated(plan: Plan): boolean {
  return plan.requestFraming === 'none' && plan.method !== 'POST' && plan.method !== 'PATCH';
}

/** True where it may be sent more than once. */
export function mayBeSentTwice(plan: Plan): boolean {
  return mayBeRepeated(plan) || (plan.replayed && /^(GET|HEAD|PUT|DELETE)$/.test(plan.method));
}

/** Text cut into chunks at random places, with extensions and trailers now and then. */
export function chunked(random: Random, text: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < text.length) {
    const size = random.between(1, Math.max(1, text.length >> random.between(0, 4)));
    const piece = text.slice(at, at + size);
    const extension = random.chance(0.1) ? random.pick([';a=b', ';x', ';q="a;b"']) : '';
    const hex = piece.length.toString(16);
    parts.push(`${random.chance(0.1) ? `0${hex.toUpperCase()}` : hex}${extension}\r\n${piece}\r\n`);
    at += size;
  }
  const trailers = random.chance(0.1) ? 'X-Trailer: 1\r\nContent-Length: 7\r\n' : '';
  return `${parts.join('')}0\r\n${trailers}\r\n`;
}

export function requestHead(plan: Plan): string {
  const lines = [`${plan.method} /x/${plan.id}?q=${plan.id} ${plan.version}`, 'Host: sim.test'];
  if (plan.expect) lines.push('Expect: 100-continue');
  if (plan.close) lines.push('Connection: close');
  if (plan.requestFraming === 'length') lines.push(`Content-Length: ${plan.requestBody.length}`);
  if (plan.requestFraming === 'chunked') lines.push('Transfer-Encoding: chunked');
  return `${lines.join('\r\n')}\r\n\r\n`;
}

export function requestBody(random: Random, plan: Plan): string {
  return plan.requestFraming === 'chunked' ? chunked(random, plan.requestBody) : plan.requestBody;
}
