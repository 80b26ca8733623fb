/** Many events in one call: each with bytes of its own, and more output than the arena holds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { AcceptInfo, Command, Control, Event, Region, Settings } from '../../../src/core/layout.js';
import { headRoomBytes } from '../../../src/core/port.js';
import type { Driver } from '../../../src/driver/contract.js';
import { createPlane } from '../../support/plane.js';

const control = Region.control.offset;

interface Given {
  readonly type: number;
  readonly id: number;
  readonly text?: string;
}

function harness(core = createCore({ seed: [1, 2] })) {
  core.f64[(control + Control.nowMs) >> 3] = 1000;
  core.u32[(Region.settings.offset + Settings.keepaliveRequests) >> 2] = 1_000_000;
  let bump: number = Region.read.offset;

  /** Writes the events, each with a read buffer of its own; returns how many there are. */
  function give(events: readonly Given[]): number {
    bump = Region.read.offset;
    events.forEach(({ type, id, text = '' }, i) => {
      const at = (Region.events.offset >> 2) + i * 4;
      const from = bump + headRoomBytes;
      const bytes = type === Event.ACCEPT ? AcceptInfo.size : text.length;
      core.u8.fill(0, from, from + bytes);
      core.buffer.latin1Write(text, from);
      core.u32.set([type, id, from, text.length], at);
      bump = (from + bytes + 63) & ~63;
    });
    return events.length;
  }

  function commands(count: number) {
    return Array.from({ length: count }, (_, i) => {
      const [type, id, a, b] = core.u32.subarray((Region.commands.offset >> 2) + i * 4);
      const text = type === Command.SEND ? core.buffer.latin1Slice(a, a + b) : '';
      return { type, id, a, b, text };
    });
  }

  const taken = () => core.u32[(control + Control.eventsTaken) >> 2];
  const more = () => core.u32[(control + Control.more) >> 2];
  return { core, give, commands, taken, more };
}

const idOf = (index: number) => index | (1 << 16);
const accepts = (count: number): Given[] =>
  Array.from({ length: count }, (_, i) => ({ type: Event.ACCEPT, id: idOf(i) }));

test('a batch of connections and requests is answered each on its own connection', () => {
  const { core, give, commands, taken, more } = harness();
  const count = 500;
  core.exports.process(give(accepts(count)));
  expect(taken()).toBe(count);
  const requests = accepts(count).map(({ id }, i) => ({
    type: Event.DATA,
    id,
    text: `GET /${i} HTTP/1.1\r\nHost: h${i}\r\nConnection: close\r\n\r\n`,
  }));
  const sends = commands(core.exports.process(give(requests))).filter(
    ({ type }) => type === Command.SEND,
  );
  expect(taken()).toBe(count);
  expect(more()).toBe(0);
  expect(sends.map(({ id }) => id)).toEqual(requests.map(({ id }) => id));
  for (const { text } of sends) expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  expect(new Set(sends.map(({ a }) => a)).size).toBe(count);
});

test('halves of heads in one batch do not mix', () => {
  const { core, give, commands } = harness();
  core.exports.process(give(accepts(3)));
  const halves = ['GET / HTTP/1.1\r\nHo', 'st: a\r\nConnection: close\r\n\r\n'];
  const round = (text: string) =>
    commands(
      core.exports.process(give(accepts(3).map(({ id }) => ({ type: Event.DATA, id, text })))),
    );
  expect(round(halves[0])).toEqual([]);
  const sends = round(halves[1]).filter(({ type }) => type === Command.SEND);
  expect(sends.map(({ id }) => id)).toEqual([idOf(0), idOf(1), idOf(2)]);
});

test('more answers than the arena holds come in several batches, none outside of it', () => {
  const { core, give, commands, taken, more } = harness();
  const clients = 40;
  const pipelined = 1500;
  core.exports.process(give(accepts(clients)));
  const question = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  const text = question.repeat(pipelined);
  let left = give(accepts(clients).map(({ id }) => ({ type: Event.DATA, id, text })));
  const answers = new Map<number, number>();
  let calls = 0;
  do {
    const count = core.exports.process(left);
    calls++;
    for (const { type, id, a, b, text: sent } of commands(count)) {
      if (type !== Command.SEND) continue;
      expect(a).toBeGreaterThanOrEqual(Region.out.offset);
      expect(a + b).toBeLessThanOrEqual(Region.out.offset + Region.out.bytes);
      answers.set(id, (answers.get(id) ?? 0) + sent.split('HTTP/1.1 404').length - 1);
    }
    const events = Region.events.offset;
    core.u8.copyWithin(events, events + taken() * 16, events + left * 16);
    left -= taken();
    expect(calls).toBeLessThan(1000);
  } while (left > 0 || more() !== 0);
  expect(calls).toBeGreaterThan(2);
  expect([...answers.values()]).toEqual(new Array(clients).fill(pipelined));
  expect(core.u32[(control + Control.slotBytes) >> 2]).toBe(0);
});

test('what a client gets does not depend on how its events were batched', () => {
  const single = harness();
  const batched = harness();
  const clients = 12;
  fc.assert(
    fc.property(
      fc.array(fc.record({ client: fc.nat(clients - 1), bytes: fc.integer({ min: 1, max: 90 }) }), {
        minLength: 50,
        maxLength: 400,
      }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
      (pieces, sizes) => {
        const events = scriptOf(pieces, clients);
        const one = play(single, events, [1]);
        expect(play(batched, events, sizes)).toEqual(one);
        expect(one.join('').length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 30 },
  );
});

/** Clients that send a stream of good and bad requests in pieces, and then end. */
function scriptOf(pieces: readonly { client: number; bytes: number }[], clients: number): Given[] {
  const get = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';
  const stream = `${get}POST /b HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nabcde`;
  const streams = Array.from({ length: clients }, (_, i) => `${stream.repeat(20)}BAD ${i}\r\n\r\n`);
  const sent = new Array<number>(clients).fill(0);
  const events: Given[] = accepts(clients);
  for (const { client, bytes } of pieces) {
    const text = streams[client].slice(sent[client], sent[client] + bytes);
    sent[client] += bytes;
    if (text !== '') events.push({ type: Event.DATA, id: idOf(client), text });
  }
  for (const { id } of accepts(clients)) events.push({ type: Event.END, id });
  for (const { id } of accepts(clients)) events.push({ type: Event.ERROR, id });
  return events;
}

/** Hands the events over in batches of these sizes, in turn; returns what each client got. */
function play(on: ReturnType<typeof harness>, events: readonly Given[], sizes: number[]): string[] {
  const got: string[] = [];
  let at = 0;
  for (let turn = 0; at < events.length; turn++) {
    const size = sizes[turn % sizes.length];
    const count = on.core.exports.process(on.give(events.slice(at, at + size)));
    expect(on.taken()).toBe(Math.min(size, events.length - at));
    at += size;
    for (const { type, id, text } of on.commands(count)) {
      const client = id & 0xffff;
      got[client] = (got[client] ?? '') + (type === Command.SEND ? text : `<${type}>`);
    }
  }
  return got.map((text) => text.replaceAll(/"request_id":"\w+"/g, 'id'));
}

describe('an answer of an upstream', () => {
  /** One request that is answered with a body of so many bytes; the commands of the answer. */
  function exchange(bodyBytes: number) {
    const services = [{ target: { host: '127.0.0.1', port: 1 } }];
    const idle = { close: async () => {} } as Driver;
    const { core } = createPlane({ services, makeDriver: () => idle });
    const { give, commands } = harness(core);
    const run = (event: Given) => commands(core.exports.process(give([event])));
    const [client] = accepts(1);
    run(client);
    const sent = run({
      type: Event.DATA,
      id: client.id,
      text: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    });
    const { id } = sent.find(({ type }) => type === Command.CONNECT)!;
    run({ type: Event.CONNECTED, id });
    const body = 'x'.repeat(bodyBytes);
    const text = `HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n${body}`;
    return run({ type: Event.DATA, id, text }).filter((command) => command.id === client.id);
  }

  const inRead = (a: number) => a >= Region.read.offset && a < Region.out.offset;

  test('leaves with a short body in one piece', () => {
    for (const bytes of [1, 2, 100, 1024]) {
      const [send, ...more] = exchange(bytes);
      expect(send.text).toMatch(new RegExp(`\r\n\r\nx{${bytes}}$`));
      expect(more).toEqual([]);
    }
  });

  test('leaves with a long body where that was read', () => {
    const [head, body, ...more] = exchange(1025);
    expect(head.text).toMatch(/\r\n\r\n$/);
    expect(body.text).toBe('x'.repeat(1025));
    expect(inRead(body.a)).toBe(true);
    expect(more).toEqual([]);
  });
});
