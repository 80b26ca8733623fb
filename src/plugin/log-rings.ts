/**
 * Which log rings the record of a request goes to: those of the log plugins of its plan, and so of
 * its client, where that is known. The core copies a record into no other.
 */
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

/** One configuration of a plugin applies at a time, and plugins of two names share no ring. */
function mostAtOnce(steps: readonly PlanStep[]): number {
  const byPlugin = new Map<AnyPlugin, number>();
  for (const { plugin, rings } of steps) {
    byPlugin.set(plugin, Math.max(byPlugin.get(plugin) ?? 0, rings.length));
  }
  return [...byPlugin.values()].reduce((sum, count) => sum + count, 0);
}
