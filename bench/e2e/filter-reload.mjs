/**
 * `node bench/e2e/filter-reload.mjs [MB]`: a filter of 5 MB is replaced three times while 16
 * connections are busy: failed requests, and the longest turn of the gateway's event loop, beside
 * that of the same time without reload. Then the memory that one more instance takes. The build
 * must be there.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import binaryen from 'binaryen';
import { largeModule } from '../../test/support/large-module.mjs';
import { load } from './load.mjs';
import { pause } from './process.mjs';

const seconds = 4;
const reloads = 3;
const instances = 50;
const isGateway = process.argv[2] === 'gateway';

/** Adds a field of the request, as small as a filter can be. */
function smallModule(value) {
  const module = binaryen.parseText(`(module
    (import "env" "proxy_replace_header_map_value"
      (func $set (param i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 17)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 0x8000))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $set (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 8) (i32.const ${value})))
    (data (i32.const 0) "x-f") (data (i32.const 8) "values"))`);
  module.setFeatures(binaryen.Features.All);
  return module.emitBinary();
}

async function gateway(port, bytes) {
  const { createGateway } = await import('../../dist/index.js');
  const filters = { large: largeModule(smallModule(1), bytes) };
  const entries = (names) => names.map((name) => ({ name }));
  const config = (names) => ({
    _format_version: '3.0',
    services: [
      {
        name: 'one',
        url: `http://127.0.0.1:${port}`,
        routes: [{ paths: ['/'], filter_chains: [{ filters: entries(names) }] }],
      },
    ],
  });
  const settings = { proxy_listen: '127.0.0.1:0', admin_listen: 'off', log_level: 'error' };
  const running = createGateway({ env: {}, settings, filters, config: config(['large']) });
  await running.start();
  const turns = monitorEventLoopDelay({ resolution: 1 });
  turns.enable();
  const longest = () => {
    const ms = turns.max / 1e6;
    turns.reset();
    return ms;
  };
  process.on('message', async (what) => {
    if (what === 'turns') return process.send({ ms: longest() });
    if (what === 'memory') return process.send({ bytes: await perInstance() });
    filters.large = largeModule(smallModule(2 + (what % 4)), bytes);
    // What this process does itself to make the module is not the gateway's.
    await pause(50);
    longest();
    await running.reload();
    process.send({ ms: longest() });
  });
  const perInstance = async () => {
    const module = smallModule(1);
    const names = Array.from({ length: instances }, (_, i) => `small-${i}`);
    for (const name of names) filters[name] = { module, vmConfig: name };
    const before = process.memoryUsage().rss;
    await running.reload(config(names));
    return (process.memoryUsage().rss - before) / instances;
  };
  process.send({ port: running.addresses.find(({ kind }) => kind === 'proxy').port });
}

async function measure(megabytes) {
  const upstream = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const bytes = megabytes * 1024 * 1024;
  const file = fileURLToPath(import.meta.url);
  const child = fork(file, ['gateway', String(upstream.address().port), String(bytes)]);
  child.once('exit', () => process.exit());
  const answer = async (message) => {
    if (message !== undefined) child.send(message);
    const [said] = await once(child, 'message');
    return said;
  };
  const { port } = await answer();
  await answer('turns');
  const idle = await load(port, { seconds, connections: 16 });
  const quiet = await answer('turns');
  const running = load(port, { seconds, connections: 16 });
  const turns = [];
  for (let i = 0; i < reloads; i++) {
    await pause((seconds * 1000) / (reloads + 1));
    turns.push((await answer(i)).ms.toFixed(1));
  }
  const busy = await running;
  const { bytes: memory } = await answer('memory');
  const failed = (one) => `${one.errors} of ${one.requests} failed`;
  console.log(`no reload: ${failed(idle)}, longest turn ${quiet.ms.toFixed(1)} ms`);
  console.log(`${reloads} reloads of ${megabytes} MB: ${failed(busy)}, ${turns.join(', ')} ms`);
  console.log(`an instance of a small filter: ${(memory / 1024).toFixed(0)} KiB resident`);
  child.kill();
  upstream.closeAllConnections();
  upstream.close();
  process.exitCode = busy.errors === 0 ? 0 : 1;
}

if (isGateway) await gateway(Number(process.argv[3]), Number(process.argv[4]));
else await measure(Number(process.argv[2] ?? 5));
