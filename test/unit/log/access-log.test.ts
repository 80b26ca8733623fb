import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCore } from '../../../src/core/instance.js';
import { LogFlag } from '../../../src/core/layout.js';
import { RingTable } from '../../../src/core/ring.js';
import { AccessLog, accessLine } from '../../../src/log/access-log.js';
import { logRecord, resolver } from '../../support/log-record.js';
import { VirtualClock } from '../../support/virtual-clock.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'access-log-'));
  path = join(folder, 'access.log');
});

afterEach(() => rmSync(folder, { recursive: true }));

async function openLog() {
  const clock = new VirtualClock();
  const source = new RingTable(createCore()).open('access', { maxEntries: 10_000 });
  const errors: Error[] = [];
  const onError = (error: Error) => errors.push(error);
  const log = await AccessLog.open({ destination: path, source, resolver, clock, onError });
  return { clock, source, errors, log };
}

const statuses = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).status);

test('a line names the exchange, its route and its times', () => {
  const head =
    'GET /shop?a=1 HTTP/1.1\r\nHost: Example.com:8000\r\nUser-Agent: curl/8\r\n' +
    'Authorization: Basic c2VjcmV0\r\n\r\n';
  const line = accessLine(logRecord({ requestHead: head }), resolver);
  expect(line).not.toContain('c2VjcmV0');
  expect(JSON.parse(line)).toEqual({
    time: '2023-11-14T22:13:20.123Z',
    id: 'c0ffee00000000000000000000000000',
    client: '192.0.2.7',
    method: 'GET',
    host: 'example.com',
    uri: '/shop?a=1',
    protocol: 'HTTP/1.1',
    tls: false,
    status: 200,
    request_bytes: 61,
    response_bytes: 77,
    request_ms: 25,
    gateway_ms: 2,
    upstream_ms: 20,
    upstream_status: 200,
    upstream: '10.0.0.9:8080',
    tries: 1,
    route: 'shop-route',
    service: 'shop',
    user_agent: 'curl/8',
  });
});

test('what the gateway answered itself has no upstream', () => {
  const fields = {
    route: 9,
    status: 499,
    upstreamStatus: 0,
    target: 0xffffffff,
    upstreamMs: 0xffffffff,
    flags: LogFlag.LOCAL | LogFlag.CLIENT_ABORT,
  };
  const line = JSON.parse(accessLine(logRecord({ fields }), resolver));
  expect(line).toMatchObject({ status: 499, aborted: true });
  expect(Object.keys(line)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(upstream|route|service)/)]),
  );
});

test('records wait for a tick and are then written in blocks, in order', async () => {
  const { clock, source, log } = await openLog();
  for (let i = 0; i < 1000; i++) source.push(logRecord({ fields: { status: i } }));
  log.poll();
  log.poll();
  expect(clock.pending).toBe(1);
  expect(source.count).toBe(1000);
  await clock.runOut();
  await log.close();
  expect(statuses(path)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(log.written).toBe(1000);
  log.poll();
  expect(clock.pending).toBe(0);
});

test('after a rotation lines go to the new file and none is lost', async () => {
  const { source, log, errors } = await openLog();
  source.push(logRecord({ fields: { status: 1 } }));
  await log.flush();
  renameSync(path, `${path}.1`);
  source.push(logRecord({ fields: { status: 2 } }));
  await log.reopen();
  source.push(logRecord({ fields: { status: 3 } }));
  await log.close();
  expect([statuses(`${path}.1`), statuses(path)]).toEqual([[1, 2], [3]]);
  expect(errors).toEqual([]);
});

test('a record that cannot be read costs its block, not the log', async () => {
  const { source, log, errors } = await openLog();
  source.push(Buffer.from('no record'));
  await log.flush();
  source.push(logRecord());
  await log.close();
  expect(errors).toEqual([expect.objectContaining({ code: 'GW_E_STATE' })]);
  expect(statuses(path)).toEqual([200]);
});

test('a file that cannot be opened is named in the error', async () => {
  path = join(folder, 'missing', 'access.log');
  await expect(openLog()).rejects.toMatchObject({
    code: 'GW_E_SETTING_VALUE',
    message: expect.stringContaining(path),
  });
});
