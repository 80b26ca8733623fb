import { expect, test } from 'vitest';
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
};

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

const callbacks = [
  'proxy_on_configure',
  'proxy_on_request_headers',
  'proxy_on_request_body',
  'proxy_on_response_headers',
  'proxy_on_response_body',
  'proxy_on_log',
];

test('random pointers and lengths give statuses, never an exception or a broken host', async () => {
  const first = Number(process.env.HEADGATE_FUZZ_SEED ?? 1);
  for (let seed = first; seed < first + rounds; seed++) {
    const pick = random(seed);
    const host = createHost({ foreign: { '': (args) => args } });
    const on = Object.fromEntries(callbacks.map((name) => [name, steps(pick)]));
    const filter = load(host, { on });
    const result = await exchange(filter.chain, {
      request: { method: 'POST', body: [Buffer.from('some body')] },
    });
    const { root } = filter.binding;
    expect(root, `seed ${seed}`).not.toBeNull();
    const { memory } = root!.instance;
    memory.refresh();
    expect(memory.u8.length % 65536, `seed ${seed}`).toBe(0);
    expect(result.received ?? result.reply, `seed ${seed}`).toBeDefined();
    expect(host.lines.filter(({ message }) => message === 'a filter trapped')).toEqual([]);
    filter.chain.release();
    await host.services.calls.close();
  }
});
