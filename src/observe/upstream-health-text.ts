/** The health of targets as Prometheus text: every state has a series, one of which is 1. */
import type { UpstreamHealth } from '../upstream/health.js';
import type { MetricText } from './metric-text.js';

const family = 'upstream_target_health';
const states = ['healthchecks_off', 'healthy', 'unhealthy', 'dns_error'];

export function writeUpstreamHealth(text: MetricText, upstreams: readonly UpstreamHealth[]): void {
  text.family(
    family,
    'gauge',
    'Health status of targets of upstream. ' +
      'States = healthchecks_off|healthy|unhealthy|dns_error, value is 1 when state is populated.',
  );
  for (const { name: upstream, targets } of upstreams) {
    for (const { target, addresses } of targets) {
      const write = (address: string, health: string) => {
        for (const state of states) {
          const labels = { upstream, target, address, state, subsystem: 'http' };
          text.sample(family, labels, state === health.toLowerCase() ? 1 : 0);
        }
      };
      for (const { ip, port, health } of addresses) write(`${ip}:${port}`, health);
      if (addresses.length === 0) write('', 'dns_error');
    }
  }
}
