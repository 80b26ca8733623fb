/**
 * Gives every upstream `host:port` a number that stays the same over reloads, so that the core's
 * pooled connections to it stay useful. A number nobody uses is given to another address only after
 * every connection that was pooled under it has run out.
 */

import type { TargetAddress } from '../driver/contract.js';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { Clock } from '../time.js';
import type { UpstreamTls } from '../tls/upstream.js';

interface Entry {
  readonly key: string;
  readonly address: TargetAddress;
  users: number;
  /** When the last use ended. */
  idleSinceMs: number;
}

/** A pooled connection may outlive its idle limit by a timer tick and a batch. */
const marginMs = 1000;

export class TargetTable {
  readonly #clock: Clock;
  readonly #quarantineMs: number;
  readonly #entries: (Entry | undefined)[] = [];
  readonly #byKey = new Map<string, number>();

  /** `idleMs`: how long the core keeps idle upstream connections, 0: for ever. */
  constructor(options: { readonly clock: Clock; readonly idleMs: number }) {
    this.#clock = options.clock;
    const { idleMs } = options;
    this.#quarantineMs = idleMs === 0 ? Number.POSITIVE_INFINITY : idleMs + marginMs;
  }

  /** Number of targets in use. */
  get size(): number {
    return this.#entries.filter((entry) => entry && entry.users > 0).length;
  }

  /**
   * The number of an address, counting one more user of it; `tls`: how it is secured, if it is.
   * @throws GatewayError GW_E_CONFIG_LIMIT where limits.targets are taken
   */
  acquire(host: string, port: number, tls?: UpstreamTls): number {
    const key = `${host} ${port} ${tls?.key ?? ''}`;
    let index = this.#byKey.get(key);
    if (index === undefined) {
      index = this.#freeIndex();
      const old = this.#entries[index];
      if (old) this.#byKey.delete(old.key);
      this.#entries[index] = { key, address: { host, port, tls }, users: 0, idleSinceMs: 0 };
      this.#byKey.set(key, index);
    }
    (this.#entries[index] as Entry).users++;
    return index;
  }

  /** Gives one use back. */
  release(index: number): void {
    const entry = this.#entries[index];
    if (!entry || entry.users === 0) return;
    if (--entry.users === 0) entry.idleSinceMs = this.#clock.now();
  }

  address(index: number): TargetAddress | undefined {
    return this.#entries[index]?.address;
  }

  #freeIndex(): number {
    const limit = limits.targets.value;
    if (this.#entries.length < limit) return this.#entries.length;
    const before = this.#clock.now() - this.#quarantineMs;
    const index = this.#entries.findIndex(
      (entry) => entry !== undefined && entry.users === 0 && entry.idleSinceMs < before,
    );
    if (index < 0)
      throw new GatewayError('GW_E_CONFIG_LIMIT', `more than ${limit} upstream targets`);
    return index;
  }
}
