/**
 * From a target to its addresses. Names are looked up as node does (hosts file and resolver of the
 * machine): IPv4 addresses, or IPv6 ones where there are none. `_service._proto.name` is asked for
 * SRV records, of which those of the lowest priority count (RFC 2782).
 */
import { lookup, resolveSrv } from 'node:dns/promises';
import { isIP } from 'node:net';
import { splitTarget } from '../config/schema/target-address.js';

export interface TargetAddress {
  readonly ip: string;
  readonly port: number;
  /** Of an SRV record, 1 where that says 0; null: the target's. */
  readonly weight: number | null;
  /** What was looked up for this address: the target's name, or that of an SRV record. */
  readonly name: string;
}

const service = /^_[^.]+\._[^.]+\./;

/** True where a target has to be looked up. */
export function isName(target: string): boolean {
  return isIP(splitTarget(target)?.host ?? '') === 0;
}

/** Addresses of a target in a settled order; null: there is no such name, or no answer. */
export async function targetAddresses(target: string): Promise<readonly TargetAddress[] | null> {
  const place = splitTarget(target);
  if (!place) return null;
  const { host, port } = place;
  if (isIP(host) !== 0) return [{ ip: host, port, weight: null, name: host }];
  try {
    const found = service.test(host)
      ? await serviceAddresses(host, port)
      : await hostAddresses(host, port, null);
    return found.length > 0 ? found.sort(byAddress) : null;
  } catch {
    return null;
  }
}

async function serviceAddresses(name: string, port: number): Promise<TargetAddress[]> {
  const records = await resolveSrv(name);
  const first = Math.min(...records.map(({ priority }) => priority));
  const lists = await Promise.all(
    records
      .filter(({ priority }) => priority === first)
      .map((record) => hostAddresses(record.name, record.port || port, record.weight || 1)),
  );
  return lists.flat();
}

async function hostAddresses(
  name: string,
  port: number,
  weight: number | null,
): Promise<TargetAddress[]> {
  const found = isIP(name) === 0 ? await lookup(name, { all: true }) : [{ address: name }];
  const addresses = [...new Set(found.map(({ address }) => address))];
  const old = addresses.filter((address) => isIP(address) === 4);
  const chosen = old.length > 0 ? old : addresses;
  return chosen.map((ip) => ({ ip, port, weight, name }));
}

const byAddress = (a: TargetAddress, b: TargetAddress): number => {
  const left = `${a.ip}:${a.port}`;
  const right = `${b.ip}:${b.port}`;
  return left < right ? -1 : left > right ? 1 : 0;
};
