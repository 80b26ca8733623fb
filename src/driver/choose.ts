/** Which driver serves, and why: the fastest one that works here, unless one is asked for. */
import { GatewayError } from '../errors.js';
import { type Loaded, loadNative } from '../native/loader.js';
import { bareHandles } from './bare/check.js';
import type { Driver, DriverOptions, ListenSpec } from './contract.js';
import { createNativeDriver } from './native.js';
import { createNetDriver, type NetHandles } from './net.js';

/** What the log and `GET /status` say of a driver. */
export interface DriverFacts {
  readonly name: Driver['name'];
  readonly reason: string;
  /** Of the net driver: `bare`, or `public` and why. */
  readonly handles?: string;
}

export interface DriverChoice {
  readonly name: Driver['name'];
  /** In a few words, for the log and `GET /status`. */
  readonly reason: string;
  readonly create: (options: DriverOptions) => Driver;
  /** Tries what this choice depends on, once per process. */
  readonly describe: () => Promise<DriverFacts>;
}

export interface DriverWish {
  /** The setting `driver`. */
  readonly driver: 'auto' | 'net' | 'native';
  readonly proxyListen: readonly ListenSpec[];
  /** The setting `net_handles`; default `auto`. */
  readonly netHandles?: NetHandles;
}

/** A driver that somebody brings along. */
export function givenDriver(create: DriverChoice['create'], name: Driver['name']): DriverChoice {
  const facts = { name, reason: 'given' };
  return { ...facts, create, describe: async () => facts };
}

/**
 * Chooses the driver for these settings. `loaded`: for tests.
 * @throws GatewayError GW_E_DRIVER where `native` is asked for and cannot serve
 */
export function chooseDriver(wish: DriverWish, loaded: () => Loaded = loadNative): DriverChoice {
  if (wish.driver === 'net') return netDriver('asked for', wish.netHandles);
  const why = wish.driver === 'native' ? 'asked for' : 'the fastest that works here';
  const secure = wish.proxyListen.some(({ ssl, http2 }) => ssl || http2);
  const found = secure ? { reason: 'it has no listeners with ssl or http2' } : loaded();
  if ('addon' in found) {
    const create = (options: DriverOptions) => createNativeDriver(found.addon, options);
    const facts = { name: 'native', reason: why } as const;
    return { ...facts, create, describe: async () => facts };
  }
  if (wish.driver === 'auto')
    return netDriver(`no native driver: ${found.reason}`, wish.netHandles);
  throw new GatewayError('GW_E_DRIVER', `driver = native cannot serve: ${found.reason}`);
}

function netDriver(reason: string, wished: NetHandles = 'auto'): DriverChoice {
  return {
    name: 'net',
    reason,
    create: (options) => createNetDriver(options, wished),
    describe: async () => ({ name: 'net', reason, handles: await describeHandles(wished) }),
  };
}

async function describeHandles(wished: NetHandles): Promise<string> {
  if (wished === 'off') return 'public: net_handles = off';
  const found = await bareHandles();
  return 'bindings' in found ? 'bare' : `public: ${found.reason}`;
}
