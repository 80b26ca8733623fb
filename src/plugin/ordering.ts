/**
 * Dynamic ordering: a configuration may ask to run before or after other plugins in a phase. Steps
 * are taken by priority; before one is placed, everything that it waits for is (kong-plugins
 * reference, A7).
 */
import { GatewayError } from '../errors.js';
import type { PhaseName } from './define.js';
import type { PlanStep } from './plan.js';

/**
 * The steps, given by priority, in the order of a phase.
 * @throws GatewayError GW_E_CONFIG_INVALID where plugins wait for each other in a circle
 */
export function ordered(steps: readonly PlanStep[], phase: PhaseName): readonly PlanStep[] {
  if (steps.every(({ entity }) => !entity.ordering)) return steps;
  const waitsFor = new Map<PlanStep, PlanStep[]>(steps.map((step) => [step, []]));
  const byName = new Map(steps.map((step) => [step.plugin.name, step]));
  for (const step of steps) {
    const { before, after } = step.entity.ordering ?? {};
    for (const name of before?.[phase] ?? []) {
      const other = byName.get(name);
      if (other) waitsFor.get(other)?.push(step);
    }
    for (const name of after?.[phase] ?? []) {
      const other = byName.get(name);
      if (other) waitsFor.get(step)?.push(other);
    }
  }
  const placed = new Set<PlanStep>();
  const open: PlanStep[] = [];
  const place = (step: PlanStep) => {
    if (placed.has(step)) return;
    if (open.includes(step)) throw circle([...open.slice(open.indexOf(step)), step], phase);
    open.push(step);
    // What waits for nothing else keeps its priority among what this step waits for.
    const needed = waitsFor.get(step) ?? [];
    for (const other of steps) if (needed.includes(other)) place(other);
    open.pop();
    placed.add(step);
  };
  for (const step of steps) place(step);
  return [...placed];
}

function circle(steps: readonly PlanStep[], phase: PhaseName): GatewayError {
  const names = steps.map(({ plugin }) => plugin.name).join(' after ');
  return new GatewayError('GW_E_CONFIG_INVALID', `plugins: ordering: ${phase}: ${names}`);
}
