/**
 * Policies of a configuration: for every route whose plugins can all run in the core what they come
 * to; for others what the first of them come to, behind which the shell goes on.
 */
import type { KeyAuthCredential } from '../../config/model.js';
import { PolicyFlag, PolicySubject } from '../../core/layout.js';
import type { PolicyInput, PolicyStepInput, PolicyTableInput } from '../../core/policy-input.js';
import { limits } from '../../limits.js';
import correlationId from '../builtin/correlation-id.js';
import cors from '../builtin/cors/plugin.js';
import ipRestriction from '../builtin/ip-restriction.js';
import keyAuth from '../builtin/key-auth.js';
import rateLimiting from '../builtin/rate-limiting/plugin.js';
import requestTermination from '../builtin/request-termination.js';
import requestTransformer from '../builtin/request-transformer/plugin.js';
import type { AnyPlugin } from '../define.js';
import type { Plan, PlanStep } from '../plan.js';
import { addressPolicy, identityHeaders, keyAuthPolicy, policyKeys } from './auth.js';
import { correlationPolicy, corsPolicy, terminationPolicy, transformerPolicy } from './headers.js';
import { rateLimitPolicy } from './limits.js';

type Describe = (step: PlanStep, plan: Plan) => PolicyStepInput[] | null;

/** By the very plugin: a user's plugin of the same name is another. */
const known: ReadonlyMap<AnyPlugin, Describe> = new Map<AnyPlugin, Describe>([
  [keyAuth, keyAuthPolicy],
  [rateLimiting, rateLimitPolicy],
  [cors, corsPolicy],
  [ipRestriction, addressPolicy],
  [correlationId, correlationPolicy],
  [requestTransformer, transformerPolicy],
  [requestTermination, terminationPolicy],
]);

export class PolicyCompiler {
  readonly #credentials: readonly KeyAuthCredential[] | null;
  readonly #policies: PolicyInput[] = [];
  /** Number of the policy by what it is made of; 0: there is none. */
  readonly #numbers = new Map<string, number>();
  #needsKeys = false;

  /** `credentials`: all keys of the configuration; null: nothing is to be compiled. */
  constructor(credentials: readonly KeyAuthCredential[] | null) {
    this.#credentials = credentials;
  }

  /** Index + 1 of the policy of a plan; 0: its plugins run in the shell. */
  numberOf(plan: Plan): number {
    if (!this.#credentials || plan.access.length === 0 || !plan.mayBegin) return 0;
    const ids = (steps: readonly PlanStep[]) => steps.map(({ entity }) => entity.id).join();
    const answers = plan.mayCompile ? ids(plan.headerFilter) : 'shell';
    const key = `${ids(plan.access)} ${answers} ${plan.service?.id}`;
    const number = this.#numbers.get(key) ?? this.#add(plan);
    this.#numbers.set(key, number);
    return number;
  }

  /** What the table needs for the numbers that were given. */
  finish(): PolicyTableInput {
    const keys = this.#needsKeys ? policyKeys(this.#credentials ?? []) : null;
    return { policies: this.#policies, keys };
  }

  #add(plan: Plan): number {
    const policy = (plan.mayCompile ? wholeOf(plan) : null) ?? beginningOf(plan);
    if (!policy) return 0;
    const usesKeys = policy.steps.some(({ kind }) => kind === 'KEY_AUTH');
    const count = this.#credentials?.length ?? 0;
    if (usesKeys && count > limits.policyKeys.value) return 0;
    this.#needsKeys ||= usesKeys;
    return this.#policies.push(policy);
  }
}

function wholeOf(plan: Plan): PolicyInput | null {
  const all: PolicyStepInput[] = [];
  // What filters headers has an access handler, too: its place is there.
  if (!plan.headerFilter.every((step) => plan.access.includes(step))) return null;
  for (const step of plan.access) {
    const steps = known.get(step.plugin)?.(step, plan);
    if (!steps) return null;
    all.push(...steps);
  }
  return areIndependent(all) ? { steps: all, accessSteps: 0 } : null;
}

/**
 * The first access steps of a plan. One with a handler for the answer ends them: it would do there
 * once more what the policy has done, or in another order.
 */
function beginningOf(plan: Plan): PolicyInput | null {
  const all: PolicyStepInput[] = [];
  let accessSteps = 0;
  for (const step of plan.access) {
    const { headerFilter, bodyFilter, response } = step.plugin;
    const steps =
      headerFilter || bodyFilter || response ? null : known.get(step.plugin)?.(step, plan);
    if (!steps || !areIndependent([...all, ...steps])) break;
    all.push(...steps);
    accessSteps++;
  }
  return accessSteps > 0 ? { steps: all, accessSteps } : null;
}

/**
 * False where one plugin reads a header that another has set: the core looks at the request as it
 * came. (A transformer sees what was set before.)
 */
function areIndependent(steps: readonly PolicyStepInput[]): boolean {
  return steps.every((step) =>
    readBy(step).every((name) =>
      steps.every((other) => other === step || !writtenBy(other).includes(name)),
    ),
  );
}

const folded = (name: string): string => name.toLowerCase().replaceAll('_', '-');

function readBy(step: PolicyStepInput): string[] {
  switch (step.kind) {
    case 'KEY_AUTH':
      return step.names.map(folded);
    case 'RATE_LIMIT':
      return step.subject === PolicySubject.HEADER ? [step.text] : [];
    case 'REQUEST_ID':
    case 'TRIGGER':
      return [folded(step.name)];
    case 'CORS':
      return ['origin'];
    default:
      return [];
  }
}

function writtenBy(step: PolicyStepInput): string[] {
  switch (step.kind) {
    case 'KEY_AUTH': {
      const hidden = (step.flags & PolicyFlag.HIDE) === 0 ? [] : step.names;
      return [...identityHeaders, ...hidden].map(folded);
    }
    case 'REQUEST_ID':
      return [folded(step.name)];
    case 'TRANSFORM':
      return step.changes.map(({ name }) => folded(name));
    default:
      return [];
  }
}
