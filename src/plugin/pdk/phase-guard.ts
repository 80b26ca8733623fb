/** The run-time side of the phase rules, for plugins that no compiler has looked at. */
import { GatewayError } from '../../errors.js';
import type { PhaseName } from '../define.js';

/** Phases that may still change what goes to the client. */
export const beforeAnswer: readonly PhaseName[] = [
  'rewrite',
  'access',
  'response',
  'header_filter',
];
/** Phases that may answer instead of going on. */
export const mayExit: readonly PhaseName[] = ['rewrite', 'access', 'response', 'header_filter'];
/** Phases that may change what goes upstream. */
export const beforeUpstream: readonly PhaseName[] = ['rewrite', 'access'];
/** Phases that see an answer. */
export const withAnswer: readonly PhaseName[] = [
  'response',
  'header_filter',
  'body_filter',
  'ws_client_frame',
  'ws_upstream_frame',
  'ws_close',
];

/** @throws GatewayError GW_E_PLUGIN_PHASE naming the phases in which the function may be called */
export function requirePhase(phase: PhaseName, name: string, allowed: readonly PhaseName[]): void {
  // The handshake is the access phase of a WebSocket.
  if (allowed.includes(phase)) return;
  if (phase === 'ws_handshake' && allowed.includes('access')) return;
  throw new GatewayError(
    'GW_E_PLUGIN_PHASE',
    `${name}: function cannot be called in ${phase} phase (only in: ${allowed.join(', ')})`,
  );
}

/** A value that a plugin gave and that cannot be used. */
export const invalidArgument = (message: string): GatewayError =>
  new GatewayError('GW_E_PLUGIN_FAILED', message);
