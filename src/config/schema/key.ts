/** The schemas of keys and of the sets that they are kept in. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { entityFields, uniqueName } from './common.js';
import type { Faults, RecordSchema } from './field.js';

export const keySetSchema: RecordSchema = {
  fields: { ...entityFields, name: { ...uniqueName, description: 'Unique.' } },
};

export const keySchema: RecordSchema = {
  fields: {
    ...entityFields,
    set: { type: 'foreign', reference: 'key_sets' },
    name: { ...uniqueName, description: 'Unique.' },
    kid: { type: 'string', required: true, description: 'Unique in its set.' },
    jwk: {
      type: 'string',
      referenceable: true,
      encrypted: true,
      description: 'A JSON Web Key (RFC 7517) as text.',
    },
    pem: {
      type: 'record',
      required: false,
      fields: {
        private_key: { type: 'string', referenceable: true, encrypted: true },
        public_key: { type: 'string', referenceable: true },
      },
      entity_checks: [{ at_least_one_of: ['private_key', 'public_key'] }],
    },
  },
  entity_checks: [{ only_one_of: ['jwk', 'pem'] }],
  check: (value) => ({ ...jwkFaults(value), ...pemFaults(value) }),
};

type Fields = Readonly<Record<string, unknown>>;

function jwkFaults({ jwk, kid }: Fields): Faults {
  if (typeof jwk !== 'string') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(jwk);
  } catch {
    return { jwk: 'could not json decode jwk string' };
  }
  if ((parsed as { kid?: unknown } | null)?.kid === kid) return {};
  return { '@entity': 'kid in jwk.kid must be equal to keys.kid' };
}

function pemFaults({ pem }: Fields): Faults {
  const given = pem as { private_key?: string | null; public_key?: string | null } | null;
  if (!given) return {};
  const { private_key: secret, public_key: open } = given;
  try {
    const parts = [secret ? createPublicKey(createPrivateKey(secret)) : null];
    parts.push(open ? createPublicKey(open) : null);
    const [a, b] = parts;
    if (a && b && !a.equals(b)) return { pem: 'public key does not belong to private key' };
    return {};
  } catch {
    return { pem: 'could not load the keys' };
  }
}
