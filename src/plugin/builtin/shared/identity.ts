/**
 * What every authentication plugin does with its result (kong-bundled-plugins reference,
 * "Conventions"): identity headers for the upstream, and the way out through an anonymous consumer.
 */
import type { Consumer, Credential } from '../../../config/model.js';
import type { AccessContext } from '../../context-types.js';

interface WithAnonymous {
  readonly anonymous: string | null;
}

/** A refusal: how the client is answered where no anonymous consumer stands in. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text for `response.error`, or an object that is the whole JSON body. */
  readonly body: string | object;
}

/**
 * The client is who the credential says. Headers of the client that claim an identity go.
 * @param identifier value of X-Credential-Identifier; null: none
 */
export function identify(
  ctx: AccessContext<unknown>,
  consumer: Consumer | null,
  credential: { readonly id: string } | null,
  identifier: string | null,
): void {
  const isAnonymous = credential === null;
  ctx.service.request.setHeaders({
    'X-Consumer-ID': consumer?.id ?? null,
    'X-Consumer-Custom-ID': consumer?.custom_id ?? null,
    'X-Consumer-Username': consumer?.username ?? null,
    'X-Credential-Identifier': isAnonymous ? null : identifier,
    'X-Anonymous-Consumer': isAnonymous ? 'true' : null,
  });
  ctx.client.authenticate(consumer, credential as Credential | null);
}

/** With `anonymous`, an earlier plugin's success is enough. */
export function isSettled(ctx: AccessContext<WithAnonymous>): boolean {
  return ctx.config.anonymous !== null && ctx.client.credential !== null;
}

/** The request goes on as the anonymous consumer, or is answered. */
export function refuse(ctx: AccessContext<WithAnonymous>, refusal: Refusal): void {
  const { anonymous } = ctx.config;
  if (anonymous !== null && anonymous !== '') {
    const consumer = ctx.client.loadConsumer(anonymous, true);
    if (consumer) return identify(ctx, consumer, null, null);
    const message = `anonymous consumer ${anonymous} is configured but doesn't exist`;
    return ctx.response.error(500, message);
  }
  const { status, body, headers } = refusal;
  if (typeof body === 'string') ctx.response.error(status, body, headers);
  else ctx.response.exit(status, body, headers);
}

/** `Scheme`, with the realm where there is one. */
export function challenge(scheme: string, realm: string | null): Record<string, string> {
  const value = realm === null || realm === '' ? scheme : `${scheme} realm="${realm}"`;
  return { 'WWW-Authenticate': value };
}
