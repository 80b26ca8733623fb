import { describe, expect, test } from 'vitest';
import { inSeconds } from '../../../src/log/queue-clock.js';
import { type CreateQueueOptions, createQueue } from '../../../src/queue.js';
import { VirtualClock } from '../../support/virtual-clock.js';

function setUp(options: Partial<CreateQueueOptions> = {}) {
  const clock = new VirtualClock();
  const calls: unknown[][] = [];
  const lines: string[] = [];
  const line = (level: string) => (_fields: object, text: string) =>
    void lines.push(`${level} ${text}`);
  const queue = createQueue({
    name: 'q',
    handler: (entries) => {
      calls.push([...entries]);
      return true;
    },
    clock: inSeconds(clock),
    logger: { info: line('info'), warn: line('warn'), error: line('error') },
    ...options,
  });
  return { clock, calls, lines, queue };
}

describe('createQueue', () => {
  test('takes strings, bytes and objects, and hands them over as they were', async () => {
    const t = setUp({ max_batch_size: 4 });
    const object = { a: [1] };
    for (const entry of ['text ü', Buffer.from([0, 255]), object, 7]) {
      expect(t.queue.enqueue(entry)).toBe(true);
    }
    expect([t.queue.size, t.queue.bytes]).toEqual([4, 9]);
    await t.clock.runOut();
    expect(t.calls).toEqual([['text ü', Buffer.from([0, 255]), object, 7]]);
    expect(t.calls[0][2]).toBe(object);
    expect([t.queue.size, t.queue.bytes, t.queue.exists()]).toEqual([0, 0, false]);
  });

  test('says with max_bytes that objects are not measured, and queues them', async () => {
    const t = setUp({ max_bytes: 5, log_tag: 'tag' });
    expect(t.queue.enqueue({})).toBe(true);
    expect(t.lines).toEqual([
      'error [tag] queue q: queuing non-string entry to a queue that has queue.max_bytes set, ' +
        'capacity monitoring will not be correct',
    ]);
    t.queue.enqueue('12345');
    t.queue.enqueue('');
    await t.clock.runOut();
    expect(t.calls).toEqual([[{}], ['12345'], ['']]);
  });

  test.each([
    [{}, 'arg #1 (queue_conf) must include a name'],
    [{ name: 1 }, 'arg #1 (queue_conf) must include a name'],
    [{ name: 'q' }, 'arg #2 (handler) must be a function'],
    [{ name: 'q', max_entries: '9' }, 'arg #1 (queue_conf) max_entries must be a number'],
    [{ name: 'q', max_bytes: {} }, 'arg #1 (queue_conf) max_bytes must be a number'],
    [{ name: 'q', max_batch_size: null }, 'max_batch_size must be a number'],
    [{ name: 'q', max_retry_delay: Number.NaN }, 'max_retry_delay must be a number'],
    [{ name: 'q', max_batch_size: 0 }, 'max_batch_size: value should be between 1 and 1000000'],
    [{ name: 'q', max_coalescing_delay: 3601 }, 'value should be between 0 and 3600'],
    [{ name: 'q', initial_retry_delay: 0 }, 'value should be between 0.001 and 1000000'],
    [{ name: 'q', concurrency_limit: 2 }, 'concurrency_limit: expected one of: 1, -1'],
    [{ name: 'q', max_entries: 1.5 }, 'max_entries: expected an integer'],
    [{ name: 'q', max_batchsize: 2 }, 'unknown option max_batchsize'],
    [null, 'arg #1 (queue_conf) must be a table'],
  ])('refuses %j', (options, message) => {
    expect(() => createQueue(options as unknown as CreateQueueOptions)).toThrowError(
      expect.objectContaining({
        code: 'GW_E_QUEUE_ARGUMENT',
        message: expect.stringContaining(message),
      }),
    );
  });

  test('queues of one name are one queue, those of two names are two', async () => {
    const t = setUp({ max_batch_size: 10 });
    const same = createQueue({ name: 'q', handler: () => true, clock: inSeconds(t.clock) });
    const other = createQueue({ name: 'r', handler: () => true, clock: inSeconds(t.clock) });
    t.queue.enqueue('a');
    expect([same.size, other.size]).toEqual([1, 0]);
    other.enqueue('b');
    expect([same.size, other.size]).toEqual([1, 1]);
    await t.clock.runOut();
  });

  test('without a handler configuration the newest handler applies, else the first', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const make = (mark: string, conf?: string) =>
      createQueue<string, string>({
        ...{ name: 'q', conf, initial_retry_delay: 1, clock: inSeconds(clock) },
        handler: ([entry], context) => {
          seen.push(`${mark} ${context.conf} ${entry}`);
          return seen.length % 3 === 0;
        },
      });
    make('one').enqueue('a');
    await clock.moveTo(500);
    make('two').enqueue('b');
    await clock.moveTo(1500);
    make('three', 'conf').enqueue('c');
    await clock.runOut(3_500);
    expect(seen.slice(0, 3)).toEqual(['one undefined a', 'two undefined a', 'two conf a']);
  });

  test('flush sends at once, drain obeys its deadline, close ends everything', async () => {
    const t = setUp({ max_batch_size: 10, max_coalescing_delay: 60 });
    t.queue.enqueue('a');
    await t.clock.moveTo(10);
    const flushed = t.queue.flush();
    await t.clock.runOut(11);
    await flushed;
    expect(t.calls).toEqual([['a']]);

    t.queue.enqueue('b');
    const drained = t.queue.drain(5);
    await t.clock.runOut();
    expect(await drained).toEqual({ delivered: 1, kept: 0, lost: 0 });
    expect(() => t.queue.enqueue('c')).toThrowError(
      expect.objectContaining({ code: 'GW_E_QUEUE_CLOSED' }),
    );
    expect(await t.queue.close()).toEqual({ delivered: 0, kept: 0, lost: 0 });
    expect(t.clock.pending).toBe(0);
  });

  test('a drain aborts at its deadline what does not answer and counts it as lost', async () => {
    const aborted: unknown[] = [];
    const t = setUp({
      handler: (_entries, { signal }) =>
        new Promise(() => signal.addEventListener('abort', () => aborted.push(1))),
    });
    for (const entry of ['a', 'b', 'c']) t.queue.enqueue(entry);
    const drained = t.queue.drain(2);
    await t.clock.runOut();
    expect(await drained).toEqual({ delivered: 0, kept: 0, lost: 3 });
    expect([aborted.length, t.clock.now(), t.clock.pending]).toEqual([1, 2000, 0]);
    expect(t.queue.metrics()).toMatchObject({ lost: 3, entries: 0, inFlight: 0 });
  });

  test('metrics go on over the ends of the queue, and know the age of the oldest', async () => {
    const t = setUp({ handler: ([entry]) => entry !== 'bad', max_retry_time: -1 });
    t.queue.enqueue('bad');
    t.queue.enqueue('good');
    await t.clock.runOut();
    expect(t.queue.metrics()).toMatchObject({ delivered: 1, lost: 1, ageSeconds: 0 });
    const slow = setUp({ max_batch_size: 9, max_coalescing_delay: 60 });
    slow.queue.enqueue('a');
    await slow.clock.moveTo(7000);
    slow.queue.enqueue('b');
    expect(slow.queue.metrics()).toMatchObject({ entries: 2, bytes: 2, ageSeconds: 7 });
    await slow.queue.close();
  });

  test('a logger that wants traces gets the steps of a batch', async () => {
    const traces: string[] = [];
    const t = setUp({ logger: { trace: (_fields, text) => void traces.push(text) } });
    t.queue.enqueue('a');
    t.queue.enqueue('b');
    await t.clock.runOut();
    expect(traces.map((text) => text.replace('[] queue q: ', ''))).toEqual([
      'queue created',
      'queue exists',
      'processing queue',
      'passing 1 entries to handler',
      'handler processed 1 entries successfully',
      'passing 1 entries to handler',
      'handler processed 1 entries successfully',
      'done processing queue',
    ]);
  });

  test('a synchronous handler empties a long queue without growing the stack', async () => {
    let count = 0;
    const t = setUp({
      max_entries: 100_000,
      handler: () => {
        count++;
        return true;
      },
    });
    for (let i = 0; i < 100_000; i++) t.queue.enqueue('x');
    await t.clock.runOut();
    expect(count).toBe(100_000);
  });
});
