/** rate-limiting with counters of this node as a policy. */
import { Period, PolicyFlag, PolicySubject } from '../../core/layout.js';
import type { PolicyStepInput, PolicyWindowInput } from '../../core/policy-input.js';
import { sharedCounters } from '../../workers/counters.js';
import { counterPrefix } from '../builtin/rate-limiting/stores.js';
import { type Limits, periods } from '../builtin/rate-limiting/windows.js';
import type { Plan, PlanStep } from '../plan.js';

interface Config extends Limits {
  readonly policy: string;
  readonly limit_by: keyof typeof subjects;
  readonly header_name: string | null;
  readonly path: string | null;
  readonly hide_client_headers: boolean;
  readonly window_type: string;
}

const subjects = {
  ip: PolicySubject.ADDRESS,
  consumer: PolicySubject.CONSUMER,
  credential: PolicySubject.CREDENTIAL,
  service: PolicySubject.SERVICE,
  header: PolicySubject.HEADER,
  path: PolicySubject.PATH,
} as const;

/** Limits that the core compares as whole numbers. */
const limitMax = 0xffff_ffff;

/** Null for Redis, sliding windows and limits that are no whole numbers. */
export function rateLimitPolicy(step: PlanStep, plan: Plan): PolicyStepInput[] | null {
  const config = step.config as Config;
  if (config.policy === 'redis' || config.window_type === 'sliding') return null;
  const windows: PolicyWindowInput[] = [];
  for (const period of periods) {
    const limit = config[period];
    if (typeof limit !== 'number') continue;
    if (!Number.isInteger(limit) || limit > limitMax) return null;
    const name = period[0].toUpperCase() + period.slice(1);
    windows.push({
      period: Period[period.toUpperCase() as keyof typeof Period],
      limit,
      limitName: `X-RateLimit-Limit-${name}`,
      remainingName: `X-RateLimit-Remaining-${name}`,
    });
  }
  const { route, service } = step.entity;
  const prefix = counterPrefix(route?.id ?? null, service?.id ?? null);
  const { subject, text } = subjectOf(config, plan);
  return [
    {
      kind: 'RATE_LIMIT',
      flags: config.hide_client_headers ? PolicyFlag.HIDE : 0,
      windows,
      subject,
      text,
      state: sharedCounters().stateOf(prefix),
    },
  ];
}

function subjectOf(config: Config, plan: Plan): { subject: number; text: string } {
  const subject = subjects[config.limit_by];
  switch (config.limit_by) {
    case 'service':
      if (!plan.service) return { subject: PolicySubject.ADDRESS, text: '' };
      return { subject, text: plan.service.id };
    case 'header':
      return { subject, text: (config.header_name ?? '').toLowerCase().replaceAll('_', '-') };
    case 'path':
      return { subject, text: config.path ?? '' };
    default:
      return { subject, text: '' };
  }
}
