/** Which driver serves, and why: the fastest one that works here, unless one is asked for. */
import { GatewayError } from '../errors.js';
import { type Loaded, loadNative } from '../native/loader.js';
import type { Driver, DriverOptions, ListenSpec } from './contract.js';
import { createNativeDriver } from './native.js';
import { createNetDriver } from './net.js';

export interface DriverChoice {
  readonly name: 'net' | 'native';
  /** In a few words, for the log and `GET /status`. */
  readonly reason: string;
  readonly create: (options: DriverOptions) => Driver;
}

export interface DriverWish {
  /** The setting `driver`. */
  readonly driver: 'auto' | 'net' | 'native';
  readonly proxyListen: readonly ListenSpec[];
}

/**
 * Chooses the driver for these settings. `loaded`: for tests.
 * @throws GatewayError GW_E_DRIVER where `native` is asked for and cannot serve
 */
export function chooseDriver(wish: DriverWish, loaded: () => Loaded = loadNative): DriverChoice {
  if (wish.driver === 'net') return netDriver('asked for');
  const why = wish.driver === 'native' ? 'asked for' : 'the fastest that works here';
  const secure = wish.proxyListen.some(({ ssl, http2 }) => ssl || http2);
  const found = secure ? { reason: 'it has no listeners with ssl or http2' } : loaded();
  if ('addon' in found) {
    const create = (options: DriverOptions) => createNativeDriver(found.addon, options);
    return { name: 'native', reason: why, create };
  }
  if (wish.driver === 'auto') return netDriver(`no native driver: ${found.reason}`);
  throw new GatewayError('GW_E_DRIVER', `driver = native cannot serve: ${found.reason}`);
}

function netDriver(reason: string): DriverChoice {
  return { name: 'net', reason, create: createNetDriver };
}
