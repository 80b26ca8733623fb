/**
 * The engine does not trust the core: whatever the command records say, it acts on live ids and on
 * bytes that may leave, or it refuses loudly, once, and resets everything.
 */
import net from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Core, createCore } from '../../src/core/instance.js';
import { Command, Control, Event, Region } from '../../src/core/layout.js';
import { createNativeEngine } from '../../src/core/native-engine.js';
import { sendable } from '../../src/core/port.js';
import { limits } from '../../src/limits.js';
import { loadNative, type NativeEngine } from '../../src/native/loader.js';
import { systemClock } from '../../src/time.js';
import { until } from '../support/gateway.js';

type RecordWords = readonly [type: number, connection: number, a: number, b: number];

interface Fake {
  readonly engine: NativeEngine;
  readonly core: Core;
  readonly port: number;
  /** What the next call of `process` answers with. */
  answer: (events: RecordWords[]) => readonly RecordWords[];
  /** Number of commands claimed, where it is not the length of the answer. */
  claimed: number | null;
  readonly faults: string[];
  readonly resolved: number[];
  readonly accepted: number[];
}

const core = createCore({ seed: [1, 2] });

/** An engine over a real memory whose `process` is the test's. */
function fake(): Fake {
  const loaded = loadNative();
  if (!('addon' in loaded)) throw new Error(loaded.reason);
  const state = {
    answer: () => [],
    claimed: null,
    faults: [],
    resolved: [],
    accepted: [],
  } as unknown as Fake & { engine: NativeEngine; port: number };
  const process = (count: number): number => {
    const at = Region.events.offset >> 2;
    const events = Array.from({ length: count }, (_, i) => {
      return [...core.u32.subarray(at + i * 4, at + i * 4 + 4)] as unknown as RecordWords;
    });
    for (const [type, id] of events) if (type === Event.ACCEPT) state.accepted.push(id);
    const records = state.answer(events);
    records.forEach((record, i) => {
      core.u32.set(record, (Region.commands.offset >> 2) + i * 4);
    });
    core.u32[(Region.control.offset + Control.eventsTaken) >> 2] = count;
    core.u32[(Region.control.offset + Control.more) >> 2] = 0;
    return state.claimed ?? records.length;
  };
  const engine = createNativeEngine(
    loaded.addon,
    { ...core, exports: { ...core.exports, process } },
    systemClock,
    {
      resolve: (id) => void state.resolved.push(id),
      connectFailed: () => {},
      proxyHeader: () => {},
      badCommand: (what) => void state.faults.push(what),
      trapped: (cause) => void state.faults.push(String(cause)),
      armTick: () => {},
    },
  );
  onTestFinished(() => engine.close());
  const bound = engine.listen(false, '127.0.0.1', 0, 511, false, false);
  if (typeof bound === 'number') throw new Error(`errno ${bound}`);
  return Object.assign(state, { engine, core, port: bound[2] });
}

/** A connected client and its id in the engine. */
async function client(given: Fake): Promise<{ id: number; received: () => string }> {
  let text = '';
  const before = given.accepted.length;
  const socket = net.connect(given.port, '127.0.0.1');
  socket
    .on('error', () => {})
    .on('data', (chunk) => {
      text += chunk.latin1Slice();
    });
  onTestFinished(() => void socket.destroy());
  await until(() => given.accepted.length > before);
  return { id: given.accepted[before], received: () => text };
}

const tick = (given: Fake, records: readonly RecordWords[]): void => {
  given.answer = () => {
    given.answer = () => [];
    return records;
  };
  given.engine.post(Event.TICK, 0, 0, 0);
};

const upstreamId = limits.downstreamConnections.value;
const out = Region.out.offset;

describe('refused', () => {
  const bad: [name: string, make: (id: number) => RecordWords, what: RegExp][] = [
    ['an unknown type', (id) => [99, id, 0, 0], /unknown type/],
    ['type 0', (id) => [0, id, 0, 0], /unknown type/],
    ['an id that never was', () => [Command.SEND, 5 | (1 << 16), out, 1], /gone/],
    ['id 0', () => [Command.CLOSE, 0, 0, 0], /gone/],
    ['an older generation', (id) => [Command.SEND, id + (7 << 16), out, 1], /gone/],
    ['an index out of range', () => [Command.CLOSE, 0xffff, 0, 0], /gone/],
    ['connecting a downstream id', (id) => [Command.CONNECT, id, 0, 0], /downstream/],
    ['connecting an index out of range', () => [Command.CONNECT, 0xffff, 0, 0], /cannot be/],
    ['the control block', (id) => [Command.SEND, id, Region.control.offset, 16], /outside/],
    ['the connections', (id) => [Command.SEND, id, Region.connections.offset, 16], /outside/],
    ['a byte past a region', (id) => [Command.SEND, id, out + Region.out.bytes - 1, 2], /outside/],
    ['a length that wraps round', (id) => [Command.SEND, id, out, 0xffffffff], /outside/],
    ['an end that wraps round', (id) => [Command.SEND, id, 0xffffff00, 0x400], /outside/],
    ['memory behind the end', (id) => [Command.SEND, id, 0x20000000, 1], /outside/],
  ];
  test.each(bad)('%s', async (_name, make, what) => {
    const given = fake();
    const { id, received } = await client(given);
    const other = await client(given);
    tick(given, [make(id), [Command.SEND, other.id, out, 4]]);
    expect(given.faults).toEqual([expect.stringMatching(what)]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(received() + other.received()).toBe('');
  });

  test('connecting an index twice', () => {
    const given = fake();
    tick(given, [
      [Command.CONNECT, upstreamId, 1, 0],
      [Command.CONNECT, upstreamId + (1 << 16), 1, 0],
    ]);
    expect(given.faults).toEqual([expect.stringMatching(/in use/)]);
    expect(given.resolved).toEqual([upstreamId]);
  });

  test('a command after the CLOSE of the same id', async () => {
    const given = fake();
    const { id } = await client(given);
    tick(given, [
      [Command.CLOSE, id, 0, 0],
      [Command.SEND, id, out, 1],
    ]);
    expect(given.faults).toEqual([expect.stringMatching(/gone/)]);
  });

  test('more commands than a batch may have', () => {
    const given = fake();
    given.claimed = limits.commandsPerBatch.value + 1;
    given.engine.post(Event.TICK, 0, 0, 0);
    expect(given.faults).toEqual([expect.stringMatching(/too many/)]);
  });

  test('after a fault nothing is carried out and nobody is called any more', async () => {
    const given = fake();
    await client(given);
    tick(given, [[99, 0, 0, 0]]);
    const calls = given.accepted.length;
    tick(given, [[Command.CONNECT, upstreamId, 1, 0]]);
    given.engine.tick();
    expect(given.engine.listen(false, '127.0.0.1', 0, 1, false, false)).toEqual(expect.any(Number));
    expect(given.faults).toHaveLength(1);
    expect(given.accepted).toHaveLength(calls);
    expect(given.resolved).toEqual([]);
  });

  test('a process that throws is a fault, and so is a memory that is not whole', () => {
    const given = fake();
    given.answer = () => {
      throw new Error('trap');
    };
    given.engine.post(Event.TICK, 0, 0, 0);
    expect(given.faults).toEqual(['Error: trap']);
    const loaded = loadNative();
    if (!('addon' in loaded)) throw new Error(loaded.reason);
    const { addon } = loaded;
    const options = { process: () => 0, host: {}, sendable: [], headRoomBytes: 0, readBytes: 1 };
    const make = (memory: Uint8Array) => () =>
      new addon.Engine({ ...options, memory, clockOffsetMs: 0 } as never);
    expect(make(new Uint8Array(65536))).toThrow(TypeError);
    const detached = new Uint8Array(16);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(make(detached)).toThrow(TypeError);
  });
});

test('runs of sends leave in order and whole, however many parts they have', async () => {
  const given = fake();
  const { id, received } = await client(given);
  core.buffer.latin1Write('abcdefghij', out);
  const letters = Array.from({ length: 1000 }, (_, i): RecordWords => {
    return [Command.SEND, id, out + (i % 10), 1];
  });
  tick(given, letters);
  await until(() => received().length === 1000);
  expect(received()).toBe('abcdefghij'.repeat(100));
  expect(given.faults).toEqual([]);
});

test('corrupt records never crash, and only bytes that may leave do', async () => {
  core.u8.fill(0x2a, out, out + 4096);
  const hidden = [Region.settings.offset + 4096, Region.connections.offset, Region.edits.offset];
  for (const at of hidden) core.buffer.latin1Write('secret'.repeat(500), at);
  const edges = [
    ...hidden,
    0,
    1,
    0x1000,
    out,
    out + Region.out.bytes,
    0x1fffffff,
    0x7fffffff,
    0xffffffff,
  ];
  const word = fc.oneof(fc.constantFrom(...edges, ...sendable.flat()), fc.nat(0xffffffff));
  const record = (ids: readonly number[]) =>
    fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 8 }), fc.nat(0xffffffff)),
      fc.oneof(fc.constantFrom(...ids, upstreamId), fc.nat(0xffffffff)),
      word,
      fc.oneof(fc.nat(4096), word),
    );
  let refused = 0;
  for (let run = 0; run < 300; run++) {
    const given = fake();
    const { id, received } = await client(given);
    const [records] = fc.sample(fc.array(record([id]), { maxLength: 12 }), {
      numRuns: 1,
      seed: run + 1,
    });
    tick(given, records as RecordWords[]);
    expect(given.faults.length).toBeLessThanOrEqual(1);
    refused += given.faults.length;
    given.engine.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(received()).not.toContain('secret');
  }
  expect(refused).toBeGreaterThan(100);
});
