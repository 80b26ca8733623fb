/** Filters in memory: modules, services with recorded logs, and exchanges through a chain. */
import { CallClient, type CallTarget } from '../../../src/filter/calls/client.js';
import { FilterChain } from '../../../src/filter/chain.js';
import {
  type MemoryOptions,
  type MemoryResult,
  runExchange,
} from '../../../src/filter/memory-exchange.js';
import { FilterMetrics } from '../../../src/filter/metrics.js';
import { loadModule } from '../../../src/filter/module.js';
import type {
  FilterHostOptions,
  FilterServices,
  ForeignFunction,
} from '../../../src/filter/services.js';
import { SharedData } from '../../../src/filter/shared-data.js';
import { SharedQueues } from '../../../src/filter/shared-queues.js';
import { type FilterBinding, FilterVm } from '../../../src/filter/vm.js';
import type { Logger } from '../../../src/observe/logger.js';
import { type Clock, systemClock } from '../../../src/time.js';
import type { VirtualClock } from '../../support/virtual-clock.js';
import { type FilterText, filterModule, outputs } from './wat.js';

export interface LogLine {
  readonly level: string;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

export function recordingLogger(lines: LogLine[], bound: Record<string, unknown> = {}): Logger {
  const method =
    (level: string) =>
    (fields: object, message = '') => {
      lines.push({ level, fields: { ...bound, ...fields }, message });
    };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
    child: (bindings) => recordingLogger(lines, { ...bound, ...bindings }),
  };
}

export interface Host {
  readonly services: FilterServices;
  readonly lines: LogLine[];
  readonly messages: () => string[];
}

export interface HostSetup {
  readonly clock?: Clock;
  readonly resolve?: (upstream: string) => CallTarget | null;
  readonly foreign?: Readonly<Record<string, ForeignFunction>>;
  readonly logLevel?: FilterServices['logLevel'];
}

export function createHost(setup: HostSetup = {}): Host {
  const lines: LogLine[] = [];
  const clock = setup.clock ?? systemClock;
  const services: FilterServices = {
    clock,
    workerId: 0,
    logger: recordingLogger(lines),
    logLevel: setup.logLevel ?? 'trace',
    shared: new SharedData(),
    queues: new SharedQueues(),
    metrics: new FilterMetrics(),
    calls: new CallClient({ clock, resolve: setup.resolve ?? (() => null) }),
    foreign: new Map(Object.entries(setup.foreign ?? {})),
  };
  return { services, lines, messages: () => lines.map(({ message }) => message) };
}

export interface Loaded {
  readonly vm: FilterVm;
  readonly binding: FilterBinding;
  readonly chain: FilterChain;
}

let nextName = 1;

/** Loads a module given as text or bytes, with one configuration. */
export function load(
  host: Host,
  source: FilterText | Uint8Array,
  config: string | Uint8Array = '',
  options: FilterHostOptions & { name?: string } = {},
): Loaded {
  const bytes = source instanceof Uint8Array ? source : filterModule(source);
  const module = loadModule(options.name ?? `filter-${nextName++}`, bytes, options);
  const vm = new FilterVm({ module, services: host.services, host: options });
  const given = Buffer.from(config as string);
  vm.rehearse(given);
  const binding = vm.bind(given);
  return { vm, binding, chain: new FilterChain([binding], host.services) };
}

/** The statuses that the filter's host calls returned, in order. */
export function statuses({ binding }: Loaded): number[] {
  const { memory } = instanceOf(binding);
  memory.refresh();
  return [...new Uint32Array(memory.u8.slice(0, 4 * 64).buffer)];
}

/** What an output cell pair (pointer in `cell`, size in `cell + 1`) points to, as latin1. */
export function given({ binding }: Loaded, cell: number): string {
  const { memory } = instanceOf(binding);
  const pointer = memory.readU32(outputs + 8 * cell);
  const size = memory.readU32(outputs + 8 * (cell + 1));
  return memory.holds(pointer, size)
    ? memory.latin1(pointer, size)
    : `outside: ${pointer}, ${size}`;
}

export function cell({ binding }: Loaded, index: number): number {
  const { memory } = instanceOf(binding);
  memory.refresh();
  return memory.readU32(outputs + 8 * index);
}

export function instanceOf(binding: FilterBinding) {
  if (!binding.root) throw new Error('the filter has no instance');
  return binding.root.instance;
}

/** One GET, or what `options` say, against an upstream that answers 200 with `hello`. */
export function exchange(
  chain: FilterChain,
  options: Partial<Omit<MemoryOptions, 'request'>> & {
    request?: Partial<MemoryOptions['request']>;
  } = {},
): Promise<MemoryResult> {
  return runExchange({
    chain,
    upstream: () => ({
      status: 200,
      headers: [['Content-Type', 'text/plain']],
      body: [Buffer.from('hello')],
    }),
    ...options,
    request: {
      method: 'GET',
      path: '/path?query=1',
      authority: 'example.test',
      headers: [
        ['User-Agent', 'test'],
        ['X-Twice', 'one'],
        ['x-twice', 'two'],
        ['X-Empty', ''],
      ],
      ...options.request,
    },
  });
}

/** Moves a clock on by so much, timers that are due then included. */
export async function advance(clock: VirtualClock, ms: number): Promise<void> {
  const end = clock.now() + ms;
  await clock.runOut(end);
  await clock.moveTo(end);
}
