import { expect, test } from 'vitest';
import { LogFlag, LogRecord } from '../../../src/core/layout.js';
import { decodeLogRecord } from '../../../src/log/entry.js';
import { decodeMetricRecord } from '../../../src/log/metric-record.js';
import { logRecord, type RecordParts, resolver } from '../../support/log-record.js';

test.each<[string, RecordParts]>([
  ['a proxied request', {}],
  ['an answer of the gateway', { fields: { flags: LogFlag.LOCAL } }],
  ['a client that went away', { fields: { flags: LogFlag.CLIENT_ABORT } }],
])('metrics see what the whole record says: %s', (_what, parts) => {
  const record = logRecord(parts);
  const { request, response, latencies, source, workspace_name } = decodeLogRecord(
    record,
    resolver,
  );
  expect(decodeMetricRecord(record, resolver)).toMatchObject({
    route: resolver.route(1, 0),
    request: { size: request.size },
    response: { size: response.size, status: response.status },
    latencies: { kong: latencies.kong, proxy: latencies.proxy, request: latencies.request },
    source,
    workspace_name,
    consumer: null,
  });
});

test('the consumer is the one that a policy found', () => {
  const record = logRecord();
  record.writeUInt32LE(3, LogRecord.credential);
  const consumer = { username: 'jo' };
  const known = {
    ...resolver,
    credential: (_generation: number, place: number) => (place === 2 ? { consumer } : null),
  };
  expect(decodeMetricRecord(record, known as never).consumer).toBe(consumer);
});
