/**
 * A module in use by one worker: its instance, the configurations bound to it, and what happens
 * when the instance dies. It is replaced at once, later and later where that repeats; meanwhile its
 * filter fails the exchanges it is part of, or is left out of them.
 */
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { Context, RootContext } from './context.js';
import { FilterInstance } from './instance.js';
import { retireRoot } from './lifecycle.js';
import type { FilterModule } from './module.js';
import { rehearsalServices } from './rehearsal.js';
import type { FilterHostOptions, FilterServices } from './services.js';
import type { Station } from './station.js';

export interface VmOptions {
  readonly module: FilterModule;
  readonly services: FilterServices;
  readonly host: FilterHostOptions;
}

/** One configuration of a filter; chains hold these. */
export interface FilterBinding {
  readonly vm: FilterVm;
  readonly config: Uint8Array;
  readonly failOpen: boolean;
  /** Null while there is no instance. */
  root: RootContext | null;
  users: number;
}

/** Deaths in a row that are made up for at once. */
const freeRestarts = 3;
const restartMsFirst = 50;
const restartMsMax = 30_000;
/** A restart may take this share of the time at most. */
const restartShare = 10;
/** Starts that take no longer are not rationed. */
const cheapStartMs = 25;

export class FilterVm {
  readonly options: VmOptions;
  /** What an exchange fails with where the filter itself has not trapped. */
  readonly pauseError: GatewayError;
  readonly unavailable: GatewayError;
  #instance: FilterInstance | null = null;
  #rootId: string | null;
  readonly #bindings: FilterBinding[] = [];
  #deaths = 0;
  #restartAtMs = 0;
  #restartTimer: unknown = null;

  constructor(options: VmOptions) {
    this.options = options;
    this.#rootId = options.host.rootId ?? null;
    const { name } = options.module;
    this.pauseError = new GatewayError('GW_E_FILTER_TRAP', `filter '${name}' held a message`);
    this.unavailable = new GatewayError('GW_E_FILTER_TRAP', `filter '${name}' is not available`);
  }

  /**
   * Tries a configuration in an instance of its own, which is thrown away: it has no timers and no
   * calls, and what it shares is its own. Where no root id is set the empty one is tried first,
   * then the filter's name, which modules with named roots expect.
   * @throws GatewayError GW_E_FILTER_CONFIG, GW_E_FILTER_TRAP
   */
  rehearse(config: Uint8Array): void {
    const { module, host } = this.options;
    // It was accepted before a thread hung in it; trying it might end in the same way.
    if (this.#rests()) return;
    const ids = this.#rootId === null ? ['', module.name] : [this.#rootId];
    let failure: unknown;
    let show = (): void => {};
    for (const rootId of ids) {
      const rehearsal = rehearsalServices(this.options.services);
      try {
        const options = { module, host, rootId, live: false, onDeath: () => {} };
        const instance = new FilterInstance({ ...options, services: rehearsal.services });
        instance.createRoot(config);
        instance.dispose();
        this.#rootId = rootId;
        return;
      } catch (error) {
        // What the first try said concerns the empty root id, which nobody set.
        failure = error;
        show = rehearsal.show;
      }
    }
    show();
    throw failure;
  }

  /**
   * Binds a configuration, the same one to the same root.
   * @throws GatewayError GW_E_FILTER_CONFIG where the filter refuses it, GW_E_FILTER_TRAP
   */
  bind(config: Uint8Array): FilterBinding {
    const known = this.#find(config);
    if (known) {
      known.users++;
      return known;
    }
    const failOpen = this.options.host.failOpen ?? false;
    const binding: FilterBinding = { vm: this, config, failOpen, root: null, users: 1 };
    // Where the instance died it comes back with all of its configurations.
    const isDead = this.#instance === null && this.#bindings.length > 0;
    if (!isDead && !this.#rests()) binding.root = this.#createRoot(config);
    this.#bindings.push(binding);
    return binding;
  }

  #createRoot(config: Uint8Array): RootContext {
    this.#instance ??= this.#start();
    try {
      return this.#instance.createRoot(config);
    } catch (error) {
      // An instance that nobody uses is not kept.
      if (this.#bindings.length === 0) {
        this.#instance?.dispose();
        this.#instance = null;
      }
      throw error;
    }
  }

  /** True where the configuration is bound already. */
  knows(config: Uint8Array): boolean {
    return this.#find(config) !== undefined;
  }

  #find(config: Uint8Array): FilterBinding | undefined {
    return this.#bindings.find((binding) => Buffer.compare(binding.config, config) === 0);
  }

  /** Gives a binding back; its root ends after its last exchange. */
  release(binding: FilterBinding): void {
    if (--binding.users > 0) return;
    this.#bindings.splice(this.#bindings.indexOf(binding), 1);
    if (binding.root) retireRoot(binding.root);
    binding.root = null;
    if (this.#bindings.length > 0) return;
    this.options.services.clock.clearTimeout(this.#restartTimer);
    this.#instance = null;
  }

  get idle(): boolean {
    return this.#bindings.length === 0;
  }

  /** The root of a binding; null where the instance died and may not be replaced yet. */
  rootOf(binding: FilterBinding): RootContext | null {
    if (!binding.root && this.options.services.clock.now() >= this.#restartAtMs) this.#revive();
    return binding.root;
  }

  /** An exchange has ended well: what traps from now on is not a repetition. */
  served(): void {
    this.#deaths = 0;
  }

  report(station: Station, message: string): void {
    const fields = { context: station.context?.id ?? 0 };
    this.options.services.logger.error({ filter: this.options.module.name, ...fields }, message);
  }

  /** True where a thread hung in this filter a short while ago: it is started later. */
  #rests(): boolean {
    const { module, services } = this.options;
    const { clock, hangs } = services;
    const restMs = hangs?.restMs(module.hash, clock.wall()) ?? 0;
    if (restMs === 0) return false;
    this.#restartAtMs = clock.now() + restMs;
    if (this.#restartTimer === null) {
      services.logger.error(
        { filter: module.name },
        'a thread hung in the filter: it is not started',
      );
      this.#restartTimer = clock.setTimeout(() => this.#reviveIfDead(), restMs);
    }
    return true;
  }

  /** @throws GatewayError GW_E_FILTER_TRAP */
  #start(): FilterInstance {
    const { module, services, host } = this.options;
    const startedMs = services.clock.now();
    const rootId = this.#rootId ?? '';
    const onDeath = (error: GatewayError, streams: readonly Context[]) =>
      this.#died(error, streams);
    const instance = new FilterInstance({ module, services, host, rootId, live: true, onDeath });
    const costMs = services.clock.now() - startedMs;
    this.#restartAtMs = costMs > cheapStartMs ? startedMs + costMs * restartShare : startedMs;
    return instance;
  }

  /** A new instance with every configuration that is bound. Failing counts as another death. */
  #revive(): void {
    const { clock, logger } = this.options.services;
    clock.clearTimeout(this.#restartTimer);
    this.#restartTimer = null;
    try {
      this.#instance = this.#start();
      for (const binding of this.#bindings) {
        binding.root = this.#instance.createRoot(binding.config);
      }
      logger.info({ filter: this.options.module.name }, 'the filter was started again');
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      for (const binding of this.#bindings) binding.root = null;
      this.#schedule(error);
    }
  }

  #died(error: GatewayError, streams: readonly Context[]): void {
    for (const binding of this.#bindings) binding.root = null;
    this.#instance = null;
    const details = error.details as { callback: string; context: number; stack: string[] };
    const { filter, ...fields } = { filter: this.options.module.name, ...details };
    this.options.services.logger.error(
      { filter, ...fields, reason: error.message },
      'a filter trapped',
    );
    this.#schedule(error);
    for (const { stream, station } of streams) {
      // The exchange whose callback trapped learns of it by the error itself.
      if (stream && station && station.running === null) stream.orphan(station, error);
    }
  }

  #schedule(error: GatewayError): void {
    const { clock } = this.options.services;
    const { exhausted = false } = (error.details ?? {}) as { exhausted?: boolean };
    this.#deaths++;
    const repeated = this.#deaths - freeRestarts;
    let delayMs =
      repeated <= 0 ? 0 : Math.min(restartMsMax, restartMsFirst * 2 ** Math.min(repeated - 1, 20));
    if (exhausted) delayMs = limits.filterQuarantineMs.value;
    this.#restartAtMs = Math.max(this.#restartAtMs, clock.now() + delayMs);
    clock.clearTimeout(this.#restartTimer);
    // A filter that ticks works without requests, too.
    const waitMs = Math.max(1, this.#restartAtMs - clock.now());
    this.#restartTimer = clock.setTimeout(() => this.#reviveIfDead(), waitMs);
  }

  #reviveIfDead(): void {
    this.#restartTimer = null;
    if (this.#instance === null && this.#bindings.length > 0) this.#revive();
  }
}
