/**
 * The `certificate` handlers: global configurations, for each TLS connection before its certificate
 * is chosen. One that fails is named in the log, and the handshake goes on.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import type { HandshakeFacts, PrepareHandshake } from '../tls/handshake.js';
import type { CertificateContext, NodeContext } from './context-types.js';
import type { PlanStep, PlanTable } from './plan.js';

/** Null where no plugin has such a handler: connections then wait for nothing. */
export function certificatePhase(
  table: PlanTable,
  contextOf: (step: PlanStep) => NodeContext,
): PrepareHandshake | null {
  const steps = table.certificate;
  if (steps.length === 0) return null;
  return async (facts) => {
    const chosen: { context: SecureContext | null } = { context: null };
    for (const step of steps) {
      try {
        await step.plugin.certificate?.(extended(contextOf(step), step, facts, chosen));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        step.logger.error({ err: error }, `plugin ${step.plugin.name} failed: ${reason}`);
      }
    }
    return chosen.context;
  };
}

function extended(
  context: NodeContext,
  step: PlanStep,
  { serverName, ip, port }: HandshakeFacts,
  chosen: { context: SecureContext | null },
): CertificateContext<never> {
  return Object.assign(context, {
    config: step.config as never,
    client: { ip, port },
    serverName,
    useCertificate(cert: string, key: string) {
      chosen.context = createSecureContext({ cert, key });
    },
  });
}
