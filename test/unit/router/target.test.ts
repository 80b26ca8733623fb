import { describe, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { makeRoute, makeService } from '../../support/entities.js';
import { install, lookUp, makeRequest } from './harness.js';

const core = createCore();

function target(base: string | null, path: string | null, strip: boolean, request: string) {
  const service = makeService(0, { path: base });
  const paths = path === null ? null : [path];
  const routes = [makeRoute(0, { hosts: ['any.test'], paths, strip_path: strip, service })];
  install(core, routes);
  return lookUp(core, routes, makeRequest({ target: request })).target;
}

describe('path toward the upstream', () => {
  test.each([
    ['/', '/rt', true, '/rt', '/'],
    ['/', '/rt', true, '/rtq', '/q'],
    ['/srv', '/', true, '/', '/srv'],
    ['/srv', '/', false, '/', '/srv'],
    ['/srv', '/', true, '/q', '/srv/q'],
    ['/srv', '/', false, '/q', '/srv/q'],
    ['/srv', '/rt', false, '/rt', '/srv/rt'],
    ['/srv', '/rt', true, '/rt/', '/srv/'],
    ['/srv', '/rt', true, '/rt/q', '/srv/q'],
    ['/srv', '/rt', true, '/rtq', '/srv/q'],
    ['/srv', '/rt/', true, '/rt/', '/srv/'],
    ['/srv', '/rt/', true, '/rt/q', '/srv/q'],
    ['/srv/', '/', true, '/', '/srv/'],
    ['/srv/', '/', false, '/', '/srv/'],
    ['/srv/', '/rt', true, '/rt', '/srv'],
    ['/srv/', '/rt', true, '/rt/', '/srv/'],
    ['/srv/', '/rt', true, '/rtq', '/srv/q'],
    ['/srv', null, true, '/', '/srv'],
    ['/srv', null, false, '/', '/srv'],
    ['/srv/', null, true, '/', '/srv/'],
    ['/srv/', null, false, '/', '/srv/'],
    ['/srv', '/rt', true, '/rt../q', '/srv/q'],
    ['/srv', '/rt', false, '/rt%2e/q', '/srv/rt./q'],
    [null, null, true, '/a/b', '/a/b'],
  ] as const)('base %j, route %j, strip %j, request %j: %j', (base, path, strip, request, want) => {
    expect(target(base, path, strip, request)).toBe(want);
  });

  test.each([
    ['/a|b', '/a%7Cb'],
    ['/a%20b', '/a%20b'],
    ['/a%0d%0aX:1', '/a%0D%0AX:1'],
    ['/a"<>\\^`{}', '/a%22%3C%3E%5C%5E%60%7B%7D'],
    ["/!$&'()*+,;=:@-._~[]", "/!$&'()*+,;=:@-._~[]"],
    ['/%c3%B8', '/%C3%B8'],
    ['/a%2fb%25', '/a%2Fb%25'],
    ['/x?', '/x?'],
    ['/a/../b?p=/x/../y//z/%2e', '/b?p=/x/../y//z/%2e'],
    ['/a??b', '/a??b'],
  ])('%j is sent as %j', (request, want) => {
    expect(target(null, '/', false, request)).toBe(want);
  });
});

describe('query toward the upstream', () => {
  test.each([
    ['/a?b=c', '/a?b=c'],
    ['/a?', '/a?'],
    ['/a?x={1}|[2]&%zz', '/a?x={1}|[2]&%zz'],
    ['/a?\x80', '/a?%80'],
    ['/a?b=caf\xc3\xa9&sixteen-octets-more=\xff', '/a?b=caf%C3%A9&sixteen-octets-more=%FF'],
  ])('%j becomes %j', (request, expected) => {
    expect(target(null, null, true, request)).toBe(expected);
  });
});
