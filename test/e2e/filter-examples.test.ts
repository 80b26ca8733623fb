import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startGateway, startUpstream, until } from '../support/gateway.js';
import { root } from '../tidy/tree.js';

vi.setConfig({ testTimeout: 120_000 });

const names = ['header-edit', 'token-auth', 'body-rewrite', 'rate-limit', 'call-out', 'tick'];
const sources = join(root, 'examples/filters/assemblyscript');
const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js');
const cli = join(root, 'dist/cli.js');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filter-examples-'));
  for (const name of names) {
    const output = ['--outFile', join(folder, `${name}.wasm`)];
    const options = ['--runtime', 'incremental', '--disableWarning', '235', ...output];
    execFileSync(process.execPath, [compiler, `${name}.ts`, ...options], { cwd: sources });
  }
}, 300_000);

afterAll(() => rm(folder, { recursive: true }));

async function withExample(name: string, config: string) {
  const upstream = await startUpstream((request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.setHeader('X-Powered-By', 'something');
    response.end(`${request.headers['x-gateway']} ${request.headers['x-user']} one two one`);
  });
  const route = { name: 'all', paths: ['/'], filter_chains: [{ filters: [{ name, config }] }] };
  const services = [{ name: 'up', url: upstream.url, routes: [route] }];
  const running = await startGateway({
    settings: { wasm: 'on', wasm_filters_path: folder },
    config: { _format_version: '3.0', services },
  });
  return { upstream, ...running };
}

describe('the example filters', () => {
  test('header-edit', async () => {
    const { proxy } = await withExample('header-edit', 'mine');
    const response = await fetch(`${proxy}/`);
    expect(await response.text()).toBe('mine undefined one two one');
    expect(response.headers.get('x-filtered')).toBe('yes');
    expect(response.headers.get('x-powered-by')).toBeNull();
  });

  test('token-auth', async () => {
    const { proxy } = await withExample('token-auth', 'first\nsecond');
    const ask = (authorization: string) => fetch(`${proxy}/`, { headers: { authorization } });
    expect((await ask('Bearer second')).status).toBe(200);
    const refused = await ask('Bearer third');
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    await expect(withExample('token-auth', '')).rejects.toThrow(/refuses this configuration/);
  });

  test('body-rewrite', async () => {
    const { proxy } = await withExample('body-rewrite', 'one=three');
    expect(await (await fetch(`${proxy}/`)).text()).toBe('undefined undefined three two three');
  });

  test('rate-limit', async () => {
    const { proxy, admin } = await withExample('rate-limit', '2');
    const statuses: number[] = [];
    for (let i = 0; i < 8; i++) statuses.push((await fetch(`${proxy}/`)).status);
    // A minute may end on the way; it cannot end twice.
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(4);
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    expect(metrics).toMatch(/^pw_rate_limit_limited [4-6]$/m);
  });

  test('call-out', async () => {
    const checker = await startUpstream((request, response) => {
      const allowed = request.headers['x-path'] === '/open';
      response.writeHead(allowed ? 200 : 403, { 'x-user': 'somebody' }).end();
    });
    const { proxy } = await withExample('call-out', `127.0.0.1:${checker.port}`);
    const open = await fetch(`${proxy}/open`);
    expect(await open.text()).toBe('undefined somebody one two one');
    expect((await fetch(`${proxy}/closed`)).status).toBe(403);
  });

  test('tick', async () => {
    const { proxy } = await withExample('tick', '5');
    const ticks = async () => Number((await fetch(`${proxy}/`)).headers.get('x-ticks'));
    await until(async () => (await ticks()) > 1);
  });
});

describe('the workshop', () => {
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [cli, 'filter', ...args], { encoding: 'utf8', cwd: folder });

  test('inspects a module', () => {
    const text = run('inspect', 'tick.wasm');
    expect(text).toMatch(/^ABI {7}0\.2\.1$/m);
    expect(text).toContain('env.proxy_set_tick_period_milliseconds');
    expect(() => run('inspect', 'missing.wasm')).toThrow();
  });

  test('runs a request through a module', () => {
    const args = ['--config', 'mine', '--', '-X', 'PUT', '-H', 'x-internal: 1', '-d', 'body'];
    const text = run('run', 'header-edit.wasm', ...args, 'http://host.test/path');
    expect(text).toContain('<- proxy_on_request_headers(2, ');
    expect(text).toContain('PUT /path (host.test)\ncontent-length: 4\nx-gateway: mine');
    expect(text).toContain('x-filtered: yes');
  });

  test.each(['as', 'rust', 'go'])('makes a folder to start from in %s', async (lang) => {
    expect(run('init', `new-${lang}`, '--lang', lang)).toContain(`made new-${lang}/`);
    const files = await readdir(join(folder, `new-${lang}`));
    expect(files).toEqual(expect.arrayContaining(['README.md', 'test.mjs']));
    expect(() => run('init', `new-${lang}`, '--lang', lang)).toThrow();
  });
});
