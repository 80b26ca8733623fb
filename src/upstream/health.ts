/** The health of upstreams in the form that the Admin API and the metrics show (Kong's names). */
import type { Upstream } from '../config/model.js';

export type HealthState = 'HEALTHY' | 'UNHEALTHY' | 'HEALTHCHECKS_OFF' | 'DNS_ERROR';

export interface AddressHealth {
  readonly ip: string;
  readonly port: number;
  readonly weight: number;
  readonly health: HealthState;
}

export interface TargetHealth {
  readonly id: string;
  /** `host:port`. */
  readonly target: string;
  readonly weight: number;
  readonly health: HealthState;
  /** Empty where the name could not be looked up. */
  readonly addresses: readonly AddressHealth[];
}

export interface UpstreamHealth {
  readonly id: string;
  readonly name: string;
  /** Something is found out about the health of its addresses. */
  readonly isChecked: boolean;
  /** Whether requests can go there. */
  readonly health: HealthState;
  readonly targets: readonly TargetHealth[];
}

/** Addresses of a target that are healthy, or not, from here on. */
export interface HealthChange {
  /** Id. */
  readonly upstream: string;
  /** `host:port`. */
  readonly target: string;
  /** One address of it; null: all. */
  readonly ip: string | null;
  readonly port: number | null;
  readonly healthy: boolean;
}

/** Whether anything is found out about the health of an upstream's addresses. */
export function checksHealth({ healthchecks }: Upstream): boolean {
  return checksActively(healthchecks) || checksPassively(healthchecks);
}

export function checksActively({ active }: Upstream['healthchecks']): boolean {
  return active.healthy.interval > 0 || active.unhealthy.interval > 0;
}

export function checksPassively({ passive }: Upstream['healthchecks']): boolean {
  const { http_failures: http, tcp_failures: tcp, timeouts } = passive.unhealthy;
  return http > 0 || tcp > 0 || timeouts > 0;
}

/** Of a target: healthy where some address is. */
export function targetState(addresses: readonly AddressHealth[]): HealthState {
  if (addresses.length === 0) return 'DNS_ERROR';
  if (addresses.some(({ health }) => health === 'HEALTHCHECKS_OFF')) return 'HEALTHCHECKS_OFF';
  return addresses.some(({ health }) => health === 'HEALTHY') ? 'HEALTHY' : 'UNHEALTHY';
}

/** Of an upstream: healthy where more of the weight is than the threshold asks for. */
export function upstreamState(upstream: Upstream, targets: readonly TargetHealth[]): HealthState {
  const off = !checksHealth(upstream);
  let all = 0;
  let healthy = 0;
  for (const { weight, health } of targets.flatMap(({ addresses }) => addresses)) {
    all += weight;
    if (health !== 'UNHEALTHY') healthy += weight;
  }
  const usable = healthy * 100 > all * upstream.healthchecks.threshold;
  if (!usable) return 'UNHEALTHY';
  return off ? 'HEALTHCHECKS_OFF' : 'HEALTHY';
}
