/**
 * The data plane alone: core, route table and a driver, without configuration files, plugins or
 * Admin API. What the raw-byte and simulator tests drive.
 */
import type { Service } from '../../src/config/model.js';
import { type Core, type CoreBuild, createCore } from '../../src/core/instance.js';
import { Control, Region, Settings, TokenFlag } from '../../src/core/layout.js';
import { encodeTable, installTable } from '../../src/core/router.js';
import { chooseDriver } from '../../src/driver/choose.js';
import type {
  Driver,
  DriverOptions,
  ListenSpec,
  TargetAddress,
} from '../../src/driver/contract.js';
import { type Clock, systemClock } from '../../src/time.js';
import { emptyPlan, makeRoute, makeService } from './entities.js';

export const product = 'headgate/0.0.0';

/** The numeric settings by their names in the shared layout; times in milliseconds. */
export interface PlaneSettings {
  clientHeaderTimeoutMs?: number;
  clientBodyTimeoutMs?: number;
  keepaliveTimeoutMs?: number;
  keepaliveRequests?: number;
  sendTimeoutMs?: number;
  upstreamKeepalivePoolSize?: number;
  upstreamKeepaliveMaxRequests?: number;
  upstreamKeepaliveIdleMs?: number;
  clientMaxBodyBytes?: number;
  tokens?: number;
}

export interface PlaneService {
  /** Path prefix that leads here; default "/". */
  readonly prefix?: string;
  readonly target: TargetAddress;
  readonly connectTimeoutMs?: number;
  readonly writeTimeoutMs?: number;
  readonly readTimeoutMs?: number;
  readonly retries?: number;
  /** Number of the view of an upstream that is used instead; default: none. */
  readonly view?: number;
}

export interface PlaneOptions {
  readonly services: readonly PlaneService[];
  readonly settings?: PlaneSettings;
  readonly clock?: Clock;
  readonly build?: CoreBuild;
  readonly makeDriver?: (options: DriverOptions) => Driver;
  /** Phase bits of every route; default none. */
  readonly phases?: number;
}

export interface Plane {
  readonly core: Core;
  readonly driver: Driver;
  /** The first fault that was reported, if any. */
  readonly fault: () => Error | undefined;
  /** Value of a field of Control. */
  readonly gauge: (name: GaugeName) => number;
  readonly close: () => Promise<void>;
}

export type GaugeName =
  | 'activeDownstream'
  | 'activeUpstream'
  | 'idleUpstream'
  | 'activeExchanges'
  | 'activeTunnels'
  | 'timers'
  | 'slotBytes';

/** The driver that the suites with real sockets run on. */
export const testDriver = process.env.HEADGATE_TEST_DRIVER === 'native' ? 'native' : 'net';
/** `off`: the net driver keeps to the public API of node. */
export const testHandles = process.env.HEADGATE_TEST_NET_HANDLES === 'off' ? 'off' : 'auto';

/** A driver listening nowhere yet, with the routes in use. */
export function createPlane(options: PlaneOptions): Plane {
  const core = createCore({ build: options.build, seed: [1, 2] });
  writeSettings(core, options.settings ?? {});
  installRoutes(core, options.services, options.phases ?? 0);
  let fault: Error | undefined;
  const chosen = () =>
    chooseDriver({ driver: testDriver, proxyListen: [], netHandles: testHandles }).create;
  const driver = (options.makeDriver ?? chosen())({
    core,
    clock: options.clock ?? systemClock,
    target: (index) => options.services[index]?.target,
    onFault: (error) => {
      fault ??= error;
    },
  });
  return {
    core,
    driver,
    fault: () => fault,
    gauge: (name) => core.u32[(Region.control.offset + Control[name]) >> 2],
    close: () => driver.close(),
  };
}

/** TCP on 127.0.0.1, any free port. */
export const loopback: ListenSpec = {
  host: '127.0.0.1',
  port: 0,
  unix: false,
  ssl: false,
  http2: false,
  proxyProtocol: false,
  reuseport: false,
  backlog: 511,
};

function writeSettings(core: Core, given: PlaneSettings): void {
  const settings = {
    clientHeaderTimeoutMs: 60_000,
    clientBodyTimeoutMs: 60_000,
    clientBodyMinRate: 0,
    clientBodyMinRateGraceMs: 0,
    keepaliveTimeoutMs: 75_000,
    keepaliveRequests: 1_000_000,
    sendTimeoutMs: 60_000,
    upstreamKeepalivePoolSize: 512,
    upstreamKeepaliveMaxRequests: 1_000_000,
    upstreamKeepaliveIdleMs: 60_000,
    tokens: TokenFlag.SERVER | TokenFlag.VIA | TokenFlag.UPSTREAM_REQUEST_ID,
    accessRing: 0xffffffff,
    ...given,
  };
  const base = Region.settings.offset;
  for (const [name, value] of Object.entries(settings)) {
    if (name === 'clientMaxBodyBytes') core.f64[(base + Settings.clientMaxBodyBytes) >> 3] = value;
    else core.u32[(base + Settings[name as keyof typeof Settings]) >> 2] = value;
  }
  core.buffer.latin1Write(product, base + Settings.product);
  core.u32[(base + Settings.productLength) >> 2] = product.length;
}

function installRoutes(core: Core, given: readonly PlaneService[], phases: number): void {
  const plan = { ...emptyPlan, phases };
  const services = given.map((service, index) => serviceEntity(service, index));
  const encoded = encodeTable({
    routes: services.map((service, index) => {
      return makeRoute(index, { paths: [given[index].prefix ?? '/'], strip_path: false, service });
    }),
    services,
    perRoute: () => plan,
    unmatched: plan,
    targetIndex: (service) => services.indexOf(service),
    viewIndex: (service) => given[services.indexOf(service)].view ?? null,
  });
  if ('problems' in encoded) throw new Error(JSON.stringify(encoded.problems));
  installTable(core, encoded);
}

function serviceEntity(given: PlaneService, index: number): Service {
  return makeService(index, {
    host: given.target.host,
    port: given.target.port,
    retries: given.retries ?? 5,
    connect_timeout: given.connectTimeoutMs ?? 60_000,
    write_timeout: given.writeTimeoutMs ?? 60_000,
    read_timeout: given.readTimeoutMs ?? 60_000,
  });
}
