import { expect, test } from 'vitest';
import type { FilterServices } from '../../src/filter/services.js';
import { createHost, exchange, load } from '../unit/filter/harness.js';
import type { Step } from '../unit/filter/wat.js';

/** Host functions with the kinds of their parameters: i32, or i64 (`I`). */
const functions: Readonly<Record<string, string>> = {
  proxy_log: 'iii',
  proxy_get_log_level: 'i',
  proxy_get_current_time_nanoseconds: 'i',
  proxy_set_tick_period_milliseconds: 'i',
  proxy_get_configuration: 'ii',
  proxy_get_buffer_bytes: 'iiiii',
  proxy_set_buffer_bytes: 'iiiii',
  proxy_get_buffer_status: 'iii',
  proxy_get_header_map_size: 'ii',
  proxy_get_header_map_pairs: 'iii',
  proxy_set_header_map_pairs: 'iii',
  proxy_get_header_map_value: 'iiiii',
  proxy_add_header_map_value: 'iiiii',
  proxy_replace_header_map_value: 'iiiii',
  proxy_remove_header_map_value: 'iii',
  proxy_continue_stream: 'i',
  proxy_continue_request: '',
  proxy_continue_response: '',
  proxy_clear_route_cache: '',
  proxy_get_status: 'iii',
  proxy_send_local_response: 'iiiiiiii',
  proxy_http_call: 'iiiiiiiiii',
  proxy_grpc_call: 'iiiiiiiiiiii',
  proxy_grpc_stream: 'iiiiiiiii',
  proxy_grpc_send: 'iiii',
  proxy_grpc_cancel: 'i',
  proxy_grpc_close: 'i',
  proxy_set_shared_data: 'iiiii',
  proxy_get_shared_data: 'iiiii',
  proxy_register_shared_queue: 'iii',
  proxy_resolve_shared_queue: 'iiiii',
  proxy_enqueue_shared_queue: 'iii',
  proxy_dequeue_shared_queue: 'iii',
  proxy_define_metric: 'iiii',
  proxy_record_metric: 'iI',
  proxy_increment_metric: 'iI',
  proxy_get_metric: 'ii',
  proxy_get_property: 'iiii',
  proxy_set_property: 'iiii',
  proxy_call_foreign_function: 'iiiiii',
  proxy_set_effective_context: 'i',
  proxy_done: '',
  'wasi.fd_write': 'iiii',
  'wasi.fd_read': 'iiii',
  'wasi.fd_seek': 'iIii',
  'wasi.fd_close': 'i',
  'wasi.fd_fdstat_get': 'ii',
  'wasi.fd_prestat_get': 'ii',
  'wasi.path_open': 'iiiiiIIii',
  'wasi.clock_time_get': 'iIi',
  'wasi.clock_res_get': 'ii',
  'wasi.random_get': 'ii',
  'wasi.environ_sizes_get': 'ii',
  'wasi.environ_get': 'ii',
  'wasi.args_sizes_get': 'ii',
  'wasi.args_get': 'ii',
  'wasi.poll_oneoff': 'iiii',
  'wasi.sched_yield': '',
};

/** What the reference says that calls answer: statuses of the ABI, errno of WASI. */
const statuses = new Set([0, 1, 2, 3, 4, 6, 7, 8, 10, 12]);
const errno = new Set([0, 8, 21, 28, 44, 52, 58, 70, 76]);

/** Places at and around the ends of a memory of two pages, and numbers that are none. */
const odd = [
  0, 1, 2, 4, 8, 64, 0x1000, 0x2000, 0x8000, 0x1fff8, 0x1fffc, 0x1ffff, 0x20000, 0x20001,
];
const extreme = [-1, -2, -4, -0x80000000, 0x7fffffff, 0x7ffffffc];
const rounds = 300;
const callsPerCallback = 25;

/** A small generator, so that a failure can be repeated from its seed. */
function random(seed: number): (max: number) => number {
  let state = seed >>> 0;
  return (max) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x100000000) * max);
  };
}

function steps(pick: (max: number) => number): Step[] {
  const names = Object.keys(functions);
  return Array.from({ length: callsPerCallback }, (): Step => {
    const name = names[pick(names.length)];
    const args = [...functions[name]].map((kind) => {
      const list = pick(4) === 0 ? extreme : pick(3) === 0 ? [pick(0x20000)] : odd;
      const value = list[pick(list.length)];
      return kind === 'I' ? BigInt(value) : value;
    });
    return [name, ...args];
  });
}

/** Those of an exchange, and of the start. */
const callbacks = [
  'proxy_on_context_create',
  'proxy_on_vm_start',
  'proxy_on_configure',
  'proxy_on_request_headers',
  'proxy_on_request_body',
  'proxy_on_request_trailers',
  'proxy_on_response_headers',
  'proxy_on_response_body',
  'proxy_on_response_trailers',
  'proxy_on_done',
  'proxy_on_log',
  'proxy_on_delete',
];

/** Those that come from elsewhere, on the root context. */
const others = [
  'proxy_on_tick',
  'proxy_on_queue_ready',
  'proxy_on_http_call_response',
  'proxy_on_grpc_receive_initial_metadata',
  'proxy_on_grpc_receive',
  'proxy_on_grpc_receive_trailing_metadata',
  'proxy_on_grpc_close',
  'proxy_on_foreign_function',
] as const;

/** Bodies of allocators: the usual one, none, and such as give what is not theirs. */
const allocators = [
  undefined,
  undefined,
  '(i32.const 0)',
  '(i32.const -8)',
  '(i32.const 0x1fff0)',
  '(i32.sub (i32.const 0x20000) (local.get $size))',
];

const fields: [string, string][] = [['x-trailer', 'value']];

/** Runs a filter through an exchange and through everything else that calls it. */
async function runThrough(seed: number, on: Record<string, Step[]>, allocate?: string) {
  const known = createHost({ foreign: { '': (args) => args } });
  const answers: [name: string, result: unknown][] = [];
  const trace: FilterServices['trace'] = ({ kind, name, result }) => {
    if (kind === 'call') answers.push([name, result]);
  };
  const host = { ...known, services: { ...known.services, trace } };
  const filter = load(host, { on, allocate });
  const body = [Buffer.from('some body'), Buffer.from('and more')];
  const result = await exchange(filter.chain, {
    request: { method: 'POST', body, trailers: fields },
    upstream: () => ({ status: 200, headers: fields, body, trailers: fields }),
  });
  expect(result.received ?? result.reply, `seed ${seed}`).toBeDefined();
  const { root } = filter.binding;
  expect(root, `seed ${seed}`).not.toBeNull();
  const { instance } = root!;
  for (const name of others) instance.run(() => instance.call(root!, name, 1, 2, 3, 4));
  instance.memory.refresh();
  expect(instance.memory.u8.length % 65536, `seed ${seed}`).toBe(0);
  expect(host.lines.filter(({ message }) => message === 'a filter trapped')).toEqual([]);
  for (const [name, answer] of answers) {
    const documented = name.startsWith('proxy_') ? statuses : errno;
    expect(documented.has(answer as number), `seed ${seed}: ${name} gave ${answer}`).toBe(true);
  }
  filter.chain.release();
  await host.services.calls.close();
  return answers.length;
}

test('random pointers and lengths give statuses, never an exception or a broken host', async () => {
  const first = Number(process.env.HEADGATE_FUZZ_SEED ?? 1);
  let calls = 0;
  for (let seed = first; seed < first + rounds; seed++) {
    const pick = random(seed);
    const on = Object.fromEntries([...callbacks, ...others].map((name) => [name, steps(pick)]));
    calls += await runThrough(seed, on, allocators[pick(allocators.length)]);
  }
  expect(calls).toBeGreaterThan(rounds * callsPerCallback);
});
