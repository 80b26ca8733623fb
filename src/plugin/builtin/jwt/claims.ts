/** Checks of registered claims (RFC 7519 4.1.4, 4.1.5), without leeway. */

export interface ClaimRules {
  readonly verify: readonly string[];
  /** Seconds from now that `exp` may lie ahead; 0: any. */
  readonly maximumExpiration: number;
}

/** Faults by claim in Kong's words; null: none. */
export function claimFaults(
  claims: Readonly<Record<string, unknown>>,
  rules: ClaimRules,
  nowSeconds: number,
): Record<string, string> | null {
  const faults: Record<string, string> = {};
  for (const name of rules.verify) {
    const value = claims[name];
    if (typeof value !== 'number') faults[name] = 'must be a number';
    else if (name === 'exp' && value <= nowSeconds) faults.exp = 'token expired';
    else if (name === 'nbf' && value > nowSeconds) faults.nbf = 'token not valid yet';
  }
  if (Object.keys(faults).length > 0) return faults;
  const { maximumExpiration } = rules;
  if (maximumExpiration <= 0) return null;
  const exp = typeof claims.exp === 'number' ? claims.exp : 0;
  const tooLong = exp <= 0 || exp - nowSeconds > maximumExpiration;
  return tooLong ? { exp: 'exceeds maximum allowed expiration' } : null;
}
