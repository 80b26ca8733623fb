/** key-auth and ip-restriction as policies. */
import { isIPv6 } from 'node:net';
import type { KeyAuthCredential } from '../../config/model.js';
import { parseRange } from '../../core/address.js';
import { AddressFamily, EditOp, PolicyFlag } from '../../core/layout.js';
import type {
  PolicyKey,
  PolicyRange,
  PolicyStepInput,
  ReadyEdit,
} from '../../core/policy-input.js';
import type { PlanStep } from '../plan.js';
import { checkedEdits } from './ready-edits.js';

interface KeyAuthConfig {
  readonly key_names: readonly string[];
  readonly hide_credentials: boolean;
  readonly key_in_header: boolean;
  readonly key_in_query: boolean;
  readonly key_in_body: boolean;
  readonly run_on_preflight: boolean;
}

/** Null where keys may stand in bodies, which only the shell reads. */
export function keyAuthPolicy({ config }: PlanStep): PolicyStepInput[] | null {
  const given = config as KeyAuthConfig;
  if (given.key_in_body) return null;
  const flags =
    (given.key_in_header ? PolicyFlag.IN_HEADER : 0) |
    (given.key_in_query ? PolicyFlag.IN_QUERY : 0) |
    (given.hide_credentials ? PolicyFlag.HIDE : 0) |
    (given.run_on_preflight ? 0 : PolicyFlag.NOT_OPTIONS);
  return [{ kind: 'KEY_AUTH', flags, names: given.key_names }];
}

/** What the upstream is told, or must not be told by clients. */
export const identityHeaders = [
  'X-Consumer-ID',
  'X-Consumer-Custom-ID',
  'X-Consumer-Username',
  'X-Credential-Identifier',
  'X-Anonymous-Consumer',
] as const;

const beyondBytes = /[^\u0000-\u00ff]/;

/**
 * The keys that the core may accept. Those that end, that cannot stand in a header, or whose owner
 * cannot be told to the upstream are left to the shell.
 */
export function policyKeys(credentials: readonly KeyAuthCredential[]): PolicyKey[] {
  const keys: PolicyKey[] = [];
  const known = new Set<string>();
  for (const [place, credential] of credentials.entries()) {
    const { key, ttl, consumer, id } = credential;
    if (known.has(key)) continue;
    known.add(key);
    if (key === '' || (ttl !== null && ttl > 0) || beyondBytes.test(key)) continue;
    const values = [consumer.id, consumer.custom_id, consumer.username, id, null];
    const edits = checkedEdits(identityHeaders.map((name, i) => setOrRemove(name, values[i])));
    if (edits) keys.push({ key, edits, consumerId: consumer.id, credentialId: id, place });
  }
  return keys;
}

const setOrRemove = (name: string, value: string | null): ReadyEdit =>
  value === null ? { op: EditOp.REMOVE, name, value: '' } : { op: EditOp.SET, name, value };

interface Addresses {
  readonly allow: readonly string[] | null;
  readonly deny: readonly string[] | null;
}

/** More ranges than these are not compared one by one. */
const rangesMax = 256;

export function addressPolicy({ config }: PlanStep): PolicyStepInput[] | null {
  const { allow, deny } = config as Addresses;
  const steps: PolicyStepInput[] = [];
  for (const [list, flags] of [
    [deny, PolicyFlag.DENY],
    [allow, 0],
  ] as const) {
    if (!list || list.length === 0) continue;
    if (list.length > rangesMax) return null;
    const ranges = list.map(rangeOf);
    if (!ranges.every((range) => range !== null)) return null;
    steps.push({ kind: 'ADDRESSES', flags, ranges });
  }
  return steps;
}

/** A range says nothing about addresses of the other family. */
function rangeOf(text: string): PolicyRange | null {
  const range = parseRange(text);
  const family = isIPv6(text.split('/')[0]) ? AddressFamily.V6 : AddressFamily.V4;
  return range && { ...range, family };
}
