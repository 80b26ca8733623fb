/** Kong's ip-restriction: only some client addresses, or all but some. */
import { BlockList, isIPv6 } from 'node:net';
import { definePlugin } from '../define.js';

const addresses = { type: 'array', elements: { type: 'string', format: 'ip_or_cidr' } } as const;

const fields = {
  allow: { ...addresses, description: 'Addresses and CIDR ranges that may pass.' },
  deny: { ...addresses, description: 'Addresses and CIDR ranges that may not pass.' },
  status: { type: 'number', description: 'Status of the refusal; default 403.' },
  message: { type: 'string', description: 'Text of the refusal.' },
} as const;

export default definePlugin({
  name: 'ip-restriction',
  version: '3.10.0',
  priority: 990,
  schema: {
    fields,
    scopes: ['consumer', 'service', 'route', 'global'],
    protocols: ['http', 'https', 'tcp', 'tls', 'grpc', 'grpcs'],
    entity_checks: [{ at_least_one_of: ['allow', 'deny'] }],
  },
  access(ctx) {
    const { config, client, response } = ctx;
    const { ip } = client;
    const denied = isIn(config.deny, ip);
    const allowed = !config.allow || config.allow.length === 0 || isIn(config.allow, ip);
    if (!denied && allowed) return;
    response.error(config.status ?? 403, config.message ?? `IP address not allowed: ${ip}`);
  },
});

/** One list for each family: a range of one says nothing about addresses of the other. */
type Lists = Readonly<Record<'ipv4' | 'ipv6', BlockList>>;

const compiled = new WeakMap<readonly string[], Lists>();

function isIn(list: readonly string[] | null, ip: string): boolean {
  if (!list || list.length === 0) return false;
  let known = compiled.get(list);
  if (!known) {
    known = compile(list);
    compiled.set(list, known);
  }
  const family = familyOf(ip);
  return known[family].check(ip, family);
}

const familyOf = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');

function compile(list: readonly string[]): Lists {
  const lists: Lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const entry of list) {
    const [address, bits] = entry.split('/');
    const family = familyOf(address);
    if (bits === undefined) lists[family].addAddress(address, family);
    else lists[family].addSubnet(address, Number(bits), family);
  }
  return lists;
}
