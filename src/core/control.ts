/** Reads and writes the core's control block and settings by name. */

import type { Settings as NodeSettings } from '../config/settings.js';
import { GatewayError } from '../errors.js';
import type { Core } from './instance.js';
import { Control, Region, Settings, TrustedRange } from './layout.js';

const gauges = [
  'generation',
  'activeDownstream',
  'activeUpstream',
  'idleUpstream',
  'activeExchanges',
  'activeTunnels',
  'timers',
  'slotBytes',
] as const;

/** Names that only ever grow. */
export const counterNames = [
  'acceptedConnections',
  'refusedConnections',
  'requests',
  'badRequests',
  'upstreamConnects',
  'upstreamReuses',
  'retries',
  'staleReuses',
  'timeouts',
  'lateEvents',
] as const;

export type ControlName = (typeof gauges)[number] | (typeof counterNames)[number];

/** Gauges as they are now and counters since the core was made. */
export type ControlValues = Readonly<Record<ControlName, number>>;

/** Memory that holds a control block, at a byte offset. */
export interface ControlMemory {
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly control: number;
}

export function readControl({ u32, f64, control }: ControlMemory): ControlValues {
  const values = {} as Record<ControlName, number>;
  for (const name of gauges) values[name] = u32[(control + Control[name]) >> 2];
  for (const name of counterNames) values[name] = f64[(control + Control[name]) >> 3];
  return values;
}

/** One gauge, without reading the rest. */
export function readGauge(core: Core, name: (typeof gauges)[number]): number {
  return core.u32[(Region.control.offset + Control[name]) >> 2];
}

const noRing = 0xffffffff;

const words = [
  'clientHeaderTimeoutMs',
  'clientBodyTimeoutMs',
  'clientBodyMinRate',
  'clientBodyMinRateGraceMs',
  'keepaliveTimeoutMs',
  'keepaliveRequests',
  'sendTimeoutMs',
  'upstreamKeepalivePoolSize',
  'upstreamKeepaliveMaxRequests',
  'upstreamKeepaliveIdleMs',
  'tokens',
  'errorDefaultType',
] as const;

/**
 * Writes the node's settings where the core reads them.
 * @throws GatewayError GW_E_SETTING_VALUE where a text or list does not fit
 */
export function writeSettings(core: Core, settings: NodeSettings, product: string): void {
  const at = Region.settings.offset;
  for (const name of words) core.u32[(at + Settings[name]) >> 2] = settings[name];
  core.f64[(at + Settings.clientMaxBodyBytes) >> 3] = settings.clientMaxBodyBytes;
  core.u32[(at + Settings.accessRing) >> 2] = noRing;
  writeText(core, 'realIpHeader', settings.realIpHeader);
  writeText(core, 'product', product);
  writeTrusted(core, settings.trustedIps);
}

/** Names the ring that gets every log record; null: none. */
export function writeAccessRing(core: Core, ring: number | null): void {
  core.u32[(Region.settings.offset + Settings.accessRing) >> 2] = ring ?? noRing;
}

function writeText(core: Core, name: 'realIpHeader' | 'product', text: string): void {
  const room = 64;
  if (text.length > room) {
    throw new GatewayError('GW_E_SETTING_VALUE', `${name}: more than ${room} characters`);
  }
  const at = Region.settings.offset;
  core.buffer.latin1Write(text, at + Settings[name]);
  core.u32[(at + Settings[`${name}Length`]) >> 2] = text.length;
}

function writeTrusted(core: Core, ranges: NodeSettings['trustedIps']): void {
  const room = Math.floor(Region.trusted.bytes / TrustedRange.size);
  if (ranges.length > room) {
    throw new GatewayError('GW_E_SETTING_VALUE', `trusted_ips: more than ${room} ranges`);
  }
  ranges.forEach((range, index) => {
    const at = Region.trusted.offset + index * TrustedRange.size;
    core.u8.set(range.address, at + TrustedRange.address);
    core.u32[(at + TrustedRange.prefixBits) >> 2] = range.prefixBits;
  });
  core.u32[(Region.settings.offset + Settings.trustedCount) >> 2] = ranges.length;
}
