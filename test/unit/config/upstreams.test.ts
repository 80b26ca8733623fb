import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/index.js';
import type { Snapshot } from '../../../src/config/model.js';
import { plugins, report } from './harness.js';

function load(upstreams: unknown[], more: Record<string, unknown> = {}): Snapshot {
  const text = JSON.stringify({ _format_version: '3.0', upstreams, ...more });
  const result = loadConfig({ text, pluginSchemas: plugins, nowMs: 1_700_000_000_123 });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.snapshot;
}

const one = (fields: Record<string, unknown>) => load([{ name: 'u', ...fields }]).upstreams[0];
const faults = (yaml: string) => report(`_format_version: "3.0"\n${yaml}`);

describe('defaults', () => {
  test('are those of Kong', () => {
    expect(one({})).toMatchObject({
      algorithm: 'round-robin',
      hash_on: 'none',
      hash_fallback: 'none',
      hash_on_cookie_path: '/',
      slots: 10000,
      host_header: null,
      use_srv_name: false,
      healthchecks: {
        threshold: 0,
        active: {
          type: 'http',
          timeout: 1,
          concurrency: 10,
          http_path: '/',
          https_sni: null,
          https_verify_certificate: true,
          headers: null,
          healthy: { interval: 0, http_statuses: [200, 302], successes: 0 },
          unhealthy: { interval: 0, tcp_failures: 0, timeouts: 0, http_failures: 0 },
        },
        passive: {
          type: 'http',
          unhealthy: { http_statuses: [429, 500, 503], http_failures: 0 },
        },
      },
    });
  });

  test('a target has port 8000 and weight 100, and times in milliseconds', () => {
    const { targets } = load([{ name: 'u', targets: [{ target: 'a' }] }]);
    expect(targets[0]).toMatchObject({ target: 'a:8000', weight: 100 });
    expect(targets[0].created_at).toBe(1_700_000_000.123);
    expect(targets[0].upstream.name).toBe('u');
  });
});

test.each([
  ['10.0.0.1', '10.0.0.1:8000'],
  ['10.0.0.1:80', '10.0.0.1:80'],
  ['[::1]:80', '[::1]:80'],
  ['::1', '[::1]:8000'],
  ['[::1]', '[::1]:8000'],
  ['a.b:1', 'a.b:1'],
])('target %s is kept as %s', (given, kept) => {
  const { targets } = load([{ name: 'u', targets: [{ target: given }] }]);
  expect(targets[0].target).toBe(kept);
});

test.each(['a:b', 'a:70000', '300.1.1.1:80', 'a b', 'a:80:90', ''])('target %j is none', (text) => {
  expect(() => load([{ name: 'u', targets: [{ target: text }] }])).toThrow();
});

describe('hash input and algorithm', () => {
  test.each([
    [{ hash_on: 'ip' }, 'consistent-hashing', 'ip'],
    [{ algorithm: 'round-robin', hash_on: 'ip' }, 'consistent-hashing', 'ip'],
    [{ algorithm: 'consistent-hashing', hash_on: 'none' }, 'round-robin', 'none'],
    [{ algorithm: 'consistent-hashing' }, 'consistent-hashing', 'none'],
    [{ algorithm: 'least-connections', hash_on: 'none' }, 'least-connections', 'none'],
    [{ algorithm: 'latency', hash_on: 'ip' }, 'latency', 'none'],
  ])('%j', (given, algorithm, hashOn) => {
    expect(one(given)).toMatchObject({ algorithm, hash_on: hashOn });
  });
});

describe('refused', () => {
  test.each([
    ['name: 10.0.0.1', "name: Invalid name ('10.0.0.1'); no ip addresses allowed"],
    ['name: "::1"', "name: Invalid name ('::1'); no ip addresses allowed"],
    ['name: "a:80"', "name: Invalid name ('a:80'); no port allowed"],
    ['name: "a b"', "name: Invalid name ('a b'); must be a valid hostname"],
  ])('%s', (fields, text) => {
    expect(faults(`upstreams:\n- {${fields}}`)[0]).toContain(text);
  });

  test.each([
    ['algorithm: best', 'algorithm: expected one of: consistent-hashing, least-connections'],
    ['hash_on: body', 'hash_on: expected one of: none, consumer, ip'],
    ['slots: 9', 'slots: value should be between 10 and 65536'],
    ['slot: 10', 'slot: unknown field (did you mean'],
    ['hash_on: header', 'hash_on_header: required field missing'],
    ['hash_on: cookie', 'hash_on_cookie: required field missing'],
    ['hash_on: query_arg', 'hash_on_query_arg: required field missing'],
    ['hash_on: uri_capture', 'hash_on_uri_capture: required field missing'],
    ['hash_fallback: ip', 'hash_fallback: expected one of: none'],
    ['hash_on: ip, hash_fallback: ip', 'hash_fallback: expected one of: none, consumer, header'],
    [
      'hash_on: cookie, hash_on_cookie: c, hash_fallback: ip',
      'hash_fallback: expected one of: none',
    ],
    [
      'hash_on: header, hash_on_header: X, hash_fallback: header, hash_fallback_header: X',
      "values of these fields must be distinct: 'hash_on_header', 'hash_fallback_header'",
    ],
    ['healthchecks: {threshold: 101}', 'healthchecks.threshold: value should be between 0 and 100'],
    [
      'healthchecks: {active: {type: udp}}',
      'healthchecks.active.type: expected one of: tcp, http, https, grpc, grpcs',
    ],
    [
      'healthchecks: {passive: {unhealthy: {http_failures: 256}}}',
      'http_failures: value should be between 0 and 255',
    ],
    ['client_certificate: nope', "invalid reference 'client_certificate: nope'"],
    ['targets: [{target: a, weight: 65536}]', 'weight: value should be between 0 and 65535'],
    [
      'targets: [{target: "a b"}]',
      "target: Invalid target ('a b'); not a valid hostname or ip address",
    ],
    ['targets: [{target: a, upstream: u}]', 'upstream: value must be null'],
  ])('%s', (fields, text) => {
    const found = faults(`upstreams:\n- {name: u, ${fields}}`);
    expect(found.some((line) => line.includes(text))).toBe(true);
  });

  test('a target twice in an upstream, however it is written', () => {
    expect(faults('upstreams:\n- {name: u, targets: [{target: a}, {target: "a:8000"}]}')).toEqual([
      expect.stringContaining("uniqueness violation: 'targets' entity with"),
    ]);
  });

  test('an upstream name twice, and a target of no upstream', () => {
    expect(faults('upstreams: [{name: u}, {name: u}]')[0]).toContain('already declared');
    expect(faults('targets: [{target: a}]')[0]).toContain('upstream: required field missing');
    expect(faults('targets: [{target: a, upstream: u}]')[0]).toContain(
      "invalid reference 'upstream: u' (no such entry in 'upstreams')",
    );
  });
});

test('targets at the top level name their upstream, and ids stay the same', () => {
  const flat = load([{ name: 'u' }], { targets: [{ target: 'a:1', upstream: 'u' }] });
  const nested = load([{ name: 'u', targets: [{ target: 'a:1' }] }]);
  expect(flat.targets[0].id).toBe(nested.targets[0].id);
  expect(Object.values(flat.entities.targets)).toMatchObject([
    { target: 'a:1', upstream: { id: flat.upstreams[0].id } },
  ]);
});
