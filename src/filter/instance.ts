/**
 * One instance of a filter module: its memory, its contexts, and the way in and out of it. A
 * callback that traps ends the instance: nothing is called in it again, its timers and calls are
 * dropped, and whoever holds it is told. Callbacks never nest.
 */
import { type ForeignExports, instantiateForeign } from '../core/foreign-module.js';
import { GatewayError } from '../errors.js';
import { type CallbackName, callbackNames, endCallbacks } from './abi.js';
import { type Budget, loadedBudget } from './binary/budget.js';
import type { CallAnswer } from './calls/answer.js';
import { Context, RootContext } from './context.js';
import { ContextTable } from './context-table.js';
import { FilterLog } from './filter-log.js';
import { GuestMemory } from './guest-memory.js';
import { hostImports } from './host/imports.js';
import { ProcExit } from './host/wasi.js';
import type { FilterModule } from './module.js';
import type { FilterHostOptions, FilterServices } from './services.js';
import type { Station } from './station.js';
import type { FilterStream } from './stream.js';
import { Usual, usualNames } from './usual-callbacks.js';

export interface InstanceOptions {
  readonly module: FilterModule;
  readonly services: FilterServices;
  readonly host: FilterHostOptions;
  /** What the property `plugin_root_id` is. */
  readonly rootId: string;
  /** False: a rehearsal; no timers, no calls. */
  readonly live: boolean;
  /** The instance trapped; called once, after its contexts have been dropped. */
  readonly onDeath: (error: GatewayError, streams: readonly Context[]) => void;
}

type Callback = (...values: number[]) => number;

export class FilterInstance {
  readonly options: InstanceOptions;
  readonly memory = new GuestMemory();
  readonly log: FilterLog;
  readonly contexts = new ContextTable();
  /** The context that host functions act on: the running callback's, or as the filter chose. */
  effective: Context | null = null;
  /** The answer that the running callback is about, for buffers 4, 5 and maps 4 to 7. */
  answer: CallAnswer | null = null;
  /** Buffer 8, inside proxy_on_foreign_function. */
  foreignArguments: Uint8Array | null = null;
  /** Inside proxy_on_vm_start: what proxy_get_configuration answers with in ABI 0.1.0. */
  starting = false;
  failure: GatewayError | null = null;
  /** Least free id of a call. */
  nextCall = 1;
  readonly vmConfig: Uint8Array;
  /** Some callback is for the end of a context. */
  readonly seesEnd: boolean;
  /** Every name, so that all instances have the same shape. */
  readonly #callbacks: Partial<Record<CallbackName, Callback>> = {};
  readonly #usual: readonly (Callback | undefined)[];
  readonly #budget: Budget | null;
  readonly #trace: FilterServices['trace'];
  #vmStarted = false;
  #calls = 0;

  /** @throws GatewayError GW_E_FILTER_TRAP where the module's start functions trap */
  constructor(options: InstanceOptions) {
    this.options = options;
    const { module, services, host } = options;
    this.vmConfig = Buffer.from(host.vmConfig ?? '');
    this.log = new FilterLog(services, module.name);
    this.#trace = options.live ? services.trace : undefined;
    let exports: ForeignExports;
    try {
      exports = instantiateForeign(module.compiled, hostImports(this));
      this.#attach(exports);
      const budget = loadedBudget(exports);
      this.#budget = budget;
      this.memory.onLarge = (bytes) => budget?.charge(bytes >>> bytesPerUnitShift);
      start(exports);
      this.log.flush();
    } catch (error) {
      throw this.#trapOf(error, 'start', null);
    }
    const { callbacks } = module;
    for (const name of callbackNames) {
      const callback = exports[name] as Callback;
      this.#callbacks[name] = callbacks.has(name) ? this.#known(callback) : undefined;
    }
    this.#usual = usualNames.map((name) => (name === null ? undefined : this.#callbacks[name]));
    this.seesEnd = endCallbacks.some((name) => callbacks.has(name));
  }

  /**
   * Makes a root context and configures it.
   * @throws GatewayError GW_E_FILTER_CONFIG where the filter refuses, GW_E_FILTER_TRAP
   */
  createRoot(config: Uint8Array): RootContext {
    this.#budget?.extend();
    const root = new RootContext(this.contexts.freeId(), this, config);
    this.contexts.add(root);
    this.call(root, 'proxy_on_context_create', 0);
    if (!this.#vmStarted) {
      this.#vmStarted = true;
      this.starting = true;
      const started = this.ask(root, 'proxy_on_vm_start', this.vmConfig.length, 0, 1);
      this.starting = false;
      if (started === 0) {
        const error = this.#refusal(root, 'proxy_on_vm_start');
        this.failure = error;
        this.#dropAll();
        throw error;
      }
    }
    if (this.ask(root, 'proxy_on_configure', config.length, 0, 1) === 0) {
      throw this.#refusal(root, 'proxy_on_configure');
    }
    this.#budget?.refill();
    return root;
  }

  /** @throws GatewayError GW_E_FILTER_TRAP */
  createStream(root: RootContext, stream: FilterStream, station: Station): Context {
    const context = new Context(this.contexts.freeId(), this, root, stream, station);
    this.contexts.add(context);
    root.streams++;
    this.askUsual(context, Usual.CREATE, root.id, 0);
    return context;
  }

  call(context: Context, name: CallbackName, a = 0, b = 0, c = 0, d = 0): void {
    this.ask(context, name, a, b, 0, c, d);
  }

  /**
   * Runs a callback; `missing` is the answer of a module that lacks it.
   * @throws GatewayError GW_E_FILTER_TRAP; the instance is dead then
   */
  ask(context: Context, name: CallbackName, a: number, b: number, missing = 0, c = 0, d = 0) {
    const callback = this.#callbacks[name];
    return callback === undefined ? missing : this.#run(context, callback, name, a, b, c, d);
  }

  /** The same with the number of a usual callback. */
  askUsual(context: Context, number: number, a: number, b: number, missing = 0): number {
    const callback = this.#usual[number];
    if (callback === undefined) return missing;
    return this.#run(context, callback, usualNames[number] as CallbackName, a, b, 0, 0);
  }

  #run(
    context: Context,
    callback: Callback,
    name: CallbackName,
    a: number,
    b: number,
    c: number,
    d: number,
  ): number {
    if (this.failure) throw this.failure;
    const outer = this.effective;
    this.effective = context;
    if ((++this.#calls & refillMask) === 0) this.#budget?.refill();
    try {
      const result = callback(context.id, a, b, c, d) >>> 0;
      this.#trace?.({ kind: 'callback', name, values: [context.id, a, b, c, d], result });
      return result;
    } catch (error) {
      throw this.#die(error, name, context);
    } finally {
      this.log.flush();
      this.effective = outer;
    }
  }

  /** Runs something as soon as no callback is running; nothing if the instance died meanwhile. */
  later(run: () => void): void {
    queueMicrotask(() => this.run(run));
  }

  /** Ends the instance without a trap: its last root is gone. */
  dispose(): void {
    this.failure ??= new GatewayError('GW_E_FILTER_TRAP', 'the instance was given back');
    this.#dropAll();
  }

  /** Runs what the event loop brings: a timer, an answer. Traps end here; they are reported. */
  run(action: () => void): void {
    if (this.failure) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  /** Makes an answer readable for the callback in `action`. */
  answering(answer: CallAnswer, action: () => void): void {
    this.answer = answer;
    try {
      action();
    } finally {
      this.answer = null;
    }
  }

  /** A filter that does not stop itself is written down while it runs. */
  #known(callback: Callback): Callback {
    const { module, services } = this.options;
    const { hangs } = services;
    return hangs && !module.watched ? hangs.watch(module.hash, callback) : callback;
  }

  #attach(exports: ForeignExports): void {
    const allocate = (exports.proxy_on_memory_allocate ?? exports.malloc) as Callback;
    this.memory.attach(exports.memory as { buffer: ArrayBuffer }, allocate);
  }

  #die(error: unknown, callback: string, context: Context): GatewayError {
    const trap = this.#trapOf(error, callback, context);
    if (this.failure) return this.failure;
    this.failure = trap;
    const streams = this.contexts.all().filter((known) => known.stream !== null);
    this.#dropAll();
    this.options.onDeath(trap, streams);
    return trap;
  }

  #dropAll(): void {
    for (const context of this.contexts.all()) this.#drop(context);
    this.contexts.clear();
    this.options.services.calls.cancelAll(this);
  }

  #drop(context: Context): void {
    const { clock, queues } = this.options.services;
    context.ended = true;
    if (!(context instanceof RootContext)) return;
    clock.clearTimeout(context.tickTimer);
    if (context.queueReady) queues.forget(context.queueReady);
  }

  #trapOf(error: unknown, callback: string, context: Context | null): GatewayError {
    if (error instanceof GatewayError) return error;
    this.log.flush();
    const { name } = this.options.module;
    const exhausted = this.#budget?.exhausted() ?? false;
    const reason = exhausted
      ? 'it ran for too long'
      : error instanceof Error
        ? error.message
        : String(error);
    const place = context === null ? callback : `${callback} of context ${context.id}`;
    return new GatewayError('GW_E_FILTER_TRAP', `filter '${name}' failed in ${place}: ${reason}`, {
      cause: error,
      details: {
        filter: name,
        callback,
        context: context?.id ?? 0,
        exhausted,
        stack: stackOf(error),
      },
    });
  }

  /** Ends the root that was refused; others of the instance go on. */
  #refusal(root: RootContext, callback: string): GatewayError {
    const { module, services } = this.options;
    services.calls.cancel(root);
    this.#drop(root);
    this.contexts.delete(root);
    const { name } = module;
    const what = callback === 'proxy_on_configure' ? 'this configuration' : 'to start';
    return new GatewayError(
      'GW_E_FILTER_CONFIG',
      `filter '${name}' refuses ${what} (${callback} returned false)`,
    );
  }
}

/** A reactor is initialised and its main run, a command is started; never both. */
function start(exports: ForeignExports): void {
  const function_ = (name: string) => exports[name] as Callback | undefined;
  const initialize = function_('_initialize');
  if (initialize) {
    initialize();
    const main = function_('main') ?? function_('__main_argc_argv');
    if (main) main(0, 0);
    else function_('__main_void')?.();
    return;
  }
  try {
    function_('_start')?.();
  } catch (error) {
    if (!(error instanceof ProcExit) || error.exitCode !== 0) throw error;
  }
}

/** Frames inside the module only: the host's own say nothing to the author of a filter. */
function stackOf(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = stack.split('\n').filter((line) => line.includes('wasm'));
  return frames.slice(0, stackFrames).map((line) => line.trim());
}

const stackFrames = 24;
/** The counter of the watchdog is filled up on each 4th callback. */
const refillMask = 3;
/** A copy by the host costs one unit for each 64 bytes. */
const bytesPerUnitShift = 6;
