/**
 * What balancing costs a proxied request in the core: whole exchanges, 64 at a time, with four
 * targets. Baseline: a service with one address, which no upstream has to do with.
 */
import {
  type BalancerInput,
  encodeBalancers,
  type HashSource,
  installBalancers,
} from '../src/core/balancer-table.js';
import { hashRing } from '../src/core/hash-ring.js';
import type { Core } from '../src/core/instance.js';
import { BalancerAlgorithm, HashInput } from '../src/core/layout.js';
import type { Driver } from '../src/driver/contract.js';
import { turnsOf } from '../src/upstream/turns.js';
import { createPlane } from '../test/support/plane.js';
import { CoreCycle } from './lib/core-cycle.js';
import type { BenchCase, BenchSuite } from './lib/suite.js';

const clients = 64;
const peers = [1, 2, 3, 4].map((slot) => ({
  slot,
  ip: `10.0.0.${slot}`,
  weight: 100,
  port: 80,
  host: `10.0.0.${slot}:80`,
  nameLength: 8,
}));
const nothing: HashSource = { input: HashInput.NONE, name: '' };

function plane(view?: number): Core {
  const target = { host: '127.0.0.1', port: 9 };
  const services = [{ prefix: '/bench', target, view }];
  const makeDriver = () => ({ close: async () => {} }) as unknown as Driver;
  return createPlane({ services, makeDriver }).core;
}

function balanced(name: string, algorithm: number): BenchCase {
  const core = plane(0);
  const hashes = algorithm === BalancerAlgorithm.HASHING;
  const balancer: BalancerInput = {
    slot: 0,
    algorithm,
    threshold: 0,
    peers,
    sequence: hashes ? hashRing(core, 10000, 4, peers) : turnsOf([100, 100, 100, 100]),
    hashOn: hashes ? { input: HashInput.HEADER, name: 'user_agent' } : nothing,
    fallback: nothing,
    cookie: '',
    checks: null,
  };
  const targets = peers.map(({ slot }) => slot);
  installBalancers(core, encodeBalancers([balancer], [{ balancer: 0, targets, secure: false }]));
  const exchanges = new CoreCycle(core, clients);
  return { name, fn: () => exchanges.run(clients), operations: clients };
}

const single = new CoreCycle(plane(), clients);

export const suite: BenchSuite = {
  name: 'picking one of four targets',
  quickest: true,
  cases: [
    { name: 'one address', fn: () => single.run(clients), operations: clients, baseline: true },
    balanced('round-robin', BalancerAlgorithm.ROUND_ROBIN),
    balanced('least-connections', BalancerAlgorithm.LEAST_CONNECTIONS),
    balanced('latency', BalancerAlgorithm.LATENCY),
    balanced('consistent-hashing by a header', BalancerAlgorithm.HASHING),
  ],
};
