/**
 * The core's whole cycle of a proxied request without sockets: a client's bytes in, the upstream's
 * request out, its answer in, the client's answer out. Baseline: parsing the two heads alone.
 */
import { Region } from '../src/core/layout.js';
import type { Driver } from '../src/driver/contract.js';
import { createPlane } from '../test/support/plane.js';
import { CoreCycle, requestText } from './lib/core-cycle.js';
import type { BenchSuite } from './lib/suite.js';

const target = { host: '127.0.0.1', port: 9 };
const { core } = createPlane({
  services: [{ prefix: '/bench', target }],
  makeDriver: () => ({ close: async () => {} }) as unknown as Driver,
});
const { exports, u8 } = core;
const request = Buffer.from(requestText);
const exchanges = new CoreCycle(core, 64);

function parse(): void {
  u8.set(request, Region.read.offset);
  exports.parse_request(Region.read.offset, Region.read.offset + request.length);
}

export const suite: BenchSuite = {
  name: 'the core from a request to its answer',
  cases: [
    { name: 'parsing the request alone', fn: parse, baseline: true },
    { name: '1 exchange at a time', fn: () => exchanges.run(1) },
    { name: '8 at a time', fn: () => exchanges.run(8), operations: 8 },
    { name: '64 at a time', fn: () => exchanges.run(64), operations: 64 },
  ],
};
