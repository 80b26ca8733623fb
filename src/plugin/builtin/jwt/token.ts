/** A JSON Web Token in compact form (RFC 7519, RFC 7515 3.1), taken apart; nothing is verified. */

export interface Token {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What was signed. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** Algorithms that a header may name. */
const algorithms = new Set(
  ['HS', 'RS', 'ES', 'PS']
    .flatMap((family) => [256, 384, 512].map((bits) => `${family}${bits}`))
    .concat('EdDSA'),
);

const base64 = /^[A-Za-z0-9_+/-]*={0,2}$/;

/** The token, or what is wrong with its form in Kong's words. */
export function readToken(text: string): Token | string {
  const parts = text.split('.');
  if (parts.length < 3) return 'invalid JSON';
  const header = readPart(parts[0]);
  const claims = readPart(parts[1]);
  if (header === undefined || claims === undefined) return 'invalid JSON';
  if (typeof header !== 'object' || header === null) return 'invalid JSON';
  const { typ, alg } = header as Record<string, unknown>;
  if (typ !== undefined && (typeof typ !== 'string' || typ.toUpperCase() !== 'JWT')) {
    return 'invalid typ';
  }
  if (typeof alg !== 'string' || !algorithms.has(alg)) return 'invalid alg';
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    return 'invalid claims';
  }
  if (parts.length > 3 || !base64.test(parts[2])) return 'invalid signature';
  const signature = Buffer.from(parts[2], 'base64url');
  return {
    header: header as Token['header'],
    claims: claims as Token['claims'],
    signed: `${parts[0]}.${parts[1]}`,
    signature,
  };
}

function readPart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
