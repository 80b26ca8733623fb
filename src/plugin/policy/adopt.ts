/** Goes on where a policy of the core has run the first plugins of an access phase. */
import type { Credential, KeyAuthCredential } from '../../config/model.js';
import type { Core } from '../../core/instance.js';
import { ranCredential, ranSteps, readRanEdits } from '../../core/policy-outcome.js';
import { requestNotes } from '../../log/notes.js';
import type { Exchange } from '../exchange.js';
import type { Plan } from '../plan.js';

/** The credential at a place in the list of a generation. */
export type CredentialOf = (generation: number, place: number) => KeyAuthCredential | null;

/**
 * Takes over what the policy found out and did. Returns the number of access steps that have run.
 * The plan stays: policies begin only where no configuration is for certain clients.
 */
export function adoptPolicy(
  core: Core,
  exchange: Exchange,
  plan: Plan,
  credentialOf: CredentialOf,
): number {
  const ran = ranSteps(core);
  if (ran === 0) return 0;
  readRanEdits(core, exchange.upstreamEdits, exchange.clientEdits);
  const place = ranCredential(core);
  const found = place === 0 ? null : credentialOf(exchange.view.generation, place - 1);
  if (!found) return ran;
  const { consumer } = found;
  const credential = found as unknown as Credential;
  const { state } = exchange;
  state.consumer = consumer;
  state.credential = credential;
  state.groups = plan.entities.groupsOf(consumer.id);
  if (plan.possibleLog.length > 0)
    requestNotes.setClient(exchange.request.id, consumer, credential);
  return ran;
}
