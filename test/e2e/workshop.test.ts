import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { definePlugin } from '../../src/plugin/define.js';
import {
  createTestGateway,
  startUpstream,
  type UpstreamRequest,
  validateConfig,
} from '../../src/testing/index.js';
import { until } from '../support/gateway.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cli = join(root, 'dist/cli.js');
const run = promisify(execFile);
const slow = 60_000;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'headgate-workshop-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe('headgate plugin', () => {
  test('init writes a plugin whose tests pass and that lint likes', { timeout: slow }, async () => {
    const cwd = await folder();
    await run(process.execPath, [cli, 'plugin', 'init', 'my-greeter'], { cwd });
    const own = join(cwd, 'my-greeter');
    await run('mkdir', ['-p', join(own, 'node_modules')]);
    await symlink(root, join(own, 'node_modules/headgate'));
    const tested = await run(process.execPath, [cli, 'plugin', 'test'], { cwd: own });
    expect(tested.stdout).toMatch(/pass 4/);
    const linted = await run(process.execPath, [cli, 'plugin', 'lint', 'index.mjs'], { cwd: own });
    expect(linted.stdout).toBe('nothing to say against it\n');
    await expect(
      run(process.execPath, [cli, 'plugin', 'init', 'my-greeter'], { cwd }),
    ).rejects.toMatchObject({ code: 1, stderr: 'my-greeter is there already\n' });
  });

  test('lint names what is wrong', { timeout: slow }, async () => {
    const cwd = await folder();
    const text = `export default {
      name: 'key-auth-like', version: '1.0.0', priority: 12, acess() {},
      schema: { fields: { api_key: { type: 'string', default: '' } } },
      async headerFilter() {},
    }`;
    await writeFile(join(cwd, 'bad.mjs'), text);
    const lint = run(process.execPath, [cli, 'plugin', 'lint', 'bad.mjs'], { cwd });
    const { code, stdout } = await lint.catch((error) => error);
    expect(code).toBe(1);
    for (const line of [
      'error: headerFilter must not be asynchronous',
      'warning: acess is nothing that the gateway calls or reads',
      'warning: api_key has no description',
      'warning: api_key looks like a secret; mark it encrypted',
      'error: the default of api_key is refused: length must be at least 1',
      'warning: its priority is that of http-log',
    ]) {
      expect(stdout).toContain(line);
    }
  });

  test('other words are answered with the usage', async () => {
    const wrong = run(process.execPath, [cli, 'plugin', 'bake']);
    await expect(wrong).rejects.toMatchObject({ code: 1 });
  });
});

describe('headgate/testing', () => {
  const plugin = definePlugin({
    name: 'tried',
    version: '1.0.0',
    priority: 500,
    schema: { fields: { text: { type: 'string', default: 'x' } } },
    async access(ctx) {
      if (ctx.request.path === '/stop') return ctx.response.exit(202, { stopped: true });
      ctx.log.notice('went on');
      ctx.service.request.setHeader('x-text', ctx.config.text);
    },
    headerFilter() {},
  });

  test('shows answers, phases, what the upstream saw and the log', async () => {
    const gateway = await createTestGateway({
      plugins: [plugin],
      configs: { tried: { text: 'y' } },
    });
    onTestFinished(() => gateway.close());
    gateway.upstream.respond((_request, response) => {
      response.writeHead(201, { 'x-a': ['1', '2'] });
      response.end('made');
    });
    const response = await gateway.inject({ method: 'POST', path: '/p?q', body: 'b' });
    expect(response).toMatchObject({
      status: 201,
      body: 'made',
      phases: ['tried.access', 'tried.header_filter'],
    });
    expect(response.headers['x-a']).toBe('1, 2');
    const [seen] = gateway.upstream.requests;
    expect(seen).toMatchObject({ method: 'POST', path: '/p?q', body: 'b' });
    expect(seen.headers['x-text']).toBe('y');
    expect(
      gateway.logs.some(({ msg, plugin: name }) => msg === 'went on' && name === 'tried'),
    ).toBe(true);
    expect((await gateway.inject('/stop')).json()).toEqual({ stopped: true });
    expect(gateway.upstream.requests).toHaveLength(1);
  });

  test('takes a whole document', async () => {
    const document = {
      _format_version: '3.0',
      services: [{ url: '{{upstream}}/base', routes: [{ paths: ['/r'] }] }],
    };
    await using gateway = await createTestGateway({ plugins: [], document });
    expect((await gateway.inject('/r')).json()).toMatchObject({ path: '/base' });
    expect((await gateway.inject('/')).status).toBe(404);
  });

  test('opens no socket unless asked to, and gives the same results either way', async () => {
    const body = 'x'.repeat(3_000_000);
    const ask = async (sockets: boolean) => {
      await using gateway = await createTestGateway({ plugins: [plugin], sockets });
      const answer = await gateway.inject({ method: 'PUT', path: '/a?b=c', body });
      const { method, path, body: seen } = answer.json() as UpstreamRequest;
      const stopped = await gateway.inject('/stop');
      const { status, phases } = answer;
      expect(gateway.url === null).toBe(!sockets);
      return { status, phases, method, path, length: seen.length, stopped: stopped.status };
    };
    const open = () => process.getActiveResourcesInfo().filter((name) => /TCP|Pipe/.test(name));
    const before = open();
    const inMemory = await ask(false);
    expect(open()).toEqual(before);
    expect(inMemory).toMatchObject({ status: 200, length: body.length, stopped: 202 });
    expect(await ask(true)).toEqual(inMemory);
  });

  test('a client in memory has the address and the TLS that the test gives it', async () => {
    await using gateway = await createTestGateway({
      plugins: [],
      document: {
        _format_version: '3.0',
        services: [{ url: '{{upstream}}', routes: [{ paths: ['/'], protocols: ['https'] }] }],
        plugins: [{ name: 'ip-restriction', config: { allow: ['10.0.0.0/8'] } }],
      },
    });
    expect((await gateway.inject('/')).status).toBe(426);
    expect((await gateway.inject({ tls: true })).status).toBe(403);
    const { headers } = (await gateway.inject({ tls: true, address: '10.1.2.3' })).json() as {
      headers: Record<string, string>;
    };
    expect(headers['x-forwarded-for']).toBe('10.1.2.3');
    expect(headers['x-forwarded-proto']).toBe('https');
  });

  test('what the mock upstream does not serve refuses connections', async () => {
    await using gateway = await createTestGateway({
      plugins: [],
      document: {
        _format_version: '3.0',
        services: [{ url: 'http://127.0.0.1:9', retries: 0, routes: [{ paths: ['/'] }] }],
      },
    });
    expect((await gateway.inject('/')).status).toBe(502);
  });

  test('refuses what a gateway refuses, and tries schemas alone', async () => {
    const configs = { tried: { text: 3 } };
    await expect(createTestGateway({ plugins: [plugin], configs })).rejects.toThrow(
      'config.text: expected a string',
    );
    expect(validateConfig(plugin.schema, {}).config.text).toBe('x');
  });
});

describe('headgate start --watch', () => {
  test('loads configuration and plugins anew when they change', { timeout: slow }, async () => {
    const cwd = await folder();
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    const module = (word: string) => `export default {
      name: 'says', version: '1.0.0', priority: 1,
      schema: { fields: { more: { type: 'string', default: '-' } } },
      headerFilter(ctx) { ctx.response.setHeader('x-says', '${word} ' + ctx.config.more) },
    }`;
    const config = (more: string) =>
      JSON.stringify({
        _format_version: '3.0',
        services: [{ url: upstream.url, routes: [{ paths: ['/'] }] }],
        plugins: [{ name: 'says', config: { more } }],
      });
    await writeFile(join(cwd, 'says.mjs'), module('one'));
    await writeFile(join(cwd, 'kong.json'), config('a'));
    const port = await freePort();
    const settings = { proxy_listen: `127.0.0.1:${port}`, admin_listen: 'off' };
    const sets = Object.entries({ ...settings, plugins: 'bundled,./says.mjs' }).flatMap(
      ([name, value]) => ['--set', `${name}=${value}`],
    );
    const child = spawn(process.execPath, [cli, 'start', '--watch', '-c', 'kong.json', ...sets], {
      cwd,
      stdio: 'ignore',
    });
    onTestFinished(() => ended(child));
    const says = (wanted: string) =>
      until(
        () =>
          fetch(`http://127.0.0.1:${port}/`).then(
            (response) => response.headers.get('x-says') === wanted,
            () => false,
          ),
        20_000,
      );
    await says('one a');
    await writeFile(join(cwd, 'kong.json'), config('b'));
    await says('one b');
    await writeFile(join(cwd, 'says.mjs'), module('two'));
    await says('two b');
    expect(await readFile(join(cwd, 'kong.json'), 'utf8')).toContain('"b"');
  });
});

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  child.kill('SIGTERM');
  await exited;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
