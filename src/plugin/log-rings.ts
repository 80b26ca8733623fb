/**
 * Which log rings the record of a request goes to: those of the log plugins of its plan, and so of
 * its client, where that is known. The core copies a record into no other.
 */
import { isDeepStrictEqual } from 'node:util';
import { GatewayError } from '../errors.js';
import { limits } from '../limits.js';
import type { AnyPlugin } from './define.js';
import type { Plan, PlanStep } from './plan.js';

/** The rings of a plan, each once. */
export function ringsOf({ log }: Plan): number[] {
  return [...new Set(log.flatMap((step) => step.rings))];
}

/**
 * Refuses plans that would need more rings than an exchange can name, whoever its client is.
 * @throws GatewayError GW_E_CONFIG_LIMIT
 */
export function checkRings(plans: readonly Plan[]): void {
  const most = limits.ringsPerRoute.value;
  // Routes with the same plugins share a list.
  for (const steps of new Set(plans.map((plan) => plan.possibleLog))) {
    const count = mostAtOnce(steps);
    if (count <= most) continue;
    const message = `${count} log queues on one route, more than the limit of ${most}`;
    throw new GatewayError('GW_E_CONFIG_LIMIT', message);
  }
}

/** Says where plugins share a queue whose entries go out with the configuration of one of them. */
export function warnOfShared(steps: readonly PlanStep[]): void {
  const known = new Map<number, PlanStep>();
  for (const step of steps) {
    for (const ring of step.rings) {
      const other = known.get(ring);
      if (other && !isDeepStrictEqual(other.config, step.config)) {
        const { id } = other.entity;
        const whose = `shares its log queue with plugin ${id}`;
        step.logger.warn({}, `${whose}; all of its entries are sent as configured here`);
      }
      known.set(ring, step);
    }
  }
}

/** One configuration of a plugin applies at a time, and plugins of two names share no ring. */
function mostAtOnce(steps: readonly PlanStep[]): number {
  const byPlugin = new Map<AnyPlugin, number>();
  for (const { plugin, rings } of steps) {
    byPlugin.set(plugin, Math.max(byPlugin.get(plugin) ?? 0, rings.length));
  }
  return [...byPlugin.values()].reduce((sum, count) => sum + count, 0);
}
