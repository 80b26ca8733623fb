/**
 * Runs the policy of a route instead of its plugins. First every step looks whether it can pass the
 * request without the shell, which changes nothing; then the request is counted; then the edits are
 * made. A request that some step cannot judge, or would refuse, goes to the shell as if no policy
 * had been there, so that refusals have one place.
 */
import {
  CONTROL,
  Control,
  POLICY_FLAG_NOT_OPTIONS,
  POLICY_KIND_ADDRESSES,
  POLICY_KIND_CORS,
  POLICY_KIND_EDITS,
  POLICY_KIND_KEY_AUTH,
  POLICY_KIND_RATE_LIMIT,
  POLICY_KIND_REQUEST_ID,
  POLICY_KIND_TRANSFORM,
  POLICY_KIND_TRIGGER,
  POLICY_SIZE,
  POLICY_STEP_SIZE,
  PHASE_VIEW,
  PhaseView,
  Policy,
  PolicyStep,
  RouteRecord,
  TableHeader,
} from '../layout';
import * as head from '../http/head';
import { isWord } from '../bytes';
import { Connection } from '../proxy/connection';
import { Exchange } from '../proxy/exchange';
import { checkKey, credential, emitClient, forgetClient } from './key-auth';
import { count, emitLimits } from './rate-limit';
import { checkAddress, checkGivenId, checkTrigger, emitId, emitReady } from './simple';
import { beginEdits, finishEdits, showEdits } from './sink';
import { emitChanges } from './transform';

/** The shell is to run all plugins. */
export const NOT_RUN: u32 = 0;
/** The request may go to its upstream, with the edits that wait. */
export const PASSED: u32 = 1;
/** The shell goes on behind the first plugins; what they did is in the phase view. */
export const BEGUN: u32 = 2;

export function runPolicy(c: Connection, x: Exchange, route: RouteRecord): u32 {
  const base = <usize>changetype<Control>(CONTROL).routeBase;
  const policies = base + changetype<TableHeader>(base).policies;
  const policy = changetype<Policy>(policies + <usize>(route.policy - 1) * POLICY_SIZE);
  const first = base + policy.steps;
  const end = first + <usize>policy.stepCount * POLICY_STEP_SIZE;
  let counting: PolicyStep | null = null;
  forgetClient();
  for (let at = first; at < end; at += POLICY_STEP_SIZE) {
    const step = changetype<PolicyStep>(at);
    if (step.kind == POLICY_KIND_RATE_LIMIT) counting = step;
    if (step.flags & POLICY_FLAG_NOT_OPTIONS && isOptions()) return NOT_RUN;
    if (!check(base, step, x)) return NOT_RUN;
  }
  if (counting && !count(base, counting, c, x)) return NOT_RUN;
  beginEdits();
  for (let at = first; at < end; at += POLICY_STEP_SIZE) emit(base, changetype<PolicyStep>(at));
  const known = credential;
  const place: u32 = known ? known.place + 1 : 0;
  if (policy.accessSteps) {
    const v = changetype<PhaseView>(PHASE_VIEW);
    v.ranSteps = policy.accessSteps;
    v.ranCredential = place;
    showEdits(v);
    return BEGUN;
  }
  if (!finishEdits(x)) return NOT_RUN;
  x.credential = place;
  // Nothing of the answer is for the shell.
  x.phases = 0;
  return PASSED;
}

function isOptions(): bool {
  return isWord(head.method, head.methodLength, 'options');
}

function check(base: usize, step: PolicyStep, x: Exchange): bool {
  switch (step.kind) {
    case POLICY_KIND_KEY_AUTH: return checkKey(base, step);
    case POLICY_KIND_ADDRESSES: return checkAddress(base, step, x);
    case POLICY_KIND_TRIGGER: return checkTrigger(base, step);
    case POLICY_KIND_REQUEST_ID: return checkGivenId(base, step);
  }
  return true;
}

function emit(base: usize, step: PolicyStep): void {
  switch (step.kind) {
    case POLICY_KIND_KEY_AUTH: return emitClient(base, step);
    case POLICY_KIND_RATE_LIMIT: return emitLimits(base, step);
    case POLICY_KIND_EDITS:
    case POLICY_KIND_CORS: return emitReady(base, step);
    case POLICY_KIND_REQUEST_ID: return emitId(base, step);
    case POLICY_KIND_TRANSFORM: return emitChanges(base, step);
  }
}
