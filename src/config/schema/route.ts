/** The schema of a route: which requests it takes and how they are passed on. */
import { expressionProblem } from '../../core/expression/index.js';
import { patternProblem } from '../../core/regex/compile.js';
import type { RouterFlavor } from '../../core/route-checks.js';
import {
  headerPattern,
  type PatternSource,
  pathPattern,
  sourceProblem,
} from '../../core/route-patterns.js';
import type { Route } from '../model.js';
import { entityFields, port, protocolElement, uniqueName, webSocketProtocols } from './common.js';
import type { ArrayField, Faults, RecordSchema } from './field.js';

const groups: readonly (readonly string[])[] = [
  ['http', 'https'],
  ['tcp', 'tls', 'udp'],
  ['tls_passthrough'],
  ['grpc', 'grpcs'],
];
const webSockets: readonly string[] = webSocketProtocols;

/** What selects requests, by protocol; a route needs at least one of them. */
const criteria: Readonly<Record<string, readonly string[]>> = {
  http: ['methods', 'hosts', 'headers', 'paths'],
  https: ['methods', 'hosts', 'headers', 'paths', 'snis'],
  ws: ['methods', 'hosts', 'headers', 'paths'],
  wss: ['methods', 'hosts', 'headers', 'paths', 'snis'],
  grpc: ['hosts', 'headers', 'paths'],
  grpcs: ['hosts', 'headers', 'paths', 'snis'],
  tcp: ['sources', 'destinations', 'snis'],
  tls: ['sources', 'destinations', 'snis'],
  udp: ['sources', 'destinations', 'snis'],
  tls_passthrough: ['snis'],
};

const tlsProtocols = ['grpcs', 'https', 'tls', 'tls_passthrough', 'wss'];
const classicFields = ['methods', 'hosts', 'paths', 'headers', 'snis', 'sources', 'destinations'];
const hostHeader = "cannot contain 'host' header, which must be specified in the 'hosts' attribute";

const addresses: ArrayField = {
  type: 'set',
  elements: {
    type: 'record',
    fields: { ip: { type: 'string', format: 'ip_or_cidr' }, port },
    at_least_one_of: ['ip', 'port'],
  },
};

const fields: RecordSchema['fields'] = {
  ...entityFields,
  name: { ...uniqueName, description: 'Unique name; what plugins refer to.' },
  protocols: {
    type: 'set',
    required: true,
    elements: protocolElement,
    default: ['http', 'https'],
    len_min: 1,
  },
  https_redirect_status_code: {
    type: 'integer',
    required: true,
    default: 426,
    one_of: [426, 301, 302, 307, 308],
    description: 'Answer to plain HTTP where only https is allowed.',
  },
  strip_path: {
    type: 'boolean',
    required: true,
    default: true,
    description: 'Take the matching prefix off the path.',
  },
  preserve_host: {
    type: 'boolean',
    required: true,
    default: false,
    description: "Send the client's Host to the upstream.",
  },
  request_buffering: { type: 'boolean', required: true, default: true },
  response_buffering: { type: 'boolean', required: true, default: true },
  regex_priority: { type: 'integer', default: 0, null_is_default: true },
  path_handling: { type: 'string', default: 'v0', null_is_default: true, one_of: ['v0', 'v1'] },
  methods: { type: 'set', elements: { type: 'string', match: '[A-Z]+' } },
  hosts: { type: 'array', elements: { type: 'string', format: 'host_pattern' } },
  paths: {
    type: 'array',
    elements: { type: 'string', format: 'router_path' },
    description: 'Prefixes such as /api, or regular expressions such as ~/user/\\d+$.',
  },
  headers: {
    type: 'map',
    keys: {
      type: 'string',
      format: 'header_name',
      check: (name) => (name.toLowerCase() === 'host' ? hostHeader : undefined),
    },
    values: { type: 'array', elements: { type: 'string', check: headerValue } },
  },
  snis: { type: 'set', elements: { type: 'string', format: 'sni' } },
  sources: addresses,
  destinations: addresses,
  expression: { type: 'string', description: 'Only with router_flavor = expressions.' },
  priority: {
    type: 'integer',
    default: 0,
    null_is_default: true,
    between: [0, 2 ** 46 - 1],
    description: 'Only with router_flavor = expressions.',
  },
  service: { type: 'foreign', reference: 'services' },
};

/** A value is text, or a pattern behind `~*`. */
function headerValue(value: string): string | undefined {
  const fault = value.startsWith('~*') ? patternProblem(value.slice(2)) : undefined;
  return fault === undefined ? undefined : `invalid regex: '${value.slice(2)}' (${fault})`;
}

/** `flavor`: the node's router_flavor. */
export function routeSchema(flavor: string): RecordSchema {
  if (flavor === 'expressions') return expressionSchema;
  return flavor === 'traditional' ? traditionalSchema : classicSchema;
}

function createSchema(flavor: RouterFlavor): RecordSchema {
  const expressions = flavor === 'expressions';
  return {
    fields,
    prepare: (input) => {
      const grpc =
        Array.isArray(input.protocols) && input.protocols.some((p) => /^grpcs?$/.test(p));
      return grpc && input.strip_path === undefined
        ? { ...input, strip_path: false }
        : { ...input };
    },
    check: (route) => {
      const protocols = route.protocols as string[];
      const sets = [...groups, webSockets];
      if (!sets.some((group) => protocols.every((protocol) => group.includes(protocol)))) {
        const shown = groups.map((group) => `(${group.map((item) => `'${item}'`).join(', ')})`);
        return { protocols: `these sets are mutually exclusive: ${shown.join(', ')}` };
      }
      const faults = {
        ...protocolFaults(route, protocols, expressions),
        ...(expressions ? expressionFaults(route) : classicFaults(route)),
        ...criteriaFault(route, protocols, expressions),
      };
      if (Object.keys(faults).length > 0) return faults;
      return typeof route.expression === 'string'
        ? compileFault(route.expression, protocols)
        : patternFault(route, flavor === 'traditional');
    },
  };
}

function protocolFaults(
  route: Readonly<Record<string, unknown>>,
  protocols: readonly string[],
  expressions: boolean,
): Faults {
  const faults: Record<string, string> = {};
  const group = groups.find((names) => names.includes(protocols[0])) ?? webSockets;
  const names = group.map((name) => `'${name}'`).join(' or ');
  const refuse = (field: string) => {
    faults[field] = `cannot set '${field}' when 'protocols' is ${names}`;
  };
  const stream = !/^(http|grpc|ws)s?$/.test(group[0]);
  const refused = stream ? ['methods', 'hosts', 'paths', 'headers'] : [];
  if (group[0] === 'grpc') refused.push('methods');
  if (!stream && !expressions) refused.push('sources', 'destinations');
  if (group[0] === 'tls_passthrough') refused.push('sources', 'destinations');
  for (const field of refused) if (isSet(route[field])) refuse(field);
  if (group[0] === 'grpc' && route.strip_path) refuse('strip_path');
  if (isSet(route.snis) && !protocols.some((protocol) => tlsProtocols.includes(protocol))) {
    faults.snis = 'length must be 0';
    faults['@entity'] =
      "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'";
  }
  return faults;
}

function classicFaults(route: Readonly<Record<string, unknown>>): Faults {
  const faults: Record<string, string> = {};
  const message = "only allowed with router_flavor 'expressions'";
  if (route.expression !== null) faults.expression = message;
  if (route.priority !== 0) faults.priority = message;
  return faults;
}

function expressionFaults(route: Readonly<Record<string, unknown>>): Faults {
  const classic = classicFields.filter((field) => isSet(route[field]));
  if (route.regex_priority !== 0) classic.push('regex_priority');
  const own = ['expression', 'priority'].filter((field) =>
    field === 'priority' ? route.priority !== 0 : isSet(route[field]),
  );
  if (classic.length === 0 || own.length === 0) return {};
  const list = (names: string[]) => `(${names.map((name) => `'${name}'`).join(', ')})`;
  return { '@entity': `these sets are mutually exclusive: ${list(own)}, ${list(classic)}` };
}

/** An expression must compile over the fields of what the route takes: requests or streams. */
function compileFault(expression: string, protocols: readonly string[]): Faults {
  const set = /^(?:http|grpc|ws)/.test(protocols[0]) ? 'http' : 'stream';
  const problem = expressionProblem(expression, set);
  if (problem === undefined) return {};
  return { '@entity:expression': `Router Expression failed validation: ${problem}` };
}

/**
 * Each pattern compiled by itself; this is what it becomes in a table: header patterns are
 * lower-cased, and the flavour `traditional` matches bytes.
 */
function patternFault(route: Readonly<Record<string, unknown>>, traditional: boolean): Faults {
  const found: (readonly [field: string, pattern: PatternSource | null])[] = [];
  const { paths, headers } = route as Pick<Route, 'paths' | 'headers'>;
  for (const path of (traditional && paths) || []) {
    if (path.startsWith('~')) found.push(['paths', pathPattern(path.slice(1), true)]);
  }
  for (const values of Object.values(headers ?? {})) {
    for (const value of values) found.push(['headers', headerPattern(value, values, traditional)]);
  }
  for (const [field, pattern] of found) {
    const problem = pattern && sourceProblem(pattern);
    if (!problem) continue;
    return { [`@entity:${field}`]: `Router Expression failed validation: ${problem}` };
  }
  return {};
}

function criteriaFault(
  route: Readonly<Record<string, unknown>>,
  protocols: readonly string[],
  expressions: boolean,
): Faults {
  if (expressions && isSet(route.expression)) return {};
  for (const protocol of protocols) {
    // One route serves all of its protocols: the richest list of criteria counts.
    if (criteria[protocol].some((field) => isSet(route[field]))) return {};
  }
  const first = protocols.find((name) => name === 'https' || name === 'wss') ?? protocols[0];
  const wanted = expressions ? [...criteria[first], 'expression'] : criteria[first];
  const list = wanted.map((field) => `'${field}'`).join(', ');
  return { '@entity': `must set one of ${list} when 'protocols' is '${first}'` };
}

function isSet(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

const classicSchema = createSchema('traditional_compatible');
const traditionalSchema = createSchema('traditional');
const expressionSchema = createSchema('expressions');
