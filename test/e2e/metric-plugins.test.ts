import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { oneService, startGateway, startUpstream, until } from '../support/gateway.js';
import { ask, freePort, startDaemon, startUdpReceiver, tempFolder } from '../support/receivers.js';

const waitMs = 25_000;

async function withMetrics(name: string, config: object) {
  const upstream = await startUpstream();
  return startGateway({ config: oneService(upstream.url, [{ name, config }]) });
}

/** The statsd daemon, listening on UDP and TCP; `counters` and the like ask it what it has seen. */
async function startStatsd() {
  const folder = tempFolder();
  const [port, mgmt] = [await freePort(), await freePort()];
  const config = {
    mgmt_port: mgmt,
    mgmt_address: '127.0.0.1',
    backends: [],
    flushInterval: 3_600_000,
    servers: ['udp', 'tcp'].map((kind) => ({
      server: `./servers/${kind}`,
      address: '127.0.0.1',
      port,
    })),
  };
  const file = join(folder, 'config.js');
  writeFileSync(file, JSON.stringify(config));
  const program = createRequire(import.meta.url).resolve('statsd/stats.js');
  startDaemon(process.execPath, [program, file]);
  await until(async () => (await ask(mgmt, 'health', '\n')) !== null, waitMs);
  return { port, list: async (kind: string) => (await ask(mgmt, kind, 'END')) ?? '' };
}

describe('statsd', () => {
  test.each([false, true])('the real daemon counts requests (TCP: %s)', async (use_tcp) => {
    const statsd = await startStatsd();
    const { proxy } = await withMetrics('statsd', {
      host: '127.0.0.1',
      port: statsd.port,
      use_tcp,
    });
    for (let i = 0; i < 3; i++) await (await fetch(`${proxy}/${i}`)).text();
    const counted = async () => {
      return (await statsd.list('counters')).includes("'kong.service.one.request.count': 3");
    };
    await until(counted, waitMs);
    const counters = await statsd.list('counters');
    expect(counters).toContain("'kong.service.one.status.200': 3");
    expect(counters).toContain('kong.service.one.workspace.');
    expect(counters).toMatch(/'statsd.bad_lines_seen': 0/);
    expect(await statsd.list('timers')).toContain("'kong.service.one.latency'");
  });

  test('lines share datagrams up to udp_packet_size, and statuses are chosen', async () => {
    const receiver = await startUdpReceiver();
    const { proxy } = await withMetrics('statsd', {
      host: '127.0.0.1',
      port: receiver.port,
      udp_packet_size: 65_000,
      hostname_in_prefix: false,
      allow_status_codes: ['200-299'],
      queue: { max_batch_size: 10, max_coalescing_delay: 0.1 },
    });
    await (await fetch(`${proxy}/1`)).text();
    await until(() => receiver.datagrams.length === 1, waitMs);
    const lines = receiver.datagrams[0].split('\n');
    expect(lines).toContain('kong.service.one.request.count:1|c');
    expect(lines).toContain('kong.service.one.status.200:1|c');
    expect(lines.length).toBe(8);
  });
});

describe('datadog', () => {
  test('sends a datagram per metric with tags', async () => {
    const receiver = await startUdpReceiver();
    const { proxy } = await withMetrics('datadog', { host: '127.0.0.1', port: receiver.port });
    await (await fetch(`${proxy}/1`)).text();
    await until(() => receiver.datagrams.length === 6, waitMs);
    expect(receiver.datagrams[0]).toBe('kong.request.count:1|c|#name:one,status:200,app:kong');
    expect(receiver.datagrams.slice(1).map((text) => text.split(':')[0])).toEqual([
      'kong.latency',
      'kong.request.size',
      'kong.response.size',
      'kong.upstream_latency',
      'kong.kong_latency',
    ]);
  });
});
