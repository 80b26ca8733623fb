import { describe, expect, test } from 'vitest';
import { validateRecord } from '../../../src/config/schema/validate.js';
import { type DatadogConfig, datadogLines } from '../../../src/log/datadog-lines.js';
import {
  packLines,
  type StatsdConfig,
  statsdLines,
  statusAllowed,
} from '../../../src/log/statsd-lines.js';
import datadog from '../../../src/plugin/builtin/datadog.js';
import statsd from '../../../src/plugin/builtin/statsd.js';

const consumer = { id: 'c0-ff-ee', username: 'bob', custom_id: 'bob-7' };
const entry = {
  request: { size: 100 },
  response: { size: 200, status: 200 },
  latencies: { request: 30, proxy: 20, kong: 5 },
  service: { id: 'sid', name: 'my.shop', host: 'shop.internal' },
  route: { id: 'rid', name: null },
  consumer,
  workspace: 'wid',
  workspace_name: 'default',
};
const { consumer: _nobody, ...anonymous } = entry;
const { service: _none, route: _no, ...unmatched } = anonymous;

/** A valid config of a plugin; errors of the schema fail the test. */
function configOf<C>(plugin: typeof statsd | typeof datadog, given: object): C {
  const { value, errors } = validateRecord(plugin.schema, given);
  expect(errors).toEqual([]);
  return value as C;
}

const statsdOf = (given: object, of: object = entry) =>
  statsdLines(of as never, configOf<StatsdConfig>(statsd, given), 'node.host');
const datadogOf = (given: object, of: object = entry) =>
  datadogLines(of as never, configOf<DatadogConfig>(datadog, given));

describe('statsd lines', () => {
  test('the default metrics of a request with a consumer', () => {
    expect(statsdOf({})).toEqual([
      'kong.service.my_shop.request.count:1|c',
      'kong.service.my_shop.latency:30|ms',
      'kong.service.my_shop.request.size:100|c',
      'kong.service.my_shop.status.200:1|c',
      'kong.service.my_shop.response.size:200|c',
      'kong.service.my_shop.user.uniques:bob-7|s',
      'kong.service.my_shop.user.bob-7.request.count:1|c',
      'kong.service.my_shop.upstream_latency:20|ms',
      'kong.service.my_shop.kong_latency:5|ms',
      'kong.service.my_shop.user.bob-7.status.200:1|c',
      'kong.service.my_shop.workspace.wid.status.200:1|c',
      'kong.route.rid.user.bob-7.status.200:1|c',
    ]);
  });

  test('without a consumer or a service what does not apply is left out', () => {
    const lines = statsdOf({}, { ...unmatched, latencies: { request: 1, proxy: -1, kong: 0 } });
    expect(lines).toEqual([
      'kong.global.unmatched.request.count:1|c',
      'kong.global.unmatched.latency:1|ms',
      'kong.global.unmatched.request.size:100|c',
      'kong.global.unmatched.status.200:1|c',
      'kong.global.unmatched.response.size:200|c',
      'kong.global.unmatched.kong_latency:0|ms',
      'kong.global.unmatched.workspace.wid.status.200:1|c',
    ]);
  });

  const one = (metric: object, more: object = {}, of: object = entry) =>
    statsdOf({ metrics: [metric], ...more }, of)[0];

  test('identifiers, rates, types and the prefix', () => {
    const count = { name: 'request_count', stat_type: 'gauge', sample_rate: 0.5 };
    expect(one(count)).toBe('kong.service.my_shop.request.count:1|g|@0.5');
    expect(one({ ...count, service_identifier: 'service_id' })).toMatch(/^kong\.service\.sid\./);
    const by = {
      service_identifier_default: 'service_host',
      prefix: 'p',
      hostname_in_prefix: true,
    };
    expect(one(count, by)).toBe('p.node.node_host.service.shop_internal.request.count:1|g|@0.5');
    const nameless = { ...entry, service: { ...entry.service, name: null } };
    const byName = { service_identifier_default: 'service_name' };
    expect(one(count, byName, nameless)).toMatch(/^kong\.service\.unnamed\./);
    const unique = { name: 'unique_users', stat_type: 'gauge', sample_rate: 0.5 };
    expect(one({ ...unique, consumer_identifier: 'consumer_id' })).toMatch(/uniques:c0-ff-ee\|s$/);
    const status = { name: 'status_count_per_workspace', stat_type: 'timer', sample_rate: 0.1 };
    expect(one({ ...status, workspace_identifier: 'workspace_name' })).toBe(
      'kong.service.my_shop.workspace.default.status.200:1|c|@0.1',
    );
    for (const [stat_type, letter] of [
      ['histogram', 'h'],
      ['meter', 'm'],
      ['set', 's'],
    ]) {
      expect(one({ name: 'latency', stat_type })).toBe(`kong.service.my_shop.latency:30|${letter}`);
    }
  });

  const tags = [
    ['service', 'my.shop'],
    ['route', 'rid'],
    ['workspace', 'wid'],
    ['consumer', 'bob-7'],
    ['node', 'node_host'],
    ['status', '200'],
  ];
  const joined = (separator: string) => tags.map((tag) => tag.join(separator)).join(',');

  test.each([
    ['dogstatsd', `kong.latency:30|ms|#${joined(':')}`],
    ['influxdb', `kong.latency,${joined('=')}:30|ms`],
    ['librato', `kong.latency#${joined('=')}:30|ms`],
    ['signalfx', `kong.latency[${joined('=')}]:30|ms`],
  ])('tags in the style of %s', (tag_style, line) => {
    expect(one({ name: 'latency', stat_type: 'timer' }, { tag_style })).toBe(line);
    const plain = one({ name: 'latency', stat_type: 'timer' }, { tag_style }, unmatched);
    expect(plain).toBe('kong.latency:30|ms');
    expect(statsdOf({ tag_style })).toHaveLength(6);
  });

  test('packets', () => {
    expect(packLines(['aa', 'bb', 'cc'], 5)).toEqual(['aa\nbb', 'cc']);
    expect(packLines(['aa', 'bb', 'cc'], 4)).toEqual(['aa', 'bb', 'cc']);
    expect(packLines(['aa', 'bbbbbbbb', 'cc'], 5)).toEqual(['aa', 'bbbbbbbb', 'cc']);
    expect(packLines(['aa', 'bb'], 0)).toEqual(['aa', 'bb']);
    expect(packLines([], 10)).toEqual([]);
  });

  test('statuses', () => {
    expect(statusAllowed(entry as never, null)).toBe(true);
    expect(statusAllowed(entry as never, ['100-199', '200-200'])).toBe(true);
    expect(statusAllowed(entry as never, ['300-599'])).toBe(false);
    expect(statusAllowed(entry as never, [])).toBe(false);
  });

  test('the schema refuses what Kong refuses', () => {
    const faults = (given: object) =>
      validateRecord(statsd.schema, given).errors.map(({ message }) => message);
    const metric = { name: 'latency', stat_type: 'counter' };
    expect(faults({ metrics: [metric] })).not.toEqual([]);
    expect(faults({ metrics: [{ name: 'latency', stat_type: 'distribution' }] })).not.toEqual([]);
    expect(faults({ allow_status_codes: ['200'] })).toEqual(['invalid value: 200']);
    expect(faults({ udp_packet_size: 65508 })).toEqual(['value should be between 0 and 65507']);
  });
});

describe('datadog lines', () => {
  test('the default metrics', () => {
    const suffix = '|#name:my_shop,status:200,consumer:bob-7,app:kong';
    expect(datadogOf({})).toEqual([
      `kong.request.count:1|c${suffix}`,
      `kong.latency:30|ms${suffix}`,
      `kong.request.size:100|ms${suffix}`,
      `kong.response.size:200|ms${suffix}`,
      `kong.upstream_latency:20|ms${suffix}`,
      `kong.kong_latency:5|ms${suffix}`,
    ]);
  });

  test('names of tags, rates, a request without a service', () => {
    const metric = {
      name: 'request_count',
      stat_type: 'distribution',
      sample_rate: 0.25,
      consumer_identifier: 'consumer_id',
      tags: ['a:b', 'c'],
    };
    const names = { service_name_tag: 'svc', status_tag: 'st', consumer_tag: 'who', prefix: 'p' };
    expect(datadogOf({ metrics: [metric], ...names })).toEqual([
      'p.request.count:1|d|@0.25|#svc:my_shop,st:200,who:c0_ff_ee,a:b,c',
    ]);
    const bare = { name: 'upstream_latency', stat_type: 'gauge', sample_rate: 1 };
    const notProxied = { ...unmatched, latencies: { proxy: -1 } };
    expect(datadogOf({ metrics: [bare] }, notProxied)).toEqual([
      'kong.upstream_latency:-1|g|#name:,status:200',
    ]);
  });

  test('a tag must not end with a colon', () => {
    const metrics = [{ name: 'latency', stat_type: 'timer', tags: ['a:'] }];
    const { errors } = validateRecord(datadog.schema, { metrics });
    expect(errors.map(({ message }) => message)).toEqual(['invalid value: a:']);
  });
});
