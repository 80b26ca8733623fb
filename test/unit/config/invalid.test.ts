import { describe, expect, test } from 'vitest';
import { report } from './harness.js';

const head = '_format_version: "3.0"\n';

/** Each: a name, the lines after the version line, and all problems of it. */
const cases: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'unknown top-level key',
    'servces: []',
    ["2:1: servces: unknown field (did you mean 'services'?)"],
  ],
  ['collection that is no list', 'services: {}', ['2:11: services: expected an array']],
  ['entity that is no record', 'services: [x]', ['2:12: services[0]: expected a record']],
  ['missing host', 'services:\n- name: a', ["3:3: service 'a': host: required field missing"]],
  [
    'wrong types, all of them',
    'services:\n- {name: 1, host: [], port: "80", retries: 1.5, enabled: yes}',
    [
      '3:10: service: name: expected a string',
      '3:19: service: host: expected a string',
      '3:29: service: port: expected an integer',
      '3:44: service: retries: expected an integer',
      '3:58: service: enabled: expected a boolean',
    ].map((line) => line.replace('service:', "service '1':")),
  ],
  [
    'numbers out of range',
    'services:\n- {name: a, host: h, port: 65536, retries: -1, connect_timeout: 0}',
    [
      "3:28: service 'a': port: value should be between 0 and 65535",
      "3:44: service 'a': retries: value should be between 0 and 32767",
      "3:65: service 'a': connect_timeout: value should be between 1 and 2147483646",
    ],
  ],
  [
    'host with a port',
    'services:\n- {name: a, host: "h:80"}',
    ["3:19: service 'a': host: must not have a port"],
  ],
  [
    'bad address',
    'services:\n- {name: a, host: 300.1.1.1}',
    ["3:19: service 'a': host: invalid ipv4 address: 300.1.1.1"],
  ],
  [
    'unknown protocol',
    'services:\n- {name: a, host: h, protocol: htp}',
    [
      "3:32: service 'a': protocol: expected one of: grpc, grpcs, http, https, tcp, tls, " +
        'tls_passthrough, udp',
    ],
  ],
  [
    'path where the protocol has none',
    'services:\n- {name: a, host: h, protocol: tcp, path: /x}',
    [
      "3:3: service 'a': failed conditional validation given value of field 'protocol'",
      "3:43: service 'a': path: value must be null",
    ],
  ],
  ['url without scheme', 'services:\n- url: foo', ['3:8: service: url: missing scheme in url']],
  ['url without host', 'services:\n- url: http:///x', ['3:8: service: url: missing host in url']],
  [
    'bad port in a url is reported at the url',
    'services:\n- url: http://h:99999/',
    ['3:8: service: port: value should be between 0 and 65535'],
  ],
  [
    'service path',
    'services:\n- {host: h, path: x}\n- {host: h, path: /a//b}\n' +
      '- {host: h, path: "/%zz"}\n- {host: h, path: "/a b"}',
    [
      '3:19: service: path: should start with: /',
      '4:19: service: path: must not have empty segments',
      "5:19: service: path: invalid url-encoded value: '%zz'",
      "6:19: service: path: invalid path: '/a b' (characters outside of the reserved list of " +
        'RFC 3986 found)',
    ],
  ],
  [
    'misspelt field of a nested route',
    'services:\n- name: a\n  host: h\n  routes:\n  - name: r\n    pahts: [/x]\n    hosts: [a.test]',
    ["7:5: route 'r': pahts: unknown field (did you mean 'paths'?)"],
  ],
  [
    'misspelt nested collection',
    'services:\n- host: h\n  routs: []',
    ["4:3: service: routs: unknown field (did you mean 'routes'?)"],
  ],
  [
    'no criterion',
    'routes:\n- name: r',
    [
      "3:3: route 'r': must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' " +
        "when 'protocols' is 'https'",
    ],
  ],
  [
    'paths of a route',
    'routes:\n- paths: [x, /a//b, /a%20b, "/%2f", "/%zz", "~/(", "~/(?=a)"]',
    [
      '3:11: route: paths[0]: should start with: / (fixed path) or ~/ (regexed path)',
      '3:14: route: paths[1]: must not have empty segments',
      "3:21: route: paths[2]: non-normalized path, consider use '/a b' instead",
      "3:29: route: paths[3]: non-normalized path, consider use '/%2F' instead",
      "3:37: route: paths[4]: invalid url-encoded value: '%zz'",
      "3:45: route: paths[5]: invalid regex: '/(' " +
        '(the group is not closed at column 2 of the pattern)',
      "3:52: route: paths[6]: invalid regex: '/(?=a)' " +
        '(look-around (?= is not supported at column 2 of the pattern)',
    ],
  ],
  [
    'hosts of a route',
    'routes:\n- hosts: ["*.*.a", "a*.b", "a.*:80", "a_b.test:0x1"]',
    [
      '3:11: route: hosts[0]: invalid wildcard: must have at most one wildcard',
      '3:20: route: hosts[1]: invalid wildcard: must be placed at leftmost or rightmost label',
      '3:28: route: hosts[2]: invalid wildcard: must be placed at leftmost or rightmost label',
      '3:38: route: hosts[3]: invalid value: a_b.test:0x1',
    ],
  ],
  [
    'methods, headers and snis',
    'routes:\n- methods: [get]\n  headers: {Host: [a], "x y": [b]}\n  snis: ["1.2.3.4"]',
    [
      '3:13: route: methods[0]: invalid value: get',
      "4:13: route: headers.Host: cannot contain 'host' header, which must be specified in " +
        "the 'hosts' attribute",
      "4:24: route: headers.x y: bad header name 'x y', allowed characters are A-Z, a-z, 0-9, " +
        "'_', and '-'",
      '5:10: route: snis[0]: must not be an IP',
    ],
  ],
  [
    'protocols that exclude each other',
    'routes:\n- protocols: [http, tcp]\n  paths: [/]',
    [
      "3:14: route: protocols: these sets are mutually exclusive: ('http', 'https'), " +
        "('tcp', 'tls', 'udp'), ('tls_passthrough'), ('grpc', 'grpcs')",
    ],
  ],
  [
    'fields that a protocol has not',
    'routes:\n- protocols: [grpc]\n  hosts: [a.test]\n  methods: [GET]\n  strip_path: true',
    [
      "5:12: route: methods: cannot set 'methods' when 'protocols' is 'grpc' or 'grpcs'",
      "6:15: route: strip_path: cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'",
    ],
  ],
  [
    'snis without tls',
    'routes:\n- protocols: [http]\n  paths: [/]\n  snis: [a.test]',
    [
      "3:3: route: 'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or " +
        "'tls_passthrough'",
      '5:9: route: snis: length must be 0',
    ],
  ],
  [
    'sources of an http route',
    'routes:\n- paths: [/]\n  sources: [{ip: 10.0.0.0/33}, {}]',
    [
      "4:18: route: sources[0].ip: invalid ip or cidr range: '10.0.0.0/33'",
      "4:32: route: sources[1]: at least one of these fields must be non-empty: 'ip', 'port'",
    ],
  ],
  [
    'expression outside its flavour',
    "routes:\n- name: r\n  paths: [/]\n  expression: 'true'",
    ["5:15: route 'r': expression: only allowed with router_flavor 'expressions'"],
  ],
  [
    'dangling reference',
    'services:\n- {name: orders, host: h}\nroutes:\n- {paths: [/], service: order}',
    [
      "5:25: route: service: invalid reference 'service: order' (no such entry in 'services') " +
        "(did you mean 'orders'?)",
    ],
  ],
  [
    'reference of a wrong form',
    'routes:\n- {paths: [/], service: [a]}\n- {paths: [/], service: {id: a, name: b}}',
    ['3:25: route: service: expected a string', '4:25: route: service: expected a string'],
  ],
  [
    'parent given in a nested entity',
    'services:\n- {name: a, host: h, routes: [{paths: [/], service: a}]}',
    [
      '3:53: route: service: value must be null ' +
        '(a nested route belongs to the service around it)',
    ],
  ],
  [
    'names that occur twice',
    'services:\n- {name: a, host: h}\n- {name: a, host: h}',
    [
      "4:10: service 'a': name: uniqueness violation: 'services' entity with name set to 'a' " +
        'already declared',
    ],
  ],
  [
    'ids that occur twice',
    'services:\n- {id: 0dc6f45b-8f8d-40d2-a504-473544ee190b, host: h}\n' +
      '- {id: 0dc6f45b-8f8d-40d2-a504-473544ee190b, host: h}\n- {id: x, host: h}',
    [
      "4:8: service: id: uniqueness violation: 'services' entity with primary key set to " +
        "'0dc6f45b-8f8d-40d2-a504-473544ee190b' already declared",
      '5:8: service: id: expected a valid UUID',
    ],
  ],
  [
    'consumer without a name',
    'consumers:\n- tags: ["a,b"]',
    [
      '3:3: consumer: at least one of these fields must be non-empty: ' + "'custom_id', 'username'",
      "3:10: consumer: tags[0]: invalid tag 'a,b': expected printable ascii (except `,` and `/`) " +
        'or valid utf-8 sequences',
    ],
  ],
  [
    'plugin that is not loaded',
    'plugins:\n- name: request-terminaton',
    [
      "3:9: plugin 'request-terminaton': name: plugin 'request-terminaton' not enabled; add it " +
        "to the 'plugins' configuration property (did you mean 'request-termination'?)",
    ],
  ],
  ['plugin without a name', 'plugins:\n- {}', ['3:3: plugin: name: required field missing']],
  [
    'plugin config',
    'plugins:\n- name: shipper\n  config:\n    endpont: x\n    secret: ABC\n' +
      '    queue:\n      max_batch_size: 0',
    [
      "5:5: plugin 'shipper': config.endpont: unknown field (did you mean 'endpoint'?)",
      "5:5: plugin 'shipper': config.endpoint: required field missing",
      "6:13: plugin 'shipper': config.secret: invalid value",
      "8:23: plugin 'shipper': config.queue.max_batch_size: value should be between 1 and 1000000",
    ],
  ],
  [
    'the same plugin twice in one place',
    'services:\n- {name: a, host: h}\nplugins:\n' +
      '- {name: request-termination, service: a}\n' +
      '- {name: request-termination, service: {name: a}}',
    [
      "6:10: plugin 'request-termination': name: uniqueness violation: 'plugins' entity with " +
        "name set to 'request-termination' already declared (only one configuration of a " +
        'plugin is allowed for service=72734e2a-702d-5711-b9ef-697178108ad8)',
    ],
  ],
  [
    'scope that a plugin has not',
    'consumers: [{username: u}]\nplugins:\n' +
      '- {name: shipper, consumer: u, config: {endpoint: "http://a"}}',
    [
      "4:29: plugin 'shipper': consumer: value must be null " +
        '(this plugin cannot be attached to a consumer)',
    ],
  ],
  [
    'protocols that the route has not',
    'routes:\n- protocols: [http]\n  paths: [/]\n  plugins:\n' +
      '  - {name: request-termination, protocols: [https]}',
    ["6:44: plugin 'request-termination': protocols: must match the associated route's protocols"],
  ],
  [
    'notes of a wrong type',
    '_comment: 1\n_ignore: x',
    ['2:11: _comment: expected a string', '3:10: _ignore: expected an array'],
  ],
];

describe('invalid configurations', () => {
  test.each(cases)('%s', (_name, body, expected) => {
    expect(report(head + body)).toEqual(expected);
  });

  test('every problem of a file comes at once, in its order', () => {
    const all = cases.slice(0, 2).map(([, body]) => body);
    const bodies = [...all.slice(1), all[0]];
    expect(report(head + bodies.join('\n'))).toHaveLength(2);
  });

  test.each([
    ['', '1:1: expected an object'],
    ['x', '1:1: expected an object'],
    ['{}', '1:1: _format_version: required field missing (write _format_version: "3.0")'],
    [
      '_format_version: 3.0',
      '1:18: _format_version: expected a string (write _format_version: "3.0")',
    ],
    ['_format_version: "2.0"', '1:18: _format_version: expected one of: 1.1, 2.1, 3.0'],
  ])('top level %j', (text, expected) => {
    expect(report(text)).toEqual([expected]);
  });
});
