/**
 * Rules of Kong's queue that the compatibility sample does not show, each derived from its
 * reference. `t` is a time in seconds; calls are written `t:entries` with `!` for a failed one, log
 * lines `t level word`.
 */
import { describe, expect, test } from 'vitest';
import { type QueueCase, runQueueCase, type Step } from '../../support/queue-case.js';

interface Rule {
  readonly config?: QueueCase['config'];
  readonly handler?: QueueCase['handler'];
  readonly steps: Step[];
  readonly calls: string[];
  readonly logs?: string[];
  readonly probes?: string[];
  readonly results?: (true | string)[];
}

const put = (at: number, text: string, more: Partial<Step> = {}): Step => ({
  at,
  enqueue: text.split(' '),
  ...more,
});
const down = { default: 'fail:down' };
const words: [RegExp, string][] = [
  [/queue at 80% capacity$/, '80%'],
  [/queue full, dropping old entries until processing is successful again$/, 'full'],
  [/byte capacity exceeded, (\d+) queue entries were dropped$/, 'bytes'],
  [/longer \((\d+) bytes\) than the queue's max_bytes \((\d+) bytes\)$/, 'longer'],
  [/queue resumed processing$/, 'resumed'],
  [/handler could not process entries: (.*)$/, 'failed'],
  [/handler returned falsy value but no error information$/, 'silent'],
  [/could not send entries due to max_retry_time exceeded. (\d+) queue entries were lost$/, 'lost'],
];

function short(text: string): string {
  for (const [pattern, word] of words) {
    const match = pattern.exec(text);
    if (match) return [word, ...match.slice(1)].join(' ');
  }
  return text;
}

async function check(rule: Rule): Promise<void> {
  const { config = {}, handler = {}, steps } = rule;
  const expectation = { calls: [], logs: [] };
  const one = { name: '', kind: 'queue' as const, config, handler, steps, expect: expectation };
  const { calls, logs, probes, results } = await runQueueCase(one);
  expect(
    calls.map(({ at, entries, outcome, conf }) => {
      const mark = outcome === 'ok' ? '' : '!';
      return `${at}:${entries.join(',')}${mark}${conf ? ` ${conf}` : ''}`;
    }),
  ).toEqual(rule.calls);
  expect(logs.map(({ at, level, contains }) => `${at} ${level} ${short(contains)}`)).toEqual(
    rule.logs ?? [],
  );
  if (rule.results) expect(results).toEqual(rule.results);
  if (rule.probes) {
    const flags = probes as Record<string, unknown>[];
    expect(flags.map((one) => `${+!!one.exists}${+!!one.is_full}${+!!one.can_enqueue}`)).toEqual(
      rule.probes,
    );
  }
}

const batching: Record<string, Rule> = {
  'the window opens at pick-up, not when the entry came': {
    config: { max_batch_size: 10, max_coalescing_delay: 1 },
    handler: { latency: 3 },
    steps: [put(0, 'a'), put(1.5, 'b'), put(2, 'c')],
    calls: ['1:a', '5:b,c'],
  },
  'a full batch that waits already goes out without a window': {
    config: { max_batch_size: 2, max_coalescing_delay: 1 },
    handler: { latency: 3 },
    steps: [put(0, 'a b'), put(1, 'c d e')],
    calls: ['0:a,b', '3:c,d', '7:e'],
  },
  'the rest of a burst opens a window of its own': {
    config: { max_batch_size: 2, max_coalescing_delay: 2 },
    steps: [put(0, 'a b c')],
    calls: ['0:a,b', '2:c'],
  },
  'arrivals do not prolong the window': {
    config: { max_batch_size: 5, max_coalescing_delay: 2 },
    steps: [put(0, 'a'), put(0.5, 'b'), put(1, 'c')],
    calls: ['2:a,b,c'],
  },
  'a delay just below 50 ms makes batches of one': {
    config: { max_batch_size: 10, max_coalescing_delay: 0.049 },
    steps: [put(0, 'a b')],
    calls: ['0:a', '0:b'],
  },
  'a delay of 60 ms collects': {
    config: { max_batch_size: 10, max_coalescing_delay: 0.06 },
    steps: [put(0, 'a b')],
    calls: ['0.06:a,b'],
  },
  'of two late arrivals in one instant the first closes the batch': {
    config: { max_batch_size: 10, max_coalescing_delay: 1 },
    steps: [put(0, 'a'), put(0.97, 'b c')],
    calls: ['0.97:a,b', '1.97:c'],
  },
  'with batches of one the delay means nothing': {
    config: { max_batch_size: 1, max_coalescing_delay: 60 },
    steps: [put(0, 'a'), put(5, 'b')],
    calls: ['0:a', '5:b'],
  },
  'windows follow each other while entries keep coming': {
    config: { max_batch_size: 100, max_coalescing_delay: 3 },
    steps: [put(0, 'a'), put(2.9, 'b'), put(3.5, 'c'), put(4, 'd')],
    calls: ['3:a,b', '6.5:c,d'],
  },
};

const retries: Record<string, Rule> = {
  'pauses double up to the cap, and the limit is tested after the attempt': {
    config: { initial_retry_delay: 1, max_retry_delay: 4, max_retry_time: 10 },
    handler: down,
    steps: [put(0, 'a')],
    calls: ['0:a!', '1:a!', '3:a!', '7:a!', '11:a!'],
    logs: [0, 1, 3, 7, 11].map((at) => `${at} warn failed down`).concat('11 err lost 1'),
  },
  'a pause may overshoot the limit': {
    config: { initial_retry_delay: 0.1, max_retry_delay: 0.1, max_retry_time: 0.25 },
    handler: down,
    steps: [put(0, 'a')],
    calls: ['0:a!', '0.1:a!', '0.2:a!', '0.3:a!'],
    logs: [0, 0.1, 0.2, 0.3].map((at) => `${at} warn failed down`).concat('0.3 err lost 1'),
  },
  'the limit is exceeded only by more, not by as much': {
    config: { initial_retry_delay: 1, max_retry_delay: 1, max_retry_time: 2 },
    handler: down,
    steps: [put(0, 'a')],
    calls: ['0:a!', '1:a!', '2:a!', '3:a!'],
    logs: [0, 1, 2, 3].map((at) => `${at} warn failed down`).concat('3 err lost 1'),
  },
  'time inside the handler counts': {
    config: { initial_retry_delay: 1, max_retry_time: 4 },
    handler: { ...down, latency: 5 },
    steps: [put(0, 'a')],
    calls: ['0:a!'],
    logs: ['5 warn failed down', '5 err lost 1'],
  },
  '-1 is a single attempt, of whole batches': {
    config: { max_retry_time: -1, max_batch_size: 3 },
    handler: { outcomes: ['fail:x'] },
    steps: [put(0, 'a b c d e f')],
    calls: ['0:a,b,c!', '0:d,e,f'],
    logs: ['0 warn failed x', '0 err lost 3'],
  },
  'false without a reason is two lines': {
    handler: { outcomes: ['false-no-message'] },
    steps: [put(0, 'a')],
    calls: ['0:a!', '0.01:a'],
    logs: ['0 warn failed no error details returned by handler', '0 err silent'],
  },
  'a throw ends neither consumer nor queue': {
    config: { max_retry_time: -1 },
    handler: { outcomes: ['throw:boom', 'ok'] },
    steps: [put(0, 'a b')],
    calls: ['0:a!', '0:b'],
    logs: ['0 warn failed boom', '0 err lost 1'],
  },
  'pauses begin anew with the next batch': {
    config: { initial_retry_delay: 1 },
    handler: { outcomes: ['fail:x', 'fail:x', 'ok', 'fail:x', 'ok'] },
    steps: [put(0, 'a b')],
    calls: ['0:a!', '1:a!', '3:a', '3:b!', '4:b'],
    logs: ['0 warn failed x', '1 warn failed x', '3 warn failed x'],
  },
};

const capacity: Record<string, Rule> = {
  'a batch in flight counts for nothing and is never dropped': {
    config: { max_entries: 2 },
    handler: { latency: 10 },
    steps: [put(0, 'a'), put(1, 'b c d')],
    calls: ['0:a', '10:c', '20:d'],
    logs: ['1 warn 80%', '1 err full', '10 info resumed'],
  },
  'the early warning comes with the ninth of ten': {
    config: { max_entries: 10 },
    handler: { latency: 1 },
    steps: [put(0, 'x'), put(0.1, '1 2 3 4 5 6 7 8'), put(0.2, '9'), put(0.3, '10')],
    calls: ['x', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((entry, at) => `${at}:${entry}`),
    logs: ['0.2 warn 80%'],
  },
  'a queue that drains without arrivals does not warn again before one below 80 %': {
    config: { max_entries: 2 },
    handler: { latency: 1 },
    steps: [put(0, 'a'), put(0.5, 'b c'), put(1.5, 'd e')],
    calls: ['0:a', '1:b', '2:c', '3:d', '4:e'].slice(0, 2).concat(['2:d', '3:e']),
    logs: ['1.5 warn 80%', '1.5 err full', '2 info resumed'],
  },
  'an entry longer than max_bytes is refused, after it has cost an old one its place': {
    config: { max_entries: 1, max_bytes: 3 },
    handler: { latency: 10 },
    steps: [put(0, 'x'), put(1, 'b'), put(2, 'cccc')],
    calls: ['0:x'],
    logs: ['2 warn 80%', '2 err full', '2 err longer 4 3'],
    results: [
      true,
      true,
      "string to be queued is longer (4 bytes) than the queue's max_bytes (3 bytes)",
    ],
  },
  'an entry of exactly max_bytes is accepted': {
    config: { max_bytes: 4 },
    steps: [put(0, 'aaaa')],
    calls: ['0:aaaa'],
  },
  'one line for all that one entry pushes out': {
    config: { max_bytes: 10 },
    steps: [put(0, 'aaaa bbbb cccccc')],
    calls: ['0:bbbb', '0:cccccc'],
    logs: ['0 err bytes 1', '0 info resumed'],
  },
  'an entry dropped from an open batch leaves it': {
    config: { max_batch_size: 5, max_entries: 2, max_coalescing_delay: 1 },
    steps: [put(0, 'a b'), put(0.5, 'c')],
    calls: ['1:b,c'],
    logs: ['0.5 warn 80%', '0.5 err full', '1 info resumed'],
  },
  'texts are measured in UTF-8': {
    config: { max_bytes: 3 },
    steps: [put(0, 'é')],
    calls: ['0:é'],
    results: [true],
  },
};

const life: Record<string, Rule> = {
  'no entry is an error, and the queue exists for a moment': {
    steps: [
      { at: 0, enqueue: [null] },
      { at: 0, probe: 'p' },
      { at: 1, probe: 'p' },
    ],
    calls: [],
    probes: ['101', '001'],
    results: ['entry must be a non-nil Lua value'],
  },
  'parameters are those of the first entry until the queue has drained': {
    config: { max_entries: 1 },
    handler: { latency: 10 },
    steps: [put(0, 'a'), put(1, 'b c', { config: { max_entries: 5 } }), put(30, 'd'), put(31, 'e')],
    calls: ['0:a', '10:c', '30:d', '40:e'],
    logs: ['1 warn 80%', '1 err full', '10 info resumed'],
  },
  'the handler configuration is the newest, also for entries of before': {
    handler: { latency: 1 },
    steps: [put(0, 'a b', { conf: 'one' }), put(0.5, 'c', { conf: 'two' })],
    calls: ['0:a one', '1:b two', '2:c two'],
  },
  'the queue exists during calls and pauses, with nothing waiting': {
    config: { initial_retry_delay: 5 },
    handler: { outcomes: ['fail:x'] },
    steps: [put(0, 'a'), { at: 2, probe: 'p' }, { at: 6, probe: 'p' }],
    calls: ['0:a!', '5:a'],
    logs: ['0 warn failed x'],
    probes: ['101', '001'],
  },
  'a full queue and one that has no room for an entry say so; limits are those it was made with': {
    config: { max_bytes: 4 },
    handler: { latency: 9 },
    steps: [
      put(0, 'x'),
      put(1, 'aaa'),
      { at: 1.1, probe: 'b', config: { max_bytes: 1 } },
      { at: 1.2, probe: 'bb' },
      put(1.3, 'a'),
      { at: 1.4, probe: '' },
    ],
    calls: ['0:x', '9:aaa', '18:a'],
    probes: ['101', '100', '110'],
  },
  'entries of unlimited queues are sent alone, at once, under their own configuration': {
    config: { concurrency_limit: -1, max_entries: 1, max_batch_size: 9 },
    handler: { latency: 2, by_entry: { b: 'fail:x' } },
    steps: [put(0, 'a', { conf: 'one' }), put(1, 'b c', { conf: 'two' }), { at: 1, probe: 'p' }],
    calls: ['0:a one', '1:b! two', '1:c two', ...retriesOf('b', 1, 2)],
    logs: unlimitedLogs(1, 2),
    probes: ['001'],
  },
};

/** Attempts after the first one of an entry that never succeeds, its handler taking `latency`. */
function attemptTimes(start: number, latency: number): number[] {
  const times = [start];
  for (let k = 0; times[k] + latency - start <= 60; k++) {
    times.push(times[k] + latency + 0.01 * 2 ** k);
  }
  return times.map((at) => Math.round(at * 1e6) / 1e6);
}
function retriesOf(entry: string, start: number, latency: number): string[] {
  return attemptTimes(start, latency)
    .slice(1)
    .map((at) => `${at}:${entry}! two`);
}
function unlimitedLogs(start: number, latency: number): string[] {
  const ends = attemptTimes(start, latency).map((at) => Math.round((at + latency) * 1e6) / 1e6);
  return [...ends.map((at) => `${at} warn failed x`), `${ends.at(-1)} err lost 1`];
}

const ending: Record<string, Rule> = {
  'an arrival begins the second in which an exit is noticed anew': {
    config: { max_batch_size: 100, max_coalescing_delay: 10 },
    steps: [put(0, 'a'), put(0.5, 'b'), { at: 0.8, shutdown: true }],
    calls: ['1.55:a,b'],
  },
  'an arrival during the exit is noticed at once': {
    config: { max_batch_size: 100, max_coalescing_delay: 10 },
    steps: [put(0, 'a'), { at: 0.3, shutdown: true }, put(0.5, 'b')],
    calls: ['0.55:a,b'],
  },
  'what waits is still combined, after one short wait': {
    config: { max_batch_size: 10, max_coalescing_delay: 10 },
    handler: { latency: 2 },
    steps: [put(0, 'a'), { at: 0.1, shutdown: true }, put(2, 'b c')],
    calls: ['1.05:a', '3.1:b,c'],
  },
  'tasks of unlimited queues that have not begun are dropped silently': {
    config: { concurrency_limit: -1 },
    steps: [put(0, 'a'), { at: 0, shutdown: true }],
    calls: [],
  },
};

describe.each([
  ['batches', batching],
  ['repetitions', retries],
  ['room', capacity],
  ['life', life],
  ['exit', ending],
])('%s', (_title, rules) => {
  test.each(Object.entries(rules))('%s', async (_name, rule) => {
    await check(rule);
  });
});
