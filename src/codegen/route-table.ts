/** Routes and services of a route table; how they are found is in matcher.ts. */
import type { Field } from './layout.js';

export const routeTableStructs = {
  /** First bytes of a route table. Offsets count from the table's base. */
  TableHeader: [
    ['u32', 'magic', '0x48475254'],
    ['u32', 'bytes', 'whole table'],
    ['u32', 'routeCount', 'RouteRecords; one more follows for requests that match nothing'],
    ['u32', 'routes', 'offset'],
    ['u32', 'serviceCount', ''],
    ['u32', 'services', 'offset'],
    ['u32', 'matcher', 'offset of the Matcher, see src/codegen/matcher.ts'],
    ['u32', 'needs', 'bits of the request fields that some route looks at'],
    ['u32', 'policies', 'offset of Policy[], see src/codegen/policy.ts'],
    ['u32', 'policyCount', ''],
    ['u32', 'keys', 'offset of the KeyTable; 0: none'],
  ],
  RouteRecord: [
    ['i32', 'service', 'index, -1: none'],
    ['u32', 'protocols', 'protocol bits'],
    ['u32', 'flags', 'routeFlag bits'],
    ['u32', 'redirectStatus', 'https_redirect_status_code'],
    ['u32', 'phases', 'phase bits that have code to run in the shell'],
    ['u32', 'metricSlot', ''],
    ['u32', 'debug', 'offset of ready header lines Kong-Route-Id.. Kong-Service-Name'],
    ['u32', 'debugLength', ''],
    ['u32', 'rings', 'offset of u32[]: rings that get the log record'],
    ['u32', 'ringCount', ''],
    ['u32', 'plan', 'index of the frozen plan in the shell'],
    ['u32', 'policy', 'index + 1 of the Policy that runs instead of it; 0: none'],
  ],
  ServiceRecord: [
    ['u32', 'target', 'index of the interned host:port, kept over generations'],
    ['u32', 'connectTimeoutMs', ''],
    ['u32', 'writeTimeoutMs', ''],
    ['u32', 'readTimeoutMs', ''],
    ['u32', 'retries', ''],
    ['u32', 'path', 'offset'],
    ['u32', 'pathLength', 'at least 1 ("/")'],
    ['u32', 'host', 'offset of the Host value for the upstream, port included where needed'],
    ['u32', 'hostLength', ''],
    ['u32', 'protocols', 'protocol bit of the service'],
    ['u32', 'view', 'number + 1 of the BalancerView used instead of target; 0: none'],
  ],
} as const satisfies Record<string, readonly Field[]>;
