import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startUpstream, until } from '../support/gateway.js';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-cli-'));
  return () => rm(folder, { recursive: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly exit: Promise<number | null>;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HEADGATE_CORE: process.env.HEADGATE_CORE, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (part) => {
    out += part;
  });
  child.stderr.on('data', (part) => {
    err += part;
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, out: () => out, err: () => err, exit };
}

const anyPort = ['--set', 'proxy_listen=127.0.0.1:0', '--set', 'admin_listen=127.0.0.1:0'];

/** A started gateway: its process and where its proxy and Admin API listen. */
async function started(args: readonly string[], env?: NodeJS.ProcessEnv) {
  const one = run(['start', ...args, ...anyPort], env);
  await until(() => one.out().includes('gateway started') || one.child.exitCode !== null, 15_000);
  const line = one
    .out()
    .split('\n')
    .find((text) => text.includes('gateway started'));
  if (line === undefined) throw new Error(one.err());
  const { addresses } = JSON.parse(line) as { addresses: { kind: string; port: number }[] };
  const url = (kind: string) =>
    `http://127.0.0.1:${addresses.find((address) => address.kind === kind)?.port}`;
  return { ...one, proxy: url('proxy'), admin: url('admin') };
}

const answering = (text: string) => `_format_version: "3.0"
routes:
- paths: [/]
  plugins:
  - { name: request-termination, config: { status_code: 200, body: ${text} } }
`;

const proxying = (url: string) => `_format_version: "3.0"
services:
- url: ${url}
  routes: [{ paths: [/] }]
`;

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return name;
}

describe('check', () => {
  test('a valid file: exit code 0 and what is in it', async () => {
    const { exit, out } = run(['check', await file('kong.yml', answering('x'))]);
    expect(await exit).toBe(0);
    expect(out()).toBe('kong.yml: valid (0 services, 1 routes, 1 plugins)\n');
  });

  test('every problem at once as file:line:column, exit code 1', async () => {
    const text = '_format_version: "3.0"\nservices:\n- name: a\n  hots: x\n- nmae: b\n';
    const { exit, err } = run(['check', await file('bad.yml', text)]);
    expect(await exit).toBe(1);
    expect(err()).toMatch(/^bad\.yml:3:\d+: .*$/m);
    expect(err()).toMatch(/^bad\.yml:4:3: .*hots.*did you mean 'host'/m);
    expect(err()).toMatch(/^bad\.yml:5:3: .*nmae.*did you mean 'name'/m);
  });

  test.each(['traditional_compatible', 'traditional', 'expressions'])(
    'what only the route table shows, all of it: %s',
    async (flavor) => {
      const kinds = ['http-log', 'tcp-log', 'udp-log', 'file-log', 'loggly', 'syslog'];
      const more = ['datadog', 'statsd', 'zipkin'];
      const config: Record<string, object> = {
        'http-log': { http_endpoint: 'http://127.0.0.1:1' },
        'tcp-log': { host: '127.0.0.1', port: 1 },
        'udp-log': { host: '127.0.0.1', port: 1 },
        'file-log': { path: 'log.txt' },
        loggly: { key: 'k' },
        zipkin: { http_endpoint: 'http://127.0.0.1:1' },
      };
      const document = {
        _format_version: '3.0',
        services: [
          { name: 'a', protocol: 'grpc', host: 'a.test', routes: [{ paths: ['/a'] }] },
          { name: 'b', protocol: 'tcp', host: 'b.test', routes: [{ paths: ['/b'] }] },
        ],
        routes: [{ name: 'r', paths: ['/c'] }],
        plugins: [...kinds, ...more].map((name) => ({ name, config: config[name] ?? {} })),
      };
      const name = await file('table.json', JSON.stringify(document));
      const { exit, err } = run(['check', name, '--set', `router_flavor=${flavor}`]);
      expect(await exit).toBe(1);
      expect(err()).toContain("service a: protocol: 'grpc' upstreams are not supported yet");
      expect(err()).toContain("service b: protocol: 'tcp' upstreams are not supported yet");
      expect(err()).toContain('log queues on one route, more than the limit of 8');
    },
  );

  test('a file that is not there: exit code 1', async () => {
    const { exit, err } = run(['check', 'none.yml']);
    expect(await exit).toBe(1);
    expect(err()).toBe('none.yml: cannot be read (ENOENT)\n');
  });
});

describe('arguments', () => {
  test.each([
    [[], 1, 'usage:'],
    [['help'], 0, 'usage:'],
    [['version'], 0, '0.'],
    [['fly'], 1, "unknown command 'fly'"],
    [['start', '--flag'], 1, '--flag'],
    [['start', 'extra'], 1, 'unexpected: extra'],
    [['start', '--set', 'proxy_lisen=off'], 1, 'proxy_lisen'],
    [['start', '--set', 'nothing'], 1, 'expected NAME=VALUE'],
    [['reload'], 1, '--pid'],
  ])('%j exits with %i', async (args, code, text) => {
    const { exit, out, err } = run(args);
    expect(await exit).toBe(code);
    expect(out() + err()).toContain(text);
  });

  test('schema prints a JSON Schema with the bundled plugins', async () => {
    const { exit, out } = run(['schema']);
    expect(await exit).toBe(0);
    expect(JSON.parse(out())).toHaveProperty('$schema');
    expect(out()).toContain('request-termination');
  });
});

describe('start', () => {
  test('a bad file starts nothing: exit code 1 and the place of the problem', async () => {
    const name = await file('bad.yml', 'services: 1\n');
    const { exit, err, out } = run(['start', '-c', name, ...anyPort]);
    expect(await exit).toBe(1);
    expect(err()).toMatch(/^bad\.yml:1:\d+: /);
    expect(out()).toBe('');
  });

  test('settings come from a file, the environment and flags, the later ones winning', async () => {
    await file(
      'headgate.conf',
      'log_level = error\nallow_debug_header = on\nerror_default_type = text/html\n',
    );
    const { admin } = await started(
      [
        '--conf',
        'headgate.conf',
        '--set',
        'log_level=info',
        '-c',
        await file('k.yml', answering('x')),
      ],
      { KONG_LOG_LEVEL: 'warn', HEADGATE_ROUTER_FLAVOR: 'traditional_compatible' },
    );
    const body = (await (await fetch(admin)).json()) as { configuration: Record<string, unknown> };
    expect(body.configuration).toMatchObject({ log_level: 'info', allow_debug_header: true });
  });

  test('--quickstart runs the example with an echo service and prints two curl lines', async () => {
    const { proxy, child, exit, err } = await started(['--quickstart']);
    await until(() => err().includes('/status'));
    const lines = err()
      .split('\n')
      .filter((line) => line.trim().startsWith('curl '));
    expect(lines).toHaveLength(2);
    const url = /http:\S+\/echo\S*/.exec(lines[0])?.[0] ?? '';
    expect(url.startsWith(proxy)).toBe(true);
    expect(await (await fetch(url)).json()).toMatchObject({ method: 'GET' });
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  test.each(['SIGTERM', 'SIGQUIT', 'SIGINT'] as const)(
    '%s drains: nothing in flight is lost',
    async (signal) => {
      const answers: (() => void)[] = [];
      const upstream = await startUpstream((_, response) =>
        answers.push(() => response.end('late')),
      );
      const text = proxying(upstream.url);
      const pid = join(folder, 'run.pid');
      const { proxy, child, exit } = await started(['-c', await file('k.yml', text), '--pid', pid]);
      expect(await readFile(pid, 'utf8')).toBe(`${child.pid}\n`);
      const responses = Array.from({ length: 20 }, () => fetch(proxy));
      await until(() => answers.length === 20);
      child.kill(signal);
      for (const answer of answers) answer();
      for (const response of await Promise.all(responses))
        expect(await response.text()).toBe('late');
      expect(await exit).toBe(0);
      expect(existsSync(pid)).toBe(false);
    },
  );

  test('a second INT stops at once', async () => {
    const upstream = await startUpstream(() => {});
    const text = proxying(upstream.url);
    const { proxy, child, exit, out } = await started(['-c', await file('k.yml', text)]);
    const cut = expect(fetch(proxy)).rejects.toThrow();
    await until(() => upstream.requests.length === 1);
    const before = performance.now();
    child.kill('SIGINT');
    await until(() => out().includes('draining'));
    child.kill('SIGINT');
    expect(await exit).toBe(0);
    await cut;
    expect(performance.now() - before).toBeLessThan(5000);
  });

  test('HUP and `reload` read the file again; a bad one changes nothing', async () => {
    const name = await file('k.yml', answering('one'));
    const pid = join(folder, 'run.pid');
    const { proxy, child, out, err } = await started(['-c', name, '--pid', pid]);
    const text = async () => (await fetch(proxy)).text();
    expect(await text()).toBe('one');
    await file('k.yml', answering('two'));
    child.kill('SIGHUP');
    await until(async () => (await text()) === 'two');
    await file('k.yml', answering('three'));
    expect(await run(['reload', '--pid', pid]).exit).toBe(0);
    await until(async () => (await text()) === 'three');
    await file('k.yml', 'routes: 5\n');
    child.kill('SIGHUP');
    await until(() => err().includes('k.yml:1:'));
    expect(await text()).toBe('three');
    expect(out()).toContain('the one in use stays');
  });

  test('USR2 opens the access log again', async () => {
    const name = await file('k.yml', answering('x'));
    const log = join(folder, 'access.log');
    const { proxy, child, exit } = await started(['-c', name, '--set', `access_log=${log}`]);
    await (await fetch(`${proxy}/one`)).text();
    await until(async () => (await readFile(log, 'utf8')).includes('/one'));
    await rm(log);
    child.kill('SIGUSR2');
    await until(() => existsSync(log));
    await (await fetch(`${proxy}/two`)).text();
    child.kill('SIGTERM');
    await exit;
    expect(await readFile(log, 'utf8')).toMatch(/^\{.*"uri":"\/two".*\}\n$/);
  });
});
