/** What the node lends to its plugins: identity, trusted addresses, the environment for secrets. */
import { hostname } from 'node:os';
import type { Service } from '../../config/model.js';
import { type AddressRange, putAddress, startsAlike } from '../../core/address.js';
import { nodeId } from '../../product.js';
import type { NodeReader } from '../pdk-types.js';

export interface PluginHost {
  /** Ranges of the setting `trusted_ips`. */
  readonly trusted: readonly AddressRange[];
  /** Values of `{vault://env/...}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The number of an upstream host and port, for `service.setTarget`. */
  readonly internTarget?: (host: string, port: number) => number;
  /** The number of an upstream as a service uses it; null: there is none of that name. */
  readonly internUpstream?: (name: string, service: Service | null) => number | null;
}

/** A node that trusts nobody and has no environment. */
export const bareHost: PluginHost = { trusted: [], env: {} };

/** Whether an address lies in one of the ranges; false for what is no address. */
export function isTrusted(ranges: readonly AddressRange[], text: string): boolean {
  if (ranges.length === 0) return false;
  const address = new Uint8Array(16);
  if (!putAddress(address, 0, text)) return false;
  return ranges.some(({ address: start, prefixBits }) => startsAlike(start, address, prefixBits));
}

export const node: NodeReader = {
  id: nodeId,
  hostname: hostname(),
  memoryStats() {
    const { heapUsed, rss } = process.memoryUsage();
    return { heapUsedBytes: heapUsed, rssBytes: rss };
  },
};
